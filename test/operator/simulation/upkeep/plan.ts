import type { ProducerId } from '../../../../operator/core/ids.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import type { Random } from '../random.ts'

export const SLOT_MS = 12_000
export const SLOTS_PER_EPOCH = 4
export const EPOCH_MS = SLOT_MS * SLOTS_PER_EPOCH
/** The simulation begins when nothing of period 0 is done yet, and pools have just been funded. */
export const START_EPOCH = 3
/** Funded validators are active four epochs later at the earliest. */
export const FIRST_DUTIES = START_EPOCH - 1 + 4

/** What the keeper and the reports ask for; the rest of a deployment they never see. */
export const PARAMETERS = {
  slotsPerEpoch: SLOTS_PER_EPOCH,
  secondsPerSlot: SLOT_MS / 1_000,
  epochsPerHistoricalVector: 64,
  firstPeriod: 6,
  periodLength: 8,
  seedDelay: 1,
  reportEpochs: 4,
  disputeDuration: 3,
  pagesDeadline: 2,
  genesisTime: 0,
  baseReward: 100,
  minPoolPerformance: 9_000,
  dkgReward: 1_000,
  dkgFailurePenalty: 1_000,
  maxCdtDebt: 10_000,
} as unknown as Parameters

/**
 * How a faulty member is: `silent` does nothing, `liar` reads other amounts from the chain than there are, `babbler` signs
 * whatever comes to its mind and sends garbage.
 */
export const FAULTS = ['silent', 'liar', 'babbler'] as const
export type Fault = (typeof FAULTS)[number]

export type Restart = { readonly producer: ProducerId; readonly at: number; readonly backAt: number }

/** What a seed stands for. Times in milliseconds since genesis. */
export type Plan = {
  readonly size: number
  readonly start: number
  readonly healAt: number
  readonly end: number
  /** Up to healAt: chance that a request fails, that a transaction is left out of a block, that a message is lost; longest lateness. */
  readonly storm: { readonly failure: number; readonly leftOut: number; readonly drop: number; readonly lateMs: number }
  readonly faults: ReadonlyMap<ProducerId, Fault>
  readonly restarts: readonly Restart[]
}

/** Draws a plan for `size` operators, all of the committee. */
export function drawPlan(random: Random, size: number): Plan {
  const start = START_EPOCH * EPOCH_MS
  const calm = random.chance(0.2)
  const healAt = calm ? start : random.int(8, 15) * EPOCH_MS
  const producers = Array.from({ length: size }, (_, at) => (at + 1) as ProducerId)
  const f = Math.floor((size - 1) / 3)
  const bad = random.shuffle(producers).slice(0, random.chance(0.7) ? f : random.int(0, f))
  const faults = new Map(bad.map((producer) => [producer, random.pick(FAULTS)] as const))
  const honest = producers.filter((producer) => !faults.has(producer))
  const restarts = Array.from({ length: calm ? 0 : random.int(0, 4) }, () => {
    const at = random.int(start + 100, healAt - 100)
    return { producer: random.pick(honest), at, backAt: random.int(at + 1, Math.min(healAt, at + 2 * EPOCH_MS)) }
  })
  // Now and then nobody is there for some epochs: what their beacon nodes knew of them is lost.
  const deserted = !calm && random.chance(0.2)
  if (deserted) {
    const at = random.int(start + 100, healAt - 3 * EPOCH_MS)
    const backAt = Math.min(healAt - EPOCH_MS, at + random.int(1, 5) * EPOCH_MS)
    for (const producer of honest) restarts.push({ producer, at, backAt })
  }
  const storm = {
    failure: random.next() * 0.3,
    leftOut: random.next() * 0.4,
    drop: random.next() * 0.4,
    lateMs: random.int(100, 3 * SLOT_MS),
  }
  return {
    size,
    start,
    healAt,
    // Duties that nobody knows are passed over only after a while.
    end: healAt + (deserted ? 30 : 16) * EPOCH_MS,
    storm: calm ? { failure: 0, leftOut: 0, drop: 0, lateMs: 500 } : storm,
    faults,
    restarts,
  }
}
