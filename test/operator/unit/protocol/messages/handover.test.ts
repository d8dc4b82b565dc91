import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keccak256, TypedDataEncoder } from 'ethers'
import type { BlsSignature, EcdsaSignature, Hex, MemberIndex, Root } from '../../../../../operator/core/ids.ts'
import type { Dealing } from '../../../../../operator/core/ports/ceremony.ts'
import { CodecError } from '../../../../../operator/protocol/messages/bytes.ts'
import { dealingHash } from '../../../../../operator/protocol/messages/ceremony.ts'
import { packedShares, rotationResultDigest } from '../../../../../operator/protocol/messages/handover.ts'
import {
  decodeHandover,
  encodeHandover,
  type HandoverMessage,
  isHandover,
  peekHandover,
} from '../../../../../operator/protocol/messages/handover-codec.ts'
import { handoverResult } from '../../../../../operator/protocol/rotation/transcript.ts'
import { handoverFrom } from '../rotation/support.ts'

const made = handoverFrom(21n, { oldSize: 4, size: 4 })
const { handover } = made
const hex = (bytes: number): Hex => `0x${'ab'.repeat(bytes)}`
const signature = hex(65) as EcdsaSignature
const proof = { challenge: hex(32), response: hex(32) }

describe('messages of a handover', () => {
  it('come back as they were sent, and nothing else is one', () => {
    const member = 3 as MemberIndex
    const messages: readonly HandoverMessage[] = [
      { kind: 'join', member: 8 as MemberIndex, joinKey: hex(128), proof, signature },
      { kind: 'dealing', dealing: made.deal(2), signature },
      { kind: 'dealing', dealing: made.deal(4, { joined: [1, 2, 4] }), signature },
      {
        kind: 'complaint',
        complaint: { dealer: 5 as MemberIndex, member, sharedPoint: hex(128), proof },
        about: hex(32) as Root,
        signature,
      },
      { kind: 'participation', member, partial: hex(96) as BlsSignature, participation: hex(96) as BlsSignature },
    ]
    for (const message of messages) {
      const bytes = encodeHandover(handover, message)
      assert.ok(isHandover(bytes))
      assert.deepEqual(peekHandover(bytes), { poolId: handover.poolId, round: handover.round })
      assert.deepEqual(decodeHandover(bytes, handover), message)
      for (const cut of [0, 5, 9, 10, bytes.length - 1]) assert.throws(() => decodeHandover(bytes.subarray(0, cut), handover))
      assert.throws(() => decodeHandover(Buffer.concat([bytes, Buffer.alloc(1)]), handover))
      // A key generation's, or of a member that no vault has.
      const other = Buffer.from(bytes)
      other[4] = 0
      assert.throws(() => peekHandover(other))
      const nobody = Buffer.from(bytes)
      nobody.writeUInt32BE(99, 10)
      assert.throws(() => decodeHandover(nobody, handover))
    }
  })

  it('A33 hold nothing in one form only: zeros hash alike, so two dealings would pass for one', () => {
    const honest = made.deal(2)
    const signedOf = (change: Partial<Dealing>) =>
      encodeHandover(handover, { kind: 'dealing', dealing: { ...honest, ...change }, signature })
    const withText = (text: Hex | null) => ({ ciphertexts: honest.ciphertexts.with(1, text) })
    const withKey = (key: Hex | null) => ({ joinKeys: honest.joinKeys.with(1, key) })
    const [noText, noKey] = [32, 128].map((size): Hex => `0x${'00'.repeat(size)}`)
    assert.ok(noText !== undefined && noKey !== undefined)
    assert.equal(dealingHash(handover, { ...honest, ...withText(null) }), dealingHash(handover, { ...honest, ...withText(noText) }))
    assert.equal(dealingHash(handover, { ...honest, ...withKey(null) }), dealingHash(handover, { ...honest, ...withKey(noKey) }))
    for (const change of [withText(null), withKey(null)]) decodeHandover(signedOf(change), handover)
    for (const change of [withText(noText), withKey(noKey)]) assert.throws(() => decodeHandover(signedOf(change), handover), CodecError)
  })

  it('the result is signed as the contract checks it', () => {
    const result = handoverResult(
      handover,
      [1, 2, 3].map((place) => made.deal(place)),
    )
    const { chainId, contract, poolId, round } = handover
    const field = (type: string, name: string) => ({ type, name })
    const types = {
      RotationResult: [
        field('uint32', 'poolId'),
        field('uint32', 'round'),
        field('bytes32', 'publicSharesHash'),
        field('bytes32', 'transcriptRoot'),
      ],
    }
    const domain = { name: 'Open Pools', version: '1', chainId, verifyingContract: contract }
    const value = { poolId, round, publicSharesHash: keccak256(packedShares(result)), transcriptRoot: result.transcriptRoot }
    assert.equal(rotationResultDigest(handover, result), TypedDataEncoder.hash(domain, types, value))
  })
})
