import type { BlsSignature, EcdsaSignature, Hex, MemberIndex, PublicKey, Root } from '../../core/ids.ts'
import type { CeremonyContext, Dealing } from '../../core/ports/ceremony.ts'
import type { CeremonyResult } from '../messages/ceremony.ts'
import type { ParticipationMessage, SignedCeremonyStatement } from '../messages/ceremony-codec.ts'

/** Stages of a ceremony in their order; the names of files, logs, metrics and failure reasons. */
export const DKG_STAGES = ['join', 'deal', 'agree', 'reveal', 'sign', 'done', 'failed'] as const
export type DkgStage = (typeof DKG_STAGES)[number]

/** What a member of the vault says by itself; QBFT messages have their own machine. */
export type MemberMessage = SignedCeremonyStatement | ParticipationMessage

/** Why a round ended: at which stage, by which rule, through whom (none when it is nobody's fault alone). */
export type DkgFailure = {
  readonly stage: DkgStage
  readonly rule: string
  readonly members: readonly MemberIndex[]
  readonly message: string
}

/** All that `completeDkg` takes. */
export type DkgCompletion = {
  readonly result: CeremonyResult
  /** Under the group key, verified. */
  readonly depositSignature: BlsSignature
  /** Who signed, ascending. */
  readonly participants: readonly MemberIndex[]
  readonly aggregateSignature: BlsSignature
}

/** What the machine asks its host to do. */
export type DkgEffect =
  | { readonly kind: 'broadcast'; readonly message: MemberMessage }
  /** Deal to these keys; then `say` the signed dealing. */
  | { readonly kind: 'deal'; readonly joinKeys: readonly Hex[] }
  /** Open and verify; then `opened`. */
  | { readonly kind: 'open'; readonly dealing: Dealing }
  /** Propose this transcript to the ceremony's QBFT instance; then `decided`. */
  | { readonly kind: 'agree'; readonly value: Uint8Array }
  /** Reveal; then `say` it, signed. */
  | { readonly kind: 'reveal'; readonly qualified: readonly MemberIndex[] }
  /** Sign the deposit message and the result; then `sign`. */
  | { readonly kind: 'sign'; readonly result: CeremonyResult }
  | { readonly kind: 'done'; readonly completion: DkgCompletion }
  /** A message was dropped; the round goes on. */
  | { readonly kind: 'fault'; readonly member: MemberIndex; readonly rule: string }
  | { readonly kind: 'failed'; readonly failure: DkgFailure }

export type DkgSettings = {
  readonly context: CeremonyContext
  /** BLS signing keys in member order. */
  readonly signingKeys: readonly PublicKey[]
  /** Is this the member's operator key's signature over the digest? */
  verify(member: MemberIndex, digest: Root, signature: EcdsaSignature): boolean
}
