import { type Deployment, DeploymentError, readDeployment } from '../adapters/chain/deployment.ts'
import { ChainRpc } from '../adapters/chain/rpc.ts'
import type { Address, Hex } from '../core/ids.ts'
import type { ChainSpec } from '../core/ports/beacon.ts'
import { AppError } from './errors.ts'
import { assertSameChain, assertSameClock } from './registration.ts'

export type Execution = { readonly rpc: ChainRpc; readonly deployment: Deployment }

/**
 * Connects to the execution client and reads the deployment. Throws `ChainError` when nobody answers, `AppError` OTHER_CHAIN or
 * SYNCING, and `DeploymentError` when there is no directory at the address.
 */
export async function connectExecution(
  { url, directory, spec }: { readonly url: string; readonly directory: Address; readonly spec: ChainSpec },
  signal: AbortSignal,
): Promise<Execution> {
  const rpc = await ChainRpc.connect({ url }, signal)
  assertSameChain({ spec, chainId: rpc.identity.chainId })
  const call = async (to: Address, data: Hex): Promise<Hex> => (await rpc.request('eth_call', [{ to, data }, 'latest'], signal)) as Hex
  const deployment = await knowingly(rpc, () => readDeployment(call, directory), signal)
  assertSameClock(spec, deployment.parameters)
  return { rpc, deployment }
}

/**
 * What a client that has not caught up denies may be there all the same: that is reported as `AppError` SYNCING, which passes,
 * instead of NOT_A_DIRECTORY or NOT_REGISTERED, which would not.
 */
export async function knowingly<T>(rpc: ChainRpc, ask: () => T | Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const denied = error instanceof DeploymentError || (error instanceof AppError && error.code === 'NOT_REGISTERED')
    if (denied && (await rpc.request('eth_syncing', [], signal)) !== false) {
      throw new AppError('SYNCING', `the execution client is still syncing, so far ${error.message}`, {}, { cause: error })
    }
    throw error
  }
}
