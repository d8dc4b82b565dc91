import { OpenPoolsError, reasonOf } from '../core/errors.ts'
import type { Epoch, MemberIndex, PoolId, ProducerId } from '../core/ids.ts'
import type { NetworkState, Pool, VaultTerm } from '../core/network.ts'
import type { ChainView } from '../core/ports/chain.ts'
import type { HandoverContext } from '../core/ports/handover.ts'
import type { Job, JobOutcome } from '../core/ports/queue.ts'
import { thresholdOf } from '../core/vault.ts'
import { peekHandover } from '../protocol/messages/handover-codec.ts'
import { runHandover } from './handover.ts'
import { HandoverRoom } from './handover-room.ts'
import type { HandoverPorts, HandoverSetup } from './handover-types.ts'
import { callRoll } from './roll-call.ts'
import { handoverRoll } from './rolls.ts'
import { ceremonyKey, type RollCallProgress } from './types.ts'

const QUEUE = 'handover'
/** Handovers at once. Most of one is waiting. */
const CONCURRENCY = 32

type Entry = { readonly poolId: PoolId; readonly round: number }
type Standing = 'to come' | 'open' | 'over'

/** Where a chain state has a pool's handover of a round. */
function standingOf({ pools }: NetworkState, { poolId, round }: Entry): Standing {
  const pool = pools.get(poolId)
  if (pool?.rotation?.round === round) return 'open'
  return (pool?.endedRound ?? -1) >= round ? 'over' : 'to come'
}

/** The term that a completed handover gave its vault. */
const termMadeBy = ({ pools }: NetworkState, { poolId, round }: Entry): VaultTerm | undefined =>
  pools.get(poolId)?.vaults.find((term) => term.round === round)

/** Who broke which rule, for people to read. */
const reasonFor = (room: HandoverRoom): string => ['not completed', ...room.faults().map(({ reason }) => reason)].join('; ')

/** The handover under way of a pool, as far as this producer is in one of the two vaults. */
function contextOf(pool: Pool, { self, contracts }: Pick<HandoverPorts, 'self' | 'contracts'>): HandoverContext | undefined {
  const { rotation, publicKey: groupKey } = pool
  const old = pool.vaults.find(({ round }) => round === rotation?.oldRound)
  if (rotation === undefined || groupKey === undefined || old === undefined) return undefined
  const size = rotation.members.length
  const [receiver, dealer] = [rotation.members.indexOf(self) + 1, old.members.indexOf(self) + 1]
  if (receiver === 0 && dealer === 0) return undefined
  return {
    ...{ chainId: contracts.chainId, contract: contracts.addresses.poolRegistry, poolId: pool.id, kind: 'rotation' },
    ...{ round: rotation.round, size, threshold: thresholdOf(size) },
    ...{ oldRound: old.round, oldSize: old.members.length, oldThreshold: thresholdOf(old.members.length) },
    ...{ groupKey, oldPublicShares: old.publicShares },
    ...(receiver > 0 && { receiver: receiver as MemberIndex }),
    ...(dealer > 0 && { dealer: (size + dealer) as MemberIndex }),
  }
}

/**
 * Takes part in every handover from or to a vault of which this producer is a member, as soon as the draw is final, until the chain
 * shows its outcome; forgets its secrets once that is final.
 */
