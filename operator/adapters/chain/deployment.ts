import { isError, type Result } from 'ethers'
import { OpenPoolsError } from '../../core/errors.ts'
import type { Address, Hex } from '../../core/ids.ts'
import { toAddress } from '../../core/parse.ts'
import { CONTRACTS, type ContractAddresses, type ContractName, type Parameters } from '../../core/ports/chain.ts'
import { INTERFACES } from './interfaces.ts'
import { isRevert } from './revert.ts'

export class DeploymentError extends OpenPoolsError<'NOT_A_DIRECTORY'> {}

/** A deployment as its directory contract tells it. */
export type Deployment = {
  readonly addresses: ContractAddresses
  readonly parameters: Parameters
  /** Block from which on its events are. */
  readonly deploymentBlock: number
}

/** eth_call at the latest block: returns the raw answer. */
export type EthCall = (to: Address, data: Hex) => Promise<Hex>

function parametersOf(raw: Result): Parameters {
  const plain = raw.toObject()
  const amounts = new Set([
    'seatAllocation',
    'effectiveStake',
    'minDeposit',
    'liquidationThreshold',
    'stallPenalty',
    'failedVotePenalty',
    'reporterFee',
    'cdtEmission',
  ])
  const entries = Object.entries(plain).map(([name, value]) => {
    if (typeof value === 'bigint') return [name, amounts.has(name) ? value : Number(value)]
    return [name, typeof value === 'string' ? value.toLowerCase() : value]
  })
  return Object.fromEntries(entries) as Parameters
}

/** Reads a deployment from its directory contract. Throws `DeploymentError` when the address holds none. */
export async function readDeployment(call: EthCall, directory: Address): Promise<Deployment> {
  const read = async (method: string): Promise<Result> => {
    // Another contract refuses the call or answers in another shape, an account without code answers nothing.
    const answer = await call(directory, INTERFACES.directory.encodeFunctionData(method) as Hex).catch((error: unknown) => {
      if (isError(error, 'CALL_EXCEPTION') || isRevert(error)) return '0x'
      throw error
    })
    try {
      return INTERFACES.directory.decodeFunctionResult(method, answer)
    } catch (cause) {
      throw new DeploymentError(
        'NOT_A_DIRECTORY',
        `expected the directory of an Open Pools deployment at ${directory}, found none`,
        { directory },
        { cause },
      )
    }
  }
  const addresses = (await read('addresses'))[0] as Record<ContractName, string>
  return {
    addresses: Object.fromEntries(CONTRACTS.map((name) => [name, toAddress(addresses[name])])) as ContractAddresses,
    parameters: parametersOf((await read('parameters'))[0] as Result),
    deploymentBlock: Number((await read('deploymentBlock'))[0]),
  }
}
