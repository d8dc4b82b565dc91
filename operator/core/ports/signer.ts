import type { BlsSignature, EcdsaSignature, Epoch, Hex, MemberIndex, PoolId, PublicKey, Root, Slot } from '../ids.ts'

/**
 * Names one place where a producer may speak once. A second, different message for the same key is slashable, so the
 * gate records (key, digest) durably before the signature is released; the same digest again gets the same signature.
 */
export type OnceKey = {
  /** EIP-712 struct name, such as "QbftMessage". */
  readonly domain: string
  /** Instance within the domain, such as "pool/slot/duty" or a ceremony id. */
  readonly instance: string
  readonly round: number
  /** Kind of message within the round, such as "prepare". */
  readonly type: string
}

/** One thing said before, as the gate remembers it. */
export type Said = {
  readonly round: number
  readonly type: string
  readonly digest: Root
  /** What was recorded beside the digest; empty when nothing was. */
  readonly body: Uint8Array
}

/** The producer's secp256k1 operator key behind its durable gate. */
export type OperatorKey = {
  /** The address that `ecrecover` yields. */
  readonly address: string
  /**
   * Signs a digest whose double would be slashable. Throws `GateError` on a conflicting earlier digest. Durable before it
   * returns, together with `body`: what a restarted node needs to go on from there (a prepared certificate, a dealing).
   */
  signOnce(key: OnceKey, digest: Root, body?: Uint8Array): EcdsaSignature
  /**
   * Runs work and makes durable at once, before it returns, whatever `signOnce` records within. Throws when that
   * fails: then nothing that was signed within may be used.
   */
  together<T>(work: () => T): T
  /** Everything said in an instance of a domain, in any order. */
  recall(domain: string, instance: string): readonly Said[]
}

/** The producer's BLS signing key (participation, ceremony results, commitments). */
export type SigningKey = {
  readonly publicKey: PublicKey
  sign(digest: Root): BlsSignature
}

/** A duty that a vault member says it took part in; `round` names the vault. */
export type DutyToCertify = {
  readonly poolId: PoolId
  readonly round: number
  readonly slot: Slot
  readonly dutyType: number
  readonly signingRoot: Root
}

/** The signing key as it speaks of duties: durably once for each pool, slot and type. */
export type CertificateSigner = {
  /** Signature over the duty's certificate digest. Throws `GateError` when another was signed in its place. */
  certify(duty: DutyToCertify): BlsSignature
}

export type PoolShareInfo = {
  readonly poolId: PoolId
  readonly memberIndex: MemberIndex
  readonly groupKey: PublicKey
  /** Public shares in vault order. */
  readonly publicShares: readonly PublicKey[]
}

export type AttestationToSign = {
  readonly poolId: PoolId
  readonly slot: Slot
  readonly sourceEpoch: Epoch
  readonly targetEpoch: Epoch
  /** Signing root of the AttestationData under its domain. */
  readonly signingRoot: Root
}

export type BlockToSign = { readonly poolId: PoolId; readonly slot: Slot; readonly signingRoot: Root }

/** A signing root that no slashing rule covers: RANDAO reveal, voluntary exit, deposit message … */
export type RootToSign = { readonly poolId: PoolId; readonly purpose: 'randao' | 'exit'; readonly signingRoot: Root }

/** The pools' key shares behind the slashing-protection database (EIP-3076). Every method is durable before it returns. */
export type ShareSigner = {
  pools(): readonly PoolShareInfo[]
  /** Would `signAttestation` refuse? Read only; for judging a proposed value. Returns the rule it breaks or undefined. */
  checkAttestation(request: AttestationToSign): string | undefined
  checkBlock(request: BlockToSign): string | undefined
  /** Partial signature with this member's share. Throws `SlashingProtectionError`. */
  signAttestation(request: AttestationToSign): BlsSignature
  signBlock(request: BlockToSign): BlsSignature
  signRoot(request: RootToSign): BlsSignature
}

/** Signs the operator's routine transactions; the key stays where it is. */
export type TransactionSigner = {
  readonly address: string
  /** Signed serialization of an unsigned serialized transaction (ethers' `unsignedSerialized`). */
  signTransaction(unsigned: Hex): Hex
}
