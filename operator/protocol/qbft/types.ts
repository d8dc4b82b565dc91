import type { EcdsaSignature, MemberIndex, Root } from '../../core/ids.ts'

/** What a group agrees on once: a duty of a pool at a slot, or a ceremony round. */
export type QbftInstance = {
  readonly poolId: number
  /** Slot of a duty; ceremony round of a ceremony. */
  readonly slot: number
  /** One of `INSTANCE_CODES`. */
  readonly duty: number
}

/** Kinds of instance, as signed. */
export const INSTANCE_CODES = { attestation: 1, proposal: 2, ceremony: 16, roster: 17, handover: 18 } as const

export const STATEMENT_TYPES = ['pre-prepare', 'prepare', 'commit', 'round-change'] as const
export type StatementType = (typeof STATEMENT_TYPES)[number]

/** What a member signs. Rounds count from 1; a prepared round of 0 means none (then its value is `ZERO_ROOT`). */
export type Statement = {
  readonly type: StatementType
  readonly round: number
  /** Root of the value; `ZERO_ROOT` in a round change. */
  readonly value: Root
  /** Round changes only. */
  readonly preparedRound: number
  readonly preparedValue: Root
}

export type SignedStatement = Statement & { readonly sender: MemberIndex; readonly signature: EcdsaSignature }

/**
 * A message between members. Which parts are filled depends on the type:
 * pre-prepare: value; after round 1 also a quorum of round changes, and of prepares when one of them had prepared.
 * round-change: when prepared, the value and the quorum of prepares.
 * prepare, commit: nothing.
 */
export type StatementMessage = {
  readonly kind: 'statement'
  readonly signed: SignedStatement
  readonly roundChanges: readonly SignedStatement[]
  readonly prepares: readonly SignedStatement[]
  readonly value: Uint8Array | undefined
}

/** A decision that proves itself: a quorum of commits and the value. Needs no signature of the one that passes it on. */
export type DecidedMessage = { readonly kind: 'decided'; readonly commits: readonly SignedStatement[]; readonly value: Uint8Array }

export type QbftMessage = StatementMessage | DecidedMessage

/** Proof that a quorum prepared a value in a round. */
export type PreparedCertificate = {
  readonly round: number
  readonly root: Root
  readonly value: Uint8Array
  readonly prepares: readonly SignedStatement[]
}

export type Decision = {
  readonly round: number
  readonly root: Root
  readonly value: Uint8Array
  readonly commits: readonly SignedStatement[]
}

export type FaultKind = 'bad-signature' | 'bad-justification' | 'bad-value' | 'not-leader' | 'equivocation'

export type QbftFault = {
  readonly member: MemberIndex
  readonly fault: FaultKind
  /** Two conflicting signed statements, when the fault is an equivocation. */
  readonly evidence?: readonly [SignedStatement, SignedStatement]
}

/** What the machine asks its host to do. */
export type QbftEffect =
  | { readonly kind: 'broadcast'; readonly message: QbftMessage }
  | { readonly kind: 'send'; readonly to: MemberIndex; readonly message: QbftMessage }
  /** Call `timeout(round)` after so many milliseconds; replaces any timer asked for before. */
  | { readonly kind: 'timer'; readonly round: number; readonly afterMs: number }
  | { readonly kind: 'decided'; readonly decision: Decision }
  | ({ readonly kind: 'fault' } & QbftFault)

/** What stays the same through an instance, and the functions that the algorithm is parametric in. */
export type QbftSettings = {
  readonly size: number
  readonly quorum: number
  readonly self: MemberIndex
  leaderOf(round: number): MemberIndex
  /** Length of round 1; each further round lasts twice as long. */
  readonly firstRoundMs: number
  rootOf(value: Uint8Array): Root
  /**
   * Would this member sign the value? `vouched`: a quorum has prepared it in an earlier round, so what only depends on
   * one's own view of the chain has been confirmed by honest members, and must not be held against it any more.
   */
  isValid(value: Uint8Array, vouched: boolean): boolean
  /** Signs, durably recording a commit's certificate; undefined when the gate refuses, then the machine stays silent. */
  sign(statement: Statement, certificate?: PreparedCertificate): EcdsaSignature | undefined
  verify(signed: SignedStatement): boolean
}

export const ZERO_ROOT = `0x${'00'.repeat(32)}` as Root

/** Rounds beyond this are neither entered nor stored: with doubling timers no duty lives that long. */
export const MAX_ROUND = 16
