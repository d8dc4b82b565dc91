import type { BlsSignature, PublicKey, Root } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import { herumi } from './backend.ts'
import { BlsError } from './errors.ts'
import { g2FromCompressed } from './points.ts'
import { assertDistinct } from './polynomials.ts'
import { fieldId } from './scalars.ts'
import { verifySignature } from './signatures.ts'

/** A signature by one share; `index` is the member index, its evaluation point. */
export type Partial = { readonly index: number; readonly signature: BlsSignature }

function pointOf({ index, signature }: Partial) {
  try {
    return g2FromCompressed(hexToBytes(signature))
  } catch (cause) {
    throw new BlsError('BAD_PARTIAL', `expected a valid partial signature from member ${index}`, { index }, { cause })
  }
}

/**
 * Interpolates the group signature from the first `threshold` partials. The result is not verified: do that under the
 * group key, and call `findCulprits` only when it fails. Throws `BlsError` on too few, doubled or invalid partials (`data.index`
 * names the member).
 */
export function combinePartials(partials: readonly Partial[], threshold: number): BlsSignature {
  if (partials.length < threshold) {
    throw new BlsError('TOO_FEW_PARTIALS', `expected ${threshold} partial signatures, got ${partials.length}`)
  }
  const used = partials.slice(0, threshold)
  assertDistinct(used.map(({ index }) => index))
  const signature = new herumi.Signature()
  signature.recover(
    used.map(pointOf),
    used.map(({ index }) => fieldId(index)),
  )
  return bytesToHex(signature.serialize()) as BlsSignature
}

/** Member indices whose partial signature does not verify under their public share (vault order). */
export function findCulprits(options: {
  readonly partials: readonly Partial[]
  readonly publicShares: readonly PublicKey[]
  readonly message: Root
}): readonly number[] {
  return options.partials
    .filter(({ index, signature }) => {
      const share = options.publicShares[index - 1]
      return share === undefined || !verifySignature(share, options.message, signature)
    })
    .map(({ index }) => index)
}
