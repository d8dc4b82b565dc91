import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import fc from 'fast-check'
import { bytesToHex, hexToBytes, toBlsSignature } from '../../../../../operator/core/parse.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { blst } from '../../../../../operator/protocol/bls/backend.ts'
import { BlsError } from '../../../../../operator/protocol/bls/errors.ts'
import { lagrangeCoefficients, wholeLagrangeCoefficients } from '../../../../../operator/protocol/bls/polynomials.ts'
import {
  aggregateSignatures,
  fastAggregateVerify,
  isValidPublicKey,
  verifySignature,
} from '../../../../../operator/protocol/bls/signatures.ts'
import { combinePartials, findCulprits, type Partial } from '../../../../../operator/protocol/bls/threshold.ts'
import {
  evaluateBigInt,
  field,
  messageOf,
  outsideSubgroup,
  publicKeyOf,
  roots,
  scalars,
  secretBytes,
  signatureOutsideSubgroup,
} from './support.ts'

const sign = (secret: bigint, message: `0x${string}`) =>
  toBlsSignature(bytesToHex(blst.SecretKey.fromBytes(secretBytes(secret)).sign(hexToBytes(message)).toBytes()))

const vaults = (size: number) =>
  fc.record({
    size: fc.constant(size),
    coefficients: fc.array(scalars, { minLength: thresholdOf(size), maxLength: thresholdOf(size) }),
    members: fc.shuffledSubarray(
      Array.from({ length: size }, (_, i) => i + 1),
      { minLength: thresholdOf(size) },
    ),
    message: roots,
  })

describe('threshold signatures', () => {
  for (const [size, numRuns] of [
    [4, 20],
    [7, 10],
    [24, 1],
  ] as const) {
    it(`any t of ${size} partials give the group's signature`, () => {
      fc.assert(
        fc.property(vaults(size), ({ coefficients, members, message }) => {
          const partials = members.map((index) => ({ index, signature: sign(evaluateBigInt(coefficients, BigInt(index)), message) }))
          const signature = combinePartials(partials, thresholdOf(size))
          assert.equal(signature, sign(coefficients[0] ?? 0n, message))
          assert.ok(verifySignature(publicKeyOf(coefficients[0] ?? 0n), message, signature))
        }),
        { numRuns },
      )
    })
  }

  it('names every culprit and nobody else', () => {
    fc.assert(
      fc.property(vaults(7), fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 }), ({ coefficients, message }, liars) => {
        const shares = [1n, 2n, 3n, 4n, 5n, 6n, 7n].map((index) => evaluateBigInt(coefficients, index))
        const partials: Partial[] = shares.map((share, i) => ({
          index: i + 1,
          signature: sign(liars.includes(i + 1) ? field.create(share + 1n) : share, message),
        }))
        assert.deepEqual(findCulprits({ partials, publicShares: shares.map(publicKeyOf), message }), liars)
      }),
      { numRuns: 5 },
    )
  })

  it('refuses too few, doubled, zero-index and malformed partials, naming the member', () => {
    const message = messageOf(1)
    const good = [1, 2, 3].map((index) => ({ index, signature: sign(BigInt(index), message) }))
    const codeOf = (partials: readonly Partial[]) => {
      try {
        combinePartials(partials, 3)
      } catch (error) {
        return error instanceof BlsError ? [error.code, error.data.index] : error
      }
      return 'combined'
    }
    assert.deepEqual(codeOf(good.slice(1)), ['TOO_FEW_PARTIALS', undefined])
    assert.deepEqual(codeOf([...good.slice(1), ...good.slice(2)]), ['BAD_INDEX', undefined])
    assert.deepEqual(codeOf([...good.slice(1), { index: 0, signature: sign(5n, message) }]), ['BAD_INDEX', 0])
    const infinity = toBlsSignature(`0xc0${'00'.repeat(95)}`)
    assert.deepEqual(codeOf([...good.slice(1), { index: 1, signature: infinity }]), ['BAD_PARTIAL', 1])
    assert.deepEqual(codeOf([...good.slice(1), { index: 1, signature: toBlsSignature(`0x${'11'.repeat(96)}`) }]), ['BAD_PARTIAL', 1])
  })

  it('finds the Lagrange coefficients that are small whole numbers, and only those', () => {
    assert.deepEqual(wholeLagrangeCoefficients([3, 1, 2]), [1, 3, -3])
    assert.equal(wholeLagrangeCoefficients([1, 2, 4]), undefined)
    assert.deepEqual(wholeLagrangeCoefficients([2, 3, 4]), [6, -8, 3])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }).chain(vaults), ({ members }) => {
        const whole = wholeLagrangeCoefficients(members)
        if (whole !== undefined)
          assert.deepEqual(
            whole.map((one) => field.create(BigInt(one))),
            lagrangeCoefficients(members),
          )
      }),
    )
  })

  it('never yields a valid signature from a partial outside the subgroup, however it is combined', () => {
    const message = messageOf(1)
    const outside = signatureOutsideSubgroup()
    const point = blst.Signature.fromBytes(hexToBytes(outside))
    assert.throws(() => point.sigValidate(), /not in group/)
    const of = (members: readonly number[]): Partial[] =>
      members.map((index) => ({ index, signature: index === 1 ? outside : sign(BigInt(index), message) }))
    assert.ok(!verifySignature(publicKeyOf(1n), message, combinePartials(of([1, 2, 3]), 3)))
    assert.throws(() => combinePartials(of([1, 2, 4]), 3), BlsError)
    assert.deepEqual(findCulprits({ partials: of([1]), publicShares: [publicKeyOf(1n)], message }), [1])
  })

  it('computes Lagrange coefficients that interpolate at zero', () => {
    fc.assert(
      fc.property(vaults(7), ({ coefficients, members }) => {
        const lambdas = lagrangeCoefficients(members)
        const terms = members.map((index, i) => (lambdas[i] ?? 0n) * evaluateBigInt(coefficients, BigInt(index)))
        assert.equal(
          terms.reduce((sum, term) => field.add(sum, term), 0n),
          coefficients[0],
        )
      }),
      { numRuns: 50 },
    )
  })
})

