import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { QbftEngine } from '../../../../../operator/protocol/qbft/engine.ts'
import { valueRoot } from '../../../../../operator/protocol/qbft/session.ts'
import type { PreparedCertificate, QbftEffect } from '../../../../../operator/protocol/qbft/types.ts'
import { MAX_ROUND, ZERO_ROOT } from '../../../../../operator/protocol/qbft/types.ts'
import { bare, bytes, member, settings, signed, Vault } from './support.ts'

const isType = (type: string) => (effect: QbftEffect) =>
  effect.kind === 'broadcast' && effect.message.kind === 'statement' && effect.message.signed.type === type

describe('QBFT engine', () => {
  for (const size of [4, 5, 6, 7]) {
    it(`decides the leader's value in round 1 with ${size} members`, () => {
      const vault = new Vault(size)
      vault.startAll()
      assert.deepEqual(vault.decided(), Array(size).fill('value of 1'))
      assert.ok([...vault.decisions.values()].every(({ round, commits }) => round === 1 && commits.length >= Math.ceil((2 * size) / 3)))
    })
  }

  it('changes the round when the leader is silent, with doubled timers', () => {
    const vault = new Vault()
    vault.passes = ({ from, to }) => from !== 1 && to !== 1
    vault.startAll()
    assert.deepEqual(vault.decided(), [undefined, undefined, undefined, undefined])
    vault.timeoutAll()
    assert.deepEqual(vault.decided(), [undefined, 'value of 2', 'value of 2', 'value of 2'])
    assert.deepEqual(vault.timers.get(2), { kind: 'timer', round: 2, afterMs: 200 })
  })

  it('keeps a value that a quorum has prepared through a round change', () => {
    const vault = new Vault()
    vault.passes = ({ message }) => !(message.kind === 'statement' && message.signed.type === 'commit')
    vault.startAll()
    assert.equal(vault.decisions.size, 0)
    vault.passes = () => true
    vault.timeoutAll()
    assert.deepEqual(vault.decided(), Array(4).fill('value of 1'))
    assert.equal(vault.decisions.get(3)?.round, 2)
  })

  it('answers a late member with a decision that proves itself', () => {
    const vault = new Vault()
    vault.passes = ({ from, to }) => from !== 4 && to !== 4
    vault.startAll()
    assert.deepEqual(vault.decided(), ['value of 1', 'value of 1', 'value of 1', undefined])
    vault.passes = () => true
    vault.timeoutAll()
    assert.deepEqual(vault.decided(), Array(4).fill('value of 1'))
    assert.equal(vault.faults.length, 0)
  })

  it('follows f + 1 members into a later round', () => {
    const engine = new QbftEngine(settings(1))
    engine.start()
    const change = (from: number, round: number) => bare(signed(from, { type: 'round-change', round, value: ZERO_ROOT }))
    assert.deepEqual(engine.receive(member(2), change(2, 5)), [])
    const effects = engine.receive(member(3), change(3, 3))
    assert.equal(engine.round, 3)
    assert.ok(effects.some(isType('round-change')))
  })

  it('refuses a value that it would not sign, and another leader is followed', () => {
    const vault = new Vault()
    vault.startAll((self) => (self === 1 ? 'bad value' : `value of ${self}`))
    assert.equal(vault.decisions.size, 0)
    vault.timeoutAll()
    assert.deepEqual(vault.decided(), Array(4).fill('value of 2'))
  })

  it('judges again when told to', () => {
    let ready = false
    const vault = new Vault(4, (self) => (self === 1 ? {} : { isValid: () => ready }))
    vault.startAll()
    assert.equal(vault.decisions.size, 0)
    ready = true
    for (const [self, engine] of vault.engines) vault.perform(self, engine.reconsider())
    vault.deliver()
    assert.deepEqual(vault.decided(), Array(4).fill('value of 1'))
  })

  it('drops a member for a bad signature, and only in that instance', () => {
    const engine = new QbftEngine(settings(2))
    engine.start()
    const forged = {
      ...signed(3, { type: 'prepare', round: 1, value: valueRoot(bytes('x')) }),
      signature: signed(4, { type: 'prepare', round: 1, value: ZERO_ROOT }).signature,
    }
    assert.deepEqual(engine.receive(member(3), bare(forged)), [{ kind: 'fault', member: 3, fault: 'bad-signature' }])
    const right = signed(3, { type: 'prepare', round: 1, value: ZERO_ROOT })
    assert.deepEqual(engine.receive(member(3), bare(right)), [])
  })

  it('drops a member that passes on another as itself', () => {
    const engine = new QbftEngine(settings(2))
    engine.start()
    const effects = engine.receive(member(3), bare(signed(4, { type: 'commit', round: 1, value: ZERO_ROOT })))
    assert.deepEqual(effects, [{ kind: 'fault', member: 3, fault: 'bad-signature' }])
  })

  it('keeps both statements of an equivocation as evidence', () => {
    const engine = new QbftEngine(settings(2))
    engine.start()
    const one = signed(3, { type: 'commit', round: 1, value: valueRoot(bytes('a')) })
    const two = signed(3, { type: 'commit', round: 1, value: valueRoot(bytes('b')) })
    engine.receive(member(3), bare(one))
    assert.deepEqual(engine.receive(member(3), bare(one)), [])
    assert.deepEqual(engine.receive(member(3), bare(two)), [{ kind: 'fault', member: 3, fault: 'equivocation', evidence: [one, two] }])
  })

  it('refuses a pre-prepare that ignores what was prepared', () => {
    const prepared = valueRoot(bytes('prepared'))
    const prepares = [1, 3, 4].map((from) => signed(from, { type: 'prepare', round: 1, value: prepared }))
    const roundChanges = [
      signed(2, { type: 'round-change', round: 2, value: ZERO_ROOT }),
      signed(3, { type: 'round-change', round: 2, value: ZERO_ROOT }),
      signed(4, { type: 'round-change', round: 2, value: ZERO_ROOT, preparedRound: 1, preparedValue: prepared }),
    ]
    const proposal = (value: string) =>
      ({
        kind: 'statement',
        signed: signed(2, { type: 'pre-prepare', round: 2, value: valueRoot(bytes(value)) }),
        roundChanges,
        prepares,
        value: bytes(value),
      }) as const
    const one = new QbftEngine(settings(1))
    one.start()
    assert.deepEqual(one.receive(member(2), proposal('other')), [{ kind: 'fault', member: 2, fault: 'bad-justification' }])
    const other = new QbftEngine(settings(1))
    other.start()
    assert.ok(other.receive(member(2), proposal('prepared')).some(isType('prepare')))
    assert.equal(other.round, 2)
  })

  it('refuses a round change whose prepared claim is not proven', () => {
    const engine = new QbftEngine(settings(1))
    engine.start()
    const preparedValue = valueRoot(bytes('x'))
    const claim = signed(3, { type: 'round-change', round: 2, value: ZERO_ROOT, preparedRound: 1, preparedValue })
    const prepares = [signed(3, { type: 'prepare', round: 1, value: preparedValue })]
    const effects = engine.receive(member(3), { kind: 'statement', signed: claim, roundChanges: [], prepares, value: bytes('x') })
    assert.deepEqual(effects, [{ kind: 'fault', member: 3, fault: 'bad-justification' }])
  })

  it('refuses a decision without a quorum of distinct committers', () => {
    const value = bytes('x')
    const commit = (from: number) => signed(from, { type: 'commit', round: 1, value: valueRoot(value) })
    for (const commits of [
      [commit(1), commit(3)],
      [commit(1), commit(3), commit(3)],
    ]) {
      const engine = new QbftEngine(settings(2))
      engine.start()
      assert.deepEqual(engine.receive(member(1), { kind: 'decided', commits, value }), [
        { kind: 'fault', member: 1, fault: 'bad-justification' },
      ])
    }
    const engine = new QbftEngine(settings(2))
    engine.start()
    engine.receive(member(1), { kind: 'decided', commits: [commit(1), commit(3), commit(4)], value })
    assert.deepEqual(engine.decision?.value, value)
  })

  it('after a restart claims what it had prepared', () => {
    let kept: PreparedCertificate | undefined
    const vault = new Vault(4, (self) =>
      self === 3
        ? {
            sign: (statement, certificate) => {
              kept = certificate ?? kept
              return settings(3).sign(statement)
            },
          }
        : {},
    )
    vault.passes = ({ message }) => !(message.kind === 'statement' && message.signed.type === 'commit')
    vault.startAll()
    const restarted = new QbftEngine(settings(3))
    restarted.start({ round: 1, prepared: kept })
    const change = restarted.timeout(1).find(isType('round-change'))
    assert.ok(change?.kind === 'broadcast' && change.message.kind === 'statement')
    assert.equal(change.message.signed.preparedRound, 1)
    assert.equal(change.message.signed.preparedValue, valueRoot(bytes('value of 1')))
    assert.equal(change.message.prepares.length, 3)
  })

  it('stays silent where the gate refuses', () => {
    const engine = new QbftEngine(settings(1, 4, { sign: () => undefined }))
    const effects = [...engine.start(), ...engine.propose(bytes('x')), ...engine.timeout(1)]
    assert.ok(effects.every(({ kind }) => kind === 'timer'))
  })

  it('neither enters nor stores rounds beyond the last', () => {
    const engine = new QbftEngine(settings(1))
    engine.start()
    for (const from of [2, 3, 4])
      engine.receive(member(from), bare(signed(from, { type: 'round-change', round: MAX_ROUND + 1, value: ZERO_ROOT })))
    assert.equal(engine.round, 1)
    for (let round = 1; round <= MAX_ROUND + 2; round++) engine.timeout(round)
    assert.equal(engine.round, MAX_ROUND)
  })
})
