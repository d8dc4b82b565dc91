import { getBytes, isError, type JsonRpcProvider, keccak256, type TransactionResponse } from 'ethers'
import { BeaconLayout__factory } from '../../typechain-types/factories/contracts/consensus/BeaconLayout__factory.js'
import { Directory__factory } from '../../typechain-types/factories/contracts/Directory__factory.js'
import { DeployError } from '../errors.ts'
import type { DeploymentParameters, LayoutRow } from '../parameters/types.ts'
import { CONTRACT_ORDER, type ContractName, type Creation, type DeploymentAddresses, planCreations } from '../plan.ts'
import { findCreations } from './creations.ts'
import { isRuntimeOf } from './runtime.ts'

export type VerifiedContract = {
  readonly name: ContractName
  readonly address: string
  /** keccak256 of the code that stands there. */
  readonly codeHash: string
  /** What is wrong with it; none when it is this source's. */
  readonly faults: readonly string[]
}

export type Verification = {
  readonly chainId: bigint
  readonly deploymentBlock: bigint
  readonly contracts: readonly VerifiedContract[]
  readonly parameters: DeploymentParameters
  /** As they were when it was deployed. */
  readonly layouts: readonly LayoutRow[]
}

/**
 * Compares a deployment with this source. Code alone would not do, since a creation can leave anything in storage: each contract
 * must have been created by exactly our init code, with the arguments that follow from the directory's addresses and parameters.
 * Throws `DeployError` NOT_VERIFIED when there is no directory of this source at the address; other differences are `faults`.
 */
export async function verifyDeployment(provider: JsonRpcProvider, directory: string): Promise<Verification> {
  const { addresses, parameters, deploymentBlock } = await readDirectory(provider, directory)
  const transactions = await findCreations(provider, { addresses: Object.values(addresses), fromBlock: Number(deploymentBlock) })
  const created = (name: ContractName): TransactionResponse | undefined => transactions.get(addresses[name].toLowerCase())

  const layouts = await initialLayouts({ provider, addresses, parameters, created: created('beaconLayout') })
  const creations = await planCreations({ addresses, parameters, layouts })
  const contracts: VerifiedContract[] = []
  for (const name of CONTRACT_ORDER) {
    const address = addresses[name]
    const code = await provider.getCode(address)
    const faults = faultsOf({ code, creation: creations[name], transaction: created(name) })
    if (name === 'directory' && address.toLowerCase() !== directory.toLowerCase()) faults.push(`it names ${address} as itself`)
    contracts.push({ name, address, codeHash: keccak256(code), faults })
  }
  const { chainId } = await provider.getNetwork()
  return { chainId, deploymentBlock, contracts, parameters, layouts }
}

type Found = { readonly code: string; readonly creation: Creation; readonly transaction: TransactionResponse | undefined }

function faultsOf({ code, creation, transaction }: Found): string[] {
  if (code === '0x') return ['no contract stands there']
  const faults: string[] = []
  if (!isRuntimeOf(getBytes(code), getBytes(creation.data))) faults.push('its code is not this source’s')
  if (transaction === undefined) faults.push('the transaction that created it was not found')
  else if (transaction.data !== creation.data) faults.push('it was not created by this source with the directory’s parameters')
  else if (transaction.value !== creation.value) faults.push(`it was created with ${transaction.value} wei instead of ${creation.value}`)
  return faults
}

type Directory = {
  readonly addresses: DeploymentAddresses
  readonly parameters: DeploymentParameters
  readonly deploymentBlock: bigint
}

async function readDirectory(provider: JsonRpcProvider, directory: string): Promise<Directory> {
  const contract = Directory__factory.connect(directory, provider)
  try {
    const [addresses, parameters, deploymentBlock] = await Promise.all([
      contract.addresses(),
      contract.parameters(),
      contract.deploymentBlock(),
    ])
    return {
      addresses: plain(addresses) as DeploymentAddresses,
      parameters: plain(parameters) as unknown as DeploymentParameters,
      deploymentBlock,
    }
  } catch (cause) {
    if (!isError(cause, 'CALL_EXCEPTION') && !isError(cause, 'BAD_DATA')) throw cause
    const message = `expected the directory of a deployment of this source at ${directory}, found none`
    throw new DeployError('NOT_VERIFIED', message, { directory }, { cause })
  }
}

const plain = (struct: object): Record<string, unknown> => (struct as { toObject(): Record<string, unknown> }).toObject()

type Laid = {
  readonly provider: JsonRpcProvider
  readonly addresses: DeploymentAddresses
  readonly parameters: DeploymentParameters
  readonly created: TransactionResponse | undefined
}

/** Rows come after deployment as well: the first ones are those with which the contract was created. */
async function initialLayouts({ provider, addresses, parameters, created }: Laid): Promise<readonly LayoutRow[]> {
  const rows = await BeaconLayout__factory.connect(addresses.beaconLayout, provider)
    .rows()
    .then((structs) => structs.map((row) => plain(row) as unknown as LayoutRow))
    .catch((): LayoutRow[] => [])
  for (let count = rows.length; count > 0; count--) {
    const layouts = rows.slice(0, count)
    if ((await planCreations({ addresses, parameters, layouts })).beaconLayout.data === created?.data) return layouts
  }
  return rows
}
