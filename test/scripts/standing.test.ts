import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Commitment, CommitmentPhase } from '../../operator/core/network.ts'
import { type Court, standingOf } from '../../scripts/dispute/court.ts'

const courtWith = (phases: readonly CommitmentPhase[]): Court => {
  const made = phases.map((phase, at) => [at + 1, { phase, windowEnds: 1_800_000_000 } as Commitment] as const)
  return { state: { commitments: new Map(made) } } as unknown as Court
}

it('a dispute whose reference state is gone says what can still be done about the commitment', () => {
  const court = courtWith(['open', 'pending', 'disputed', 'finalized', 'dropped'])
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((id) => standingOf(court, id)),
    [
      'commitment 1: its pages are not all posted yet',
      'commitment 2: it can be disputed until 2027-01-15T08:00:00.000Z',
      'commitment 3: it is disputed already',
      'commitment 4: it is finalized: it cannot be disputed any more',
      'commitment 5: it is dropped: there is nothing to dispute any more',
    ],
  )
  assert.throws(() => standingOf(court, 6), { code: 'UNKNOWN', message: 'there is no commitment 6: the last one is 5' })
  assert.throws(() => standingOf(courtWith([]), 1), { message: 'there is no commitment 1: none has been made yet' })
})
