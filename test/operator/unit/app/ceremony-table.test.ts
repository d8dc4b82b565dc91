import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ceremonyStatus } from '../../../../operator/app/ceremony-status.ts'
import { ceremonyTable } from '../../../../operator/app/ceremony-table.ts'
import type { CeremonyRecord, CeremonyStatus, OperatorStatus } from '../../../../operator/app/status.ts'
import type { NetworkState } from '../../../../operator/core/network.ts'
import type { ChainSpec } from '../../../../operator/core/ports/beacon.ts'

const NOW = Date.UTC(2026, 0, 2)
const textOf = (ceremonies: readonly object[]): string =>
  ceremonyTable({ producerId: 9, ceremonies: ceremonies as readonly CeremonyStatus[] } as OperatorStatus, NOW).join('\n')

describe('ceremony table', () => {
  const open = {
    ...{ poolId: 7, kind: 'dkg', round: 2, stage: 'agree', since: NOW - 2_000, waitingFor: [3, 4], patienceUntil: NOW + 4_000 },
    ...{ members: [5, 9, 1, 2], deadlineAt: NOW + 200_000, roster: null, qualified: null, complaints: [], faults: [] },
  }
  const fault = { member: 4, rule: 'BAD_SHARE', reason: 'member 4 dealt member 2 a bad share' }
  const complaint = { member: 2, dealer: 4, guilty: 'dealer', fault: 'share' }

  it('shows a ceremony: its stage, the vault, who is missing, the time left', () => {
    const text = textOf([open])
    assert.match(text, /^pool 7, key generation, round 2\n {2}stage +agree \(4 of 9\), for 2 s$/m)
    assert.match(text, /^ {2}vault +1: producer 5, 2: producer 9 \(this one\), 3: producer 1, 4: producer 2$/m)
    assert.match(text, /^ {2}waits for +member 3 \(producer 1\), member 4 \(producer 2\); it goes on without them in 4 s$/m)
    assert.match(text, /^ {2}time left +3 min 20 s$/m)
    assert.match(textOf([{ ...open, deadlineAt: NOW - 1 }]), /time left +none: its deadline is over/)
    assert.match(textOf([{ ...open, patienceUntil: null }]), /member 4 \(producer 2\)$/m)
    assert.doesNotMatch(text, /takes part|dealings of|complaint|fault/)
  })

  it('shows who takes part, who complained about whom, the verdict, and the rules broken', () => {
    const text = textOf([{ ...open, roster: [1, 2, 4], qualified: [1, 2], complaints: [complaint], faults: [fault] }])
    assert.match(text, /^ {2}takes part +member 1 \(producer 5\), member 2 \(producer 9\), member 4 \(producer 2\)$/m)
    assert.match(text, /^ {2}dealings of +member 1 \(producer 5\), member 2 \(producer 9\)$/m)
    assert.match(
      text,
      /^ {2}complaint +member 2 \(producer 9\) about member 4 \(producer 2\): member 4 \(producer 2\) is at fault \(share\)$/m,
    )
    assert.match(text, /^ {2}fault +member 4 dealt member 2 a bad share \(BAD_SHARE\)$/m)
    const lied = textOf([{ ...open, complaints: [{ ...complaint, guilty: 'complainer' }] }])
    assert.match(lied, /: member 2 \(producer 9\) is at fault \(share\)$/m)
  })

  it('shows the roll past the deadline: who has answered, who is named absent, by whom', () => {
    const late = { ...open, deadlineAt: NOW - 1, rollCall: { answered: [1, 2], absent: [3, 4], namedBy: [1] } }
    const text = textOf([late])
    assert.match(text, /^ {2}roll call +answered by member 1 \(producer 5\), member 2 \(producer 9\)$/m)
    assert.match(text, /^ {2}absent +member 3 \(producer 1\), member 4 \(producer 2\); named by member 1 \(producer 5\)$/m)
    assert.match(textOf([{ ...late, rollCall: { ...late.rollCall, namedBy: [] } }]), /; named by nobody yet$/m)
    assert.match(textOf([{ ...late, rollCall: { answered: [1, 2, 3, 4], absent: [], namedBy: [] } }]), /roll call +all have answered$/m)
    assert.match(
      textOf([{ ...late, members: [], outcome: 'no dealing of member 3' }]),
      /^ {4}absent {5}member 3, member 4; named by member 1$/m,
    )
  })

  it('shows what became of the last ones, the newest first, with member and rule', () => {
    const over = { ...open, members: [], deadlineAt: null }
    const good = { ...over, poolId: 1, stage: 'confirm', faults: [fault], outcome: 'registered' }
    const bad = { ...over, poolId: 2, faults: [fault], outcome: `${fault.reason} (BAD_SHARE); no dealing of member 3` }
    const text = textOf([good, bad])
    assert.match(text, /^No ceremony is under way\.$/m)
    const lines = text.split('\n').slice(3)
    assert.deepEqual(lines, [
      '  pool 2, key generation, round 2: failed at "agree": member 4 dealt member 2 a bad share (BAD_SHARE); no dealing of member 3',
      '  pool 1, key generation, round 2: registered',
      '    fault      member 4 dealt member 2 a bad share (BAD_SHARE)',
    ])
    assert.match(textOf([]), /None has ended since this operator started\.$/)
  })
})

describe('ceremony status', () => {
  const spec = { genesisTimeMs: 1_000, slotsPerEpoch: 4, slotDurationMs: 500 } as ChainSpec
  const record = { poolId: 7, kind: 'dkg', round: 2, stage: 'join', waitingFor: [] } as unknown as CeremonyRecord
  const known = (pool: object) => ({ state: { pools: new Map([[7, { id: 7, ...pool }]]) } as unknown as NetworkState, spec })
  const vault = { round: 2, members: [5, 9], deadline: 10 }

  it('has the members and the deadline of its own round only, of either kind', () => {
    assert.deepEqual(ceremonyStatus(record, known({ phase: 'ceremony', ...vault })), { ...record, members: [5, 9], deadlineAt: 23_000 })
    const handover = { ...record, kind: 'rotation' } as CeremonyRecord
    const rotating = known({ phase: 'funded', ...vault, round: 1, rotation: vault })
    assert.deepEqual(ceremonyStatus(handover, rotating), { ...handover, members: [5, 9], deadlineAt: 23_000 })
    for (const over of [known({ phase: 'ceremony', ...vault, round: 3 }), known({ phase: 'registered', ...vault }), rotating]) {
      assert.deepEqual(ceremonyStatus(record, over), { ...record, members: [], deadlineAt: null })
    }
    assert.equal(ceremonyStatus(record, { state: undefined, spec: undefined }).deadlineAt, null)
  })
})
