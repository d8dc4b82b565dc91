import assert from 'node:assert/strict'
import { aggregatePublicKeys, aggregateSignatures, type PublicKey, SecretKey } from '@chainsafe/blst'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { expect } from 'chai'
import type { Result } from 'ethers'
import { network } from 'hardhat'
import { type G1Words, g1FromAffine, g1FromBlst, g2FromAffine, g2FromBlst } from '../../../support/eip2537.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { randomBytes } from '../../../support/randomness.ts'

const DST = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'
const { Fp, Fp2, Fr } = bls12_381.fields
const G1 = bls12_381.G1.Point
const G2 = bls12_381.G2.Point
const INFINITY_G1 = g1FromAffine({ x: 0n, y: 0n })
const INFINITY_G2 = g2FromAffine({ x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } })

const { ethers } = await network.create()
const bls = await ethers.deployContract('Bls12381Harness')

const newKey = () => SecretKey.fromKeygen(randomBytes(32))
const g1 = (key: PublicKey) => g1FromBlst(key.toBytes(false))
const plain = (struct: object) => (struct as Result).toObject()
const asPoint = (struct: object) => plain(struct) as G1Words

/** On the curve y² = x³ + 4, but outside the subgroup. */
function strangerG1() {
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n)
    if (!isSquare(square)) continue
    const point = G1.fromAffine({ x, y: Fp.sqrt(square) })
    if (!point.isTorsionFree()) return point.toAffine()
  }
}

function isSquare(value: bigint): boolean {
  return Fp.eql(Fp.pow(value, (Fp.ORDER - 1n) / 2n), Fp.ONE)
}

/** On the twist y² = x³ + 4(1 + i), but outside the subgroup. */
function strangerG2() {
  for (let c0 = 1n; ; c0++) {
    const x = { c0, c1: 0n }
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.pow(x, 3n), { c0: 4n, c1: 4n }))
      const point = G2.fromAffine({ x, y })
      if (!point.isTorsionFree()) return point.toAffine()
    } catch {
      // No square: the next one.
    }
  }
}

/** Every way in which a good G1 point can be spoilt. */
function badG1Points() {
  const { x, y } = G1.BASE.multiply(7n).toAffine()
  return {
    'off the curve': g1FromAffine({ x, y: y + 1n }),
    'outside the subgroup': g1FromAffine(strangerG1()),
    'x not canonical': g1FromAffine({ x: x + Fp.ORDER, y }),
    'y not canonical': g1FromAffine({ x, y: y + Fp.ORDER }),
    'top bytes not zero': g1FromAffine({ x: x + (1n << 384n), y }),
  }
}

function badG2Points() {
  const { x, y } = G2.BASE.multiply(7n).toAffine()
  return {
    'off the curve': g2FromAffine({ x, y: { c0: y.c0, c1: y.c1 + 1n } }),
    'outside the subgroup': g2FromAffine(strangerG2()),
    'c0 not canonical': g2FromAffine({ x: { c0: x.c0 + Fp.ORDER, c1: x.c1 }, y }),
    'c1 not canonical': g2FromAffine({ x, y: { c0: y.c0, c1: y.c1 + Fp.ORDER } }),
    'c0 and c1 swapped': g2FromAffine({ x: { c0: x.c1, c1: x.c0 }, y: { c0: y.c1, c1: y.c0 } }),
    'top bytes not zero': g2FromAffine({ x, y: { c0: y.c0 + (1n << 500n), c1: y.c1 } }),
  }
}

