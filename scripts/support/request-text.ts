import { ethText } from '../../operator/core/amounts.ts'

/** Amounts in wei. */
export type RequestFound = {
  readonly owner: string
  readonly amount: bigint
  readonly claimable: bigint
  readonly finalized: boolean
  readonly claimed: boolean
}

/** What has become of a withdrawal request, as a sentence. Once it is claimed nobody owns it any more. */
export function requestText(id: string, { owner, amount, claimable, finalized, claimed }: RequestFound): string {
  if (claimed) return `request ${id} for ${ethText(amount)}: claimed`
  const state = finalized ? `ready to be claimed: ${ethText(claimable)}` : 'waiting for a finalized report'
  return `request ${id} of ${owner} for ${ethText(amount)}: ${state}`
}
