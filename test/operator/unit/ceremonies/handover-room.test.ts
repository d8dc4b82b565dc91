import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HandoverRoom } from '../../../../operator/ceremonies/handover-room.ts'
import type { Epoch, Hex, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import type { Complaint, Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { DealingDispute } from '../../../../operator/core/ports/disputes.ts'
import type { Log } from '../../../../operator/core/ports/log.ts'
import type { Scalar } from '../../../../operator/protocol/bls/backend.ts'
import { scalarFromBigInt } from '../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge } from '../../../../operator/protocol/bls/schnorr.ts'
import { makeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { possessionStatement } from '../../../../operator/protocol/dkg/join.ts'
import { ceremonyDigest, complaintDigest, dealingHash } from '../../../../operator/protocol/messages/ceremony.ts'
import { addressOf, ecdsaVerifier, signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import { decodeHandover, encodeHandover } from '../../../../operator/protocol/messages/handover-codec.ts'
import { ProcessClock, Scheduler } from '../../simulation/scheduler.ts'
import { handoverFrom } from '../protocol/rotation/support.ts'
import { producerOf } from './support/chain.ts'
import { faultyKey } from './support/world.ts'

const SIZES = { oldSize: 4, size: 4 }
const RECEIVER = 1 as MemberIndex
const member = (index: number): MemberIndex => index as MemberIndex

/** The room of new member 1: producers 1 to 4 are to take over from 5 to 8, so that member and producer numbers are the same. */
function open(seed: bigint) {
  const made = handoverFrom(seed, SIZES)
  const context = { ...made.handover, kind: 'rotation' as const, oldRound: 0, receiver: RECEIVER }
  const members = Array.from({ length: 8 }, (_, at) => {
    const id = (at + 1) as ProducerId
    return producerOf(id, addressOf(faultyKey(id)), made.handover.groupKey)
  })
  const raised: DealingDispute[] = []
  const sent: { readonly to: ProducerId; readonly bytes: Uint8Array }[] = []
  const scheduler = new Scheduler(0)
  const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
  const room = new HandoverRoom(
    {
      network: { self: RECEIVER as number as ProducerId, send: (to, _, bytes) => void sent.push({ to, bytes }), onMessage: () => () => {} },
      clock: new ProcessClock(scheduler),
      verifyEcdsa: ecdsaVerifier(),
      disputes: {
        raise: async (dispute) => {
          raised.push(dispute)
        },
      },
      log,
    },
    { context, members, deadline: 9 as Epoch },
    1_000,
  )
  const signed = (author: number, digest: Parameters<typeof signEcdsa>[0]) => signEcdsa(digest, faultyKey(author))
  /** A join with a key, and a proof by a secret: that of the key, or another. */
  const join = (author: number, joinKey: Hex = made.joinKeys[author - 1] ?? '0x', secret: Scalar = made.secretOf(author)): void => {
    const proof = proveKnowledge(possessionStatement(context, author, joinKey), secret, scalarFromBigInt(77n))
    const statement = { kind: 'join', member: member(author), joinKey, proof } as const
    const signature = signed(author, ceremonyDigest(context, statement))
    room.receive(author as ProducerId, encodeHandover(context, { ...statement, signature }))
  }
  const deal = (dealing: Dealing): void => {
    const signature = signed(dealing.dealer, ceremonyDigest(context, { kind: 'dealing', dealing }))
    room.receive(Number(dealing.dealer) as ProducerId, encodeHandover(context, { kind: 'dealing', dealing, signature }))
  }
  const complain = (author: number, dealing: Dealing): Complaint => {
    const secrets = { ephemeral: made.secretOf(author), nonce: scalarFromBigInt(99n) }
    const complaint = makeComplaint(context, { dealing, member: member(author) }, secrets)
    const about = dealingHash(context, dealing)
    const signature = signed(author, complaintDigest(context, complaint, about))
    room.receive(author as ProducerId, encodeHandover(context, { kind: 'complaint', complaint, about, signature }))
    return complaint
  }
  /** Members whose joins a producer was sent since this was last asked. */
  const joinsSentTo = (producer: number): readonly number[] => {
    const messages = sent.filter(({ to }) => Number(to) === producer).map(({ bytes }) => decodeHandover(bytes, context))
    sent.length = 0
    return messages.flatMap((message) => (message.kind === 'join' ? [Number(message.member)] : []))
  }
  return { ...made, room, raised, sent, scheduler, join, joinsSentTo, dealTo: deal, complain }
}

describe('the room of a handover', () => {
  it('A33 takes no join with another’s key, whatever joined before: a complaint about a dealing with it would open an honest share', () => {
    const { room, join, dealTo, deal, joinKeys, secretOf } = open(21n)
    const stolen = joinKeys[4] ?? '0x'
    join(5)
    join(6)
    join(6, stolen, secretOf(6))
    assert.deepEqual(
      room.board.said('join', member(6)).map(({ joinKey }) => joinKey),
      [joinKeys[5]],
    )
    const dealing = deal(2)
    dealTo({ ...dealing, joinKeys: dealing.joinKeys.with(5, stolen) })
    assert.deepEqual(room.candidates(true), [])
    // Two keys of its own are two joins, and a fault.
    join(7)
    join(7, joinKeys[7], secretOf(8))
    assert.equal(room.board.said('join', member(7)).length, 2)
    assert.equal(room.faultOf(member(7))?.rule, 'EQUIVOCATION')
    room.close()
  })

  it('A33 blames nobody for complaining about each of two dealings of one dealer, and tells the chain of both', () => {
    const { room, raised, join, dealTo, deal, complain } = open(22n)
    for (const author of [2, 6]) join(author)
    const { ciphertexts, ...honest } = deal(2)
    const bad = [ciphertexts[2] ?? null, ciphertexts[3] ?? null].map((text) => ({ ...honest, ciphertexts: ciphertexts.with(1, text) }))
    for (const dealing of bad) dealTo(dealing)
    for (const dealing of bad) complain(2, dealing)
    assert.equal(room.faultOf(member(2)), undefined)
    assert.equal(room.faultOf(member(6))?.rule, 'EQUIVOCATION')
    assert.deepEqual(
      room.complaints().map(({ guilty }) => guilty),
      ['dealer', 'dealer'],
    )
    assert.deepEqual(
      raised.map(({ dealing }) => dealing.ciphertexts[1]),
      bad.map((dealing) => dealing.ciphertexts[1]),
    )
    room.close()
  })

  it('A33 shows all a member’s join as soon as a dealing names another key for it, whichever comes first', () => {
    for (const isJoinFirst of [true, false]) {
      const { room, sent, join, dealTo, deal, joinKeys } = open(24n)
      const dealing = deal(2)
      const other = { ...dealing, joinKeys: dealing.joinKeys.with(2, joinKeys[7] ?? null) }
      if (isJoinFirst) join(3)
      else dealTo(other)
      sent.length = 0
      if (isJoinFirst) dealTo(other)
      else join(3)
      const told = (): ReadonlySet<number> => new Set(sent.map(({ to }) => Number(to)))
      assert.deepEqual([...told()].toSorted(), [2, 3, 4, 5, 6, 7, 8])
      // With the key that the dealing names: its dealer has it.
      sent.length = 0
      join(4)
      assert.ok(told().has(5) && !told().has(6))
      room.close()
    }
  })

  it('A33 says no joins again for keys that a dealer makes up: none where its dealing is bad, else each once', async () => {
    const { room, scheduler, join, joinsSentTo, dealTo, deal, joinKeys } = open(25n)
    for (const author of [1, 2, 3, 4]) join(author)
    const honest = deal(2)
    const madeUp = { ...honest, joinKeys: honest.joinKeys.map((own, at) => (at < 4 ? (joinKeys[(at + 1) % 4] ?? null) : own)) }
    joinsSentTo(6)
    // Not the dealer's share: nobody will choose it.
    dealTo({ ...madeUp, commitments: honest.commitments.with(0, honest.commitments[1] ?? '0x') })
    assert.deepEqual(joinsSentTo(6), [])
    dealTo(madeUp)
    assert.deepEqual(joinsSentTo(6), [1, 2, 3, 4])
    join(6)
    await scheduler.run(3_500, () => false)
    assert.deepEqual(joinsSentTo(6), [])
    room.close()
  })

  it('A33 tells the chain of a bad commitment also when the dealer’s join comes after it', () => {
    const { room, raised, join, dealTo, deal } = open(23n)
    const honest = deal(2)
    dealTo({ ...honest, commitments: honest.commitments.with(1, `0x${'00'.repeat(128)}`) })
    assert.equal(room.faultOf(member(6))?.rule, 'BAD_DEALING')
    assert.deepEqual(raised, [])
    join(6)
    assert.deepEqual(
      raised.map(({ against }) => against),
      [{ place: 1 }],
    )
    room.close()
  })
})
