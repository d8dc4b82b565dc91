import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { TypedDataEncoder, verifyTypedData } from 'ethers'
import fc from 'fast-check'
import type { Address, EcdsaSignature, MemberIndex, Root } from '../../../../../operator/core/ids.ts'
import { ByteReader, ByteWriter, CodecError } from '../../../../../operator/protocol/messages/bytes.ts'
import { addressOf, ecdsaVerifier, signEcdsa } from '../../../../../operator/protocol/messages/ecdsa.ts'
import { QBFT_TYPE, qbftDigest } from '../../../../../operator/protocol/messages/qbft.ts'
import { decodeCertificate, encodeCertificate, readQbft, writeQbft } from '../../../../../operator/protocol/messages/qbft-codec.ts'
import type { QbftMessage, SignedStatement, Statement } from '../../../../../operator/protocol/qbft/types.ts'
import { STATEMENT_TYPES, ZERO_ROOT } from '../../../../../operator/protocol/qbft/types.ts'

const hex = (size: number): string => `0x${randomBytes(size).toString('hex')}`
const root = (): Root => hex(32) as Root
const domain = { name: 'Open Pools', version: '1', chainId: 1337n, verifyingContract: hex(20) }
const fields = QBFT_TYPE.slice('QbftMessage('.length, -1)
  .split(',')
  .map((field) => ({ type: field.split(' ')[0] ?? '', name: field.split(' ')[1] ?? '' }))
const limits = { size: 7, maxValueBytes: 1_000 }

function statement(change: Partial<Statement> = {}): Statement {
  return { type: 'prepare', round: 1, value: root(), preparedRound: 0, preparedValue: ZERO_ROOT, ...change }
}

function by(sender: number, of: Statement): SignedStatement {
  return { ...of, sender: sender as MemberIndex, signature: hex(65) as EcdsaSignature }
}

function examples(): QbftMessage[] {
  const [value, prepared] = [root(), root()]
  const bare = { roundChanges: [], prepares: [], value: undefined }
  const prepares = [1, 2, 5].map((sender) => by(sender, statement({ value: prepared, round: 3 })))
  const change = { type: 'round-change', round: 4, value: ZERO_ROOT } as const
  const roundChanges = [by(1, statement(change)), by(2, statement({ ...change, preparedRound: 3, preparedValue: prepared }))]
  return [
    { kind: 'statement', signed: by(1, statement({ type: 'prepare', value })), ...bare },
    { kind: 'statement', signed: by(7, statement({ type: 'commit', value })), ...bare },
    { kind: 'statement', signed: by(3, statement(change)), ...bare },
    {
      kind: 'statement',
      signed: by(3, statement({ ...change, preparedRound: 3, preparedValue: prepared })),
      roundChanges: [],
      prepares,
      value: randomBytes(40),
    },
    { kind: 'statement', signed: by(3, statement({ type: 'pre-prepare', value })), ...bare, value: randomBytes(128) },
    {
      kind: 'statement',
      signed: by(3, statement({ type: 'pre-prepare', round: 4, value: prepared })),
      roundChanges,
      prepares,
      value: randomBytes(128),
    },
    {
      kind: 'decided',
      commits: [1, 4, 6].map((sender) => by(sender, statement({ type: 'commit', value, round: 2 }))),
      value: randomBytes(9),
    },
  ]
}

const encode = (message: QbftMessage): Uint8Array => writeQbft(new ByteWriter(8), message).done()
// Buffers of the examples against plain arrays of the decoder: compared by content.
const plain = (message: unknown): unknown =>
  JSON.parse(JSON.stringify(message, (_, item) => (ArrayBuffer.isView(item) ? bytesOf(item) : item?.type === 'Buffer' ? item.data : item)))
const bytesOf = (view: ArrayBufferView): number[] => [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]

describe('QBFT messages', () => {
  it('hash as a wallet would hash them', () => {
    const separator = TypedDataEncoder.hashDomain(domain) as Root
    for (const [index, type] of STATEMENT_TYPES.entries()) {
      const instance = { poolId: 77, slot: 2 ** 40 + 3, duty: 2 }
      const said = statement({ type, round: 9, preparedRound: 5, preparedValue: root() })
      const { value, round, preparedRound, preparedValue } = said
      const expected = TypedDataEncoder.hash(
        domain,
        { QbftMessage: fields },
        { ...instance, messageType: index + 1, round, value, preparedRound, preparedValue },
      )
      assert.equal(qbftDigest(separator, instance, said), expected)
    }
  })

  it('are signed so that ecrecover names the operator', () => {
    const key = randomBytes(32)
    const [address, verify] = [addressOf(key), ecdsaVerifier()]
    const message = { poolId: 1, slot: 2, duty: 1, messageType: 2, round: 1, value: root(), preparedRound: 0, preparedValue: ZERO_ROOT }
    const digest = TypedDataEncoder.hash(domain, { QbftMessage: fields }, message) as Root
    const signature = signEcdsa(digest, key)
    assert.equal(verifyTypedData(domain, { QbftMessage: fields }, message, signature).toLowerCase(), address)
    for (let again = 0; again < 2; again++) {
      assert.ok(verify({ digest, signature, address }))
      assert.ok(!verify({ digest: root(), signature, address }))
      assert.ok(!verify({ digest, signature, address: hex(20) as Address }))
      assert.ok(!verify({ digest, signature: `0x${'00'.repeat(64)}1b` as EcdsaSignature, address }))
      assert.ok(!verify({ digest, signature: `0x${'ff'.repeat(64)}1b` as EcdsaSignature, address }))
      assert.ok(!verify({ digest, signature: `${signature.slice(0, -2)}05` as EcdsaSignature, address }))
    }
  })

  it('survive encoding', () => {
    for (const message of examples()) {
      const reader = new ByteReader(encode(message))
      assert.deepEqual(plain(readQbft(reader, limits)), plain(message))
      reader.end()
    }
    const prepares = [by(1, statement()), by(2, statement())]
    const certificate = { round: 1, root: prepares[0]?.value ?? ZERO_ROOT, value: randomBytes(50), prepares: [] }
    assert.deepEqual(plain(decodeCertificate(encodeCertificate(certificate), limits)), plain(certificate))
  })

  it('refuse oversize values, strangers and too many signers', () => {
    const [prepare, , , , proposal, , decided] = examples()
    assert.ok(prepare?.kind === 'statement' && proposal?.kind === 'statement' && decided?.kind === 'decided')
    const refused = (message: QbftMessage) => assert.throws(() => readQbft(new ByteReader(encode(message)), limits), CodecError)
    refused({ ...proposal, value: randomBytes(1_001) })
    refused({ ...prepare, signed: { ...prepare.signed, sender: 8 as MemberIndex } })
    refused({ ...prepare, signed: { ...prepare.signed, sender: 0 as MemberIndex } })
    refused({ ...decided, commits: Array(8).fill(decided.commits[0]) })
  })

  it('never throw anything but CodecError on garbage', () => {
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.constantFrom(...examples().map(encode)), fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
        const changed = Uint8Array.from(bytes)
        changed[at % changed.length] = value
        return changed.subarray(0, value % 5 === 0 ? at % changed.length : changed.length)
      }),
    )
    fc.assert(
      fc.property(inputs, (bytes) => {
        try {
          readQbft(new ByteReader(bytes), limits)
        } catch (thrown) {
          assert.ok(thrown instanceof CodecError)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
