import type { BlsSignature, Epoch, ProducerId, Root } from '../core/ids.ts'
import type { Producer } from '../core/network.ts'
import type { SignatureAggregation } from '../core/ports/aggregation.ts'
import type { ReportSignature } from '../protocol/messages/report.ts'

const EPOCHS_KEPT = 64
const DIGESTS_PER_MEMBER = 4

type Held = { readonly from: ProducerId; readonly digest: Root; readonly signature: BlsSignature }

/**
 * Committee signatures as they come in, kept unverified (they may come before the own report is derived) and bounded:
 * a few epochs, and per member and epoch the last four different digests.
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
  const byEpoch = new Map<Epoch, Held[]>()
  const verified = new Map<Epoch, Map<ProducerId, { readonly digest: Root; readonly signature: BlsSignature }>>()

  const forgetOldest = (): void => {
    while (byEpoch.size > EPOCHS_KEPT) {
      const oldest = Math.min(...byEpoch.keys()) as Epoch
      byEpoch.delete(oldest)
      verified.delete(oldest)
    }
  }

  return {
    add(from, message) {
      const held = byEpoch.get(message.epoch) ?? []
      const others = held.filter((entry) => entry.from !== from || entry.digest !== message.digest)
      const own = others.filter((entry) => entry.from === from)
      const dropped = own.length >= DIGESTS_PER_MEMBER ? own[0] : undefined
      byEpoch.set(message.epoch, [
        ...others.filter((entry) => entry !== dropped),
        { from, digest: message.digest, signature: message.signature },
      ])
      forgetOldest()
    },
    valid({ epoch, digest, members }) {
      const known = verified.get(epoch) ?? new Map<ProducerId, { readonly digest: Root; readonly signature: BlsSignature }>()
      verified.set(epoch, known)
      const result = new Map<ProducerId, BlsSignature>()
      for (const { from, digest: signed, signature } of byEpoch.get(epoch) ?? []) {
        const member = members.find(({ id }) => id === from)
        if (member === undefined || signed !== digest) continue
        const before = known.get(from)
        const good =
          (before?.digest === digest && before.signature === signature) || aggregation.verify(member.signingKey, digest, signature)
        if (!good) continue
        known.set(from, { digest, signature })
        result.set(from, signature)
      }
      return result
    },
  }
}
