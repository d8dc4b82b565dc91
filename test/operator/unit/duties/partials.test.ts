import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BlsSignature } from '../../../../operator/core/ids.ts'
import type { Certifier } from '../../../../operator/duties/certifier.ts'
import { Partials } from '../../../../operator/duties/partials.ts'
import { DutyError } from '../../../../operator/duties/reasons.ts'
import { openDutyFrame, readPartialBody } from '../../../../operator/protocol/messages/duty.ts'
import { attestationDuty, crypto, member, recordingLog, recordingNetwork, root, settle, TestClock, testPool } from './support.ts'

function setUp(size = 4) {
  const { pool, keys } = testPool(1, size)
  const [clock, { network, sent }, { log, lines }] = [new TestClock(), recordingNetwork(), recordingLog()]
  let combinations = 0
  const scheme: typeof crypto.scheme = {
    ...crypto.scheme,
    combine(partials, threshold) {
      combinations += 1
      return crypto.scheme.combine(partials, threshold)
    },
  }
  const told: string[] = []
  const certifier = {
    take: (_: unknown, index: number) => told.push(`take ${index}`),
    complete: (_: unknown, signed: string) => told.push(`complete ${signed === root('root')}`),
  } as unknown as Certifier
  const partials = new Partials({ clock, network, scheme, certifier, log, resendMs: 100, longestPauseMs: 400, certifyMs: 50 })
  const duty = attestationDuty(pool)
  const controller = new AbortController()
  const from = (index: number, name = 'root', signature = keys.sign(member(index), root(name)), wanted = false): void =>
    partials.receive(duty, member(index), { root: root(name), signature, wanted, certified: undefined })
  const share = (certify?: () => BlsSignature): void =>
    partials.share(duty, { root: root('root'), partial: keys.sign(member(1), root('root')), certify }, controller.signal)
  return { told, pool, partials, duty, controller, clock, sent, lines, from, share, combinations: () => combinations }
}

describe('partial signatures', () => {
  it('make the group signature at the threshold, without waiting for the last member', async () => {
    const { partials, duty, pool, controller, from, share } = setUp()
    const signature = partials.aggregate(duty, controller.signal)
    share()
    from(2)
    from(4)
    assert.ok(crypto.scheme.verify(pool.groupKey, root('root'), await signature))
  })

  it('that come before the own one are kept', async () => {
    const { partials, duty, controller, from, share, combinations } = setUp()
    for (const index of [2, 3, 4]) from(index)
    assert.equal(combinations(), 0)
    share()
    await partials.aggregate(duty, controller.signal)
    assert.equal(combinations(), 1)
  })

  it('over another root are not counted', async () => {
    const { partials, duty, controller, from, share } = setUp()
    share()
    from(2, 'other')
    from(3)
    const signature = partials.aggregate(duty, controller.signal)
    controller.abort()
    await assert.rejects(
      signature,
      (failure) => failure instanceof DutyError && failure.code === 'TOO_FEW_PARTIALS' && /2 of 3/.test(failure.message),
    )
  })

  it('that are bad are found, dropped and named, and their sender is not heard again', async () => {
    const { partials, duty, controller, from, share, lines, combinations } = setUp()
    share()
    from(2, 'root', `0x${'13'.repeat(96)}` as BlsSignature)
    from(3)
    assert.deepEqual(
      lines.map(({ message, data }) => [message, data.member, data.producer]),
      [['a vault member sent a bad partial signature', 2, 12]],
    )
    const before = combinations()
    for (let i = 0; i < 10; i++) from(2, 'root', `0x${i.toString().repeat(192)}` as BlsSignature)
    assert.equal(combinations(), before)
    from(4)
    await partials.aggregate(duty, controller.signal)
  })

  it('are asked for again with growing pauses until there are enough', async () => {
    const { clock, sent, share, from } = setUp()
    share()
    const wanted = (): number => sent.filter(({ bytes }) => readPartialBody(openDutyFrame(bytes).body).wanted).length
    assert.deepEqual([sent.length, wanted()], [3, 0])
    await clock.advanceTo(100)
    assert.equal(wanted(), 3)
    await clock.advanceTo(1_500) // 300, 700, 1,100, 1,500: at most 400 apart
    assert.equal(wanted(), 15)
    from(2)
    from(3)
    await clock.advanceTo(10_000)
    assert.equal(wanted(), 15)
  })

  it('are sent again to a member that asks, a bounded number of times', () => {
    const { sent, share, from, pool } = setUp()
    share()
    sent.length = 0
    for (let i = 0; i < 1_000; i++) from(3, 'root', undefined, true)
    assert.ok(sent.length > 0 && sent.length <= 64)
    assert.ok(sent.every(({ to, bytes }) => to === pool.members[2] && !readPartialBody(openDutyFrame(bytes).body).wanted))
  })

  it('leave alone; the signature over the certificate follows when the group signature is out of the way', async () => {
    const { clock, sent, share, from, told, pool } = setUp()
    let made = 0
    const certified = `0x${'c0'.repeat(96)}` as BlsSignature
    share(() => {
      made++
      return certified
    })
    from(2)
    from(3)
    await clock.advanceTo(49)
    const read = () => sent.map(({ bytes }) => readPartialBody(openDutyFrame(bytes).body).certified)
    assert.deepEqual([made, read()], [0, [undefined, undefined, undefined]])
    assert.deepEqual(told, ['take 2', 'take 3', 'complete true'])
    await clock.advanceTo(50)
    assert.deepEqual([made, read().slice(3)], [1, [certified, certified, certified]])
    assert.deepEqual(told.at(-1), 'take 1')
    sent.length = 0
    from(4, 'root', undefined, true)
    assert.deepEqual([sent[0]?.to, read()], [pool.members[3], [certified]])
  })

  it('of past slots are forgotten, and make no certificate', async () => {
    const { partials, duty, controller, from, share, sent, clock } = setUp()
    share(() => assert.fail('made for a duty that is past'))
    partials.prune(() => 101)
    await clock.advanceTo(1_000)
    sent.length = 0
    from(2, 'root', undefined, true)
    await settle()
    assert.equal(sent.length, 0)
    const signature = partials.aggregate(duty, controller.signal)
    controller.abort()
    await assert.rejects(signature, DutyError)
  })
})
