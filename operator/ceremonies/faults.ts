import { OpenPoolsError } from '../core/errors.ts'
import type { MemberIndex } from '../core/ids.ts'

/**
 * Rules of the conversation (those of its contents are `DkgRule`). `data.member` broke it.
 * EQUIVOCATION: signed two different statements of one kind.
 * FOREIGN_JOIN_KEY: encrypted to a join key that its owner had not shown to all. BAD_SHARE: dealt a share that does not open.
 * FALSE_COMPLAINT: complained about a good share, or without a proof.
 */
export type CeremonyRule = 'EQUIVOCATION' | 'FOREIGN_JOIN_KEY' | 'BAD_SHARE' | 'FALSE_COMPLAINT'

/** A rule broken by a member: the round ends, and the next one follows after its deadline. */
export class CeremonyFault extends OpenPoolsError<CeremonyRule> {
  readonly member: MemberIndex

  constructor(rule: CeremonyRule, member: MemberIndex, what: string) {
    super(rule, `member ${member} ${what}`, { member })
    this.member = member
  }
}
