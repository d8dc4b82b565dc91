import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Hex } from '../../../../../operator/core/ids.ts'
import type { Dleq } from '../../../../../operator/core/ports/ceremony.ts'
import { type DkgVector, makeVector, VECTORS } from './vectors.ts'

// The second path: noble for the curve and the hashes, plain numbers for the rest. Nothing of the operators' code.
const { Point } = bls12_381.G1
const { Fr } = bls12_381.fields
type G1 = typeof Point.BASE
const G = Point.BASE
const H = Point.fromAffine(
  bls12_381.G1.hashToCurve(Buffer.from('Open Pools DKG generator H'), {
    DST: 'OPEN_POOLS_DKG_H_V1_BLS12381G1_XMD:SHA-256_SSWU_RO_',
  }).toAffine(),
)

const bytes = (hex: Hex): Buffer => Buffer.from(hex.slice(2), 'hex')
const hex = (data: Uint8Array): Hex => `0x${Buffer.from(data).toString('hex')}`
const number = (text: Hex): bigint => BigInt(text)
const word = (value: bigint | number, size = 32): Buffer =>
  Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(size * 2, '0'),
    'hex',
  )
const eip2537 = (point: G1): Buffer => {
  const { x, y } = point.toAffine()
  return Buffer.concat([word(x, 64), word(y, 64)])
}
const point = (text: Hex): G1 => Point.fromAffine({ x: BigInt(`0x${text.slice(2, 130)}`), y: BigInt(`0x${text.slice(130)}`) })
const times = (base: G1, scalar: bigint): G1 => base.multiplyUnsafe(scalar)
const keccak = (...parts: readonly Uint8Array[]): Buffer => Buffer.from(keccak_256(Buffer.concat(parts)))
const polynomial = (coefficients: readonly bigint[], at: number): bigint =>
  coefficients.reduceRight((sum, coefficient) => Fr.add(Fr.mul(sum, BigInt(at)), coefficient), 0n)

