import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { herumi } from '../../../../../operator/protocol/bls/backend.ts'
import { fixedBase } from '../../../../../operator/protocol/bls/fixed-base.ts'
import { G, H } from '../../../../../operator/protocol/bls/generators.ts'
import { g1FromEip2537, g1ToCompressed, g1ToEip2537, multiply, pointsEqual } from '../../../../../operator/protocol/bls/points.ts'
import { scalarFromBigInt } from '../../../../../operator/protocol/bls/scalars.ts'
import { NobleG1, order, scalars } from './support.ts'

describe('multiplication by a fixed base', () => {
  it('is what noble calculates, at the borders of windows and of the order too', () => {
    const powers = Array.from({ length: 255 }, (_, bit) => 1n << BigInt(bit))
    for (const scalar of [
      1n,
      63n,
      64n,
      65n,
      order - 1n,
      order - 2n,
      ...powers.filter((power) => power < order),
      ...powers.map((p) => p - 1n),
    ]) {
      if (scalar === 0n) continue
      const expected = NobleG1.BASE.multiplyUnsafe(scalar).toHex(true)
      assert.equal(g1ToCompressed(multiply(G, scalarFromBigInt(scalar))), `0x${expected}`)
    }
  })

  it('agrees with that by any base', () => {
    fc.assert(
      fc.property(scalars, (scalar) => {
        const plain = H.clone()
        plain.mul(scalarFromBigInt(scalar))
        assert.ok(pointsEqual(multiply(H, scalarFromBigInt(scalar)), plain))
      }),
      { numRuns: 100 },
    )
  })

  it('of zero is infinity, and leaves the base as it was', () => {
    const [base, copy] = [multiply(H, scalarFromBigInt(9n)), multiply(H, scalarFromBigInt(9n))]
    const often = fixedBase(base)
    assert.ok(often(new herumi.SecretKey()).isZero())
    assert.ok(pointsEqual(often(scalarFromBigInt(1n)), copy))
    assert.ok(pointsEqual(base, copy))
  })
})

describe('points that were read before', () => {
  it('stay what they were when something is calculated with them', () => {
    const hex = g1ToEip2537(multiply(H, scalarFromBigInt(11n)))
    const point = g1FromEip2537(hex)
    assert.ok(!pointsEqual(multiply(point, scalarFromBigInt(3n)), point))
    assert.equal(g1ToEip2537(g1FromEip2537(hex)), hex)
    assert.equal(g1ToCompressed(g1FromEip2537(hex)), g1ToCompressed(multiply(H, scalarFromBigInt(11n))))
  })
})
