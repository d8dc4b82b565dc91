import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import blst from '@chainsafe/blst'
import type { Hex, MemberIndex } from '../../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toBlsSignature, toPublicKey } from '../../../../../operator/core/parse.ts'
import type { Dealing } from '../../../../../operator/core/ports/ceremony.ts'
import type { Scalar } from '../../../../../operator/protocol/bls/backend.ts'
import { G } from '../../../../../operator/protocol/bls/generators.ts'
import { g1FromCompressed, g1FromPublicShare, g1ToEip2537, multiply } from '../../../../../operator/protocol/bls/points.ts'
import { haveDegreeBelow } from '../../../../../operator/protocol/bls/polynomials.ts'
import { bigIntToBytes, scalarFromBigInt, scalarToBytes } from '../../../../../operator/protocol/bls/scalars.ts'
import { verifySignature } from '../../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../../operator/protocol/bls/threshold.ts'
import { judgeComplaint, makeComplaint } from '../../../../../operator/protocol/dkg/complaint.ts'
import { joinKeyPoint, sharePad, xorShare } from '../../../../../operator/protocol/dkg/dealing.ts'
import {
  checkHandoverDealing,
  type Handover,
  newCommitments,
  newShareOf,
  openHandoverShare,
} from '../../../../../operator/protocol/rotation/handover.ts'
import { choiceOf, decodeChoice, encodeChoice, handoverResult } from '../../../../../operator/protocol/rotation/transcript.ts'
import { rootOf, withCode } from '../../signer/support.ts'
import { evaluateBigInt, field, NobleG1, order, outsideSubgroup } from '../bls/support.ts'
import { handoverFrom, placesTo, scalarsOf, subsets } from './support.ts'

const big = (scalar: Scalar): bigint => BigInt(bytesToHex(scalarToBytes(scalar)))
const message = `0x${'6d'.repeat(32)}` as const

function sharesFrom(made: ReturnType<typeof handoverFrom>, dealings: readonly Dealing[]): readonly Scalar[] {
  const { handover, joinKeys, secretOf } = made
  return placesTo(handover.size).map((member) => {
    const self = { member: member as MemberIndex, joinKey: joinKeys[member - 1] as Hex, ephemeral: secretOf(member) }
    return newShareOf(
      handover,
      dealings.map((dealing) => ({ dealer: dealing.dealer, share: openHandoverShare(handover, dealing, self) })),
    )
  })
}

/** Partial signatures by blst, with the secret's bytes. */
const partialsOf = (shares: readonly Scalar[], members: readonly number[]) =>
  members.map((index) => ({
    index,
    signature: bytesToHex(
      blst.SecretKey.fromBytes(scalarToBytes(shares[index - 1] as Scalar))
        .sign(hexToBytes(message))
        .toBytes(),
    ) as never,
  }))

const signs = (handover: Handover, partials: ReturnType<typeof partialsOf>): boolean =>
  verifySignature(handover.groupKey, message as never, combinePartials(partials, partials.length))

