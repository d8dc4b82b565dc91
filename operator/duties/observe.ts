import type { DutyMetrics } from './metrics.ts'
import type { DutyStages, Stage } from './pipeline.ts'
import type { Duty, DutyType } from './types.ts'

/** A monotonic stopwatch in milliseconds, fractions included. */
export type Stopwatch = () => number

/** The same stages, timed. The stages do not know of it. `agree` counts from the moment the own value is at hand. */
export function observed<D extends Duty, V>(
  type: DutyType,
  stages: DutyStages<D, V>,
  { metrics, stopwatch }: { readonly metrics: DutyMetrics; readonly stopwatch: Stopwatch },
): DutyStages<D, V> {
  const ready = new WeakMap<Duty, number>()

  async function timed<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const start = stopwatch()
    try {
      return await work()
    } finally {
      metrics.stage(type, stage, stopwatch() - start)
    }
  }

  return {
    wait: (duty, signal) => timed('wait', () => stages.wait(duty, signal)),
    async fetch(duty, signal) {
      const value = await timed('fetch', () => stages.fetch(duty, signal))
      if (!ready.has(duty)) ready.set(duty, stopwatch())
      return value
    },
    async agree(duty, fetch, signal) {
      const start = stopwatch()
      const agreed = await stages.agree(duty, fetch, signal)
      metrics.stage(type, 'agree', stopwatch() - (ready.get(duty) ?? start))
      if (agreed.round > 0) metrics.decided(type, agreed.round)
      return agreed
    },
    sign(duty, value) {
      const start = stopwatch()
      const signed = stages.sign(duty, value)
      metrics.stage(type, 'sign', stopwatch() - start)
      return signed
    },
    share(duty, signed, signal) {
      const start = stopwatch()
      stages.share(duty, signed, signal)
      metrics.stage(type, 'share', stopwatch() - start)
    },
    async aggregate(duty, signal) {
      const signature = await timed('aggregate', () => stages.aggregate(duty, signal))
      const since = ready.get(duty)
      if (since !== undefined) metrics.latency(type, stopwatch() - since)
      return signature
    },
    broadcast: (duty, value, signature, signal) => timed('broadcast', () => stages.broadcast(duty, value, signature, signal)),
  }
}
