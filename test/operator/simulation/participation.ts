import type { BlsSignature, ProducerId, PublicKey, Root } from '../../../operator/core/ids.ts'
import type { SignatureAggregation } from '../../../operator/core/ports/aggregation.ts'
import type { CertificateSigner } from '../../../operator/core/ports/signer.ts'
import type { ThresholdScheme } from '../../../operator/duties/types.ts'
import { certificateDigest } from '../../../operator/protocol/messages/certificate.ts'
import { sha } from './crypto.ts'

export const CERTIFICATE_DOMAIN = sha('certificates') as Root

const wide = (bytes: number, ...parts: readonly (string | number)[]): string =>
  `0x${sha(...parts)
    .slice(2)
    .repeat(4)
    .slice(0, 2 * bytes)}`

export const signingKeyOf = (producer: ProducerId): PublicKey => wide(48, 'signing key', producer) as PublicKey
const signedBy = (key: PublicKey, digest: Root): BlsSignature => wide(96, 'signed', key, digest) as BlsSignature

/** Signing keys as keyed hashes; an aggregate is known by what it was made of. */
export function hashParticipation(scheme: Pick<ThresholdScheme, 'verify'>): {
  readonly aggregation: SignatureAggregation
  signerOf(producer: ProducerId): CertificateSigner
} {
  const parts = new Map<BlsSignature, readonly BlsSignature[]>()
  const verify = (key: PublicKey, digest: Root, signature: BlsSignature): boolean =>
    signedBy(key, digest) === signature || scheme.verify(key, digest, signature)
  return {
    aggregation: {
      verify,
      aggregate(signatures) {
        const all = signatures.flatMap((signature) => parts.get(signature) ?? [signature]).sort()
        const made = wide(96, 'aggregate', ...all) as BlsSignature
        parts.set(made, all)
        return made
      },
      verifyAll(keys, digest, signature) {
        const left = new Set(parts.get(signature) ?? [])
        const found = keys.every((key) => {
          const own = [...left].find((one) => verify(key, digest, one))
          return own !== undefined && left.delete(own)
        })
        return found && left.size === 0 && keys.length > 0
      },
    },
    signerOf: (producer) => ({ certify: (duty) => () => signedBy(signingKeyOf(producer), certificateDigest(CERTIFICATE_DOMAIN, duty)) }),
  }
}
