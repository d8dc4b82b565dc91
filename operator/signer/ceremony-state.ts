import type { Hex, MemberIndex, Root } from '../core/ids.ts'
import type { CeremonyContext, Complaint, Dealing, Dleq, Reveal } from '../core/ports/ceremony.ts'
import { ceremonyId } from '../protocol/dkg/context.ts'
import { createDurableStates } from './durable-states.ts'
import { CeremonyError } from './errors.ts'
import type { SealedStates } from './sealed-states.ts'

/** What a member must remember of one ceremony, secrets included. Scalars are 32 bytes as hex. */
export type CeremonyState = {
  readonly size: number
  readonly threshold: number
  readonly self: MemberIndex
  readonly ephemeral: Hex
  readonly joinKey: Hex
  /** That self holds the key's secret. */
  readonly joinProof: Dleq
  readonly own?: { readonly coefficients: readonly Hex[]; readonly dealing: Dealing }
  /** Shares received, by dealer, with the commitments that they were verified against. */
  readonly received: Readonly<Record<number, { readonly share: Hex; readonly commitments: readonly Hex[] }>>
  /** Dealings that self has said are good, in member order. */
  readonly checked?: readonly (Root | null)[]
  /** Complaints made, by dealer: after a restart the same again. */
  readonly complaints?: Readonly<Record<number, Complaint>>
  readonly revealed?: { readonly qualified: readonly MemberIndex[]; readonly share: Hex; readonly reveal: Reveal }
  readonly signedRoot?: Root
}

/** Typed access to the sealed states of ceremonies. */
export type CeremonyStates = {
  find(context: CeremonyContext): CeremonyState | undefined
  /** Like `find`; throws `CeremonyError` when the ceremony was never begun. */
  get(context: CeremonyContext): CeremonyState
  /** Seen at once, on disk when it resolves. */
  save(context: CeremonyContext, state: CeremonyState): Promise<void>
  /** In memory only, until the next `save`: for what can be had again. */
  keep(context: CeremonyContext, state: CeremonyState): void
  /** Resolves when all that was saved is on disk. */
  settle(context: CeremonyContext): Promise<void>
  erase(context: CeremonyContext): Promise<void>
}

export function createCeremonyStates(sealed: SealedStates): CeremonyStates {
  const nameOf = (context: CeremonyContext) => ceremonyId(context).slice(2)
  const states = createDurableStates<CeremonyState>(sealed)
  const find = (context: CeremonyContext): CeremonyState | undefined => {
    const state = states.find(nameOf(context))
    if (state === undefined) return undefined
    if (state.size !== context.size || state.threshold !== context.threshold || state.self !== context.self) {
      throw new CeremonyError(
        'CONFLICTING_STEP',
        `expected member ${state.self} of ${state.size}, threshold ${state.threshold}, got member ${context.self} of ${context.size}, threshold ${context.threshold}`,
      )
    }
    return state
  }
  return {
    find,
    get: (context) => {
      const state = find(context)
      if (state === undefined) throw new CeremonyError('NOT_BEGUN', `ceremony ${ceremonyId(context)} was not begun here`)
      return state
    },
    save: (context, state) => states.save(nameOf(context), state),
    keep: (context, state) => states.keep(nameOf(context), state),
    settle: (context) => states.settle(nameOf(context)),
    erase: (context) => states.erase(nameOf(context)),
  }
}
