import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, keccak256, TypedDataEncoder, ZeroHash } from 'ethers'
import fc from 'fast-check'
import type { BlsSignature, Hex, MemberIndex, Root } from '../../../../../operator/core/ids.ts'
import { bytesToHex } from '../../../../../operator/core/parse.ts'
import { publicKeyToEip2537 } from '../../../../../operator/protocol/bls/points.ts'
import { resultOf } from '../../../../../operator/protocol/dkg/result.ts'
import { CodecError } from '../../../../../operator/protocol/messages/bytes.ts'
import {
  type CeremonyStatement,
  CHECKED_TYPE,
  ceremonyDigest,
  DEALING_TYPE,
  DKG_RESULT_TYPE,
  dkgResultDigest,
  JOIN_TYPE,
  REVEAL_TYPE,
} from '../../../../../operator/protocol/messages/ceremony.ts'
import {
  type CeremonyMessage,
  decodeCeremony,
  decodeRoster,
  encodeCeremony,
  encodeRoster,
  peekCeremony,
  type SignedJoin,
} from '../../../../../operator/protocol/messages/ceremony-codec.ts'
import { domainSeparatorOf, structHasher, typedDigest } from '../../../../../operator/protocol/messages/eip712.ts'
import { ceremonyFrom, noProof, noSignature } from '../dkg/support.ts'

const ceremony = ceremonyFrom(11n, 4)
const { context } = ceremony
const domain = { name: 'Open Pools', version: '1', chainId: context.chainId, verifyingContract: context.contract }

/** ethers' own encoder, from the same type text. */
function oracle(type: string, values: readonly unknown[]): string {
  const [name = '', list = ''] = type.slice(0, -1).split('(')
  const fields = list.split(',').map((field) => {
    const [fieldType = '', fieldName = ''] = field.split(' ')
    return { type: fieldType, name: fieldName }
  })
  return TypedDataEncoder.hash(domain, { [name]: fields }, Object.fromEntries(fields.map((field, i) => [field.name, values[i]])))
}

const absent: Hex = `0x${'00'.repeat(128)}`
const place = [3, 0, 2] as const
const member = 2 as MemberIndex
const [, dealing] = ceremony.dealings
const [, reveal] = ceremony.reveals
assert.ok(dealing && reveal?.constantTerm)