function check(vector: DkgVector): void {
  const { context, secrets, qualified, threshold } = vector
  const size = secrets.length
  const members = Array.from({ length: size }, (_, at) => at + 1)
  const contextBytes = Buffer.concat([
    word(context.chainId),
    bytes(context.contract),
    word(context.poolId, 4),
    word(0, 1),
    word(context.round, 4),
  ])
  const binding = (...indices: readonly number[]): Buffer => Buffer.concat([contextBytes, ...indices.map((index) => word(index, 4))])
  const secretOf = (member: number): bigint => number(secrets[member - 1]?.ephemeral ?? '0x')
  const coefficientsOf = (member: number): readonly bigint[] => (secrets[member - 1]?.coefficients ?? []).map(number)

  const keys = members.map((member) => times(G, secretOf(member)))
  assert.deepEqual(
    keys.map((key) => hex(eip2537(key))),
    vector.joinKeys,
  )

  /** c = H(label, binding, points, commitments), commitments = base^s·point^c. */
  const proves = (label: string, bound: Buffer, pairs: readonly (readonly [G1, G1])[], proof: Dleq): boolean => {
    const [challenge, response] = [number(proof.challenge), number(proof.response)]
    const commitments = pairs.map(([base, value]) => times(base, response).add(times(value, challenge)))
    const digest = keccak(keccak(Buffer.from(label)), bound, ...pairs.flat().map(eip2537), ...commitments.map(eip2537))
    return BigInt(hex(digest)) % Fr.ORDER === challenge
  }
  for (const [at, proof] of vector.possessions.entries()) {
    assert.ok(proves('open-pools/dkg/join-key', binding(at + 1), [[G, keys[at] ?? G]], proof), `possession of ${at + 1}`)
  }

  const pad = (dealer: number, member: number): Buffer => {
    const shared = times(keys[member - 1] ?? G, secretOf(dealer))
    return createHash('sha256')
      .update(Buffer.concat([shared.toBytes(true), binding(dealer, member)]))
      .digest()
  }
  const opened = (dealer: number, member: number): bigint => {
    const text = bytes(vector.dealings[dealer - 1]?.ciphertexts[member - 1] ?? '0x')
    return BigInt(hex(text.map((byte, i) => byte ^ (pad(dealer, member)[i] ?? 0))))
  }
  const bad: string[] = []
  for (const [at, { dealer, commitments, joinKeys }] of vector.dealings.entries()) {
    assert.equal(dealer, at + 1)
    assert.deepEqual(joinKeys, vector.joinKeys)
    assert.deepEqual(
      coefficientsOf(dealer).map((c) => hex(eip2537(times(H, c)))),
      commitments,
    )
    for (const member of members) {
      if (opened(dealer, member) !== polynomial(coefficientsOf(dealer), member)) bad.push(`${dealer} to ${member}`)
    }
  }
  assert.deepEqual(
    bad,
    vector.complaints.map(({ dealer, member }) => `${dealer} to ${member}`),
  )
  assert.deepEqual(
    qualified,
    members.filter((member) => !vector.complaints.some(({ dealer }) => dealer === member)),
  )
  for (const { dealer, member, sharedPoint, proof } of vector.complaints) {
    const shared = times(keys[dealer - 1] ?? G, secretOf(member))
    assert.equal(sharedPoint, hex(eip2537(shared)))
    const dealerKey = keys[dealer - 1] ?? G
    const statement = [
      [G, keys[member - 1] ?? G],
      [dealerKey, shared],
    ] as const
    assert.ok(proves('open-pools/dkg/shared-point', binding(dealer, member), statement, proof), 'proof of the complaint')
  }

  const sum = Array.from({ length: threshold }, (_, k) =>
    qualified.reduce((total, dealer) => Fr.add(total, coefficientsOf(dealer)[k] ?? 0n), 0n),
  )
  assert.deepEqual(
    vector.shares.map(number),
    members.map((member) => polynomial(sum, member)),
  )
  assert.deepEqual(
    vector.publicShares,
    members.map((member) => hex(times(G, polynomial(sum, member)).toBytes(true))),
  )
  assert.equal(vector.groupKey, hex(times(G, sum[0] ?? 0n).toBytes(true)))
  for (const { member, constantTerm, publicShare } of vector.reveals) {
    const share = polynomial(sum, member)
    assert.equal(publicShare.point, hex(eip2537(times(G, share))))
    const statement = [
      [H, times(H, share)],
      [G, point(publicShare.point)],
    ] as const
    assert.ok(proves('open-pools/dkg/public-share', binding(member), statement, publicShare.proof), `public share of ${member}`)
    assert.equal(constantTerm !== null, qualified.includes(member))
    if (constantTerm === null) continue
    const secret = coefficientsOf(member)[0] ?? 0n
    assert.equal(constantTerm.point, hex(eip2537(times(G, secret))))
    const term = [
      [H, times(H, secret)],
      [G, point(constantTerm.point)],
    ] as const
    assert.ok(proves('open-pools/dkg/constant-term', binding(member), term, constantTerm.proof), `constant term of ${member}`)
  }

  const type = 'Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)'
  const hashOf = (dealer: number): Buffer => {
    const dealing = vector.dealings[dealer - 1]
    const lists = [dealing?.joinKeys, dealing?.commitments, dealing?.ciphertexts].map((list) =>
      keccak(...(list ?? []).map((entry) => bytes(entry ?? '0x'))),
    )
    return keccak(keccak(Buffer.from(type)), ...[context.poolId, 0, context.round, dealer].map((value) => word(value)), ...lists)
  }
  const isIn = (member: number): boolean => qualified.some((dealer) => dealer === member)
  const transcript = Buffer.concat([
    ...vector.joinKeys.map(bytes),
    ...members.map((member) => (isIn(member) ? hashOf(member) : Buffer.alloc(32))),
    Buffer.from(members.map((member) => (isIn(member) ? 1 : 0))),
  ])
  assert.equal(vector.transcriptRoot, hex(keccak(contextBytes, transcript)))
}

describe('vectors of key generations', () => {
  for (const choice of VECTORS) {
    const vector: DkgVector = JSON.parse(readFileSync(`test/vectors/${choice.name}.json`, 'utf8'))

    it(`${choice.name}: ${choice.about}: the operators' code makes it`, async () => {
      assert.deepEqual(await makeVector(choice), vector)
    })

    it(`${choice.name}: ${choice.about}: noble makes it`, () => check(vector))
  }
})
