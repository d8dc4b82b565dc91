import type { ProducerId } from '../core/ids.ts'
import { poolsOf } from '../core/network.ts'
import { type PointProof, pointsIn } from '../protocol/state/pages.ts'
import { firstUnsettled, nextSettlement } from '../protocol/state/settlement.ts'
import { type Inputs, one, type Prepared } from './types.ts'

/** A producer that does not settle its points, because it is gone or would rather not, and owes enough to be forced out. */
export type DebtorTask = {
  readonly kind: 'settle-debtor'
  readonly id: string
  readonly producerId: ProducerId
  readonly proofs: readonly PointProof[]
}

/** Whoever works settles each report by itself. */
const REPORTS_LATE = 8

/** Settlements for others: only those that force somebody out, or are on the way to it. */
export function debtorTasks({ state, parameters }: Inputs): readonly DebtorTask[] {
  return [...state.producers.values()].flatMap(({ id: producerId, standing, slashed }): readonly DebtorTask[] => {
    if (standing !== 'active' || slashed) return []
    const first = firstUnsettled(state, producerId)
    if (first === undefined || state.reports.size - first < REPORTS_LATE - 1) return []
    const debt = debtOf({ state, producerId, first })
    if (debt < BigInt(parameters.maxCdtDebt)) return []
    const seats = poolsOf(state, producerId).filter(({ phase }) => phase !== 'closed' && phase !== 'cancelled').length
    const next = debt < BigInt(parameters.maxCdtDebt * Math.max(1, seats)) ? undefined : nextSettlement(state, producerId)
    if (next === undefined) return []
    return [{ kind: 'settle-debtor', id: `settle-debtor/${producerId}/${next.first}`, producerId, proofs: next.proofs }]
  })
}

/** Points that a producer will owe once all finalized reports are settled. */
function debtOf({ state, producerId, first }: Pick<Inputs, 'state'> & { readonly producerId: ProducerId; readonly first: number }): bigint {
  let debt = state.settlements.get(producerId)?.debt ?? 0n
  for (let number = first; ; number++) {
    const report = state.reports.get(number)
    if (report === undefined) return debt
    const points = BigInt(pointsIn(state.commitments.get(report.commitmentId)?.pointPages ?? [], producerId) ?? 0)
    debt = points < debt ? debt - points : 0n
  }
}

export const prepareDebtor = ({ producerId, proofs }: DebtorTask): Prepared => one('rewards', 'settle', [producerId, proofs])
