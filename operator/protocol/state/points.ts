import type { NetworkState } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { EpochRange, PointEntry } from '../../core/report.ts'
import { isWithin } from './coverage.ts'
import { pointsOfDeed } from './deeds.ts'

/** One report lowers nobody by more than this part of `maxCdtDebt` (StateCommitments refuses a page that does). */
const MAX_LOSS_PART = 10
const MAX_GAIN = 2 ** 31 - 1

/**
 * Point deltas of a report by producer, from id 1: what was done on chain within the epochs it covers, and what it makes of
 * duties (`duties`). Bounded below as the contract demands, above by what an entry holds.
 */
export function derivePoints(input: {
  readonly state: NetworkState
  readonly covers: readonly EpochRange[]
  readonly producers: number
  readonly duties: readonly PointEntry[]
  readonly parameters: Parameters
}): readonly number[] {
  const { state, covers, producers, duties, parameters } = input
  const deltas = Array<number>(producers).fill(0)
  const deeds = state.deeds
    .filter(({ timestamp }) => isWithin(covers, timestamp, parameters))
    .flatMap((deed) => pointsOfDeed(deed, state, parameters))
  for (const { producerId, points } of [...deeds, ...duties]) {
    const before = deltas[producerId - 1]
    if (before !== undefined) deltas[producerId - 1] = before + points
  }
  const worst = -Math.floor(parameters.maxCdtDebt / MAX_LOSS_PART)
  return deltas.map((delta) => Math.min(Math.max(delta, worst), MAX_GAIN))
}
