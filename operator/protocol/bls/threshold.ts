import type { BlsSignature, PublicKey, Root } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import { blst, herumi } from './backend.ts'
import { BlsError } from './errors.ts'
import { g2FromCompressed } from './points.ts'
import { assertDistinct, wholeLagrangeCoefficients } from './polynomials.ts'
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
  const coefficients = wholeLagrangeCoefficients(used.map(({ index }) => index))
  if (coefficients !== undefined) return combineWhole(used, coefficients)
  const signature = new herumi.Signature()
  signature.recover(
    used.map(pointOf),
    used.map(({ index }) => fieldId(index)),
  )
  return bytesToHex(signature.serialize()) as BlsSignature
}

type Point = ReturnType<typeof blst.Signature.fromBytes>

const INFINITY_FLAG = 0x40
const SIGN_FLAG = 0x20

/**
 * Σ coefficient · partial in a few native additions, in the place of full multiplications. Whether the partials are in the
 * subgroup is left to the verification of their sum.
 */
function combineWhole(partials: readonly Partial[], coefficients: readonly number[]): BlsSignature {
  const terms = partials.map(({ index, signature }, at) => {
    const bytes = hexToBytes(signature)
    const [coefficient = 0, head = INFINITY_FLAG] = [coefficients[at], bytes[0]]
    // The negative of a compressed point is its other square root.
    if (coefficient < 0) bytes[0] = head ^ SIGN_FLAG
    try {
      if ((head & INFINITY_FLAG) !== 0) throw new Error('infinity')
      return { times: Math.abs(coefficient), point: blst.Signature.fromBytes(bytes) }
    } catch (cause) {
      throw new BlsError('BAD_PARTIAL', `expected a valid partial signature from member ${index}`, { index }, { cause })
    }
  })
  const bits = Math.max(...terms.map(({ times }) => times)).toString(2).length
  let sum: readonly Point[] = []
  for (let bit = 1 << (bits - 1); bit > 0; bit >>= 1) {
    const added = terms.filter(({ times }) => (times & bit) !== 0).map(({ point }) => point)
    sum = [blst.aggregateSignatures([...sum, ...sum, ...added])]
  }
  return bytesToHex(blst.aggregateSignatures([...sum]).toBytes()) as BlsSignature
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
