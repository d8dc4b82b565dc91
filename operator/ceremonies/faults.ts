import type { MemberIndex } from '../core/ids.ts'

/**
 * Rules of a ceremony that a member can break.
 * EQUIVOCATION: signed two different statements of one kind. BAD_JOIN_KEY: joined with what is no point of the group.
 * BAD_DEALING: dealt something whose fault everybody can see. BAD_SHARE: dealt a share that does not open, as its receiver's
 * complaint shows. FALSE_COMPLAINT: complained about a good share, or without a proof. BAD_REVEAL: revealed a point without a
 * proof that holds.
 */
export type CeremonyRule = 'EQUIVOCATION' | 'BAD_JOIN_KEY' | 'BAD_DEALING' | 'BAD_SHARE' | 'FALSE_COMPLAINT' | 'BAD_REVEAL'

/** A rule that a member broke, for all to see. `reason` is a sentence that begins with the member. */
export type CeremonyFault = { readonly member: MemberIndex; readonly rule: CeremonyRule; readonly reason: string }

/** What a complaint came to: `guilty` says who is at fault, `fault` why (see `DealingFault`; `proof`: its proof does not hold). */
export type JudgedComplaint = {
  readonly member: MemberIndex
  readonly dealer: MemberIndex
  readonly guilty: 'dealer' | 'complainer'
  readonly fault: string
}

/** Who broke which rule: the first breach of each rule by each member. */
export class FaultBook {
  readonly #faults = new Map<string, CeremonyFault>()

  /** Whether this is news. */
  add(fault: CeremonyFault): boolean {
    const place = `${fault.member}/${fault.rule}`
    if (this.#faults.has(place)) return false
    this.#faults.set(place, fault)
    return true
  }

  has(member: MemberIndex, rule: CeremonyRule): boolean {
    return this.#faults.has(`${member}/${rule}`)
  }

  all(): readonly CeremonyFault[] {
    return [...this.#faults.values()]
  }

  /** Broke a rule before the reveals: its dealing does not count. A reveal that is wrong is only dropped. */
  isDisqualified(member: MemberIndex): boolean {
    return this.all().some((fault) => fault.member === member && fault.rule !== 'BAD_REVEAL')
  }
}
