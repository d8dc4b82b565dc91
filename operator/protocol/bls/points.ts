import type { Hex, PublicKey } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import { blst, type G1, type G2, herumi, type Scalar } from './backend.ts'
import { BlsError } from './errors.ts'
import { fixedBase } from './fixed-base.ts'

// Lengths in bytes: one field element, and its 64-byte slot in EIP-2537.
const FIELD = 48
const SLOT = 64
const PAD = SLOT - FIELD
const INFINITY_FLAG = 0x40

/** Length of a G1 point in EIP-2537 form: x ‖ y, 64 bytes each. */
export const G1_EIP2537_LENGTH = 2 * SLOT
/** Length of a G2 point in EIP-2537 form: x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1. */
export const G2_EIP2537_LENGTH = 4 * SLOT

type Affine = { toBytes(compress?: boolean): Uint8Array }

function parse<P extends Affine>(what: string, read: () => P): P {
  try {
    return read()
  } catch (cause) {
    throw new BlsError('BAD_POINT', `expected a ${what} on the curve, in the subgroup and not infinity`, {}, { cause })
  }
}

const nativeG1 = (bytes: Uint8Array) => parse('G1 point', () => blst.PublicKey.fromBytes(bytes, true))
const nativeG2 = (bytes: Uint8Array) => parse('G2 point', () => blst.Signature.fromBytes(bytes, true))

function g1Of(point: Affine): G1 {
  const g1 = new herumi.PublicKey()
  g1.deserializeUncompressed(point.toBytes(false))
  return g1
}

/** Splits EIP-2537 slots, checks their zero padding and joins the field elements in the given order. */
function unpad(bytes: Uint8Array, order: readonly number[]): Uint8Array {
  if (bytes.length !== order.length * SLOT) {
    throw new BlsError('BAD_POINT', `expected ${order.length * SLOT} bytes of EIP-2537, got ${bytes.length}`)
  }
  const joined = new Uint8Array(order.length * FIELD)
  order.forEach((from, to) => {
    const slot = bytes.subarray(from * SLOT, (from + 1) * SLOT)
    if (slot.subarray(0, PAD).some((byte) => byte !== 0)) {
      throw new BlsError('BAD_POINT', 'expected 16 zero bytes before each field element of EIP-2537')
    }
    joined.set(slot.subarray(PAD), to * FIELD)
  })
  // The top three bits are flags in the uncompressed encoding; a field element never sets them.
  if (((joined[0] ?? 0) & 0xe0) !== 0) throw new BlsError('BAD_POINT', 'expected a field element below the modulus')
  return joined
}

function pad(affine: Uint8Array, order: readonly number[]): Uint8Array {
  const padded = new Uint8Array(order.length * SLOT)
  order.forEach((from, to) => {
    padded.set(affine.subarray(from * FIELD, (from + 1) * FIELD), to * SLOT + PAD)
  })
  return padded
}

const G1_ORDER = [0, 1] as const
// blst writes c1 before c0, EIP-2537 c0 before c1.
const G2_ORDER = [1, 0, 3, 2] as const

/** A validated G1 point from its 48 compressed bytes. Throws `BlsError`. */
export function g1FromCompressed(hex: Hex): G1 {
  const bytes = hexToBytes(hex)
  if (bytes.length !== FIELD) throw new BlsError('BAD_POINT', `expected ${FIELD} compressed bytes, got ${bytes.length}`)
  return g1Of(nativeG1(bytes))
}

/** 48 compressed bytes of infinity. */
const INFINITY: Hex = `0xc0${'00'.repeat(FIELD - 1)}`

/**
 * A member's public share from its 48 compressed bytes: like `g1FromCompressed`, but it may be infinity. Who deals last can choose
 * its own share, so also zero, which signs nothing and is of no harm to others. Throws `BlsError`.
 */
export function g1FromPublicShare(hex: Hex): G1 {
  return hex === INFINITY ? new herumi.PublicKey() : g1FromCompressed(hex)
}

// A ceremony meets the same commitments and keys at each of its steps, and the check of the subgroup is most of reading one.
// Bounded, oldest out first; the points of two ceremonies of 64 members fit. No point that was read is ever changed.
const POINT_CACHE_SIZE = 8192
const pointCache = new Map<Hex, G1>()
const encodings = new WeakMap<G1, Hex>()