describe('a handover', () => {
  for (const sizes of [
    { oldSize: 4, size: 4 },
    { oldSize: 4, size: 7 },
    { oldSize: 7, size: 4 },
  ]) {
    it(`from ${sizes.oldSize} to ${sizes.size} members gives shares of the same key, whichever dealers are chosen`, () => {
      const made = handoverFrom(5n, sizes)
      const { handover, deal, oldShares, polynomial } = made
      const keys = new Set<string>()
      const choices = subsets(placesTo(sizes.oldSize), handover.oldThreshold)
      for (const places of [choices[0] ?? [], choices.at(-1) ?? []]) {
        const dealings = places.map((place) => deal(place))
        const { publicShares } = handoverResult(handover, dealings)
        const shares = sharesFrom(made, dealings)
        // By another implementation: Σ λ_i g_i(j) on bigints, and its public key.
        for (const [at, share] of shares.entries()) {
          const expected = places.reduce((sum, i) => {
            const others = places.filter((j) => j !== i)
            const lambda = others.reduce((product, j) => field.mul(product, field.div(BigInt(j), field.create(BigInt(j - i)))), 1n)
            return field.add(sum, field.mul(lambda, evaluateBigInt(polynomial(i).map(big), BigInt(at + 1))))
          }, 0n)
          assert.equal(big(share), expected)
          assert.equal(publicShares[at], toPublicKey(`0x${NobleG1.BASE.multiply(expected).toHex(true)}`))
        }
        for (const members of subsets(placesTo(sizes.size), handover.threshold)) assert.ok(signs(handover, partialsOf(shares, members)))
        assert.ok(!signs(handover, partialsOf(shares, placesTo(handover.threshold - 1))), 'fewer than t sign nothing')
        keys.add(publicShares.join())
        // The old ones still sign among themselves, and never with the new ones.
        assert.ok(signs(handover, partialsOf(oldShares, placesTo(handover.oldThreshold))))
        const mixed = [...partialsOf(oldShares, [1]), ...partialsOf(shares, placesTo(handover.threshold).slice(1))]
        assert.ok(!signs(handover, mixed), 'shares of different terms do not combine')
      }
      assert.equal(keys.size, 2, 'another choice of dealers, other shares of the same key')
    })
  }

  it('is computed by everybody alike, from exactly t dealings', () => {
    const { handover, deal } = handoverFrom(7n, { oldSize: 4, size: 4 })
    const dealings = [1, 2, 4].map((place) => deal(place))
    const result = handoverResult(handover, dealings)
    assert.deepEqual(handoverResult(handover, dealings), result)
    assert.equal(result.groupKey, handover.groupKey)
    assert.notEqual(
      handoverResult(
        handover,
        [1, 2, 3].map((place) => deal(place)),
      ).transcriptRoot,
      result.transcriptRoot,
    )
    assert.notEqual(handoverResult({ ...handover, round: 3 }, dealings).transcriptRoot, result.transcriptRoot)
    for (const places of [
      [1, 2],
      [1, 2, 3, 4],
      [2, 1, 4],
      [1, 1, 2],
    ]) {
      assert.throws(
        () =>
          handoverResult(
            handover,
            places.map((place) => deal(place)),
          ),
        withCode('BAD_DEALERS'),
        places.join(),
      )
    }
    const choice = choiceOf(handover, dealings)
    const encoded = encodeChoice(handover, choice)
    assert.equal(encoded.length, 128)
    assert.deepEqual(decodeChoice(handover, encoded), choice)
    assert.throws(() => decodeChoice(handover, new Uint8Array(128)), withCode('BAD_DEALERS'))
    assert.throws(() => decodeChoice(handover, new Uint8Array(127)))
    // Public shares that are not the group key's: the handover would be of another key.
    const other = { ...handover, groupKey: handover.oldPublicShares[0] ?? handover.groupKey }
    assert.throws(() => newCommitments(other, dealings), withCode('OTHER_KEY'))
  })

  it('A33 takes only the dealer’s own share as constant term', () => {
    const { handover, deal, polynomial } = handoverFrom(8n, { oldSize: 4, size: 4 })
    const wrong = deal(2, { coefficients: [scalarsOf(8n)(77), ...polynomial(2).slice(1)] })
    assert.throws(() => checkHandoverDealing(wrong, handover), withCode('BAD_CONSTANT_TERM'))
    // Nor another member's.
    assert.throws(() => checkHandoverDealing(deal(2, { coefficients: polynomial(3) }), handover), withCode('BAD_CONSTANT_TERM'))
    assert.throws(() => checkHandoverDealing({ ...deal(2), dealer: 9 as MemberIndex }, handover), withCode('BAD_DEALERS'))
    assert.throws(() => checkHandoverDealing({ ...deal(2), dealer: 2 as MemberIndex }, handover), withCode('BAD_DEALERS'))
  })

  it('A33 refuses dealings of another degree or shape, with identity points or points outside the subgroup', () => {
    const { handover, deal, joinKeys } = handoverFrom(9n, { oldSize: 4, size: 4 })
    const good = deal(1)
    const { x, y } = outsideSubgroup()
    const outside: Hex = `0x${[x, y].map((value) => value.toString(16).padStart(128, '0')).join('')}`
    const refused: readonly (readonly [Partial<Dealing>, string])[] = [
      [{ commitments: [...good.commitments, ...good.commitments.slice(0, 1)] }, 'BAD_DEALING_SHAPE'],
      [{ commitments: good.commitments.slice(1) }, 'BAD_DEALING_SHAPE'],
      [{ ciphertexts: good.ciphertexts.slice(1) }, 'BAD_DEALING_SHAPE'],
      [{ ciphertexts: good.ciphertexts.with(0, null) }, 'BAD_DEALING_SHAPE'],
      [{ joinKeys: good.joinKeys.slice(1) }, 'BAD_DEALING_SHAPE'],
      [{ joinKeys: good.joinKeys.with(4, null) }, 'BAD_DEALING_SHAPE'],
      [{ joinKeys: good.joinKeys.with(0, null) }, 'BAD_DEALING_SHAPE'],
      [{ commitments: good.commitments.with(1, `0x${'00'.repeat(128)}`) }, 'BAD_COMMITMENT'],
      [{ commitments: good.commitments.with(0, `0x${'00'.repeat(128)}`) }, 'BAD_COMMITMENT'],
      [{ commitments: good.commitments.with(2, outside) }, 'BAD_COMMITMENT'],
    ]
    for (const [change, code] of refused) {
      assert.throws(() => checkHandoverDealing({ ...good, ...change }, handover), withCode(code), JSON.stringify(change).slice(0, 80))
    }
    assert.equal(checkHandoverDealing(good, handover).length, handover.threshold)
    // A coefficient other than committed to fits nobody's share.
    const bent = { ...good, commitments: good.commitments.with(1, g1ToEip2537(multiply(G, scalarFromBigInt(3n)))) }
    const self = { member: 1 as MemberIndex, joinKey: joinKeys[0] as Hex, ephemeral: handoverFrom(9n, { oldSize: 4, size: 4 }).secretOf(1) }
    assert.throws(() => openHandoverShare(handover, bent, self), withCode('BAD_SHARE'))
  })

  it('A33 a bad share is shown by a complaint, a good one falls back on the complainer', () => {
    const { handover, deal, secretOf, joinKeys } = handoverFrom(10n, { oldSize: 4, size: 4 })
    const good = deal(3)
    const member = 2 as MemberIndex
    const encrypted = (share: bigint): Dealing => {
      const shared = multiply(joinKeyPoint(joinKeys[member - 1] as Hex, member), secretOf(good.dealer))
      const text = bytesToHex(xorShare(bigIntToBytes(share), sharePad(shared, handover, good.dealer, member)))
      return { ...good, ciphertexts: good.ciphertexts.with(member - 1, text) }
    }
    const self = { member, joinKey: joinKeys[member - 1] as Hex, ephemeral: secretOf(member) }
    const judged = (dealing: Dealing) =>
      judgeComplaint(
        handover,
        dealing,
        makeComplaint(handover, { dealing, member }, { ephemeral: secretOf(member), nonce: scalarFromBigInt(99n) }),
      )
    for (const [share, fault] of [
      [5n, 'share'],
      [order, 'share-range'],
    ] as const) {
      assert.throws(() => openHandoverShare(handover, encrypted(share), self), withCode('BAD_SHARE'))
      assert.deepEqual(judged(encrypted(share)), { guilty: 'dealer', fault })
    }
    openHandoverShare(handover, good, self)
    assert.deepEqual(judged(good), { guilty: 'complainer', fault: 'none' })
  })

  it('A33 ends also when the last dealer makes its own new share zero', () => {
    const { handover, deal, oldShares } = handoverFrom(12n, { oldSize: 4, size: 4 })
    // All values at 4 are zero: so is their sum, which one dealer can see to that knows the others' shares for 4.
    const dealings = [1, 2, 3].map((place) => {
      const constant = big(oldShares[place - 1] ?? assert.fail())
      const slope = field.neg(field.div(field.add(constant, 16n), 4n))
      return deal(place, { coefficients: [constant, slope, 1n].map(scalarFromBigInt) })
    })
    const { publicShares } = handoverResult(handover, dealings)
    const [last] = publicShares.slice(-1)
    assert.equal(last, `0xc0${'00'.repeat(47)}`)
    assert.ok(haveDegreeBelow(handover.threshold, [g1FromCompressed(handover.groupKey), ...publicShares.map(g1FromPublicShare)]))
    // It signs nothing, and its signature, infinity too, is none.
    const infinity = toBlsSignature(`0xc0${'00'.repeat(95)}`)
    assert.equal(verifySignature(last ?? assert.fail(), rootOf(1), infinity), false)
  })

  it('serves those that joined, and leaves out the rest', () => {
    const made = handoverFrom(11n, { oldSize: 4, size: 4 })
    const { handover, deal, secretOf, joinKeys } = made
    const dealings = [1, 2, 3].map((place) => deal(place, { joined: [1, 3, 4] }))
    const self = (member: number) => ({ member: member as MemberIndex, joinKey: joinKeys[member - 1] as Hex, ephemeral: secretOf(member) })
    for (const dealing of dealings) {
      openHandoverShare(handover, dealing, self(3))
      assert.throws(() => openHandoverShare(handover, dealing, self(2)), withCode('NOT_COVERED'))
    }
    assert.equal(handoverResult(handover, dealings).publicShares.length, 4, 'public shares are known of all')
  })

  it('a producer in both vaults deals to itself as to any other', () => {
    const made = handoverFrom(12n, { oldSize: 4, size: 4 })
    const { handover, deal, secretOf, joinKeys } = made
    // Old member 1 and new member 1 with one key: what it encrypts to itself opens, for no other place.
    const same = { ...deal(1), joinKeys: joinKeys.map((key, at) => (at === 0 ? (joinKeys[4] as Hex) : at < 5 ? key : null)) }
    const shared = multiply(joinKeyPoint(joinKeys[4] as Hex, 1), secretOf(5))
    const share = evaluateBigInt(made.polynomial(1).map(big), 1n)
    const text = bytesToHex(xorShare(bigIntToBytes(share), sharePad(shared, handover, 5, 1)))
    const dealing = { ...same, ciphertexts: same.ciphertexts.with(0, text) }
    const opened = openHandoverShare(handover, dealing, { member: 1 as MemberIndex, joinKey: joinKeys[4] as Hex, ephemeral: secretOf(5) })
    assert.equal(big(opened), share)
  })

  it('ten in a row, through disjoint vaults of changing sizes, and the first key still signs', () => {
    const sizes = [4, 7, 4, 4, 7, 10, 7, 4, 4, 7, 4]
    let { handover, oldShares } = handoverFrom(13n, { oldSize: 4, size: 4 })
    const { groupKey } = handover
    let earlier: readonly Scalar[] = oldShares
    for (const [step, size] of sizes.slice(1).entries()) {
      const template = handoverFrom(BigInt(100 + step), { oldSize: earlier.length, size })
      handover = { ...template.handover, round: step + 1, groupKey, oldPublicShares: earlier.map((share) => publicKeyOf(share)) }
      const made = { ...template, handover }
      const dealings = placesTo(handover.oldThreshold).map((place) => {
        const coefficients = [earlier[place - 1] as Scalar, ...template.polynomial(place).slice(1)]
        return rebound(made, place, coefficients)
      })
      handoverResult(handover, dealings)
      earlier = sharesFrom(made, dealings)
    }
    assert.ok(signs(handover, partialsOf(earlier, placesTo(handover.threshold))))
    assert.equal(handover.groupKey, groupKey)
  })
})

const publicKeyOf = (share: Scalar) => toPublicKey(`0x${NobleG1.BASE.multiply(big(share)).toHex(true)}`)

/** A dealing of other coefficients, encrypted in the handover's own context. */
function rebound(made: ReturnType<typeof handoverFrom>, place: number, coefficients: readonly Scalar[]): Dealing {
  const { handover, secretOf } = made
  const dealing = made.deal(place, { coefficients })
  return {
    ...dealing,
    ciphertexts: dealing.ciphertexts.map((_, at) => {
      const shared = multiply(joinKeyPoint(dealing.joinKeys[at] as Hex, at + 1), secretOf(dealing.dealer))
      const share = evaluateBigInt(coefficients.map(big), BigInt(at + 1))
      return bytesToHex(xorShare(bigIntToBytes(share), sharePad(shared, handover, dealing.dealer, at + 1)))
    }),
  }
}