describe('Bls12381: signatures', () => {
  it('hashes to G2 as noble does', async () => {
    for (let i = 0; i < 30; i++) {
      const message = randomBytes(32)
      const expected = bls12_381.G2.hashToCurve(message, { DST }).toAffine()
      assert.deepEqual(plain(await bls.hashToG2(message)), g2FromAffine(expected))
    }
  })

  it('accepts what blst signs, and nothing else', async () => {
    for (let i = 0; i < 20; i++) {
      const [key, stranger, message] = [newKey(), newKey(), randomBytes(32)]
      const signature = g2FromBlst(key.sign(message).toBytes(false))
      assert.equal(await bls.verify(g1(key.toPublicKey()), message, signature), true)
      assert.equal(await bls.verify(g1(stranger.toPublicKey()), message, signature), false)
      assert.equal(await bls.verify(g1(key.toPublicKey()), randomBytes(32), signature), false)
      const other = g2FromBlst(stranger.sign(message).toBytes(false))
      assert.equal(await bls.verify(g1(key.toPublicKey()), message, other), false)
    }
  })

  it('accepts an aggregate signature under the aggregate key', async () => {
    const message = randomBytes(32)
    const keys = Array.from({ length: 17 }, newKey)
    const signature = aggregateSignatures(keys.map((key) => key.sign(message)))
    const sum = await bls.aggregate(keys.map((key) => g1(key.toPublicKey())))
    assert.equal(await bls.verify(asPoint(sum), message, g2FromBlst(signature.toBytes(false))), true)
    const fewer = await bls.aggregate(keys.slice(1).map((key) => g1(key.toPublicKey())))
    assert.equal(await bls.verify(asPoint(fewer), message, g2FromBlst(signature.toBytes(false))), false)
  })

  it('A03 reverts on infinity', async () => {
    const key = newKey()
    const message = randomBytes(32)
    const signature = g2FromBlst(key.sign(message).toBytes(false))
    await expect(bls.verify(INFINITY_G1, message, INFINITY_G2)).to.be.revertedWithCustomError(bls, 'PointAtInfinity')
    await expect(bls.verify(INFINITY_G1, message, signature)).to.be.revertedWithCustomError(bls, 'PointAtInfinity')
    await expect(bls.verify(g1(key.toPublicKey()), message, INFINITY_G2)).to.be.revertedWithCustomError(bls, 'PointAtInfinity')
    assert.equal(await bls.isValidKey(INFINITY_G1), false)
    assert.equal(await bls.isValidSignature(INFINITY_G2), false)
  })

  for (const [fault, point] of Object.entries(badG1Points())) {
    it(`A03 refuses a key ${fault}`, async () => {
      const signature = g2FromBlst(newKey().sign(randomBytes(32)).toBytes(false))
      await expect(bls.verify(point, randomBytes(32), signature)).to.be.revertedWithCustomError(bls, 'PrecompileFailed')
      assert.equal(await bls.isValidKey(point), false)
      const [valid] = await bls.tryMultiScalarMul([g1(newKey().toPublicKey()), point], [2n, 3n])
      assert.equal(valid, false)
      await expect(bls.multiScalarMul([point], [1n])).to.be.revertedWithCustomError(bls, 'PrecompileFailed')
    })
  }

  for (const [fault, point] of Object.entries(badG2Points())) {
    it(`A03 refuses a signature ${fault}`, async () => {
      await expect(bls.verify(g1(newKey().toPublicKey()), randomBytes(32), point)).to.be.revertedWithCustomError(bls, 'PrecompileFailed')
      assert.equal(await bls.isValidSignature(point), false)
    })
  }

  it('A03 a chain without the precompiles reverts, whatever it is asked', async () => {
    const { ethers: old } = await network.create({ override: { hardfork: 'cancun' } })
    const there = await old.deployContract('Bls12381Harness')
    const key = newKey()
    const [point, message] = [g1(key.toPublicKey()), randomBytes(32)]
    const signature = g2FromBlst(key.sign(message).toBytes(false))
    const missing = (call: Promise<unknown>) => expect(call).to.be.revertedWithCustomError(there, 'PrecompileMissing')
    await missing(there.verify(point, message, signature))
    await missing(there.isValidKey(point))
    await missing(there.isValidSignature(signature))
    await missing(there.hashToG2(message))
    await missing(there.add(point, point))
    await missing(there.aggregate([point]))
    await missing(there.multiScalarMul([point], [1n]))
    await missing(there.tryMultiScalarMul([point], [1n]))
  })

  it('A52 with too little gas a good point is never called bad', async () => {
    const key = newKey()
    const [point, message] = [g1(key.toPublicKey()), randomBytes(32)]
    const signature = g2FromBlst(key.sign(message).toBytes(false))
    const outcomes = new Set<string>()
    const record = async (call: Promise<unknown>) => outcomes.add(String(await call.catch(() => 'reverted')))
    for (let gasLimit = 24_000n; gasLimit < 240_000n; gasLimit += 3_000n) {
      await record(bls.isValidKey(point, { gasLimit }))
      await record(bls.isValidSignature(signature, { gasLimit }))
      await record(bls.tryMultiScalarMul([point, point], [5n, 6n], { gasLimit }).then(([valid]) => valid))
      await record(bls.verify(point, message, signature, { gasLimit }))
    }
    assert.deepEqual(outcomes, new Set(['reverted', 'true']))
  })

  it('A52 a malformed point costs no more than its allowance, however much gas there is', async () => {
    const [signer] = await ethers.getSigners()
    const point = g1FromAffine({ x: 1n, y: 1n })
    const call = await bls.tryMultiScalarMul.populateTransaction([point, point], [1n, 2n])
    const receipt = await (await signer?.sendTransaction({ ...call, gasLimit: 10_000_000n }))?.wait()
    withinGas(receipt?.gasUsed, 200_000n)
  })

  it('accepts good points', async () => {
    for (let i = 0; i < 10; i++) {
      const key = newKey()
      assert.equal(await bls.isValidKey(g1(key.toPublicKey())), true)
      assert.equal(await bls.isValidSignature(g2FromBlst(key.sign(randomBytes(32)).toBytes(false))), true)
    }
  })
})

