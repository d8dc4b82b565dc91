import type { BlsSignature, PublicKey, Root } from '../ids.ts'

/** BLS over the producers' signing keys: many signers of one digest (draft-irtf-cfrg-bls-signature, proof of possession suite). */
export type SignatureAggregation = {
  verify(publicKey: PublicKey, digest: Root, signature: BlsSignature): boolean
  aggregate(signatures: readonly BlsSignature[]): BlsSignature
}
