import type { Hex, PoolId } from '../core/ids.ts'
import type { Complaint, Dealing, Dleq } from '../core/ports/ceremony.ts'
import type { HandoverContext } from '../core/ports/handover.ts'
import { CEREMONY_KINDS, ceremonyId, type PublicContext } from '../protocol/dkg/context.ts'
import { createDurableStates } from './durable-states.ts'
import { CeremonyError } from './errors.ts'
import type { SealedStates } from './sealed-states.ts'
import type { Dealt } from './share-terms.ts'

/** What a producer must remember of one handover, secrets included. Scalars are 32 bytes as hex. */
export type HandoverState = {
  /** Own numbers, 0 for none: another seat is another handover. */
  readonly receiver: number
  readonly dealer: number
  readonly ephemeral: Hex
  readonly joinKey: Hex
  /** By own member number. */
  readonly possessions: Readonly<Record<number, Dleq>>
  /** The one dealing, whose secrets are the old share and fresh coefficients. */
  readonly own?: { readonly coefficients: readonly Hex[]; readonly dealing: Dealing }
  /** Shares received, by struct hash of the dealing. */
  readonly received: Readonly<Record<string, Hex>>
  /** Complaints made, by struct hash of the dealing. */
  readonly complaints: Readonly<Record<string, Complaint>>
  /** The new share, of the dealings chosen. */
  readonly combined?: { readonly choice: Hex; readonly share: Hex }
  readonly signed?: Hex
}

/** Typed access to the sealed states of handovers. */
export type HandoverStates = {
  find(context: HandoverContext): HandoverState | undefined
  /** Like `find`; throws `CeremonyError` when the handover was never begun. */
  get(context: HandoverContext): HandoverState
  /** Seen at once, on disk when it resolves. */
  save(context: HandoverContext, state: HandoverState): Promise<void>
  /** Resolves when all that was saved is on disk. */
  settle(context: HandoverContext): Promise<void>
  erase(context: PublicContext): Promise<void>
  /** Handovers in which this node has dealt, until they are erased. */
  dealt(): readonly Dealt[]
}

const POOL_AT = 52
const KIND_AT = 56
const ROUND_AT = 57

export function createHandoverStates(sealed: SealedStates): HandoverStates {
  const nameOf = (context: PublicContext) => ceremonyId(context).slice(2)
  const states = createDurableStates<HandoverState>(sealed)
  const dealt = new Map<string, Dealt>()
  for (const name of sealed.list()) {
    const id = Buffer.from(name, 'hex')
    if (id[KIND_AT] !== CEREMONY_KINDS.rotation || states.find(name)?.own === undefined) continue
    dealt.set(name, { poolId: id.readUInt32BE(POOL_AT) as PoolId, round: id.readUInt32BE(ROUND_AT) })
  }

  const find = (context: HandoverContext): HandoverState | undefined => {
    const state = states.find(nameOf(context))
    if (state !== undefined && (state.receiver !== (context.receiver ?? 0) || state.dealer !== (context.dealer ?? 0))) {
      throw new CeremonyError(
        'CONFLICTING_STEP',
        `expected member ${state.receiver} and dealer ${state.dealer}, got member ${context.receiver ?? 0} and dealer ${context.dealer ?? 0}`,
      )
    }
    return state
  }
  return {
    find,
    get: (context) => {
      const state = find(context)
      if (state === undefined) throw new CeremonyError('NOT_BEGUN', `handover ${ceremonyId(context)} was not begun here`)
      return state
    },
    save: async (context, state) => {
      const name = nameOf(context)
      // What was dealt binds from the moment that it may be on disk.
      if (state.own !== undefined) dealt.set(name, { poolId: context.poolId, round: context.round })
      await states.save(name, state)
    },
    settle: (context) => states.settle(nameOf(context)),
    erase: async (context) => {
      await states.erase(nameOf(context))
      dealt.delete(nameOf(context))
    },
    dealt: () => [...dealt.values()],
  }
}
