import blst from '@chainsafe/blst'
import type { MemberIndex, PublicKey } from '../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toPublicKey } from '../../../../operator/core/parse.ts'
import { evaluate, scalarFromBigInt, scalarToBytes } from '../../../../operator/protocol/bls/scalars.ts'
import type { Share } from '../../../../operator/signer/share-store.ts'
import { POOL } from '../../unit/ceremonies/support/chain.ts'
import { sha } from '../crypto.ts'

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
