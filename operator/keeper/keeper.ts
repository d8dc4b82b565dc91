import { reasonOf } from '../core/errors.ts'
import type { Epoch, ProducerId } from '../core/ids.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { ChainFollower, Contracts } from '../core/ports/chain.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { BeaconProver } from '../core/ports/prover.ts'
import type { Job, JobOutcome, JobQueue } from '../core/ports/queue.ts'
import { prepare } from './calls.ts'
import { rankOf } from './rank.ts'
import { dueTasks, type Task } from './tasks.ts'

export type KeeperPorts = {
  readonly self: ProducerId
  readonly clock: Clock
  readonly chain: ChainFollower
  readonly contracts: Contracts
  readonly beacon: BeaconNode
  readonly prover: BeaconProver
  readonly queue: JobQueue
  readonly log: Log
}

const QUEUE = 'keeper'
const CONCURRENCY = 4

/**
 * Sends the upkeep transactions that anyone may send, as soon as they are due. Every operator knows the same tasks; they
 * try them in an order by task (see `rankOf`), so that one transaction usually does and a dead operator costs one slot.
 */
export function startKeeper(ports: KeeperPorts, signal: AbortSignal): void {
  const { clock, chain, contracts, beacon, queue, log } = ports
  const slotMs = beacon.spec.slotDurationMs
  /** When a task was first seen ready to be sent; ranks count from there. */
  const readySince = new Map<string, number>()
  const queued = new Set<string>()

  const due = (): readonly Task[] => {
    const now = clock.now()
    const epoch = Math.floor((now - beacon.spec.genesisTimeMs) / slotMs / beacon.spec.slotsPerEpoch) as Epoch
    return dueTasks({ state: chain.view().head, parameters: contracts.parameters, epoch, nowSeconds: Math.floor(now / 1000) })
  }

  async function enqueue(): Promise<void> {
    const tasks = due()
    const ids = new Set(tasks.map(({ id }) => id))
    for (const id of queued) if (!ids.has(id)) queued.delete(id)
    for (const id of readySince.keys()) if (!ids.has(id)) readySince.delete(id)
    for (const { id } of tasks) {
      if (queued.has(id)) continue
      queued.add(id)
      await queue.add(QUEUE, id, {})
    }
  }

  const waitFor = (reason: string, retryInMs = slotMs): JobOutcome => ({ done: false, retryInMs, reason })

  async function attempt(job: Job, jobSignal: AbortSignal): Promise<JobOutcome> {
    const task = due().find(({ id }) => id === job.id)
    if (task === undefined) return { done: true }
    const prepared = await prepare(task, ports, jobSignal)
    if ('wait' in prepared) return waitFor(prepared.wait)
    const [first] = prepared.calls
    if (first === undefined) return { done: true }
    const refusal = await contracts.simulate(first)
    if (refusal !== undefined) {
      readySince.delete(task.id)
      return waitFor(refusal)
    }
    const since = readySince.get(task.id) ?? clock.now()
    readySince.set(task.id, since)
    const producers = [...chain.view().head.producers.keys()]
    const turn = since + rankOf({ taskId: task.id, self: ports.self, producers }) * slotMs
    if (clock.now() < turn) return waitFor('another operator is first', turn - clock.now())
    for (const call of prepared.calls) {
      const outcome = await contracts.send(call, jobSignal)
      if (outcome.status === 'refused') {
        log.info('upkeep refused', { task: task.id, method: call.method, error: outcome.error })
        return waitFor(outcome.error)
      }
      log.info('upkeep sent', { task: task.id, method: call.method, gasUsed: outcome.gasUsed.toString(), hash: outcome.hash })
    }
    return { done: true }
  }

  queue.process(QUEUE, CONCURRENCY, async (job, jobSignal) => {
    try {
      return await attempt(job, jobSignal)
    } catch (error) {
      if (!jobSignal.aborted) log.warn('upkeep attempt failed', { task: job.id, reason: reasonOf(error) })
      return waitFor(reasonOf(error), 2 * slotMs)
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
