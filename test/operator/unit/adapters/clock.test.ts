import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../../../operator/adapters/clock.ts'
import type { Milliseconds } from '../../../../operator/core/ids.ts'
import { until } from './support/wait.ts'

describe('system clock', () => {
  it('never calls back before the time, and at once for a past one', async () => {
    const late: number[] = []
    const now = systemClock.now()
    for (let i = 0; i < 50; i++) {
      const time = (now + i) as Milliseconds
      systemClock.at(time, () => late.push(systemClock.now() - time))
    }
    systemClock.at((now - 5000) as Milliseconds, () => late.push(0))
    await until('51 callbacks', () => late.length === 51)
    assert.ok(late.every((ms) => ms >= 0))
  })

  it('cancels, and waits for a time beyond what one timer takes', async () => {
    const called: string[] = []
    const cancel = systemClock.at((systemClock.now() + 20) as Milliseconds, () => called.push('cancelled'))
    const far = systemClock.at((systemClock.now() + 2 ** 33) as Milliseconds, () => called.push('far'))
    cancel()
    await new Promise((resolve) => setTimeout(resolve, 60))
    far()
    assert.deepEqual(called, [])
  })
})
