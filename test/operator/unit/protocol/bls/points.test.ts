import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import fc from 'fast-check'
import { bytesToHex, toBlsSignature } from '../../../../../operator/core/parse.ts'
import { assertNativeBls, GROUP_ORDER } from '../../../../../operator/protocol/bls/backend.ts'
import { BlsError } from '../../../../../operator/protocol/bls/errors.ts'
import { G, H, H_DST, H_MESSAGE } from '../../../../../operator/protocol/bls/generators.ts'
import {
  g1FromCompressed,
  g1FromEip2537,
  g1ToCompressed,
  g1ToEip2537,
  multiply,
  publicKeyFromEip2537,
  publicKeyToEip2537,
  signatureFromEip2537,
  signatureToEip2537,
} from '../../../../../operator/protocol/bls/points.ts'
import { scalarFromBigInt, scalarFromBytes } from '../../../../../operator/protocol/bls/scalars.ts'
import { NobleG1, order, outsideSubgroup, publicKeyOf, scalars, secretBytes } from './support.ts'

const isBadPoint = (error: unknown) => error instanceof BlsError && error.code === 'BAD_POINT'
const slot = (value: bigint) => value.toString(16).padStart(128, '0')

describe('BLS backend', () => {
  it('is native and knows the order', () => {
    assertNativeBls()
    assert.equal(GROUP_ORDER, order)
  })
})

describe('generators', () => {
  it('G is the standard generator and H the RFC 9380 hash of its message', () => {
    assert.equal(g1ToCompressed(G), `0x${NobleG1.BASE.toHex(true)}`)
    const hashed = bls12_381.G1.hashToCurve(Buffer.from(H_MESSAGE, 'ascii'), { DST: H_DST })
    assert.equal(g1ToCompressed(H), `0x${hashed.toHex(true)}`)
  })
})

describe('G1 codecs', () => {
  it('agree with noble both ways', () => {
    fc.assert(
      fc.property(scalars, (secret) => {
        const oracle = NobleG1.BASE.multiply(secret)
        const { x, y } = oracle.toAffine()
        const compressed = publicKeyOf(secret)
        const uncompressed = `0x${slot(x)}${slot(y)}` as const
        const point = multiply(G, scalarFromBytes(secretBytes(secret)))
        assert.equal(g1ToCompressed(point), compressed)
        assert.equal(g1ToEip2537(point), uncompressed)
        assert.equal(g1ToEip2537(g1FromCompressed(compressed)), uncompressed)
        assert.equal(g1ToCompressed(g1FromEip2537(uncompressed)), compressed)
        assert.equal(publicKeyToEip2537(compressed), uncompressed)
        assert.equal(publicKeyFromEip2537(uncompressed), compressed)
      }),
      { numRuns: 25 },
    )
  })

  it('refuse infinity, points off the curve or outside the subgroup, bad padding, big coordinates and bad lengths', () => {
    const { x, y, compressed } = outsideSubgroup()
    const base = NobleG1.BASE.toAffine()
    const p = bls12_381.fields.Fp.ORDER
    for (const bad of [
      `0x${slot(0n)}${slot(0n)}`,
      `0x${slot(x)}${slot(y)}`,
      `0x${slot(base.x)}${slot(base.y + 1n)}`,
      `0x${slot(base.x + (1n << 384n))}${slot(base.y)}`,
      `0x${slot(base.x + p)}${slot(base.y)}`,
      `0x${slot(base.x | (1n << 382n))}${slot(base.y)}`,
      `0x${slot(base.x | (1n << 383n))}${slot(base.y)}`,
      `0x${slot(base.x)}`,
      '0x',
    ] as const) {
      assert.throws(() => g1FromEip2537(bad), isBadPoint, bad)
    }
    const infinity = bytesToHex(NobleG1.ZERO.toBytes(true))
    const generator = NobleG1.BASE.toBytes(false)
    for (const bad of [compressed, infinity, bytesToHex(generator), '0x', `0x${'ff'.repeat(48)}`] as const) {
      assert.throws(() => g1FromCompressed(bad), isBadPoint, bad)
    }
  })
})

describe('scalars', () => {
  it('refuse values at or above the order and wrong lengths', () => {
    const isBad = (error: unknown) => error instanceof BlsError && error.code === 'BAD_SCALAR'
    for (const bytes of [secretBytes(order), secretBytes(order + 5n), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      assert.throws(() => scalarFromBytes(bytes), isBad)
    }
    assert.equal(scalarFromBigInt(-1n).serializeToHexStr(), (order - 1n).toString(16))
  })
})

describe('signature codecs', () => {
  it('agree with noble and refuse what is no signature', () => {
    const signature = bls12_381.longSignatures.sign(bls12_381.longSignatures.hash(new Uint8Array(32)), secretBytes(77n))
    const compressed = toBlsSignature(bytesToHex(signature.toBytes(true)))
    const { x, y } = signature.toAffine()
    const uncompressed = `0x${[x.c0, x.c1, y.c0, y.c1].map(slot).join('')}` as const
    assert.equal(signatureToEip2537(compressed), uncompressed)
    assert.equal(signatureFromEip2537(uncompressed), compressed)
    assert.throws(() => signatureFromEip2537(`0x${'00'.repeat(256)}`), isBadPoint)
    assert.throws(() => signatureToEip2537(`0xc0${'00'.repeat(95)}`), isBadPoint)
  })
})
