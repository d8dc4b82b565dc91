import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { DutyMetrics } from '../duties/metrics.ts'
import { DUTY_CODES } from '../duties/types.ts'
import type { OperatorStatus } from './status.ts'

/** A duty is worth something for a slot of 12 s; most are done in the first fraction of a second. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 12, 24]
const DISTANCES = [1, 2, 3, 4, 8, 16, 32]

export type NodeMetrics = {
  readonly duties: DutyMetrics
  /** All metrics in the Prometheus text format, gauges as of this status. */
  expose(status: OperatorStatus): Promise<string>
}

/**
 * What Prometheus reads. An attestation's journey: due → (wait, fetch, agree, sign, share, aggregate, broadcast) →
 * completed → included; whatever leaves that path is counted as missed, with its reason.
 */
export function createMetrics(): NodeMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'openpools_' })
  const gauges = createGauges(registry)
  return {
    duties: dutyMetrics(registry),
    expose(status) {
      gauges(status)
      return registry.metrics()
    },
  }
}

function dutyMetrics(registry: Registry): DutyMetrics {
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `openpools_${name}`, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name: `openpools_${name}`, help, labelNames, buckets, registers })

  const due = counter('duties_due_total', 'Duties of our pools that came due', ['type'])
  const completed = counter('duties_completed_total', 'Duties signed by the group and published', ['type'])
  const missed = counter('duties_missed_total', 'Duties given up, by reason', ['type', 'reason'])
  const onChain = counter('duties_on_chain_total', 'Duties that the canonical chain shows, or does not show in time', ['type', 'included'])
  const decided = counter('duties_decided_total', 'Duties decided in the first QBFT round, or in a later one', ['type', 'round'])
  const dropped = counter('duty_messages_dropped_total', 'Messages of peers about duties that were not taken up', ['reason'])
  const stage = histogram('duty_stage_seconds', 'Time each stage of a duty took', ['type', 'stage'], SECONDS)
  const latency = histogram('duty_latency_seconds', 'From the own value at hand to the group signature', ['type'], SECONDS)
  const distance = histogram('duty_inclusion_slots', 'Slots from a duty to the block that includes it', ['type'], DISTANCES)
  for (const type of Object.keys(DUTY_CODES)) for (const one of [due, completed]) one.inc({ type }, 0)

  return {
    due: (type) => due.inc({ type }),
    completed: (type) => completed.inc({ type }),
    missed: (type, reason) => missed.inc({ type, reason }),
    stage: (type, name, ms) => stage.observe({ type, stage: name }, ms / 1000),
    latency: (type, ms) => latency.observe({ type }, ms / 1000),
    decided: (type, round) => decided.inc({ type, round: round > 1 ? 'later' : 'first' }),
    included(type, slots) {
      onChain.inc({ type, included: 'yes' })
      distance.observe({ type }, slots)
    },
    notIncluded: (type) => onChain.inc({ type, included: 'no' }),
    messageDropped: (reason) => dropped.inc({ reason }),
  }
}

function createGauges(registry: Registry): (status: OperatorStatus) => void {
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `openpools_${name}`, help, labelNames, registers })
  const ready = gauge('ready', '1 when synced, endpoints healthy and the network up')
  const peers = gauge('peers_connected', 'Registered producers connected')
  const known = gauge('peers_known', 'Registered producers to connect to')
  const endpoint = gauge('endpoint_up', '1 when the server answers for our chain', ['endpoint'])
  const pools = gauge('pools', 'Pools in whose vault this producer sits', ['phase'])
  const block = gauge('synced_block', 'Last execution block whose events were taken in', ['tag'])
  const certificates = gauge('duty_certificates', 'Duty certificates made here, received, merged and refused', ['what'])
  const points = gauge('last_report_points', 'Own points in the newest report whose pages are in')
  return (status) => {
    for (const [what, count] of Object.entries(status.certificates)) certificates.set({ what }, count)
    points.set(status.lastPoints?.points ?? 0)
    ready.set(status.ready ? 1 : 0)
    peers.set(status.peersConnected)
    known.set(status.peersKnown)
    for (const [name, { state }] of Object.entries(status.endpoints)) endpoint.set({ endpoint: name }, state === 'up' ? 1 : 0)
    pools.reset()
    for (const { phase } of status.pools) pools.inc({ phase })
    block.set({ tag: 'head' }, status.head.block ?? 0)
    block.set({ tag: 'finalized' }, status.finalized.block ?? 0)
  }
}

/** Tells several observers. */
export function allOf(observers: readonly DutyMetrics[]): DutyMetrics {
  return {
    due: (...told) => observers.forEach((one) => void one.due(...told)),
    stage: (...told) => observers.forEach((one) => void one.stage(...told)),
    latency: (...told) => observers.forEach((one) => void one.latency(...told)),
    decided: (...told) => observers.forEach((one) => void one.decided(...told)),
    completed: (...told) => observers.forEach((one) => void one.completed(...told)),
    missed: (...told) => observers.forEach((one) => void one.missed(...told)),
    included: (...told) => observers.forEach((one) => void one.included(...told)),
    notIncluded: (...told) => observers.forEach((one) => void one.notIncluded(...told)),
    messageDropped: (...told) => observers.forEach((one) => void one.messageDropped(...told)),
  }
}
