import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemberIndex } from '../../../../../operator/core/ids.ts'
import type { Dealing, Reveal } from '../../../../../operator/core/ports/ceremony.ts'
import { scalarToBytes } from '../../../../../operator/protocol/bls/scalars.ts'
import { DkgError } from '../../../../../operator/protocol/dkg/errors.ts'
import { type Revealed, resultOf } from '../../../../../operator/protocol/dkg/result.ts'
import { decodeTranscript, encodeTranscript, transcriptOf, transcriptRootOf } from '../../../../../operator/protocol/dkg/transcript.ts'
import { CodecError } from '../../../../../operator/protocol/messages/bytes.ts'
import { evaluateBigInt, field, publicKeyOf } from '../bls/support.ts'
import { ceremonyFrom, contextOf, membersOf, noProof } from './support.ts'

const faultOf = (revealed: Revealed): unknown => {
  try {
    resultOf(revealed)
  } catch (error) {
    return error instanceof DkgError ? [error.code, error.data.member] : error
  }
  return 'accepted'
}

describe('result of a ceremony', () => {
  for (const size of [4, 7, 24]) {
    it(`of ${size} members is what the sum of all polynomials says`, () => {
      const ceremony = ceremonyFrom(BigInt(size), size)
      const result = resultOf(ceremony)
      const coefficients = ceremony.polynomials.map((polynomial) =>
        polynomial.map((c) => BigInt(`0x${Buffer.from(scalarToBytes(c)).toString('hex')}`)),
      )
      const sum = (coefficients[0] ?? []).map((_, k) =>
        coefficients.reduce((total, polynomial) => field.add(total, polynomial[k] ?? 0n), 0n),
      )
      assert.equal(result.groupKey, publicKeyOf(sum[0] ?? 0n))
      assert.deepEqual(
        result.publicShares,
        membersOf(size).map((member) => publicKeyOf(evaluateBigInt(sum, BigInt(member)))),
      )
      assert.equal(result.transcriptRoot, transcriptRootOf(ceremony.context, transcriptOf(ceremony)))
    })
  }

  for (const size of [4, 7, 24]) {
    it(`of ${size} members is the same from any t reveals, and there is none from fewer`, () => {
      const ceremony = ceremonyFrom(BigInt(size), size)
      const { threshold } = ceremony.context
      const whole = resultOf(ceremony)
      for (const reveals of [
        ceremony.reveals.slice(0, threshold),
        ceremony.reveals.slice(-threshold),
        ceremony.reveals.filter((_, i) => i !== 1),
      ]) {
        assert.deepEqual(resultOf({ ...ceremony, reveals }), whole)
      }
      assert.throws(() => resultOf({ ...ceremony, reveals: ceremony.reveals.slice(1 - threshold) }), { code: 'NOT_ENOUGH_REVEALED' })
      const twice = [...ceremony.reveals.slice(1 - threshold), ...ceremony.reveals.slice(-1)]
      assert.throws(() => resultOf({ ...ceremony, reveals: twice }), { code: 'NOT_ENOUGH_REVEALED' })
    })
  }

  it('names the member and the rule behind every fault', () => {
    const ceremony = ceremonyFrom(1n, 4)
    const second = 1
    const withDealing = (change: (dealing: Dealing) => Partial<Dealing>): Revealed => ({
      ...ceremony,
      dealings: ceremony.dealings.map((dealing, i) => (i === second ? { ...dealing, ...change(dealing) } : dealing)),
    })
    const withReveal = (change: (reveal: Reveal) => Partial<Reveal>): Revealed => ({
      ...ceremony,
      reveals: ceremony.reveals.map((reveal, i) => (i === second ? { ...reveal, ...change(reveal) } : reveal)),
    })
    const [first] = ceremony.reveals
    assert.ok(first?.constantTerm)
    const foreign = first.publicShare
    const foreignTerm = first.constantTerm
    const cases: readonly (readonly [string, Revealed])[] = [
      ['BAD_DEALING_SHAPE', withDealing(({ commitments }) => ({ commitments: commitments.slice(1) }))],
      ['BAD_DEALING_SHAPE', withDealing(({ commitments }) => ({ commitments: [...commitments, ...commitments.slice(0, 1)] }))],
      ['BAD_DEALING_SHAPE', withDealing(({ ciphertexts }) => ({ ciphertexts: ciphertexts.slice(1) }))],
      ['BAD_DEALING_SHAPE', withDealing(({ ciphertexts }) => ({ ciphertexts: ciphertexts.with(2, null) }))],
      ['BAD_DEALING_SHAPE', withDealing(({ ciphertexts }) => ({ ciphertexts: ciphertexts.with(2, '0x12') }))],
      ['BAD_DEALING_SHAPE', withDealing(() => ({ dealer: 3 as MemberIndex }))],
      ['BAD_COMMITMENT', withDealing(({ commitments }) => ({ commitments: commitments.with(1, `0x${'00'.repeat(128)}`) }))],
      ['BAD_PUBLIC_SHARE', withDealing(({ commitments }) => ({ commitments: commitments.toReversed() }))],
      ['BAD_REVEAL_SHAPE', withReveal(() => ({ constantTerm: null }))],
      ['BAD_REVEAL_SHAPE', withReveal(({ publicShare }) => ({ publicShare: { ...publicShare, point: '0x' } }))],
      ['BAD_PUBLIC_SHARE', withReveal(() => ({ publicShare: foreign }))],
      ['BAD_PUBLIC_SHARE', withReveal(({ publicShare }) => ({ publicShare: { ...publicShare, proof: noProof } }))],
      ['BAD_CONSTANT_TERM', withReveal(() => ({ constantTerm: foreignTerm }))],
    ]
    for (const [rule, revealed] of cases) {
      const fault = faultOf(revealed)
      assert.ok(Array.isArray(fault), `expected ${rule}, got ${String(fault)}`)
      assert.equal(fault[0], rule)
      // A dealer that changes its commitments afterwards breaks the proofs of all: the first one is named.
      if (rule !== 'BAD_PUBLIC_SHARE') assert.equal(fault[1], second + 1)
    }
    assert.deepEqual(faultOf({ ...ceremony, qualified: membersOf(2) }), ['NOT_ENOUGH_QUALIFIED', undefined])
    const crossed = withDealing(({ joinKeys }) => ({ joinKeys: joinKeys.toReversed() }))
    assert.deepEqual(faultOf(crossed), ['NOT_ENOUGH_RECEIVERS', undefined])
    const other = { ...ceremony.context, round: 3 }
    assert.deepEqual(faultOf({ ...ceremony, context: other }), ['BAD_PUBLIC_SHARE', 1])
  })
})

