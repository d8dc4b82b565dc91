import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BlsSignature, Epoch, ProducerId, Root } from '../../../../operator/core/ids.ts'
import type { Producer } from '../../../../operator/core/network.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import { decodeReportSignature, encodeReportSignature, ReportMessageError } from '../../../../operator/protocol/messages/report.ts'
import { emptyState } from '../../../../operator/protocol/state/network-state.ts'
import { absentBitfield } from '../../../../operator/reports/absent.ts'
import { MAX_TURNS } from '../../../../operator/reports/certificates/proposals.ts'
import { committeeOf, maySign, reportEpochAt, turnsUntil } from '../../../../operator/reports/schedule.ts'
import { createSignaturePool } from '../../../../operator/reports/signatures.ts'
import { epoch, key, root } from '../protocol/state/support.ts'

const signature = (byte: number): BlsSignature => `0x${byte.toString(16).padStart(192, '0')}` as BlsSignature
const member = (id: number): Producer => ({ id: id as ProducerId, signingKey: key(id) }) as Producer
/** Member i's only good signature is number i. */
const pool = () =>
  createSignaturePool({
    verify: (publicKey, _, given) => BigInt(publicKey) === BigInt(given),
    verifyAll: () => false,
    aggregate: ([first]) => first ?? signature(0),
  })

const digest: Root = root(1)
const members = [member(1), member(2), member(3)]

test('only valid signatures of members over the own digest count, each once', () => {
  const signatures = pool()
  const add = (from: number, signed: Root, byte: number) =>
    signatures.add(from as ProducerId, { epoch: epoch(12), digest: signed, signature: signature(byte) })
  add(1, digest, 1)
  add(1, digest, 1)
  add(2, digest, 9)
  add(3, root(2), 3)
  add(4, digest, 4)
  assert.deepEqual([...signatures.valid({ epoch: epoch(12), digest, members }).keys()], [1])
  add(2, digest, 2)
  assert.deepEqual([...signatures.valid({ epoch: epoch(12), digest, members }).keys()].sort(), [1, 2])
})

test('whoever signs for each leader’s set is heard for the first of them too, and no signature is verified twice', () => {
  let checks = 0
  const signatures = createSignaturePool({
    verify: (publicKey, _, given) => {
      checks++
      return BigInt(publicKey) === BigInt(given)
    },
    verifyAll: () => false,
    aggregate: ([first]) => first ?? signature(0),
  })
  const add = (from: number, signed: number, byte: number) =>
    signatures.add(from as ProducerId, { epoch: epoch(12), digest: root(signed), signature: signature(byte) })
  const size = (signed: number) => signatures.valid({ epoch: epoch(12), digest: root(signed), members }).size
  for (let attempt = 0; attempt < 3; attempt++) {
    // The first is one for all; where leaders told each of them something else, the others are nobody else's.
    for (const { id } of members) for (let turn = 1; turn <= MAX_TURNS; turn++) add(id, turn === 1 ? 1 : id * 100 + turn, id)
    add(2, 301, 9)
    assert.deepEqual([size(1), size(100 + MAX_TURNS), size(301)], [3, 1, 0])
  }
  assert.equal(checks, 5)
})

test('a flood keeps sixteen digests of a member and sixty-four epochs', () => {
  const signatures = pool()
  for (let at = 0; at < 1_000; at++) signatures.add(1 as ProducerId, { epoch: epoch(12), digest: root(at + 10), signature: signature(1) })
  signatures.add(1 as ProducerId, { epoch: epoch(12), digest, signature: signature(1) })
  assert.equal(signatures.valid({ epoch: epoch(12), digest, members }).size, 1)
  for (let at = 100; at < 300; at++) signatures.add(2 as ProducerId, { epoch: at as Epoch, digest, signature: signature(2) })
  assert.equal(signatures.valid({ epoch: epoch(12), digest, members }).size, 0)
  assert.equal(signatures.valid({ epoch: epoch(299), digest, members }).size, 1)
})

test('report signatures survive the wire, anything else is refused', () => {
  const message = { epoch: epoch(12), digest, signature: signature(7) }
  assert.deepEqual(decodeReportSignature(encodeReportSignature(message)), message)
  for (const length of [0, 1, 135, 137, 4_096]) {
    assert.throws(() => decodeReportSignature(new Uint8Array(length)), ReportMessageError)
  }
})

test('the bitfield of the absent counts from the least bit', () => {
  assert.equal(absentBitfield([true, false, true]), '0x02')
  assert.equal(absentBitfield([...Array.from({ length: 8 }, () => true), false]), '0x0001')
})

test('leaders take turns along the committee, epoch by epoch', () => {
  const parameters = { firstPeriod: 6, periodLength: 12, reportEpochs: 4 } as Parameters
  assert.equal(reportEpochAt(7, parameters), undefined)
  assert.equal(reportEpochAt(11, parameters), 8)
  assert.deepEqual(
    [1, 2, 3].map((id) => turnsUntil(members, id as ProducerId, epoch(8), parameters)),
    [1, 2, 0],
  )
  assert.deepEqual(
    [1, 2, 3].map((id) => turnsUntil(members, id as ProducerId, epoch(12), parameters)),
    [0, 1, 2],
  )
  assert.equal(committeeOf(emptyState(), epoch(12), parameters), undefined)
})

test('only signatures of a formed committee over epochs that it reports on are taken', () => {
  const parameters = { firstPeriod: 6, periodLength: 12, reportEpochs: 4 } as Parameters
  const producers = new Map(members.map((producer) => [producer.id, producer]))
  const periods = new Map([[0, { committee: [1, 2] }]])
  const state = { ...emptyState(), producers, periods } as unknown as ReturnType<typeof emptyState>
  const may = (from: number, at: number) => maySign(state, from as ProducerId, epoch(at), parameters)
  assert.deepEqual(
    [8, 12, 16].map((at) => may(1, at)),
    [true, true, true],
  )
  assert.ok(!may(3, 12), 'a producer outside the committee')
  assert.ok(!may(1, 13), 'no epoch of reports')
  assert.ok(!may(1, 20) && !may(1, 4) && !may(1, 1_000_000), 'a period without a committee')
})
