import { reasonOf } from '../core/errors.ts'
import type { MemberIndex, PoolId, ProducerId } from '../core/ids.ts'
import type { NetworkState, Pool } from '../core/network.ts'
import type { CeremonyContext } from '../core/ports/ceremony.ts'
import type { Job, JobOutcome } from '../core/ports/queue.ts'
import { memberIndexOf, thresholdOf } from '../core/vault.ts'
import { DkgError } from '../protocol/dkg/errors.ts'
import { peekCeremony } from '../protocol/messages/ceremony-codec.ts'
import { CeremonyFault } from './faults.ts'
import { runCeremony } from './pipeline.ts'
import { CeremonyRoom } from './room.ts'
import { type Ceremony, type CeremonyPorts, ceremonyKey } from './types.ts'

const QUEUE = 'ceremony'
/** Ceremonies at once. Most of one is waiting, so a few that hang do not hold up others. */
const CONCURRENCY = 32

type Entry = Pick<CeremonyContext, 'poolId' | 'round' | 'size' | 'self'>
type Standing = 'to come' | 'open' | 'over'

/** Where a chain state has a pool's ceremony of a round. */
function standingOf({ pools }: NetworkState, { poolId, round }: Pick<Entry, 'poolId' | 'round'>): Standing {
  const pool = pools.get(poolId)
  if (pool === undefined || pool.round < round || (pool.round === round && pool.phase === 'requested')) return 'to come'
  return pool.round === round && pool.phase === 'ceremony' ? 'open' : 'over'
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/** The seat of a producer in the vault of a pool's present round, or undefined when it holds none. */
function entryOf(pool: Pool, producer: ProducerId): Entry | undefined {
  const self = memberIndexOf({ poolId: pool.id, round: pool.round, members: pool.members }, producer)
  return self && { poolId: pool.id, round: pool.round, size: pool.members.length, self }
}

const readEntry = ({ poolId, round, size, self }: Job['data']): Entry => ({
  poolId: Number(poolId) as PoolId,
  round: Number(round),
  size: Number(size),
  self: Number(self) as MemberIndex,
})

/**
 * Takes part in every ceremony of whose vault this producer is a member, as soon as the draw is final, until the chain shows
 * its outcome; forgets its secrets once that is final.
 */
export function startCeremonies(ports: CeremonyPorts, signal: AbortSignal): void {
  const { chain, contracts, queue, network, log, observer } = ports
  const { slotDurationMs: slotMs, slotsPerEpoch } = ports.beacon.spec
  const rooms = new Map<string, { readonly room: CeremonyRoom; readonly members: readonly ProducerId[] }>()
  const queued = new Set<string>()
  /** Ceremonies that a member has spoilt: until the chain ends them there is nothing to do. */
  const spoilt = new Set<string>()

  const contextOf = (entry: Entry): CeremonyContext => ({
    ...entry,
    chainId: contracts.chainId,
    contract: contracts.addresses.poolRegistry,
    kind: 'dkg',
    threshold: thresholdOf(entry.size),
  })
  const later = (reason: string): JobOutcome => ({ done: false, retryInMs: slotsPerEpoch * slotMs, reason })

  async function enqueue(): Promise<void> {
    for (const pool of chain.view().finalized.pools.values()) {
      const entry = pool.phase === 'ceremony' ? entryOf(pool, ports.self) : undefined
      if (entry === undefined || queued.has(ceremonyKey(entry))) continue
      await queue.add(QUEUE, `dkg/${ceremonyKey(entry)}`, entry)
      queued.add(ceremonyKey(entry))
    }
  }

  async function work(entry: Entry, jobSignal: AbortSignal): Promise<JobOutcome> {
    const key = ceremonyKey(entry)
    const { finalized, head } = chain.view()
    if (standingOf(finalized, entry) === 'over') {
      await ports.secrets.erase(contextOf(entry))
      spoilt.delete(key)
      // Never asked for again: the final state of a pool does not go back.
      queued.delete(key)
      return { done: true }
    }
    const drawn = finalized.pools.get(entry.poolId)
    if (drawn === undefined || standingOf(finalized, entry) === 'to come') return later('the draw is not final')
    if (standingOf(head, entry) !== 'open') return later('the outcome is not final')
    if (spoilt.has(key)) return later('a member broke a rule')
    const members = drawn.members.flatMap((id) => head.producers.get(id) ?? [])
    const withdrawalVault = contracts.addresses[drawn.kind === 'staker' ? 'stakerVault' : 'bondVault']
    return takePart({ context: contextOf(entry), members, withdrawalVault }, jobSignal)
  }

  /** Plays one ceremony until the head shows that it is over, or a member broke a rule. */
  async function takePart(ceremony: Ceremony, jobSignal: AbortSignal): Promise<JobOutcome> {
    const { context, members } = ceremony
    const { poolId, round } = context
    const key = ceremonyKey(context)
    const over = new AbortController()
    const stopWatching = chain.onChange(({ view }) => {
      if (standingOf(view.head, context) !== 'open') over.abort()
    })
    const room = new CeremonyRoom({ ceremony, network, clock: ports.clock, verifyEcdsa: ports.verifyEcdsa, log, repeatMs: slotMs })
    rooms.set(key, { room, members: members.map(({ id }) => id) })
    try {
      return await runCeremony(ports, ceremony, room, AbortSignal.any([jobSignal, over.signal]))
    } catch (error) {
      if (over.signal.aborted) {
        observer.onEnded(context, { registered: chain.view().head.pools.get(poolId)?.publicKey !== undefined })
        return later('the outcome is not final')
      }
      if (jobSignal.aborted || !(error instanceof CeremonyFault || error instanceof DkgError)) throw error
      log.error('ceremony failed', { pool: poolId, round, rule: error.code, member: error.data.member, reason: error.message })
      observer.onEnded(context, { registered: false, reason: error.message })
      spoilt.add(key)
      // What proves the fault is told until the round is over: who missed it would wait in vain.
      await ended(AbortSignal.any([jobSignal, over.signal]))
      jobSignal.throwIfAborted()
      return later(error.message)
    } finally {
      stopWatching()
      room.close()
      rooms.delete(key)
      over.abort() // ends what still waits
    }
  }

  queue.process(QUEUE, CONCURRENCY, ({ data }, jobSignal) => work(readEntry(data), jobSignal))

  const stopListening = network.onMessage('ceremony', (from, bytes) => {
    try {
      const found = rooms.get(ceremonyKey(peekCeremony(bytes)))
      const member = found?.members.indexOf(from) ?? -1
      if (found !== undefined && member >= 0) found.room.receive((member + 1) as MemberIndex, bytes)
    } catch (error) {
      log.debug('ceremony message dropped', { from, reason: reasonOf(error) })
    }
  })
  const lookForWork = (): void => {
    enqueue().catch((error: unknown) => {
      if (!signal.aborted) log.warn('ceremony upkeep failed', { reason: reasonOf(error) })
    })
  }
  const stopWatching = chain.onChange(lookForWork)
  signal.addEventListener('abort', () => {
    stopListening()
    stopWatching()
  })
  lookForWork()
}
