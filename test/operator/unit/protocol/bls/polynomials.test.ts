import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { G1 } from '../../../../../operator/protocol/bls/backend.ts'
import { G, H } from '../../../../../operator/protocol/bls/generators.ts'
import { g1ToCompressed, multiply, pointsEqual } from '../../../../../operator/protocol/bls/points.ts'
import {
  evaluateCommitments,
  haveDegreeBelow,
  interpolate,
  publicSharesOf,
  sumCommitments,
} from '../../../../../operator/protocol/bls/polynomials.ts'
import { evaluate, scalarFromBigInt, scalarToBytes, sumScalars } from '../../../../../operator/protocol/bls/scalars.ts'
import { evaluateBigInt, field, publicKeyOf, scalars, secretBytes } from './support.ts'

const commit = (coefficients: readonly bigint[], base: G1 = G) => coefficients.map((c) => multiply(base, scalarFromBigInt(c)))
const polynomials = (degree: number) => fc.array(scalars, { minLength: degree + 1, maxLength: degree + 1 })

describe('polynomials in the exponent', () => {
  it('evaluate as on bigints, secretly and in public', () => {
    fc.assert(
      fc.property(polynomials(4), fc.integer({ min: 1, max: 65535 }), (coefficients, at) => {
        const value = evaluateBigInt(coefficients, BigInt(at))
        assert.deepEqual(scalarToBytes(evaluate(coefficients.map(scalarFromBigInt), at)), secretBytes(value))
        assert.equal(g1ToCompressed(evaluateCommitments(commit(coefficients), at)), publicKeyOf(value))
      }),
      { numRuns: 20 },
    )
  })

  it('add up coefficient by coefficient', () => {
    fc.assert(
      fc.property(polynomials(2), polynomials(2), (f, g) => {
        const sum = f.map((c, k) => field.add(c, g[k] ?? 0n))
        assert.deepEqual(sumCommitments([commit(f, H), commit(g, H)]).map(g1ToCompressed), commit(sum, H).map(g1ToCompressed))
        assert.deepEqual(scalarToBytes(sumScalars([f, g].map((p) => scalarFromBigInt(p[0] ?? 0n)))), secretBytes(sum[0] ?? 0n))
      }),
      { numRuns: 5 },
    )
  })

  it('interpolate to the constant term', () => {
    fc.assert(
      fc.property(polynomials(2), fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 3, maxLength: 3 }), (coefficients, indices) => {
        const commitments = commit(coefficients)
        const points = indices.map((index) => ({ index, point: evaluateCommitments(commitments, index) }))
        assert.ok(pointsEqual(interpolate(points), commitments[0] ?? H))
      }),
      { numRuns: 10 },
    )
  })

  for (const [size, threshold] of [
    [4, 3],
    [7, 5],
    [24, 16],
  ] as const) {
    it(`tell a polynomial of degree ${threshold - 1} from any other through ${size + 1} points`, () => {
      fc.assert(
        fc.property(polynomials(threshold - 1), fc.integer({ min: 0, max: size }), scalars, (coefficients, at, offset) => {
          const values = [multiply(G, scalarFromBigInt(coefficients[0] ?? 0n)), ...publicSharesOf(commit(coefficients), size)]
          assert.ok(haveDegreeBelow(threshold, values))
          const wrong = values.with(at, multiply(G, scalarFromBigInt(offset)))
          assert.ok(!haveDegreeBelow(threshold, wrong))
        }),
        { numRuns: 3 },
      )
    })
  }
})
