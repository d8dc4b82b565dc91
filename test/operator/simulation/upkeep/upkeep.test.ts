import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runUpkeep } from './run.ts'

const sizeOf = (seed: number): number => (seed % 2 === 0 ? 4 : 7)

describe('reports and upkeep of 4 and 7 operators under simulation', () => {
  it('one true commitment an epoch, no forged certificate published, every leader replaced, every call made, on 6 schedules', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { violations } = await runUpkeep({ seed, size: sizeOf(seed) })
      assert.deepEqual(violations, [], `npm run simulate -- --upkeep --seed ${seed}`)
    }
  })

  it('a committee with a quorum of liars is caught', async () => {
    const { violations } = await runUpkeep({ seed: 2, size: 4, quorumBroken: true })
    assert.match(violations.join(), /validity/)
  })

  it('replays a schedule exactly from its seed', async () => {
    assert.deepEqual(await runUpkeep({ seed: 77, size: 7 }), await runUpkeep({ seed: 77, size: 7 }))
  })
})
