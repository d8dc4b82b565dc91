import type { ProducerId } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import { type PointProof, provePoints } from './pages.ts'

/** Reports settled by one call: some 20,000 gas each. */
const REPORTS_A_CALL = 64

/** The next reports that a producer has to settle, in order, the first of them by its number in Rewards. */
export type Settleable = { readonly first: number; readonly proofs: readonly PointProof[] }

/** Number of the first report that a producer has not settled, whether it is finalized yet or not; undefined when none has it. */
export function firstUnsettled(state: NetworkState, producerId: ProducerId): number | undefined {
  const settled = state.settlements.get(producerId)
  if (settled !== undefined) return settled.report + 1
  for (const [number, { producers }] of state.reports) if (producers >= producerId) return number
  return undefined
}

/** What a producer can settle now; undefined for nothing. It starts with the first report that has it, and leaves none out. */
export function nextSettlement(state: NetworkState, producerId: ProducerId): Settleable | undefined {
  const first = firstUnsettled(state, producerId)
  if (first === undefined) return undefined
  const proofs: PointProof[] = []
  for (let number = first; proofs.length < REPORTS_A_CALL; number++) {
    const commitmentId = state.reports.get(number)?.commitmentId
    const pages = commitmentId === undefined ? undefined : state.commitments.get(commitmentId)?.pointPages
    const proof = pages === undefined ? undefined : provePoints(pages, producerId)
    if (proof === undefined) break
    proofs.push(proof)
  }
  return proofs.length === 0 ? undefined : { first, proofs }
}
