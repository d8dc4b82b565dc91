import { dataLength, type Signer, type TransactionReceipt, type TransactionResponse } from 'ethers'
import type { Directory } from '../typechain-types/contracts/Directory.js'
import { Directory__factory } from '../typechain-types/factories/contracts/Directory__factory.js'
import { DeployError } from './errors.ts'
import type { DeploymentParameters, LayoutRow } from './parameters/types.ts'
import { CONTRACT_ORDER, type ContractName, type DeploymentAddresses, planCreations, predictAddresses } from './plan.ts'

export interface DeploymentRequest {
  /** Sends nothing else while it deploys: addresses follow from its nonces. */
  readonly signer: Signer
  readonly parameters: DeploymentParameters
  readonly layouts: readonly LayoutRow[]
  /** Called as each contract stands. */
  readonly onDeployed?: (deployed: DeployedContract) => void
}

export interface DeployedContract {
  readonly name: ContractName
  readonly address: string
  readonly gasUsed: bigint
}

export interface Deployment {
  readonly addresses: DeploymentAddresses
  readonly directory: Directory
  readonly contracts: readonly DeployedContract[]
}

/** Gas of a creation besides what its length decides: the transaction, the creation, the constructor's own work. */
const CONSTRUCTOR_GAS = 1_500_000n
/** Calldata (16), init code (2 a word) and the code kept (200), a byte. */
const GAS_PER_BYTE = 217n

/**
 * Deploys all contracts. They refer to each other as constants, so every address is predicted from the signer's nonces,
 * given to all constructors, and asserted when the contract stands. All transactions are sent at once, in order.
 * @throws DeployError DEPLOYMENT_FAILED or WRONG_ADDRESS, naming the contract.
 */
export async function deployOpenPools({ signer, parameters, layouts, onDeployed }: DeploymentRequest): Promise<Deployment> {
  const deployer = await signer.getAddress()
  const firstNonce = await signer.getNonce('pending')
  const addresses = predictAddresses(deployer, firstNonce)
  const creations = await planCreations({ addresses, parameters, layouts })

  const sent: { name: ContractName; transaction: TransactionResponse }[] = []
  for (const [index, name] of CONTRACT_ORDER.entries()) {
    const { data, value } = creations[name]
    const gasLimit = CONSTRUCTOR_GAS + BigInt(dataLength(data)) * GAS_PER_BYTE
    sent.push({ name, transaction: await failingWith(name, signer.sendTransaction({ data, value, gasLimit, nonce: firstNonce + index })) })
  }

  const contracts: DeployedContract[] = []
  for (const { name, transaction } of sent) {
    const receipt = await failingWith(name, transaction.wait())
    const deployed = { name, address: addresses[name], gasUsed: assertStands(name, addresses[name], receipt) }
    contracts.push(deployed)
    onDeployed?.(deployed)
  }
  return { addresses, directory: Directory__factory.connect(addresses.directory, signer), contracts }
}

function assertStands(name: ContractName, expected: string, receipt: TransactionReceipt | null): bigint {
  if (receipt === null) throw new DeployError('DEPLOYMENT_FAILED', `expected a receipt for ${name}, got none`, { name })
  if (receipt.contractAddress !== expected) {
    const actual = receipt.contractAddress
    throw new DeployError('WRONG_ADDRESS', `expected ${name} at ${expected}, got ${actual}`, { name, expected, actual })
  }
  return receipt.gasUsed
}

async function failingWith<T>(name: ContractName, sending: Promise<T>): Promise<T> {
  try {
    return await sending
  } catch (cause) {
    throw new DeployError('DEPLOYMENT_FAILED', `deploying ${name} failed: ${(cause as Error).message}`, { name }, { cause })
  }
}