export function startHandovers(ports: HandoverPorts, signal: AbortSignal): void {
  const { chain, contracts, queue, network, log, observer } = ports
  const { slotDurationMs: slotMs, slotsPerEpoch } = ports.beacon.spec
  const rooms = new Map<string, { readonly room: HandoverRoom; readonly producers: ReadonlySet<ProducerId> }>()
  const queued = new Set<string>()
  const later = (reason: string): JobOutcome => ({ done: false, retryInMs: slotsPerEpoch * slotMs, reason })

  async function enqueue(): Promise<void> {
    for (const pool of chain.view().finalized.pools.values()) {
      const context = contextOf(pool, ports)
      if (context === undefined || queued.has(ceremonyKey(context))) continue
      await queue.add(QUEUE, `handover/${ceremonyKey(context)}`, { poolId: pool.id, round: context.round })
      queued.add(ceremonyKey(context))
    }
  }

  async function work(entry: Entry, jobSignal: AbortSignal): Promise<JobOutcome> {
    const { finalized, head } = chain.view()
    if (standingOf(finalized, entry) === 'over') {
      await ports.secrets.erase({ chainId: contracts.chainId, contract: contracts.addresses.poolRegistry, kind: 'rotation', ...entry })
      queued.delete(ceremonyKey(entry))
      return { done: true }
    }
    const pool = finalized.pools.get(entry.poolId)
    const context = pool && standingOf(finalized, entry) === 'open' ? contextOf(pool, ports) : undefined
    if (pool === undefined || context === undefined) return later('the draw is not final')
    if (standingOf(head, entry) !== 'open' && termMadeBy(head, entry) === undefined) return later('the outcome is not final')
    const ids = [...(pool.rotation?.members ?? []), ...(pool.vaults.find(({ round }) => round === context.oldRound)?.members ?? [])]
    const members = ids.flatMap((id) => head.producers.get(id) ?? [])
    return takePart({ context, members, deadline: pool.rotation?.deadline ?? (0 as Epoch) }, jobSignal)
  }

  /**
   * Plays one handover until it is final that it is over, or the head shows that it came to nothing: of a completed one whoever was
   * late can still get its share from the others, and a reorganization may take it back.
   */
  async function takePart(setup: HandoverSetup, jobSignal: AbortSignal): Promise<JobOutcome> {
    const { context, members } = setup
    const { poolId, round } = context
    const key = ceremonyKey(context)
    const over = new AbortController()
    let isTold = false
    const look = ({ head, finalized }: ChainView): void => {
      const done = termMadeBy(head, context)
      if (done !== undefined && !isTold) log.info('handover completed', { pool: poolId, round, cutover: done.from })
      isTold = done !== undefined
      if (standingOf(finalized, context) === 'over' || (standingOf(head, context) !== 'open' && done === undefined)) over.abort()
    }
    const stopWatching = chain.onChange(({ view }) => look(view))
    const room = new HandoverRoom(ports, setup, slotMs)
    rooms.set(key, { room, producers: new Set(members.map(({ id }) => id)) })
    const observed = { ...context, self: (context.receiver ?? context.dealer) as MemberIndex }
    const signal = AbortSignal.any([jobSignal, over.signal])
    const isOpen = (): boolean => standingOf(chain.view().head, context) === 'open'
    const onProgress = (called: RollCallProgress): void => observer.onRollCall(observed, called)
    callRoll(ports, { roll: handoverRoll(setup, isOpen), room, onProgress }, signal)
    try {
      return await runHandover(ports, setup, room, signal)
    } catch (error) {
      if (over.signal.aborted) {
        const registered = termMadeBy(chain.view().head, context) !== undefined
        log.info('handover over', { pool: poolId, round, completed: registered })
        observer.onEnded(observed, registered ? { registered } : { registered, reason: reasonFor(room) })
        return standingOf(chain.view().finalized, context) === 'over' ? work(context, jobSignal) : later('the outcome is not final')
      }
      if (jobSignal.aborted || !(error instanceof OpenPoolsError)) throw error
      log.error('handover failed', { pool: poolId, round, rule: error.code, reason: error.message })
      observer.onEnded(observed, { registered: false, reason: error.message })
      return later(error.message)
    } finally {
      stopWatching()
      room.close()
      rooms.delete(key)
      over.abort() // ends what still waits
    }
  }

  const readEntry = ({ poolId, round }: Job['data']): Entry => ({ poolId: Number(poolId) as PoolId, round: Number(round) })
  queue.process(QUEUE, CONCURRENCY, ({ data }, jobSignal) => work(readEntry(data), jobSignal))

  const stopListening = network.onMessage('ceremony', (from, bytes) => {
    try {
      const found = rooms.get(ceremonyKey(peekHandover(bytes)))
      if (found?.producers.has(from)) found.room.receive(from, bytes)
    } catch (error) {
      log.debug('handover message dropped', { from, reason: reasonOf(error) })
    }
  })
  const lookForWork = (): void => {
    enqueue().catch((error: unknown) => {
      if (!signal.aborted) log.warn('handover upkeep failed', { reason: reasonOf(error) })
    })
  }
  const stopWatching = chain.onChange(lookForWork)
  signal.addEventListener('abort', () => {
    stopListening()
    stopWatching()
  })
  lookForWork()
}