describe('EIP-712', () => {
  it("equals ethers' encoder for any values", () => {
    const type = 'Thing(uint32 a,bytes32 b,bytes c,address d,uint256 e)'
    const hasher = structHasher(type)
    const bytes = (min: number, max = min) => fc.uint8Array({ minLength: min, maxLength: max }).map(bytesToHex)
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        bytes(32),
        bytes(0, 200),
        bytes(20),
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        (...values) => {
          assert.equal(typedDigest(domainSeparatorOf(context), hasher(values)), oracle(type, values))
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('ceremony messages', () => {
  const statements: readonly (readonly [CeremonyStatement, string])[] = [
    [
      { kind: 'join', member, joinKey: ceremony.joinKeys[1] ?? '0x', proof: noProof },
      oracle(JOIN_TYPE, [...place, member, ceremony.joinKeys[1]]),
    ],
    [
      {
        kind: 'dealing',
        dealing: { ...dealing, joinKeys: dealing.joinKeys.with(3, null), ciphertexts: dealing.ciphertexts.with(3, null) },
      },
      oracle(DEALING_TYPE, [
        ...place,
        member,
        concat(dealing.joinKeys.map((key, i) => (i === 3 || key === null ? absent : key))),
        concat(dealing.commitments),
        concat(dealing.ciphertexts.map((text, i) => (i === 3 || text === null ? `0x${'00'.repeat(32)}` : text))),
      ]),
    ],
    [
      { kind: 'checked', member, dealings: [`0x${'a1'.repeat(32)}` as Root, null, null, `0x${'a4'.repeat(32)}` as Root] },
      oracle(CHECKED_TYPE, [...place, member, concat([`0x${'a1'.repeat(32)}`, ZeroHash, ZeroHash, `0x${'a4'.repeat(32)}`])]),
    ],
    [
      { kind: 'reveal', reveal },
      oracle(REVEAL_TYPE, [
        ...place,
        member,
        reveal.constantTerm?.point,
        concat([reveal.constantTerm?.proof.challenge ?? '', reveal.constantTerm?.proof.response ?? '']),
        reveal.publicShare.point,
        concat([reveal.publicShare.proof.challenge, reveal.publicShare.proof.response]),
      ]),
    ],
    [
      { kind: 'reveal', reveal: { ...reveal, constantTerm: null } },
      oracle(REVEAL_TYPE, [
        ...place,
        member,
        '0x',
        '0x',
        reveal.publicShare.point,
        concat([reveal.publicShare.proof.challenge, reveal.publicShare.proof.response]),
      ]),
    ],
  ]

  it('sign the EIP-712 digests that ethers computes', () => {
    for (const [statement, expected] of statements) assert.equal(ceremonyDigest(context, statement), expected)
  })

  it('sign a result as PoolRegistry checks it', () => {
    const result = resultOf(ceremony)
    const expected = oracle(DKG_RESULT_TYPE, [
      3,
      2,
      publicKeyToEip2537(result.groupKey),
      keccak256(concat(result.publicShares)),
      result.transcriptRoot,
    ])
    assert.equal(dkgResultDigest(context, result), expected)
  })

  it('A18 differ for another chain, contract, pool or round', () => {
    const statement: CeremonyStatement = { kind: 'join', member, joinKey: absent, proof: noProof }
    const others = [{ chainId: 2n }, { contract: `0x${'5b'.repeat(20)}` as const }, { poolId: 4 as typeof context.poolId }, { round: 3 }]
    const digests = [{}, ...others].map((change) => ceremonyDigest({ ...context, ...change }, statement))
    assert.equal(new Set(digests).size, digests.length)
  })

  const messages: readonly CeremonyMessage[] = [
    ...statements.map(([statement]): CeremonyMessage => ({ ...statement, signature: noSignature })),
    { kind: 'complaint', complaint: { dealer: member, member, sharedPoint: absent, proof: noProof }, signature: noSignature },
    {
      kind: 'participation',
      member,
      partial: `0x${'01'.repeat(96)}` as BlsSignature,
      participation: `0x${'02'.repeat(96)}` as BlsSignature,
    },
    {
      kind: 'qbft',
      about: 'transcript',
      message: {
        kind: 'statement',
        signed: {
          type: 'prepare',
          round: 1,
          value: `0x${'03'.repeat(32)}` as Root,
          preparedRound: 0,
          preparedValue: `0x${'00'.repeat(32)}` as Root,
          sender: member,
          signature: noSignature,
        },
        roundChanges: [],
        prepares: [],
        value: undefined,
      },
    },
  ]

  it('round-trip', () => {
    for (const message of messages) {
      const bytes = encodeCeremony(context, message)
      assert.deepEqual(peekCeremony(bytes), { poolId: context.poolId, kind: 'dkg', round: 2 })
      assert.deepEqual(decodeCeremony(bytes, context), message)
    }
  })

  it('A33 hold nothing in one form only: zeros hash alike, so two statements would pass for one', () => {
    const honest = ceremony.dealings[0]
    assert.ok(honest)
    const zeros = (size: number): Hex => `0x${'00'.repeat(size)}`
    const withText = (text: Hex | null) =>
      ({ kind: 'dealing', dealing: { ...honest, ciphertexts: honest.ciphertexts.with(1, text) } }) as const
    const withKey = (key: Hex | null) => ({ kind: 'dealing', dealing: { ...honest, joinKeys: honest.joinKeys.with(1, key) } }) as const
    const checked = (hash: Hex | null) => ({ kind: 'checked', member, dealings: [hash as Root | null, null, null, null] }) as const
    for (const [none, zero] of [
      [withText(null), withText(zeros(32))],
      [withKey(null), withKey(zeros(128))],
      [checked(null), checked(zeros(32))],
    ] as const) {
      assert.equal(ceremonyDigest(context, none), ceremonyDigest(context, zero))
      decodeCeremony(encodeCeremony(context, { ...none, signature: noSignature }), context)
      assert.throws(() => decodeCeremony(encodeCeremony(context, { ...zero, signature: noSignature }), context), CodecError)
    }
  })

  it('make rosters of those who joined, and read nothing else as one', () => {
    const joins = [1, 3, 4].map((index): SignedJoin => {
      const joinKey = ceremony.joinKeys[index - 1] ?? '0x'
      return { kind: 'join', member: index as MemberIndex, joinKey, proof: noProof, signature: noSignature }
    })
    const bytes = encodeRoster(new Map(joins.map((join) => [join.member, join])), 4)
    assert.deepEqual(decodeRoster(bytes, 4), joins)
    for (const bad of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.concat([Buffer.of(2), bytes.subarray(1)])]) {
      assert.throws(() => decodeRoster(bad, 4), CodecError)
    }
  })

  it('refuse cut, extended and random bytes with a typed error, and never anything else', () => {
    for (const message of messages) {
      const bytes = encodeCeremony(context, message)
      for (const bad of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.of(0)]), bytes.subarray(0, 12)]) {
        assert.throws(() => decodeCeremony(bad, context), CodecError)
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(messages.length - 1), fc.nat(100), (noise, which, at) => {
        const message = messages[which]
        assert.ok(message)
        const bytes = Buffer.concat([encodeCeremony(context, message).subarray(0, at), noise])
        try {
          decodeCeremony(bytes, context)
        } catch (error) {
          assert.ok(error instanceof CodecError, String(error))
        }
      }),
      { numRuns: 300 },
    )
  })
})
