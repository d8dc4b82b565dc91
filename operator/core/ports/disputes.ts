import type { EcdsaSignature, Hex, MemberIndex, PoolId, ProducerId } from '../ids.ts'
import type { Complaint, Dealing } from './ceremony.ts'

/**
 * What `DkgDisputes` needs to judge a dealing by what members signed. With a `complaint` (signed, and both join keys signed by
 * their owners) it says who of the two is at fault; without one, the commitment at `place` (from 0) is no point of the group, or the
 * constant term is not the dealer's public share.
 */
export type DealingDispute = {
  readonly poolId: PoolId
  readonly kind: 'dkg' | 'rotation'
  readonly round: number
  /** The vault drawn for the ceremony, in its order. */
  readonly members: readonly ProducerId[]
  /** The vault that hands over, in a rotation. */
  readonly oldMembers: readonly ProducerId[]
  readonly dealing: Dealing
  readonly dealingSignature: EcdsaSignature
  /** The dealer's on its own join key. */
  readonly dealerJoin: EcdsaSignature
  readonly against:
    | {
        readonly complaint: Complaint
        readonly signature: EcdsaSignature
        /** The complainer's on its join key. */
        readonly memberJoin: EcdsaSignature
      }
    | { readonly place: number }
    /** Of a handover: it deals another share than the dealer's among these, which are the chain's. */
    | { readonly publicShares: Hex }
}

/** Who takes members to the chain that it convicts. */
export type Disputes = {
  /** Keeps the evidence, and has it judged once, in turns with the other members. The same again is a no-op. */
  raise(dispute: DealingDispute): Promise<void>
}

/** Names a dispute alike on every operator: one judgement. */
export function disputeId({ poolId, kind, round, dealing, against }: DealingDispute): string {
  const member: MemberIndex | 0 = 'complaint' in against ? against.complaint.member : 0
  return `dispute/${kind}/${poolId}/${round}/${dealing.dealer}/${member}`
}

/** Bytes as the contract takes lists of points: concatenated, zeros where there is none. */
export function concatenated(parts: readonly (Hex | null)[], size: number): Hex {
  return `0x${parts.map((part) => part?.slice(2) ?? '00'.repeat(size)).join('')}`
}
