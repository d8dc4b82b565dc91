import type { BlsSignature, Hex, MemberIndex, PoolId, PublicKey, Root } from '../ids.ts'

/** What every message, key derivation and proof of a ceremony binds (protocol.md §7). */
export type CeremonyContext = {
  readonly chainId: bigint
  /** PoolRegistry. */
  readonly contract: Hex
  readonly poolId: PoolId
  /** A key generation, or a handover of the key to another vault. */
  readonly kind: 'dkg' | 'rotation'
  readonly round: number
  readonly size: number
  readonly threshold: number
  readonly self: MemberIndex
}

/** A dealing as broadcast, points in EIP-2537 form (G1: 128 bytes) as hex. Ciphertexts are 32 bytes, indexed by member − 1. */
export type Dealing = {
  readonly dealer: MemberIndex
  /** Join keys (G1) that the dealer encrypts to, in member order; null for a member that had not joined. */
  readonly joinKeys: readonly (Hex | null)[]
  /** H^{c_k}, k = 0…t−1. */
  readonly commitments: readonly Hex[]
  readonly ciphertexts: readonly (Hex | null)[]
}

/** Chaum–Pedersen proof of equal discrete logarithms: challenge and response scalars, 32 bytes each. */
export type Dleq = { readonly challenge: Hex; readonly response: Hex }

/** What i reveals once QUAL is agreed: G^{f_i(0)} against C_i0 (null outside QUAL) and G^{x_i} against the commitments. */
export type Reveal = {
  readonly member: MemberIndex
  readonly constantTerm: { readonly point: Hex; readonly proof: Dleq } | null
  readonly publicShare: { readonly point: Hex; readonly proof: Dleq }
}

/** What a member says against a dealing: the Diffie–Hellman point (G1) of the two join keys, and a proof that it is. */
export type Complaint = {
  readonly dealer: MemberIndex
  readonly member: MemberIndex
  readonly sharedPoint: Hex
  readonly proof: Dleq
}

/**
 * Verdict on a dealing as its receiver sees it. A `shown` fault is there for all to see, a `hidden` one for self alone: then a
 * complaint tells it.
 */
export type OpenedDealing =
  | { readonly dealer: MemberIndex; readonly good: true }
  | { readonly dealer: MemberIndex; readonly good: false; readonly fault: 'shown' | 'hidden'; readonly reason: string }

/**
 * The secret half of a ceremony. Polynomials, ephemeral keys and shares never leave it; each step is on disk (encrypted)
 * before it returns, and repeating a step returns the same bytes, also after a restart.
 */
export type CeremonySecrets = {
  /** Makes (or finds) this ceremony's ephemeral key; returns its public G1 point. */
  begin(context: CeremonyContext): Promise<Hex>
  /** Proof that self holds the secret of the key that `begin` made. */
  possession(context: CeremonyContext): Promise<Dleq>
  /** Makes (or finds) the one dealing of this round. */
  deal(context: CeremonyContext, joinKeys: readonly (Hex | null)[]): Promise<Dealing>
  /** Decrypts and verifies the share that a dealing holds for self. */
  open(context: CeremonyContext, dealing: Dealing): Promise<OpenedDealing>
  /**
   * Makes (or finds) the complaint about a dealing whose share for self is bad. `possession` is the dealer's proof that it holds
   * the join key that the dealing names for it: without one that holds, and when everyone can see the dealing's fault without a
   * complaint, the answer is null. Never opens a good share.
   */
  complain(context: CeremonyContext, dealing: Dealing, possession: Dleq): Promise<Complaint | null>
  /**
   * Keeps which dealings self has found good (struct hashes in member order, null for the others) before it says so; returns what
   * was kept first, also after a restart.
   */
  check(context: CeremonyContext, dealings: readonly (Root | null)[]): Promise<readonly (Root | null)[]>
  /** Own reveal once QUAL (dealers' indices, ascending) is agreed. */
  reveal(context: CeremonyContext, qualified: readonly MemberIndex[]): Promise<Reveal>
  /** Partial signature over the deposit message's signing root, with the share that is about to be stored. */
  sign(context: CeremonyContext, signingRoot: Root): Promise<BlsSignature>
  /** Stores the share as an encrypted keystore for duty use, under the agreed result. */
  commit(context: CeremonyContext, result: { readonly groupKey: PublicKey; readonly publicShares: readonly PublicKey[] }): Promise<void>
  /** Whether the share was stored. */
  isCommitted(context: CeremonyContext): Promise<boolean>
  /** Forgets everything of this ceremony but a committed share. */
  erase(context: CeremonyContext): Promise<void>
}