/** A validated G1 point from its 128 EIP-2537 bytes. Throws `BlsError`. */
export function g1FromEip2537(hex: Hex): G1 {
  const known = pointCache.get(hex)
  if (known !== undefined) return known
  const point = g1Of(nativeG1(unpad(hexToBytes(hex), G1_ORDER)))
  if (pointCache.size >= POINT_CACHE_SIZE) {
    const oldest = pointCache.keys().next()
    if (!oldest.done) pointCache.delete(oldest.value)
  }
  pointCache.set(hex, point)
  encodings.set(point, g1ToEip2537(point))
  return point
}

/** 48 compressed bytes. */
export function g1ToCompressed(point: G1): PublicKey {
  return bytesToHex(point.serialize()) as PublicKey
}

/** 128 EIP-2537 bytes. */
export function g1ToEip2537(point: G1): Hex {
  return encodings.get(point) ?? bytesToHex(pad(point.serializeUncompressed(), G1_ORDER))
}

/** Compressed public key as EIP-2537. Throws `BlsError` on an invalid point. */
export function publicKeyToEip2537(key: Hex): Hex {
  return bytesToHex(pad(nativeG1(hexToBytes(key)).toBytes(false), G1_ORDER))
}

/** EIP-2537 G1 as a compressed public key. Throws `BlsError` on an invalid point. */
export function publicKeyFromEip2537(point: Hex): PublicKey {
  return bytesToHex(nativeG1(unpad(hexToBytes(point), G1_ORDER)).toBytes(true)) as PublicKey
}

/** Compressed signature as the 256 bytes of EIP-2537 that the contracts take. Throws `BlsError` on an invalid point. */
export function signatureToEip2537(signature: Hex): Hex {
  return bytesToHex(pad(nativeG2(hexToBytes(signature)).toBytes(false), G2_ORDER))
}

/**
 * The 256 EIP-2537 bytes of a compressed signature that need not be a good one: on the curve, but perhaps infinity or outside
 * the subgroup. For what is only hashed. Throws `BlsError` on what is no point.
 */
export function decompressSignature(signature: Hex): Hex {
  const bytes = parse('G2 point', () => blst.Signature.fromBytes(hexToBytes(signature), false)).toBytes(false)
  // blst marks infinity with a flag in its first byte, EIP-2537 has none.
  if (((bytes[0] ?? 0) & INFINITY_FLAG) !== 0) bytes[0] = 0
  return bytesToHex(pad(bytes, G2_ORDER))
}

/** EIP-2537 G2 as a compressed signature. Throws `BlsError` on an invalid point. */
export function signatureFromEip2537(point: Hex): Hex {
  return bytesToHex(nativeG2(unpad(hexToBytes(point), G2_ORDER)).toBytes(true))
}

/** A validated G2 point for arithmetic from its 96 compressed bytes. Throws `BlsError`. */
export function g2FromCompressed(bytes: Uint8Array): G2 {
  const g2 = new herumi.Signature()
  g2.deserializeUncompressed(nativeG2(bytes).toBytes(false))
  return g2
}

const fixedBases = new WeakMap<G1, (scalar: Scalar) => G1>()

/** From now on `multiply` by this very point is quick. */
export function expectOften(base: G1): G1 {
  fixedBases.set(base, fixedBase(base))
  return base
}

/** base^scalar. */
export function multiply(base: G1, scalar: Scalar): G1 {
  const often = fixedBases.get(base)
  if (often !== undefined) return often(scalar)
  const product = base.clone()
  product.mul(scalar)
  return product
}

/** Product of group elements (written additively: their sum). */
export function sumPoints(points: readonly G1[]): G1 {
  const sum = new herumi.PublicKey()
  for (const point of points) sum.add(point)
  return sum
}

export function pointsEqual(a: G1, b: G1): boolean {
  return a.isEqual(b)
}

/** Infinity: the value of an empty sum, never a valid key or commitment. */
export function isInfinity(point: G1): boolean {
  return point.isZero()
}