describe('Bls12381: points', () => {
  it('adds, subtracts and negates as noble does', async () => {
    for (let i = 0; i < 10; i++) {
      const [a, b] = [randomG1(), randomG1()]
      assert.deepEqual(plain(await bls.add(words(a), words(b))), words(a.add(b)))
      assert.deepEqual(plain(await bls.sub(words(a), words(b))), words(a.subtract(b)))
      assert.deepEqual(plain(await bls.negate(words(a))), words(a.negate()))
    }
    const a = randomG1()
    assert.deepEqual(plain(await bls.add(words(a), INFINITY_G1)), words(a))
    assert.deepEqual(plain(await bls.sub(words(a), words(a))), INFINITY_G1)
    assert.deepEqual(plain(await bls.negate(INFINITY_G1)), INFINITY_G1)
    assert.deepEqual(plain(await bls.sub(words(a), INFINITY_G1)), words(a))
  })

  it('aggregates keys as blst does', async () => {
    const keys = Array.from({ length: 9 }, () => newKey().toPublicKey())
    assert.deepEqual(plain(await bls.aggregate(keys.map(g1))), g1(aggregatePublicKeys(keys)))
    assert.deepEqual(plain(await bls.aggregate([])), INFINITY_G1)
    const stray = g1FromAffine({ x: 1n, y: 1n })
    await expect(bls.aggregate([stray])).to.be.revertedWithCustomError(bls, 'PrecompileFailed')
    await expect(bls.add(stray, INFINITY_G1)).to.be.revertedWithCustomError(bls, 'PrecompileFailed')
  })

  it('multiplies many points as noble does', async () => {
    const points = Array.from({ length: 5 }, randomG1)
    const scalars = points.map(() => randomScalar())
    const expected = points.map((point, i) => point.multiply(scalars[i] ?? 1n)).reduce((a, b) => a.add(b))
    assert.deepEqual(plain(await bls.multiScalarMul(points.map(words), scalars)), words(expected))
    const [valid, sum] = await bls.tryMultiScalarMul(points.map(words), scalars)
    assert.equal(valid, true)
    assert.deepEqual(plain(sum), words(expected))
    await expect(bls.multiScalarMul([], [])).to.be.revertedWithCustomError(bls, 'BadPairs').withArgs(0, 0)
    await expect(bls.multiScalarMul([words(randomG1())], [1n, 2n]))
      .to.be.revertedWithCustomError(bls, 'BadPairs')
      .withArgs(1, 2)
  })

  it('A03 compresses with the right sign bit', async () => {
    const flags = new Set<number>()
    for (let i = 0; i < 24; i++) {
      const key = newKey()
      const publicKey = key.toPublicKey()
      const signature = key.sign(randomBytes(32))
      const compressed = publicKey.toBytes()
      flags.add((compressed[0] ?? 0) & 0x20)
      assert.equal(await bls.compressG1(g1(publicKey)), hex(compressed))
      assert.equal(await bls.compressG2(g2FromBlst(signature.toBytes(false))), hex(signature.toBytes()))
    }
    assert.equal(flags.size, 2, 'both signs occurred')
    assert.equal(await bls.compressG1(INFINITY_G1), `0xc0${'00'.repeat(47)}`)
    assert.equal(await bls.compressG2(INFINITY_G2), `0xc0${'00'.repeat(95)}`)
  })

  it('A03 takes no point for infinity that has a single word', async () => {
    const byWords = <T extends object>(infinity: T) =>
      Object.keys(infinity).map((word) => ({ ...infinity, [word]: `0x${'1'.padStart(64, '0')}` }))
    const [inG1, inG2] = [byWords(INFINITY_G1), byWords(INFINITY_G2)]
    assert.deepEqual([inG1.length, inG2.length], [4, 8])
    for (const point of inG1) assert.notEqual(await bls.compressG1(point), await bls.compressG1(INFINITY_G1))
    for (const point of inG2) assert.notEqual(await bls.compressG2(point), await bls.compressG2(INFINITY_G2))
  })

  it('A03 takes the sign from c0 when c1 of y is zero, and knows the middle of the field', async () => {
    const half = (Fp.ORDER - 1n) / 2n
    const bitOf = async (y: { c0: bigint; c1: bigint }) =>
      (Number((await bls.compressG2(g2FromAffine({ x: { c0: 1n, c1: 1n }, y }))).slice(0, 4)) & 0x20) !== 0
    assert.equal(await bitOf({ c0: half, c1: 0n }), false)
    assert.equal(await bitOf({ c0: half + 1n, c1: 0n }), true)
    assert.equal(await bitOf({ c0: half + 1n, c1: 1n }), false)
    assert.equal(await bitOf({ c0: 0n, c1: half }), false)
    assert.equal(await bitOf({ c0: 0n, c1: half + 1n }), true)
    const low = (1n << 256n) - 1n
    assert.equal(await bitOf({ c0: 0n, c1: half + (1n << 256n) - (half & low) }), true)
    assert.equal(await bitOf({ c0: 0n, c1: half - (half & low) - 1n }), false)
  })
})

describe('Bls12381: gas', () => {
  it('stays within budget', async () => {
    const key = newKey()
    const message = randomBytes(32)
    const signature = g2FromBlst(key.sign(message).toBytes(false))
    const verify = await bls.verifyGas(g1(key.toPublicKey()), message, signature)
    const keys = Array.from({ length: 17 }, () => g1(newKey().toPublicKey()))
    const perKey = ((await bls.aggregateGas(keys)) - (await bls.aggregateGas(keys.slice(0, 1)))) / 16n
    console.log(`      verify ${verify}, aggregate ${perKey} a key`)
    assert.ok(verify > 0n && verify < 165_000n)
    assert.ok(perKey < 900n)
  })
})

function randomScalar(): bigint {
  return (BigInt(hex(randomBytes(40))) % (Fr.ORDER - 1n)) + 1n
}

function randomG1() {
  return G1.BASE.multiply(randomScalar())
}

function words(point: InstanceType<typeof G1>) {
  return g1FromAffine(point.is0() ? { x: 0n, y: 0n } : point.toAffine())
}

function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
