import blst from '@chainsafe/blst'
import type { Hex, PublicKey, Root } from '../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toPublicKey } from '../../../operator/core/parse.ts'
import { signatureFromEip2537 } from '../../../operator/protocol/bls/points.ts'
import { verifySignature } from '../../../operator/protocol/bls/signatures.ts'

export const aggregateKeys = (keys: readonly PublicKey[]): PublicKey =>
  toPublicKey(bytesToHex(blst.aggregatePublicKeys(keys.map((key) => blst.PublicKey.fromBytes(hexToBytes(key)))).toBytes()))

/** A signature as the contracts take it, in words. */
export function verifyWords(key: PublicKey, digest: Root, words: readonly string[]): boolean {
  try {
    const point: Hex = `0x${words.map((word) => word.slice(2)).join('')}`
    return verifySignature(key, digest, signatureFromEip2537(point) as Parameters<typeof verifySignature>[2])
  } catch {
    return false
  }
}
