import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { faultsOf } from '../../../../operator/core/vault.ts'
import { LIE_NAMES } from './lies.ts'
import { type Fate, firstLeaderOf, runCeremonySeed } from './run.ts'
import { describeCeremonyFailure, deviation, runCeremonySeeds } from './seeds.ts'

const rushed = { keys: 0, ones: 0 }

describe('key generations with up to f malicious members under simulation', () => {
  for (const [size, seeds] of [
    [4, 140],
    [7, 15],
    [24, 1],
  ] as const) {
    it(`of ${size} members end with one key of the same dealers, that honest shares sign with, and blame nobody honest, on ${seeds} schedules`, async () => {
      const { failures, rushed: bits } = await runCeremonySeeds({ size, from: 1, to: seeds })
      rushed.keys += bits.keys
      rushed.ones += bits.ones
      assert.deepEqual(failures.map(describeCeremonyFailure), [])
    })
  }

  it('A32 an attempt to bias the key’s last bit stays within chance', () => {
    assert.ok(rushed.keys >= 40, `${rushed.keys} keys that somebody rushed to bias`)
    assert.ok(deviation(rushed) < 4, `${rushed.ones} of ${rushed.keys} end in a 1`)
  })

  it('each way to lie alone, with a full number of liars', async () => {
    for (const [at, name] of LIE_NAMES.entries()) {
      const size = at % 5 === 0 ? 7 : 4
      const fates = new Map<number, Fate>(Array.from({ length: faultsOf(size) }, (_, each) => [1 + ((at + 2 * each) % size), name]))
      const { violations } = await runCeremonySeed({ seed: 1_000 + at, size, fates })
      assert.deepEqual(violations, [], `${name}: ${JSON.stringify([...fates])}`)
    }
  })

  it('a leader that proposes another agreement is not followed: the next one proposes the true one', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const fates = new Map<number, Fate>([[firstLeaderOf(4), 'false proposal as a leader']])
      const { violations, qualified } = await runCeremonySeed({ seed, size: 4, fates })
      assert.deepEqual(violations, [], `seed ${seed}`)
      assert.deepEqual(qualified, [1, 2, 3, 4])
    }
  })

  it('who signs a join for each of the others does not keep them from agreeing on who takes part', async () => {
    const fates = new Map<number, Fate>([
      [3, 'a join key for each, then silence'],
      [7, 'join key that is no point'],
    ])
    for (const seed of [1, 136]) assert.deepEqual((await runCeremonySeed({ seed, size: 7, fates })).violations, [], `seed ${seed}`)
  })

  it('more liars than f are caught by the referee', async () => {
    const fates = new Map<number, Fate>([1, 2, 3].map((member) => [member, 'withheld reveal']))
    const { violations } = await runCeremonySeed({ seed: 7, size: 4, fates })
    assert.match(violations.join(), /liveness/)
  })

  it('replay exactly from their seed', async () => {
    assert.deepEqual(await runCeremonySeed({ seed: 33, size: 4 }), await runCeremonySeed({ seed: 33, size: 4 }))
  })
})
