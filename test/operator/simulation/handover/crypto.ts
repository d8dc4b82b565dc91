import blst from '@chainsafe/blst'
import type { Hex, MemberIndex, PublicKey, Root } from '../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toPublicKey } from '../../../../operator/core/parse.ts'
import { signatureFromEip2537 } from '../../../../operator/protocol/bls/points.ts'
import { evaluate, scalarFromBigInt, scalarToBytes } from '../../../../operator/protocol/bls/scalars.ts'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import type { Share } from '../../../../operator/signer/share-store.ts'
import { POOL } from '../../unit/ceremonies/support/chain.ts'
import { sha } from '../crypto.ts'

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

export const secretKey = (...parts: readonly (string | number)[]) => {
  const bytes = hexToBytes(sha(...parts))
  bytes[0] = (bytes[0] ?? 0) & 0x3f
  return blst.SecretKey.fromBytes(bytes)
}

/** A key from a trusted dealer: the handovers start from it. */
export function firstShares(seed: number, { size, threshold }: { readonly size: number; readonly threshold: number }): readonly Share[] {
  const coefficients = Array.from({ length: threshold }, (_, k) => scalarFromBigInt(BigInt(sha('coefficient', seed, k))))
  const secrets = Array.from({ length: size }, (_, at) => blst.SecretKey.fromBytes(scalarToBytes(evaluate(coefficients, at + 1))))
  const publicOf = (secret: (typeof secrets)[number]): PublicKey => toPublicKey(bytesToHex(secret.toPublicKey().toBytes()))
  const groupKey = publicOf(blst.SecretKey.fromBytes(scalarToBytes(evaluate(coefficients, 0))))
  const publicShares = secrets.map(publicOf)
  return secrets.map((secret, at) => ({
    info: { poolId: POOL, round: 0, memberIndex: (at + 1) as MemberIndex, groupKey, publicShares },
    origin: 'made',
    secret,
  }))
}
