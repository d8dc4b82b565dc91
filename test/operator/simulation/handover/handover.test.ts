import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProducerId } from '../../../../operator/core/ids.ts'
import { type HandoverPlan, runHandovers } from './run.ts'

/** Few and short: the command runs more and longer ones. */
const SHORT: Partial<HandoverPlan> = { epochs: 36 }
const QUIET: Partial<HandoverPlan> = {
  ...{ faults: new Map(), isStormy: false, crashes: 0, reorgs: 0, stuck: 0 },
  late: { from: 0, to: 0, by: 0 },
}
const vault = (...ids: readonly number[]) => ids as readonly ProducerId[]

describe('handovers under simulation', () => {
  it('sign nothing slashable across any cutover, whatever crashes, lies, comes late, twice or is taken back', async () => {
    const total = { completed: 0, crashes: 0, reorganized: 0 }
    for (const seed of [5, 12, 17, 44]) {
      const { violations, completed, crashes, reorganized } = await runHandovers({ seed, change: SHORT })
      assert.deepEqual(violations, [], `npm run simulate -- --rotation --seed ${seed}`)
      total.completed += completed
      total.crashes += crashes
      total.reorganized += reorganized
    }
    for (const count of Object.values(total)) assert.ok(count > 0, JSON.stringify(total))
  })

  it('miss no epoch when all goes well, through disjoint vaults, and the first key still signs', async () => {
    const vaults = [vault(1, 2, 3, 4), vault(5, 6, 7, 8), vault(1, 2, 3, 4), vault(5, 6, 7, 8)]
    const { violations, completed, failed } = await runHandovers({ seed: 1, change: { ...QUIET, vaults, epochs: 40 } })
    assert.deepEqual(violations, [])
    assert.deepEqual([completed, failed], [3, 0])
  })

  it('a chain of ten through disjoint vaults ends with the first key, and no member can open a term that is over', async () => {
    const vaults = Array.from({ length: 11 }, (_, at) => vault(...[1, 2, 3, 4].map((place) => 4 * at + place)))
    const { violations, completed, failed } = await runHandovers({ seed: 10, change: { ...QUIET, producers: 44, vaults, epochs: 104 } })
    assert.deepEqual(violations, [])
    assert.deepEqual([completed, failed], [10, 0])
  })

  it('A33 who joins with another’s key, three times, or deals in two forms under one hash, harms nobody else', async () => {
    const vaults = [vault(1, 2, 3, 4), vault(5, 6, 7, 8), vault(3, 4, 5, 6)]
    for (const fault of ['copied-key', 'three-joins', 'two-forms'] as const) {
      for (const liar of vault(2, 5)) {
        const { violations, completed, failed } = await runHandovers({
          seed: 8,
          change: { ...QUIET, faults: new Map([[liar, fault]]), vaults, epochs: 34 },
        })
        assert.deepEqual(violations, [], `${fault} by ${liar}`)
        assert.deepEqual([completed, failed], [2, 0], `${fault} by ${liar}`)
      }
    }
  })

  it('A33 a dealer that lies is left out, and what it signed goes to the chain', async () => {
    const vaults = [vault(1, 2, 3, 4), vault(5, 6, 7, 8)]
    for (const [fault, method] of [
      ['bad-share', 'disputeDealing'],
      ['wrong-constant', 'disputeConstantTerm'],
    ] as const) {
      const faults = new Map([[2 as ProducerId, fault]])
      const { violations, completed, disputed } = await runHandovers({ seed: 3, change: { ...QUIET, faults, vaults, epochs: 30 } })
      assert.deepEqual(violations, [])
      assert.equal(completed, 1)
      assert.deepEqual(disputed, [`${method}/2`])
    }
  })

  it('A33 who leaves a member out and proposes just that, or deals it a bad share in secret, keeps nobody from its share', async () => {
    // At each place: at one of them it proposes first.
    for (const place of [0, 1, 2, 3]) {
      const vaults = [vault(1, 2, 3, 4), vault(...[5, 6, 7].toSpliced(place, 0, 1))]
      for (const fault of ['shuts-out', 'keeps-back'] as const) {
        const faults = new Map([[1 as ProducerId, fault]])
        const { violations, completed, failed } = await runHandovers({ seed: 7, change: { ...QUIET, faults, vaults, epochs: 26 } })
        assert.deepEqual(violations, [], `${fault} at place ${place + 1}`)
        assert.deepEqual([completed, failed], [1, 0], `${fault} at place ${place + 1}`)
      }
    }
  })

  it('an old vault that is cut off from the chain stops by itself; without the margin it would be caught', async () => {
    const vaults = [vault(1, 2, 3, 4), vault(5, 6, 7, 8)]
    const change = { ...QUIET, vaults, stuck: 1, epochs: 30 }
    assert.deepEqual((await runHandovers({ seed: 2, change })).violations, [])
    const { violations } = await runHandovers({ seed: 2, change: { ...change, margin: 1_000 } })
    assert.match(violations[0] ?? 'nothing was caught', /^slashable/)
  })
})
