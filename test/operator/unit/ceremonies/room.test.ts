import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CeremonyFault } from '../../../../operator/ceremonies/faults.ts'
import { CeremonyRoom } from '../../../../operator/ceremonies/room.ts'
import type { CeremonyPorts } from '../../../../operator/ceremonies/types.ts'
import type { Epoch, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import type { Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { Log } from '../../../../operator/core/ports/log.ts'
import { scalarFromBigInt } from '../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge } from '../../../../operator/protocol/bls/schnorr.ts'
import { makeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { possessionStatement } from '../../../../operator/protocol/dkg/join.ts'
import { type CeremonyStatement, ceremonyDigest, complaintDigest, dealingHash } from '../../../../operator/protocol/messages/ceremony.ts'
import { encodeCeremony } from '../../../../operator/protocol/messages/ceremony-codec.ts'
import { addressOf, ecdsaVerifier, signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import { keysOf } from '../../simulation/ceremony/keys.ts'
import { ProcessClock, Scheduler } from '../../simulation/scheduler.ts'
import { ceremonyFrom, membersOf } from '../protocol/dkg/support.ts'
import { producerOf } from './support/chain.ts'
import { faultyKey } from './support/world.ts'

const SIZE = 4
const SELF = 1

/** The room of member 1; all have joined. Member and producer numbers are the same. */
function open(seed: bigint) {
  const made = ceremonyFrom(seed, SIZE)
  const { context, ephemeral, joinKeys } = made
  const members = membersOf(SIZE).map((id) => producerOf(id, addressOf(faultyKey(id)), keysOf(id).signing.publicKey))
  const faults: CeremonyFault[] = []
  const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
  const verify = ecdsaVerifier()
  const checks = { made: 0 }
  const ports: Partial<CeremonyPorts> = {
    self: SELF as ProducerId,
    network: { self: SELF as ProducerId, send() {}, onMessage: () => () => {} },
    clock: new ProcessClock(new Scheduler(0)),
    verifyEcdsa: (question) => {
      checks.made += 1
      return verify(question)
    },
    beacon: { spec: { slotDurationMs: 1_000 } } as BeaconNode,
    log,
  }
  const ceremony = { context, members, withdrawalVault: addressOf(faultyKey(9)), deadline: 9 as Epoch }
  const room = new CeremonyRoom(ports as CeremonyPorts, ceremony, {
    onFault: (fault) => faults.push(fault),
    onComplaint() {},
    onEvidence() {},
  })
  const say = (author: number, statement: CeremonyStatement): void => {
    const signature = signEcdsa(ceremonyDigest(context, statement), faultyKey(author))
    room.receive(author as ProducerId, encodeCeremony(context, { ...statement, signature }))
  }
  const secretOf = (member: number) => ephemeral[member - 1] ?? assert.fail()
  const complaintBy = (member: MemberIndex, dealing: Dealing): Uint8Array => {
    const complaint = makeComplaint(context, { dealing, member }, { ephemeral: secretOf(member), nonce: scalarFromBigInt(99n) })
    const signature = signEcdsa(complaintDigest(context, complaint, dealingHash(context, dealing)), faultyKey(member))
    return encodeCeremony(context, { kind: 'complaint', complaint, signature })
  }
  for (const member of membersOf(SIZE)) {
    const joinKey = joinKeys[member - 1] ?? '0x'
    const proof = proveKnowledge(possessionStatement(context, member, joinKey), secretOf(member), scalarFromBigInt(77n))
    say(member, { kind: 'join', member, joinKey, proof })
  }
  return { ...made, room, faults, checks, say, complaintBy }
}

describe('the room of a key generation', () => {
  it('A33 judges a complaint once: who passes it on over and over is still heard with its own', () => {
    const { room, faults, checks, say, complaintBy, dealings } = open(31n)
    const [one, two] = dealings
    assert.ok(one && two)
    // Good shares but for member 4, from member 1.
    const bad = { ...one, ciphertexts: one.ciphertexts.with(3, one.ciphertexts[2] ?? null) }
    for (const dealing of [bad, two]) say(dealing.dealer, { kind: 'dealing', dealing })
    const [liar, honest] = [3 as MemberIndex, 4 as MemberIndex]
    const lie = complaintBy(liar, two)
    room.receive(honest as number as ProducerId, lie)
    const before = checks.made
    for (let at = 0; at < 100; at++) room.receive(honest as number as ProducerId, lie)
    assert.equal(checks.made, before)
    room.receive(honest as number as ProducerId, complaintBy(honest, bad))
    assert.deepEqual(
      faults.map(({ member, rule }) => `${member} ${rule}`),
      ['3 FALSE_COMPLAINT', '1 BAD_SHARE'],
    )
    room.close()
  })
})
