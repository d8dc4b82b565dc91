import type { BlsSignature, Epoch, ProducerId, Root } from '../core/ids.ts'
import type { Producer } from '../core/network.ts'
import type { SignatureAggregation } from '../core/ports/aggregation.ts'
import type { ReportSignature } from '../protocol/messages/report.ts'
import { MAX_TURNS } from './certificates/proposals.ts'

const EPOCHS_KEPT = 64
/** A member signs for the sets of all leaders that it finds right, and anew when a commitment came in between. */
const DIGESTS_PER_MEMBER = MAX_TURNS + 4

/** `isValid` once it was looked at. */
type Held = { readonly signature: BlsSignature; isValid: boolean | undefined }

/**
 * Committee signatures as they come in, kept unverified (they may come before the own report is derived) and bounded:
 * a few epochs, and per member and epoch the last digests, no fewer than there can be right ones.
 */
export type SignaturePool = {
  add(from: ProducerId, message: ReportSignature): void
  /** Valid signatures by members over the digest, verified now, each once. */
  valid(input: {
    readonly epoch: Epoch
    readonly digest: Root
    readonly members: readonly Producer[]
  }): ReadonlyMap<ProducerId, BlsSignature>
}

export function createSignaturePool(aggregation: SignatureAggregation): SignaturePool {
  const byEpoch = new Map<Epoch, Map<ProducerId, Map<Root, Held>>>()

  return {
    add(from, { epoch, digest, signature }) {
      const ofEpoch = byEpoch.get(epoch) ?? new Map<ProducerId, Map<Root, Held>>()
      byEpoch.set(epoch, ofEpoch)
      const own = ofEpoch.get(from) ?? new Map<Root, Held>()
      ofEpoch.set(from, own)
      const known = own.get(digest)
      // Said again it is the last one.
      own.delete(digest)
      own.set(digest, known?.signature === signature ? known : { signature, isValid: undefined })
      for (const oldest of own.keys()) {
        if (own.size <= DIGESTS_PER_MEMBER) break
        own.delete(oldest)
      }
      while (byEpoch.size > EPOCHS_KEPT) byEpoch.delete(Math.min(...byEpoch.keys()) as Epoch)
    },
    valid({ epoch, digest, members }) {
      const result = new Map<ProducerId, BlsSignature>()
      for (const { id, signingKey } of members) {
        const held = byEpoch.get(epoch)?.get(id)?.get(digest)
        if (held === undefined) continue
        held.isValid ??= aggregation.verify(signingKey, digest, held.signature)
        if (held.isValid) result.set(id, held.signature)
      }
      return result
    },
  }
}
