import { reasonOf } from '../core/errors.ts'
import type { Epoch, ProducerId } from '../core/ids.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { Call, ChainFollower, Contracts } from '../core/ports/chain.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { BeaconProver } from '../core/ports/prover.ts'
import type { JobOutcome, JobQueue } from '../core/ports/queue.ts'
import { prepare } from './calls.ts'
import { dueTasks, ownTasks, type Task } from './tasks.ts'
import { rankOf, takingTurns, untilTurn } from './turns.ts'
import type { Calls } from './types.ts'

export type KeeperPorts = {
  readonly self: ProducerId
  readonly clock: Clock
  readonly chain: ChainFollower
  readonly contracts: Contracts
  readonly beacon: BeaconNode
  readonly prover: BeaconProver
  readonly queue: JobQueue
  readonly log: Log
  /** Most wei to pay for one forced exit. */
  readonly maxExitFee: bigint
}

const QUEUE = 'keeper'
/** More than tasks that can be due at once in practice: most of them wait for inclusion. */
const CONCURRENCY = 16

/** Slots that an operator has for a task before it is the next one's turn: to send, and to see it included. */
const TURN_SLOTS = 2

/**
 * Sends the upkeep transactions that anyone may send, as soon as they are due. Every operator knows the same tasks and takes
 * its turn at each (see `untilTurn`), so that one transaction usually does and a dead operator costs two slots.
 */
export function startKeeper(ports: KeeperPorts, signal: AbortSignal): void {
  const { clock, chain, contracts, beacon, queue, log } = ports
  const slotMs = beacon.spec.slotDurationMs
  /** When a task was first seen due; turns count from there. */
  const dueSince = new Map<string, number>()
  const active = new Set<string>()
  let queued: { readonly epoch: number; readonly ids: Set<string> } = { epoch: -1, ids: new Set() }

  const epochNow = (): Epoch => Math.floor((clock.now() - beacon.spec.genesisTimeMs) / slotMs / beacon.spec.slotsPerEpoch) as Epoch
  const due = (): readonly Task[] => [
    ...dueTasks({
      state: chain.view().head,
      parameters: contracts.parameters,
      epoch: epochNow(),
      nowSeconds: Math.floor(clock.now() / 1000),
    }),
    ...ownTasks(chain.view().head, ports.self),
  ]

  async function enqueue(): Promise<void> {
    const tasks = due()
    const ids = new Set(tasks.map(({ id }) => id))
    for (const id of dueSince.keys()) if (!ids.has(id)) dueSince.delete(id)
    for (const { id } of tasks) if (!dueSince.has(id)) dueSince.set(id, clock.now())
    // Once an epoch: a task that comes due again, because a reorganization took back what had done it, is a new job.
    const epoch = epochNow()
    if (queued.epoch !== epoch) queued = { epoch, ids: new Set() }
    for (const { id } of tasks) {
      if (queued.ids.has(id)) continue
      queued.ids.add(id)
      await queue.add(QUEUE, `${id}@${epoch}`, { task: id, epoch })
    }
  }

  /** To when a slot's block is in (attestations are due then): what was missing at its start may be there, and leaves in time for the next. */
  const untilBlock = (): number => {
    const phase = (((clock.now() - beacon.spec.genesisTimeMs) % slotMs) + slotMs) % slotMs
    return phase < slotMs / 3 ? slotMs / 3 - phase : (slotMs * 4) / 3 - phase
  }
  const waitFor = (reason: string, retryInMs = Math.ceil(untilBlock()) + 1): JobOutcome => ({ done: false, retryInMs, reason })

  /** Undefined once it is included, or the error with which it was refused. */
  async function send(task: Task, call: Call, jobSignal: AbortSignal): Promise<string | undefined> {
    const outcome = await contracts.send(call, jobSignal)
    if (outcome.status === 'refused') {
      log.debug('upkeep refused', { task: task.id, method: call.method, error: outcome.error })
      return outcome.error
    }
    log.info('upkeep sent', { task: task.id, method: call.method, gasUsed: outcome.gasUsed.toString(), hash: outcome.hash })
    return undefined
  }

  /** The first error with which one was refused; undefined when none was. */
  async function sendAll(task: Task, { calls, together }: Calls, jobSignal: AbortSignal): Promise<string | undefined> {
    if (together) return (await Promise.all(calls.map((call) => send(task, call, jobSignal)))).find((error) => error !== undefined)
    for (const call of calls) {
      const error = await send(task, call, jobSignal)
      if (error !== undefined) return error
    }
    return undefined
  }

  async function attempt(task: Task, jobSignal: AbortSignal): Promise<JobOutcome> {
    const producers = takingTurns(chain.view().head)
    const rank = rankOf({ taskId: task.id, self: ports.self, producers })
    const elapsedMs = clock.now() - (dueSince.get(task.id) ?? clock.now())
    const pause = task.kind === 'settle' ? 0 : untilTurn({ rank, count: producers.length, turnMs: TURN_SLOTS * slotMs, elapsedMs })
    if (pause > 0) return waitFor("another operator's turn", pause)
    const prepared = await prepare(task, ports, jobSignal)
    if ('wait' in prepared) return waitFor(prepared.wait)
    const refusal = await sendAll(task, prepared, jobSignal)
    if (refusal !== undefined) return waitFor(refusal)
    return { done: true }
  }

  queue.process(QUEUE, CONCURRENCY, async ({ data }, jobSignal) => {
    const task = due().find(({ id }) => id === data.task)
    // The job of a later epoch takes over.
    if (task === undefined || data.epoch !== epochNow()) return { done: true }
    if (active.has(task.id)) return waitFor('the job of an earlier epoch is still at it')
    active.add(task.id)
    try {
      return await attempt(task, jobSignal)
    } catch (error) {
      if (!jobSignal.aborted) log.warn('upkeep attempt failed', { task: task.id, reason: reasonOf(error) })
      return waitFor(reasonOf(error), 2 * slotMs)
    } finally {
      active.delete(task.id)
    }
  })
  const tick = (): void => {
    enqueue().catch((error: unknown) => log.error('queueing upkeep failed', { reason: reasonOf(error) }))
  }
  const unsubscribe = chain.onChange(tick)
  // Some tasks come due by time alone, without an event.
  let cancelTimer = (): void => {}
  const everySlot = (): void => {
    if (signal.aborted) return
    tick()
    cancelTimer = clock.at((clock.now() + slotMs) as ReturnType<Clock['now']>, everySlot)
  }
  everySlot()
  signal.addEventListener('abort', () => {
    unsubscribe()
    cancelTimer()
  })
}
