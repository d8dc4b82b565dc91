import { type FieldId, GROUP_ORDER, herumi, type Scalar } from './backend.ts'
import { BlsError } from './errors.ts'

const LENGTH = 32

/** A scalar from 32 big-endian bytes. Throws `BlsError` when the value is not below the group order. */
export function scalarFromBytes(bytes: Uint8Array): Scalar {
  if (bytes.length !== LENGTH) throw new BlsError('BAD_SCALAR', `expected a scalar of ${LENGTH} bytes, got ${bytes.length}`)
  const scalar = new herumi.SecretKey()
  try {
    scalar.deserialize(bytes)
  } catch {
    throw new BlsError('BAD_SCALAR', 'expected a scalar below the group order')
  }
  return scalar
}

/** 32 big-endian bytes of a scalar. */
export function scalarToBytes(scalar: Scalar): Uint8Array {
  return scalar.serialize()
}

/** A public scalar from a bigint, reduced modulo the group order. Never for secrets. */
export function scalarFromBigInt(value: bigint): Scalar {
  return scalarFromBytes(bigIntToBytes(modOrder(value)))
}

/** 32 big-endian bytes of a public number below 2^256. */
export function bigIntToBytes(value: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(LENGTH * 2, '0'), 'hex'))
}

/** Least non-negative residue modulo the group order. */
export function modOrder(value: bigint): bigint {
  return ((value % GROUP_ORDER) + GROUP_ORDER) % GROUP_ORDER
}

/** Σ coefficients[k] · at^k over secret coefficients and a public point. */
export function evaluate(coefficients: readonly Scalar[], at: number | bigint): Scalar {
  const value = new herumi.SecretKey()
  value.share([...coefficients], fieldId(at))
  return value
}

/** Sum of scalars. */
export function sumScalars(scalars: readonly Scalar[]): Scalar {
  const sum = new herumi.SecretKey()
  for (const scalar of scalars) sum.add(scalar)
  return sum
}

/** A public evaluation point for mcl's Horner and Lagrange routines. */
export function fieldId(value: number | bigint): FieldId {
  const id = new herumi.Id()
  id.deserialize(bigIntToBytes(modOrder(BigInt(value))))
  return id
}

/** A Shamir evaluation point: a whole number from 1 to 65,535. Throws `BlsError`. */
export function assertIndex(index: number): void {
  if (!Number.isInteger(index) || index < 1 || index > 0xffff) {
    throw new BlsError('BAD_INDEX', `expected a member index from 1 to 65535, got ${index}`, { index })
  }
}
