import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MachineWatch } from '../../../devnet/life/machine.ts'

it('tells when the machine stood still or was busy, and says nothing of one that did its part', () => {
  let [now, load] = [0, 1]
  const watch = new MachineWatch({ now: () => now, load: () => load })
  for (; now < 60_000; now += 400) watch.beat()
  assert.equal(watch.excuse(), undefined)
  load = 4.5
  assert.match(watch.excuse() ?? '', /busy: 4\.5 processes wait for each core/)
  for (const pause of [31_000, 400, 9_000]) {
    now += pause
    watch.beat()
  }
  assert.match(watch.excuse() ?? '', /stood still for 40 s/)
})
