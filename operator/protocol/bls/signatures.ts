import type { BlsSignature, PublicKey, Root } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import { blst } from './backend.ts'
import { BlsError } from './errors.ts'

type NativeKey = ReturnType<typeof blst.PublicKey.fromBytes>

// Decompressing and validating a key costs as much as a tenth of a verification, and a node meets the same few keys for
// weeks. Bounded, oldest out first.
const KEY_CACHE_SIZE = 4096
const keyCache = new Map<PublicKey, NativeKey>()

function nativeKey(publicKey: PublicKey): NativeKey {
  const known = keyCache.get(publicKey)
  if (known !== undefined) return known
  const key = blst.PublicKey.fromBytes(hexToBytes(publicKey), true)
  if (keyCache.size >= KEY_CACHE_SIZE) {
    const oldest = keyCache.keys().next()
    if (!oldest.done) keyCache.delete(oldest.value)
  }
  keyCache.set(publicKey, key)
  return key
}

/** One BLS signature (proof-of-possession suite) over a 32-byte root. False for any malformed, infinite or out-of-subgroup input. */
export function verifySignature(publicKey: PublicKey, message: Root, signature: BlsSignature): boolean {
  try {
    const parsed = blst.Signature.fromBytes(hexToBytes(signature), true)
    return blst.verify(hexToBytes(message), nativeKey(publicKey), parsed)
  } catch {
    return false
  }
}

/**
 * An aggregate of signatures over one root by all of the keys. The keys' possession must have been proven. False for
 * malformed input and for no keys at all.
 */
export function fastAggregateVerify(publicKeys: readonly PublicKey[], message: Root, signature: BlsSignature): boolean {
  if (publicKeys.length === 0) return false
  try {
    const parsed = blst.Signature.fromBytes(hexToBytes(signature), true)
    return blst.fastAggregateVerify(hexToBytes(message), publicKeys.map(nativeKey), parsed)
  } catch {
    return false
  }
}

/** A signature and the key that it should be of. */
export type SignedBy = { readonly publicKey: PublicKey; readonly signature: BlsSignature }

/**
 * Whether each of several signatures over one root holds under its own key, at little more than the price of one: the sum of all,
 * each times a random factor of 64 bits that blst draws, under the sum of the keys times the same. So bad ones cannot make up for
 * each other, whatever the keys (Bellare, Garay and Rabin 1998, small exponents); one passes with a chance of 2⁻⁶⁴. False for
 * malformed input and for none at all.
 */
export function verifyEach(signed: readonly SignedBy[], message: Root): boolean {
  if (signed.length === 0) return false
  try {
    const sets = signed.map(({ publicKey, signature }) => ({ pk: nativeKey(publicKey), sig: hexToBytes(signature) }))
    const { pk, sig } = blst.aggregateWithRandomness(sets)
    return blst.verify(hexToBytes(message), pk, sig)
  } catch {
    return false
  }
}

/** The aggregate of signatures. Throws `BlsError` when there is none or one is not a valid point. */
export function aggregateSignatures(signatures: readonly BlsSignature[]): BlsSignature {
  if (signatures.length === 0) throw new BlsError('TOO_FEW_PARTIALS', 'expected at least one signature to aggregate, got none')
  try {
    return bytesToHex(blst.aggregateSerializedSignatures(signatures.map(hexToBytes), true).toBytes()) as BlsSignature
  } catch (cause) {
    throw new BlsError('BAD_POINT', 'expected valid signatures to aggregate', {}, { cause })
  }
}

/** Is this a compressed G1 key on the curve, in the subgroup and not infinity? */
export function isValidPublicKey(publicKey: PublicKey): boolean {
  try {
    nativeKey(publicKey)
    return true
  } catch {
    return false
  }
}
