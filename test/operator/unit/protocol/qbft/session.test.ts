import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EcdsaSignature, MemberIndex, Milliseconds } from '../../../../../operator/core/ids.ts'
import type { QbftIdentity } from '../../../../../operator/protocol/qbft/identity.ts'
import { QbftSession } from '../../../../../operator/protocol/qbft/session.ts'

const member = (index: number): MemberIndex => index as MemberIndex

/** The leader of round 1 of four, whose records are kept or not. */
function leader(durably: QbftIdentity['durably']) {
  const said: string[] = []
  let timers = 0
  const session = new QbftSession({
    size: 4,
    quorum: 3,
    self: member(1),
    leaderOf: () => member(1),
    firstRoundMs: 1_000,
    isValid: () => true,
    identity: {
      durably,
      sign: ({ type }) => `0x${type}` as EcdsaSignature,
      verify: () => true,
      resume: () => ({ round: 1, prepared: undefined }),
    },
    clock: {
      now: () => 0 as Milliseconds,
      at: () => {
        timers++
        return () => timers--
      },
    },
    broadcast: (message) => said.push(message.kind === 'statement' ? message.signed.type : message.kind),
    send: () => said.push('answer'),
    onDecided: () => said.push('decided'),
    onFault: () => {},
    onRound: () => {},
  })
  return { session, said, timers: () => timers }
}

describe('a running QBFT instance', () => {
  it('says nothing before all of a step is on disk: the proposal and its prepare wait for one record', () => {
    const records: number[] = []
    const { session, said } = leader((step) => {
      const result = step()
      records.push(said.length)
      return result
    })
    session.start()
    session.propose(new Uint8Array([1]))
    assert.deepEqual(said, ['pre-prepare', 'prepare'])
    assert.deepEqual(records, [0, 0])
  })

  it('falls silent when its records cannot be kept', () => {
    let works = true
    const { session, said, timers } = leader((step) => {
      const result = step()
      return works ? result : undefined
    })
    session.start()
    assert.equal(timers(), 1)
    works = false
    session.propose(new Uint8Array([1]))
    works = true
    session.propose(new Uint8Array([1]))
    session.reconsider()
    assert.deepEqual(said, [])
    assert.equal(timers(), 0)
  })
})
