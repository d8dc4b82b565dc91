import assert from 'node:assert/strict'
import { it } from 'node:test'
import { soak } from '../../../../bench/memory.ts'

/** A leak of one small object for every duty and member would be more: 800 duties of four members. */
const MOST_GROWTH_MB = 0.5

it('duties leave nothing behind in memory, however many there were', async () => {
  const samples = await soak(2_000)
  const [settled, last] = [samples[5], samples.at(-1)]
  assert.ok(settled && last)
  assert.ok(last.duties > 1_950, `${last.duties} duties done in ${last.slots} slots`)
  assert.ok(last.heapMb - settled.heapMb < MOST_GROWTH_MB, JSON.stringify(samples))
})
