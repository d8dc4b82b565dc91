import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keccak256 } from 'ethers'
import fc from 'fast-check'
import { hexToBytes } from '../../../../../operator/core/parse.ts'
import { type DleqStatement, proveDleq, verifyDleq } from '../../../../../operator/protocol/bls/dleq.ts'
import { G, H } from '../../../../../operator/protocol/bls/generators.ts'
import { g1FromCompressed, g1ToEip2537, multiply } from '../../../../../operator/protocol/bls/points.ts'
import { bigIntToBytes, scalarFromBigInt } from '../../../../../operator/protocol/bls/scalars.ts'
import { NobleG1, order, scalars } from './support.ts'

const statementOf = (secret: bigint, other = secret): DleqStatement => ({
  label: 'test',
  binding: Uint8Array.of(1, 2, 3),
  baseA: G,
  pointA: multiply(G, scalarFromBigInt(secret)),
  baseB: H,
  pointB: multiply(H, scalarFromBigInt(other)),
})

describe('DLEQ proofs', () => {
  it('convince, and bind label, context, points and both scalars', () => {
    fc.assert(
      fc.property(scalars, scalars, (secret, nonce) => {
        const statement = statementOf(secret)
        const proof = proveDleq(statement, scalarFromBigInt(secret), scalarFromBigInt(nonce))
        assert.ok(verifyDleq(statement, proof))
        assert.ok(!verifyDleq({ ...statement, label: 'other' }, proof))
        assert.ok(!verifyDleq({ ...statement, binding: Uint8Array.of(1, 2, 4) }, proof))
        assert.ok(!verifyDleq({ ...statement, pointB: statement.pointA }, proof))
        assert.ok(!verifyDleq({ ...statement, baseB: G }, proof))
        assert.ok(!verifyDleq(statement, { ...proof, response: proof.challenge }))
        assert.ok(!verifyDleq(statement, { ...proof, challenge: proof.response }))
      }),
      { numRuns: 4 },
    )
  })

  it('cannot be made for different logarithms by the honest prover', () => {
    const statement = statementOf(5n, 6n)
    for (const secret of [5n, 6n]) assert.ok(!verifyDleq(statement, proveDleq(statement, scalarFromBigInt(secret), scalarFromBigInt(99n))))
  })

  it('refuse scalars out of range and malformed text', () => {
    const statement = statementOf(5n)
    const proof = proveDleq(statement, scalarFromBigInt(5n), scalarFromBigInt(99n))
    const shifted = `0x${(BigInt(proof.response) + order).toString(16).padStart(64, '0')}` as const
    assert.ok(!verifyDleq(statement, { ...proof, response: shifted }))
    assert.ok(!verifyDleq(statement, { ...proof, response: '0x12' }))
  })

  it('verify by another library from the definition', () => {
    const statement = statementOf(1234567n)
    const proof = proveDleq(statement, scalarFromBigInt(1234567n), scalarFromBigInt(424242n))
    const [c, s] = [BigInt(proof.challenge), BigInt(proof.response)]
    const noble = (point: typeof G) => NobleG1.fromHex(point.serializeToHexStr())
    const commit = (base: typeof G, value: typeof G) => noble(base).multiply(s).add(noble(value).multiply(c))
    const points = [statement.baseA, statement.pointA, statement.baseB, statement.pointB].map(noble)
    const all = [...points, commit(statement.baseA, statement.pointA), commit(statement.baseB, statement.pointB)]
    const encoded = all.map((point) => hexToBytes(g1ToEip2537(g1FromCompressed(`0x${point.toHex(true)}`))))
    const digest = keccak256(Buffer.concat([hexToBytes(keccak256(Buffer.from('test'))), statement.binding, ...encoded]))
    assert.equal(proof.challenge, `0x${Buffer.from(bigIntToBytes(BigInt(digest) % order)).toString('hex')}`)
  })
})
