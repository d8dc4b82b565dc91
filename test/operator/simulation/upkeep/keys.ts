import type { BlsSignature, ProducerId, PublicKey, Root } from '../../../../operator/core/ids.ts'
import type { SignatureAggregation } from '../../../../operator/core/ports/aggregation.ts'
import type { SigningKey } from '../../../../operator/core/ports/signer.ts'
import { blst } from '../../../../operator/protocol/bls/backend.ts'
import { aggregateSignatures, fastAggregateVerify, verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { createSigningKey } from '../../../../operator/signer/signing-key.ts'
import { sha } from '../crypto.ts'

/** Real BLS keys of the producers, the same in every run; each signature is made and verified once. */
export type Keys = { of(producer: ProducerId): SigningKey; readonly aggregation: SignatureAggregation }

const made = new Map<ProducerId, SigningKey>()

export function simKeys(): Keys {
  const verified = new Map<string, boolean>()
  return {
    of(producer) {
      const known = made.get(producer)
      if (known !== undefined) return known
      const key = createSigningKey(blst.SecretKey.fromKeygen(Buffer.from(sha('signing key', producer).slice(2), 'hex')))
      const signatures = new Map<Root, BlsSignature>()
      const remembering: SigningKey = {
        publicKey: key.publicKey,
        sign(digest) {
          const signature = signatures.get(digest) ?? key.sign(digest)
          signatures.set(digest, signature)
          return signature
        },
      }
      made.set(producer, remembering)
      return remembering
    },
    aggregation: {
      verify(publicKey: PublicKey, digest: Root, signature: BlsSignature) {
        const id = `${publicKey}${digest}${signature}`
        const known = verified.get(id) ?? verifySignature(publicKey, digest, signature)
        verified.set(id, known)
        return known
      },
      verifyAll: fastAggregateVerify,
      aggregate: aggregateSignatures,
    },
  }
}
