import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TypedDataEncoder } from 'ethers'
import type { BlsSignature, MemberIndex } from '../../../../../operator/core/ids.ts'
import { type AbsenceMessage, decodeCeremony, encodeCeremony } from '../../../../../operator/protocol/messages/ceremony-codec.ts'
import { dkgFailureDigest, rotationFailureDigest } from '../../../../../operator/protocol/messages/failure.ts'
import { decodeHandover, encodeHandover } from '../../../../../operator/protocol/messages/handover-codec.ts'
import { ceremonyFrom } from '../dkg/support.ts'
import { handoverFrom } from '../rotation/support.ts'

const { context } = ceremonyFrom(11n, 4)
const { handover } = handoverFrom(21n, { oldSize: 4, size: 4 })
const typesOf = (name: string, fields: readonly string[]) => ({
  [name]: [
    { name: 'poolId', type: 'uint32' },
    { name: 'round', type: 'uint32' },
    ...fields.map((field) => ({ name: field, type: 'uint256' })),
  ],
})

describe('who was absent', () => {
  it('is signed as the contracts check it', () => {
    const domain = { name: 'Open Pools', version: '1', chainId: context.chainId, verifyingContract: context.contract }
    const { poolId, round } = context
    for (const absent of [0n, 0b1010n, 2n ** 127n]) {
      const value = { poolId, round, absent }
      assert.equal(dkgFailureDigest(context, absent), TypedDataEncoder.hash(domain, typesOf('DkgFailure', ['absent']), value))
    }
    const both = { absentNew: 0b0100n, absentOld: 0b0001n }
    const value = { poolId: handover.poolId, round: handover.round, ...both }
    const judge = { ...domain, chainId: handover.chainId, verifyingContract: handover.contract }
    const expected = TypedDataEncoder.hash(judge, typesOf('RotationFailure', ['absentNew', 'absentOld']), value)
    assert.equal(rotationFailureDigest(handover, both), expected)
  })

  it('comes back as it was sent, of members that there are', () => {
    const said = (member: number): AbsenceMessage => ({
      kind: 'absence',
      member: member as MemberIndex,
      absent: 0b1001n,
      vote: `0x${'ab'.repeat(96)}` as BlsSignature,
    })
    assert.deepEqual(decodeCeremony(encodeCeremony(context, said(4)), context), said(4))
    assert.throws(() => decodeCeremony(encodeCeremony(context, said(5)), context))
    assert.deepEqual(decodeHandover(encodeHandover(handover, said(8)), handover), said(8))
    assert.throws(() => decodeHandover(encodeHandover(handover, said(9)), handover))
  })
})
