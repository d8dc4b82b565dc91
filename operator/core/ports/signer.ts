import type { BlsSignature, EcdsaSignature, Epoch, Hex, MemberIndex, PoolId, PublicKey, Root, Slot } from '../ids.ts'
import type { Pool } from '../network.ts'

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
  /** Slot of the duty that it is said for: see `OperatorKey.announce`. */
  readonly slot?: Slot
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
   * In an announced slot, it has left the process, not the machine.
   */
  signOnce(key: OnceKey, digest: Root, body?: Uint8Array): EcdsaSignature
  /**
   * Runs work and makes durable at once, before it returns, whatever `signOnce` records within. Throws when that
   * fails: then nothing that was signed within may be used. `slot`: of the duty that all of it is said for.
   */
  together<T>(work: () => T, slot?: Slot): T
  /**
   * From now on this key may speak for duties of slots up to this one; on disk when it returns. What it says there survives the
   * process from then on without being synced each time. A machine that stopped may have lost some of it: started again, it says
   * nothing new in the slots it had announced (`GateError`). Costs nothing when the slot is announced already.
   */
  announce(slot: Slot): void
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
  /**
   * Records the duty's certificate digest, durably before it returns, and returns what signs it: that takes a third of a
   * millisecond, and nobody waits for it. Throws `GateError` when another was recorded in its place.
   */
  certify(duty: DutyToCertify): () => BlsSignature
}

export type PoolShareInfo = {
  readonly poolId: PoolId
  /** Of the ceremony that gave this share: it names the vault. */
  readonly round: number
  readonly memberIndex: MemberIndex
  readonly groupKey: PublicKey
  /** Public shares in vault order. */
  readonly publicShares: readonly PublicKey[]
}

export type AttestationToSign = {
  readonly poolId: PoolId
  /** Which share: that of the vault whose epoch it is. So below. */
  readonly round: number
  readonly slot: Slot
  readonly sourceEpoch: Epoch
  readonly targetEpoch: Epoch
  /** Signing root of the AttestationData under its domain. */
  readonly signingRoot: Root
}

export type BlockToSign = {
  readonly poolId: PoolId
  readonly round: number
  readonly slot: Slot
  /** Of the slot. */
  readonly epoch: Epoch
  readonly signingRoot: Root
}

/** A signing root that no slashing rule covers: RANDAO reveal, voluntary exit, deposit message … */
export type RootToSign = {
  readonly poolId: PoolId
  readonly round: number
  /** In which it is used. */
  readonly epoch: Epoch
  readonly purpose: 'randao' | 'exit'
  readonly signingRoot: Root
}

/** What the chain says of the vaults' terms, by which shares sign and are erased. */
export type KnownTerms = {
  /** Pools at the head, and of the last finalized block. */
  readonly head: ReadonlyMap<PoolId, Pick<Pool, 'vaults'>>
  readonly finalized: ReadonlyMap<PoolId, Pick<Pool, 'vaults' | 'endedRound'>>
  /** All blocks of the epochs before it are in `finalized`. */
  readonly finalizedEpoch: Epoch
  readonly rotationMargin: number
  readonly slotsPerEpoch: number
}

/** The pools' key shares behind the slashing-protection database (EIP-3076). Every method is durable before it returns. */
export type ShareSigner = {
  /** Every share held: of a pool under a handover there may be two. */
  pools(): readonly PoolShareInfo[]
  /** Would `signAttestation` refuse? Read only; for judging a proposed value. Returns the rule it breaks or undefined. */
  checkAttestation(request: AttestationToSign): string | undefined
  checkBlock(request: BlockToSign): string | undefined
  /** Partial signature with this member's share. Throws `SlashingProtectionError`. */
  signAttestation(request: AttestationToSign): BlsSignature
  signBlock(request: BlockToSign): BlsSignature
  signRoot(request: RootToSign): BlsSignature
}

/** Keeps each share to its vault's term. */
export type ShareKeeper = {
  /**
   * Takes in what the chain says, at each change: a share signs for the epochs of its vault's term only, one handed over only once
   * that is final; a share whose term is over for good, or never came, is erased.
   */
  learn(terms: KnownTerms): void
}

/** Signs the operator's routine transactions; the key stays where it is. */
export type TransactionSigner = {
  readonly address: string
  /** Signed serialization of an unsigned serialized transaction (ethers' `unsignedSerialized`). */
  signTransaction(unsigned: Hex): Hex
}
