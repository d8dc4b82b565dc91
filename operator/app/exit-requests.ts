import { reasonOf } from '../core/errors.ts'
import type { Epoch, ProducerId, PublicKey } from '../core/ids.ts'
import type { Pool } from '../core/network.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { ChainFollower, Parameters } from '../core/ports/chain.ts'
import type { Log } from '../core/ports/log.ts'
import type { ExitRequests } from '../duties/types.ts'

type Sources = {
  readonly self: ProducerId
  readonly chain: ChainFollower
  readonly beacon: BeaconNode
  readonly parameters: Parameters
  readonly log: Log
}

/**
 * Exits to be signed: of pools whose liquidation is final and whose validators the beacon chain does not show exiting yet. All
 * members name the epoch in which the liquidation was drawn.
 */
export function createExitRequests({ self, chain, beacon, parameters, log }: Sources, signal: AbortSignal): ExitRequests {
  /** Keys whose exit the beacon chain shows, or has shown: an exit is never taken back once final, and a reorg asks again. */
  const exiting = new Set<PublicKey>()
  // Also of pools whose key self is to have, or to give away: the epoch says whose exit it is.
  const isOurs = ({ vaults }: Pool): boolean => vaults.some(({ members }) => members.includes(self))
  const exitingPools = (): readonly Pool[] =>
    [...chain.view().finalized.pools.values()].filter((pool) => pool.phase === 'exiting' && isOurs(pool))

  async function look(): Promise<void> {
    const keys = exitingPools().flatMap(({ publicKey }) => publicKey ?? [])
    for (const known of exiting) if (!keys.includes(known)) exiting.delete(known)
    for (const { publicKey, exitEpoch } of await beacon.validators(keys, 'head', signal)) {
      if (exitEpoch === Infinity) exiting.delete(publicKey)
      else exiting.add(publicKey)
    }
  }

  const onHead = (): void => {
    look().catch((error: unknown) => {
      if (!signal.aborted) log.warn('cannot look for exits on the beacon chain', { reason: reasonOf(error) })
    })
  }
  beacon.follow({ onHead, onFinalized: () => {} }, signal)

  return {
    due: () =>
      exitingPools().flatMap(({ id, publicKey, exitDeadline }) => {
        if (publicKey === undefined || exitDeadline === undefined || exiting.has(publicKey)) return []
        return [{ poolId: id, epoch: (exitDeadline - parameters.maxLiquidationExecution) as Epoch }]
      }),
  }
}
