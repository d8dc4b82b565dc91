import { reasonOf } from '../core/errors.ts'
import type { MemberIndex, PoolId, ProducerId } from '../core/ids.ts'
import type { NetworkState, Pool } from '../core/network.ts'
import type { CeremonyContext } from '../core/ports/ceremony.ts'
import type { JobOutcome } from '../core/ports/queue.ts'
import { memberIndexOf, thresholdOf } from '../core/vault.ts'
import { peekCeremony } from '../protocol/messages/ceremony-codec.ts'
import { runCeremony } from './pipeline.ts'
import { CeremonyRoom } from './room.ts'
import { type Ceremony, type CeremonyPorts, ceremonyKey } from './types.ts'

const QUEUE = 'ceremony'
/** More ceremonies at once than a small machine can do well: the rest wait their turn. */
const CONCURRENCY = 8

/** What self needs to take part in a pool's present round, or undefined when it holds no seat there. */
function ceremonyOf(ports: CeremonyPorts, state: NetworkState, pool: Pool): Ceremony | undefined {
  const { contracts, self } = ports
  const index = memberIndexOf({ poolId: pool.id, round: pool.round, members: pool.members }, self)
  const members = pool.members.flatMap((id) => state.producers.get(id) ?? [])
  if (index === undefined || members.length !== pool.members.length) return undefined
  const context: CeremonyContext = {
    chainId: contracts.chainId,
    contract: contracts.addresses.poolRegistry,
    poolId: pool.id,
    kind: 'dkg',
    round: pool.round,
    size: members.length,
    threshold: thresholdOf(members.length),
    self: index,
  }
  return { context, members, withdrawalVault: contracts.addresses[pool.kind === 'staker' ? 'stakerVault' : 'bondVault'] }
}

/** Takes part in every ceremony of whose vault this producer is a member, as soon as the draw is final, until it is registered or failed. */
export function startCeremonies(ports: CeremonyPorts, signal: AbortSignal): void {
  const { chain, queue, network, log, observer } = ports
  const slotMs = ports.beacon.spec.slotDurationMs
  const rooms = new Map<string, { readonly room: CeremonyRoom; readonly members: readonly ProducerId[] }>()

  const isOpen = (pool: Pool | undefined, round: number): pool is Pool =>
    pool !== undefined && pool.phase === 'ceremony' && pool.round === round

  async function enqueue(): Promise<void> {
    for (const pool of chain.view().finalized.pools.values()) {
      if (pool.phase !== 'ceremony' || !pool.members.includes(ports.self)) continue
      await queue.add(QUEUE, `dkg/${ceremonyKey({ poolId: pool.id, round: pool.round })}`, { poolId: pool.id, round: pool.round })
    }
  }

  async function takePart(poolId: PoolId, round: number, jobSignal: AbortSignal): Promise<JobOutcome> {
    const drawn = chain.view().finalized.pools.get(poolId)
    if (!isOpen(drawn, round) || !isOpen(chain.view().head.pools.get(poolId), round)) return { done: true }
    const ceremony = ceremonyOf(ports, chain.view().head, drawn)
    if (ceremony === undefined) return { done: true }

    const over = new AbortController()
    const watch = chain.onChange(({ view }) => {
      if (!isOpen(view.head.pools.get(poolId), round)) over.abort()
    })
    const room = new CeremonyRoom({ ceremony, network, clock: ports.clock, verifyEcdsa: ports.verifyEcdsa, log, repeatMs: slotMs })
    rooms.set(ceremonyKey({ poolId, round }), { room, members: drawn.members })
    try {
      await runCeremony(ports, ceremony, room, AbortSignal.any([jobSignal, over.signal]))
      return { done: true }
    } catch (error) {
      if (over.signal.aborted) {
        const registered = chain.view().head.pools.get(poolId)?.publicKey !== undefined
        observer.onEnded(ceremony.context, { registered })
        return { done: true }
      }
      if (jobSignal.aborted) throw error
      log.error('ceremony failed', { pool: poolId, round, reason: reasonOf(error) })
      observer.onEnded(ceremony.context, { registered: false, reason: reasonOf(error) })
      return { done: true }
    } finally {
      watch()
      room.close()
      rooms.delete(ceremonyKey({ poolId, round }))
    }
  }

  queue.process(QUEUE, CONCURRENCY, ({ data }, jobSignal) => takePart(Number(data.poolId) as PoolId, Number(data.round), jobSignal))

  const stopListening = network.onMessage('ceremony', (from, bytes) => {
    try {
      const header = peekCeremony(bytes)
      const found = rooms.get(ceremonyKey(header))
      const member = found?.members.indexOf(from) ?? -1
      if (found !== undefined && member >= 0) found.room.receive((member + 1) as MemberIndex, bytes)
    } catch (error) {
      log.debug('ceremony message dropped', { from, reason: reasonOf(error) })
    }
  })
  const complain = (error: unknown): void => {
    if (!signal.aborted) log.warn('ceremony upkeep failed', { reason: reasonOf(error) })
  }
  const stopWatching = chain.onChange(({ finalized, view }) => {
    enqueue().catch(complain)
    // What a ceremony kept on disk is erased once its outcome is final.
    for (const { name, args } of finalized) {
      if (name !== 'PoolRegistry.DkgCompleted' && name !== 'PoolRegistry.DkgFailed') continue
      const pool = view.finalized.pools.get(args.poolId)
      const ended = pool && ceremonyOf(ports, view.finalized, { ...pool, round: args.round })
      if (ended !== undefined) ports.secrets.erase(ended.context).catch(complain)
    }
  })
  signal.addEventListener('abort', () => {
    stopListening()
    stopWatching()
  })
  enqueue().catch(complain)
}
