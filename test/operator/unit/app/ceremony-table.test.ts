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
  const open = { poolId: 7, kind: 'dkg', round: 2, stage: 'agree', waitingFor: [3, 4], members: [5, 9, 1, 2], deadlineAt: NOW + 200_000 }

  it('shows a ceremony: its stage, the vault, who is missing, the time left', () => {
    const text = textOf([open])
    assert.match(text, /^pool 7, key generation, round 2\n {2}stage +agree \(4 of 9\)$/m)
    assert.match(text, /^ {2}vault +1: producer 5, 2: producer 9 \(this one\), 3: producer 1, 4: producer 2$/m)
    assert.match(text, /^ {2}waits for +member 3 \(producer 1\), member 4 \(producer 2\)$/m)
    assert.match(text, /^ {2}time left +3 min 20 s$/m)
    assert.match(textOf([{ ...open, deadlineAt: NOW - 1 }]), /time left +none: its deadline is over/)
  })

  it('shows what became of the last ones, the newest first', () => {
    const ended = [1, 2].map((poolId) => ({
      ...open,
      poolId,
      members: [],
      deadlineAt: null,
      outcome: poolId === 1 ? 'registered' : 'too late',
    }))
    assert.match(textOf(ended), /^No ceremony is under way\.$/m)
    assert.match(textOf(ended), /Ended, the last one first:\n {2}pool 2, key generation, round 2 {2}too late\n {2}pool 1, .* registered$/)
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
