import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { runAbsence, SPOILERS } from './absence.ts'

describe('roll calls of key generations that did not end in time, under simulation', () => {
  for (const [size, seeds] of [
    [4, 40],
    [7, 10],
  ] as const) {
    it(`A32 of ${size} members: whoever is away is named by a threshold, and nobody that is there, on ${seeds} schedules`, async () => {
      let namings = 0
      for (let seed = 1; seed <= seeds; seed++) {
        const { violations, named } = await runAbsence(seed, size)
        assert.deepEqual(violations, [], `seed ${seed}`)
        namings += named === undefined ? 0 : 1
      }
      assert.ok(namings >= seeds / 5, `${namings} namings`)
    })
  }

  it('A32 each way to spoil one alone: the others name who is away all the same', async () => {
    for (const [at, spoiler] of SPOILERS.entries()) {
      const size = 7
      // Five honest ones are the threshold.
      const plan = { away: [2], late: [3, 4], spoilers: new Map([[5, spoiler]]) }
      assert.equal(size - plan.away.length - plan.spoilers.size, thresholdOf(size))
      assert.deepEqual(await runAbsence(500 + at, size, plan), { violations: [], named: 0b10n }, spoiler)
    }
  })

  it('A32 fewer than a threshold name nobody, and where all are there nobody is named', async () => {
    const few = await runAbsence(3, 4, { away: [1, 2], late: [], spoilers: new Map() })
    assert.deepEqual(few, { violations: [], named: undefined })
    const all = await runAbsence(3, 4, { away: [], late: [1, 2], spoilers: new Map() })
    assert.deepEqual(all, { violations: [], named: undefined })
  })
})
