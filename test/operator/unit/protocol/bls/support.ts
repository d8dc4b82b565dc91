import { bls12_381 } from '@noble/curves/bls12-381.js'
import fc from 'fast-check'
import type { BlsSignature, PublicKey, Root } from '../../../../../operator/core/ids.ts'
import { bytesToHex, toBlsSignature, toPublicKey, toRoot } from '../../../../../operator/core/parse.ts'
import { bigIntToBytes } from '../../../../../operator/protocol/bls/scalars.ts'

/** The oracle: an independent implementation on bigints. */
export const NobleG1 = bls12_381.G1.Point
export const NobleG2 = bls12_381.G2.Point
export const order = bls12_381.fields.Fr.ORDER
export const field = bls12_381.fields.Fr

export const scalars = fc.bigInt({ min: 1n, max: order - 1n })
export const roots = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toRoot(bytesToHex(bytes)))

/** f(x) on bigints, coefficients from the constant term up. */
export const evaluateBigInt = (coefficients: readonly bigint[], x: bigint): bigint =>
  coefficients.reduceRight((value, coefficient) => field.create(value * x + coefficient), 0n)

export const secretBytes = (secret: bigint): Uint8Array => bigIntToBytes(secret)

export const publicKeyOf = (secret: bigint): PublicKey => toPublicKey(`0x${NobleG1.BASE.multiply(secret).toHex(true)}`)

/** A point on the curve but outside the subgroup: its coordinates and its compressed form. */
export function outsideSubgroup(): { readonly x: bigint; readonly y: bigint; readonly compressed: PublicKey } {
  const { Fp } = bls12_381.fields
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n)
    if (Fp.pow(square, (Fp.ORDER - 1n) / 2n) !== 1n) continue
    const y = Fp.sqrt(square)
    const larger = y > (Fp.ORDER - 1n) / 2n
    const compressed = x | (1n << 383n) | (larger ? 1n << 381n : 0n)
    if (!NobleG1.fromAffine({ x, y }).isTorsionFree()) return { x, y, compressed: toPublicKey(`0x${compressed.toString(16)}`) }
  }
}

/** A compressed G2 point on the curve that is not in the subgroup: the one with x = 2. */
export const signatureOutsideSubgroup = (): BlsSignature => toBlsSignature(`0x80${'00'.repeat(94)}02`)

export const messageOf = (byte: number): Root => toRoot(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)
