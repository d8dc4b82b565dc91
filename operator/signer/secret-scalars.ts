import { randomBytes } from 'node:crypto'
import type { Hex } from '../core/ids.ts'
import { bytesToHex, hexToBytes } from '../core/parse.ts'
import { blst, type G1, type Scalar } from '../protocol/bls/backend.ts'
import { g1FromCompressed } from '../protocol/bls/points.ts'
import { scalarFromBytes, scalarToBytes } from '../protocol/bls/scalars.ts'

/** A uniform non-zero scalar, by rejection. */
export function randomScalar(): Scalar {
  for (;;) {
    const bytes = randomBytes(32)
    // The order has 255 bits.
    bytes[0] = (bytes[0] ?? 0) & 0x7f
    try {
      const scalar = scalarFromBytes(bytes)
      if (!scalar.isZero()) return scalar
    } catch {
      // At or above the order: about one draw in ten.
    } finally {
      bytes.fill(0)
    }
  }
}

export const toHex = (scalar: Scalar): Hex => bytesToHex(scalarToBytes(scalar))
export const fromHex = (hex: Hex): Scalar => scalarFromBytes(hexToBytes(hex))
export const nativeKey = (hex: Hex) => blst.SecretKey.fromBytes(hexToBytes(hex))
/** G^scalar by blst, in constant time. */
export const publicPoint = (scalar: Hex): G1 => g1FromCompressed(bytesToHex(nativeKey(scalar).toPublicKey().toBytes()))