describe('signatures', () => {
  const message = messageOf(7)

  it('verify what noble signs under the proof-of-possession suite', () => {
    fc.assert(
      fc.property(scalars, roots, (secret, root) => {
        const scheme = bls12_381.longSignatures
        const hashed = scheme.hash(hexToBytes(root), 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_')
        const signature = toBlsSignature(bytesToHex(scheme.sign(hashed, secretBytes(secret)).toBytes(true)))
        assert.equal(sign(secret, root), signature)
        assert.ok(verifySignature(publicKeyOf(secret), root, signature))
        assert.ok(!verifySignature(publicKeyOf(field.create(secret + 1n)), root, signature))
      }),
      { numRuns: 5 },
    )
  })

  it('aggregate over one root', () => {
    const secrets = [3n, 5n, 9n]
    const aggregate = aggregateSignatures(secrets.map((secret) => sign(secret, message)))
    const keys = secrets.map(publicKeyOf)
    assert.ok(fastAggregateVerify(keys, message, aggregate))
    assert.ok(!fastAggregateVerify(keys.slice(1), message, aggregate))
    assert.ok(!fastAggregateVerify(keys, messageOf(8), aggregate))
    assert.ok(!fastAggregateVerify([], message, aggregate))
    assert.throws(() => aggregateSignatures([]), BlsError)
    assert.throws(() => aggregateSignatures([toBlsSignature(`0x${'11'.repeat(96)}`)]), BlsError)
  })

  it('never throw on garbage', () => {
    const infinityKey = `0xc0${'00'.repeat(47)}` as ReturnType<typeof publicKeyOf>
    const infinity = toBlsSignature(`0xc0${'00'.repeat(95)}`)
    assert.ok(!verifySignature(infinityKey, message, infinity))
    assert.ok(!verifySignature(publicKeyOf(3n), message, infinity))
    assert.ok(!isValidPublicKey(outsideSubgroup().compressed))
    assert.ok(isValidPublicKey(publicKeyOf(3n)))
  })
})
