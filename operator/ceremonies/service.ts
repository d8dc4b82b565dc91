import { reasonOf } from '../core/errors.ts'
import type { Epoch, MemberIndex, PoolId, ProducerId } from '../core/ids.ts'
import type { NetworkState, Pool } from '../core/network.ts'
import type { CeremonyContext } from '../core/ports/ceremony.ts'
import type { Job, JobOutcome } from '../core/ports/queue.ts'
import { memberIndexOf, thresholdOf } from '../core/vault.ts'
import { peekCeremony } from '../protocol/messages/ceremony-codec.ts'
import { runCeremony } from './pipeline.ts'
import { Progress } from './progress.ts'
import { callRoll } from './roll-call.ts'
import { dkgRoll } from './rolls.ts'
import { CeremonyRoom } from './room.ts'
import { type Ceremony, type CeremonyPorts, ceremonyKey } from './types.ts'

const QUEUE = 'ceremony'
/** Ceremonies at once. Most of one is waiting, so a few that hang do not hold up others. */
const CONCURRENCY = 32

/** The chain draws no vault without one. */
const NO_DEADLINE = 0 as Epoch

type Entry = Pick<CeremonyContext, 'poolId' | 'round' | 'size' | 'self'>
type Standing = 'to come' | 'open' | 'registered' | 'over'

/** Where a chain state has a pool's ceremony of a round. */
function standingOf({ pools }: NetworkState, { poolId, round }: Pick<Entry, 'poolId' | 'round'>): Standing {
  const pool = pools.get(poolId)
  if (pool === undefined || pool.round < round || (pool.round === round && pool.phase === 'requested')) return 'to come'
  if (pool.round !== round) return 'over'
  return pool.phase === 'ceremony' ? 'open' : pool.publicKey !== undefined ? 'registered' : 'over'
}

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
  const { chain, contracts, queue, network, log, observer, disputes } = ports
  const { slotDurationMs: slotMs, slotsPerEpoch } = ports.beacon.spec
  const rooms = new Map<string, CeremonyRoom>()
  const queued = new Set<string>()

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
    if (isFinal(entry)) {
      await ports.secrets.erase(contextOf(entry))
      // Never asked for again: the final state of a pool does not go back.
      queued.delete(key)
      return { done: true }
    }
    const drawn = finalized.pools.get(entry.poolId)
    if (drawn === undefined || standingOf(finalized, entry) === 'to come') return later('the draw is not final')
    const standing = standingOf(head, entry)
    // Who has no share yet, since it was away, can still get it: the others go on telling what was said.
    const isDone = standing === 'registered' && (await ports.secrets.isCommitted(contextOf(entry)))
    if (standing === 'over' || isDone) return later('the outcome is not final')
    const members = drawn.members.flatMap((id) => head.producers.get(id) ?? [])
    const withdrawalVault = contracts.addresses[drawn.kind === 'staker' ? 'stakerVault' : 'bondVault']
    return takePart({ context: contextOf(entry), members, withdrawalVault, deadline: drawn.deadline ?? NO_DEADLINE }, jobSignal)
  }

  const isFinal = (entry: Entry): boolean => ['registered', 'over'].includes(standingOf(chain.view().finalized, entry))

  /**
   * Plays one ceremony until the head shows that it has failed, or its key is registered and every member has signed the result
   * or that has become final: until then a member that was away may need what was said.
   */
  async function takePart(ceremony: Ceremony, jobSignal: AbortSignal): Promise<JobOutcome> {
    const { context } = ceremony
    const key = ceremonyKey(context)
    const over = new AbortController()
    const standing = (): Standing => standingOf(chain.view().head, context)
    let wasRegistered = false
    const look = (): void => {
      const isRegistered = standing() === 'registered'
      if (isRegistered && !wasRegistered) observer.onEnded(context, { registered: true })
      wasRegistered = isRegistered
      if (isFinal(context) || standing() === 'over') over.abort()
      else room.board.wake()
    }
    const stopWatching = chain.onChange(look)
    const room: CeremonyRoom = new CeremonyRoom(ports, ceremony, {
      onFault: () => progress.tell(),
      onComplaint: (complaint) => progress.judged(complaint),
      onEvidence: (dispute) => {
        disputes.raise(dispute).catch((error: unknown) => log.error('evidence not kept', { ...context, reason: reasonOf(error) }))
      },
    })
    const progress = new Progress(ports, ceremony, room.faults)
    rooms.set(key, room)
    const signal = AbortSignal.any([jobSignal, over.signal])
    const isRegistered = (): boolean => standing() === 'registered'
    const hasAll = (): true | undefined => (isRegistered() && room.board.missing('participation').length === 0 ? true : undefined)
    room.board.until(hasAll, signal).then(
      () => over.abort(),
      () => undefined,
    )
    look()
    const roll = dkgRoll(ceremony, () => standing() === 'open')
    callRoll(ports, { roll, room, onProgress: (called) => observer.onRollCall(context, called) }, signal)
    try {
      return await runCeremony({ ports, ceremony, room, progress, isRegistered, signal })
    } catch (error) {
      if (!over.signal.aborted) throw error
      if (!wasRegistered) observer.onEnded(context, { registered: false, reason: progress.reason() })
      return later('the outcome is not final')
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
      rooms.get(ceremonyKey(peekCeremony(bytes)))?.receive(from, bytes)
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
