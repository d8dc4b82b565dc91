import type { BlsSignature, PublicKey, Root } from '../ids.ts'

/** BLS over the producers' signing keys: many signers of one digest (draft-irtf-cfrg-bls-signature, proof of possession suite). */
export type SignatureAggregation = {
  verify(publicKey: PublicKey, digest: Root, signature: BlsSignature): boolean
  /** An aggregate of signatures by all of these keys, whose possession is proven. False for malformed input and no keys. */
  verifyAll(publicKeys: readonly PublicKey[], digest: Root, signature: BlsSignature): boolean
  aggregate(signatures: readonly BlsSignature[]): BlsSignature
}