describe('transcripts', () => {
  const ceremony = ceremonyFrom(5n, 4)

  it('round-trip and bind everything in their root', () => {
    const transcript = transcriptOf(ceremony)
    assert.deepEqual(decodeTranscript(encodeTranscript(transcript), 4), transcript)
    const partial = {
      joinKeys: transcript.joinKeys.with(1, null),
      dealingHashes: transcript.dealingHashes.with(2, null),
      qualified: membersOf(3),
    }
    assert.deepEqual(decodeTranscript(encodeTranscript(partial), 4), partial)
    const root = transcriptRootOf(ceremony.context, transcript)
    for (const [context, changed] of [
      [ceremony.context, partial],
      [ceremony.context, { ...transcript, qualified: membersOf(3) }],
      [ceremony.context, { ...transcript, dealingHashes: transcript.dealingHashes.toReversed() }],
      [{ ...contextOf(4), round: 3 }, transcript],
      [{ ...contextOf(4), chainId: 2n }, transcript],
    ] as const) {
      assert.notEqual(transcriptRootOf(context, changed), root)
    }
  })

  it('refuse what is none', () => {
    const bytes = encodeTranscript(transcriptOf(ceremony))
    for (const bad of [bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.concat([bytes.subarray(0, -1), Buffer.of(2)])]) {
      assert.throws(() => decodeTranscript(bad, 4), CodecError)
    }
  })
})
