import { dataLength, type Signer, type TransactionReceipt, type TransactionResponse } from 'ethers'
import { explain } from '../operator/adapters/chain/revert.ts'
import { ethTexts } from '../operator/core/amounts.ts'
import type { Directory } from '../typechain-types/contracts/Directory.js'
import { Directory__factory } from '../typechain-types/factories/contracts/Directory__factory.js'
import { DeployError } from './errors.ts'
import type { DeploymentParameters, LayoutRow } from './parameters/types.ts'
import { CONTRACT_ORDER, type ContractName, type Creation, type DeploymentAddresses, planCreations, predictAddresses } from './plan.ts'

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
  await assertAffordable({ signer, deployer, creations })
  await assertAccepted({ signer, deployer, creation: creations.directory, genesisTime: parameters.genesisTime })

  const sent: { name: ContractName; transaction: TransactionResponse }[] = []
  for (const [index, name] of CONTRACT_ORDER.entries()) {
    const { data, value } = creations[name]
    const transaction = signer.sendTransaction({ data, value, gasLimit: gasLimitOf(creations[name]), nonce: firstNonce + index })
    sent.push({ name, transaction: await failingWith(name, transaction) })
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

const gasLimitOf = ({ data }: Creation): bigint => CONSTRUCTOR_GAS + BigInt(dataLength(data)) * GAS_PER_BYTE

type Funding = { readonly signer: Signer; readonly deployer: string; readonly creations: Readonly<Record<ContractName, Creation>> }

/** Half a deployment is of no use to anybody: asked before anything is sent. */
async function assertAffordable({ signer, deployer, creations }: Funding): Promise<void> {
  const { provider } = signer
  if (provider === null) return
  const [balance, fees] = await Promise.all([provider.getBalance(deployer), provider.getFeeData()])
  const gasPrice = fees.maxFeePerGas ?? fees.gasPrice ?? 0n
  const needed = Object.values(creations).reduce((sum, creation) => sum + gasLimitOf(creation) * gasPrice + creation.value, 0n)
  if (balance >= needed) return
  const [held, most] = ethTexts(balance, needed)
  throw new DeployError('TOO_POOR', `${deployer} holds ${held}, a deployment costs up to ${most} at today's fees: fund it first`, {
    deployer,
    balance,
    needed,
  })
}

type Judged = { readonly signer: Signer; readonly deployer: string; readonly creation: Creation; readonly genesisTime: bigint }

/** The directory judges all parameters. Simulated, it says what is wrong with them, which its transaction would not. */
async function assertAccepted({ signer, deployer, creation, genesisTime }: Judged): Promise<void> {
  const { provider } = signer
  const latest = await provider?.getBlock('latest')
  // Clients simulate at the latest block's time: before the beacon chain's first block that would be before its genesis.
  if (provider === null || BigInt(latest?.timestamp ?? 0) < genesisTime) return
  await failingWith('directory', provider.call({ from: deployer, data: creation.data, value: creation.value }))
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
    throw new DeployError('DEPLOYMENT_FAILED', `deploying ${name} failed: ${explain(cause)}`, { name }, { cause })
  }
}
