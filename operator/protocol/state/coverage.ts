import type { Epoch } from '../../core/ids.ts'
import type { Commitment, NetworkState } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { EpochRange } from '../../core/report.ts'

/**
 * Epochs before `to` that no standing commitment covers, in order: what a report of epoch `to` gives points for. A dropped
 * commitment's epochs come back with the next report made after it was dropped. The report names how many commitments were made
 * and dropped before it, so whoever derives or judges it starts from the same ones.
 */
export function uncovered(commitments: Iterable<Pick<Commitment, 'phase' | 'covers'>>, to: Epoch): readonly EpochRange[] {
  const covered = [...commitments].filter(({ phase }) => phase !== 'dropped').flatMap(({ covers }) => covers)
  const ranges: EpochRange[] = []
  let from = 0 as Epoch
  for (const range of covered.sort((a, b) => a.from - b.from)) {
    if (range.from > from) ranges.push({ from, to: range.from })
    if (range.to > from) from = range.to
  }
  if (to > from) ranges.push({ from, to })
  return ranges
}

/** Reports whose late certificates a report takes up. */
const EARLIER = 2

/** The last standing commitments, at most two, the older first. */
export function standingBefore(commitments: Iterable<Pick<Commitment, 'id' | 'epoch' | 'phase'>>): readonly number[] {
  const standing = [...commitments].filter(({ phase }) => phase !== 'dropped').sort((a, b) => a.epoch - b.epoch)
  return standing.slice(-EARLIER).map(({ id }) => id)
}

/** Where a report stands among the commitments: how many were made and dropped before it, what that leaves to it, and whom it follows. */
export type Standing = { readonly history: number; readonly covers: readonly EpochRange[]; readonly after: readonly number[] }

/** Of a report of epoch `to` that would be committed now. */
export function standingNow(state: NetworkState, to: Epoch): Standing {
  return { history: state.history, covers: uncovered(state.commitments.values(), to), after: standingBefore(state.commitments.values()) }
}

/** Of a commitment made already. */
export function standingOf({ content, covers, after }: Commitment): Standing {
  return { history: content.report.history, covers, after }
}

/** Whether something at a time (seconds) falls into a range: after its first boundary, up to the one that ends it. */
export function isWithin(ranges: readonly EpochRange[], timestamp: number, parameters: Parameters): boolean {
  const { genesisTime, slotsPerEpoch, secondsPerSlot } = parameters
  const boundary = (epoch: Epoch): number => genesisTime + epoch * slotsPerEpoch * secondsPerSlot
  return ranges.some(({ from, to }) => timestamp > boundary(from) && timestamp <= boundary(to))
}
