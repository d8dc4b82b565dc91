import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import type { BlsSignature, Epoch, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import type { Consensus } from '../../../../operator/duties/consensus.ts'
import { dutyMailroom } from '../../../../operator/duties/mailroom.ts'
import type { Partials } from '../../../../operator/duties/partials.ts'
import { DUTY_CODES } from '../../../../operator/duties/types.ts'
import { encodePartialFrame, encodeQbftFrame } from '../../../../operator/protocol/messages/duty.ts'
import type { QbftMessage } from '../../../../operator/protocol/qbft/types.ts'
import { recordingMetrics, root, testPool } from './support.ts'

const { pool } = testPool()
const signature = `0x${'11'.repeat(96)}` as BlsSignature
const decided: QbftMessage = { kind: 'decided', commits: [], value: new Uint8Array(3) }
const instance = (change: Partial<{ poolId: number; slot: number; duty: number }> = {}) => ({
  poolId: 5,
  slot: 100,
  duty: DUTY_CODES.attestation,
  ...change,
})

function setUp() {
  const { metrics, told } = recordingMetrics()
  const delivered: string[] = []
  const consensus = {
    receive: ({ slot }: { slot: number }, from: MemberIndex) => delivered.push(`qbft ${slot} ${from}`),
  } as unknown as Consensus
  const partials = {
    receive: ({ type }: { type: string }, from: MemberIndex) => delivered.push(`partial ${type} ${from}`),
  } as unknown as Partials
  const receive = dutyMailroom({
    pools: { at: () => [pool] },
    consensus,
    partials,
    metrics,
    epochOf: () => 3 as Epoch,
    isCurrent: (_, slot) => slot === 100,
  })
  return { receive: (from: number, bytes: Uint8Array) => receive(from as ProducerId, bytes), told, delivered }
}

describe('the duty mailroom', () => {
  it('delivers members’ messages to consensus and to partials', () => {
    const { receive, told, delivered } = setUp()
    receive(12, encodeQbftFrame(instance(), decided))
    receive(
      13,
      encodePartialFrame(instance({ duty: DUTY_CODES.randao }), { root: root('r'), signature, wanted: false, certified: undefined }),
    )
    assert.deepEqual(delivered, ['qbft 100 2', 'partial randao 3'])
    assert.deepEqual(told, [])
  })

  it('drops what is not for this vault, not from it or not of now', () => {
    const { receive, told, delivered } = setUp()
    receive(99, encodeQbftFrame(instance(), decided))
    receive(11, encodeQbftFrame(instance(), decided)) // this node's own seat
    receive(12, encodeQbftFrame(instance({ poolId: 6 }), decided))
    receive(12, encodeQbftFrame(instance({ slot: 99 }), decided))
    receive(12, encodeQbftFrame(instance({ duty: DUTY_CODES.exit }), decided))
    receive(12, encodeQbftFrame(instance({ duty: 200 }), decided))
    assert.deepEqual(delivered, [])
    const reasons = ['not-a-member', 'not-a-member', 'unknown-pool', 'not-now', 'malformed', 'malformed']
    assert.deepEqual(
      told,
      reasons.map((reason) => `messageDropped ${reason}`),
    )
  })

  it('never throws on garbage', () => {
    const { receive, told, delivered } = setUp()
    const partial = encodePartialFrame(instance(), { root: root('r'), signature, wanted: false, certified: undefined })
    const frames = [new Uint8Array(0), new Uint8Array([1]), partial.subarray(0, 100), Uint8Array.from([...partial, 0])]
    for (let i = 0; i < 500; i++) frames.push(randomBytes(i))
    for (const frame of frames) receive(12, frame)
    assert.equal(delivered.length, 0)
    assert.equal(told.length, frames.length)
  })
})
