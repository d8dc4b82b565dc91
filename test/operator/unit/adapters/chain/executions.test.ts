import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Executions } from '../../../../../operator/adapters/chain/executions.ts'

const TIMEOUT = new Error('no answer in time')
const isTimeout = (error: unknown): boolean => error === TIMEOUT

describe('Executions', () => {
  it('go two at a time, in order', async () => {
    const executions = new Executions()
    const started: number[] = []
    const finish: (() => void)[] = []
    const all = [0, 1, 2, 3].map((i) =>
      executions.run(() => {
        started.push(i)
        return new Promise<void>((resolve) => finish.push(resolve))
      }, isTimeout),
    )
    await setImmediate()
    assert.deepEqual(started, [0, 1])
    finish[0]?.()
    await setImmediate()
    assert.deepEqual(started, [0, 1, 2])
    for (const i of [1, 2]) finish[i]?.()
    await setImmediate()
    finish[3]?.()
    await Promise.all(all)
    assert.deepEqual(started, [0, 1, 2, 3])
  })

  it('rest after one that timed out, longer each time, and not at all after an answer', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    const now = mock.method(performance, 'now', () => clock)
    let clock = 0
    const pass = async (ms: number): Promise<void> => {
      clock += ms
      mock.timers.tick(ms)
      await setImmediate()
    }
    try {
      const executions = new Executions(() => 0.5)
      const fails = () =>
        assert.rejects(
          executions.run(() => Promise.reject(TIMEOUT), isTimeout),
          TIMEOUT,
        )
      let ran = 0
      const work = () => executions.run(async () => ++ran, isTimeout)
      await fails()
      const second = fails()
      await pass(4_001)
      await second
      const third = work()
      await pass(7_000)
      assert.equal(ran, 0, 'the second rest is twice as long')
      await pass(1_001)
      await third
      assert.equal(ran, 1)
      await work()
      assert.equal(ran, 2, 'after an answer nothing waits')
      await assert.rejects(
        executions.run(() => Promise.reject(new Error('refused')), isTimeout),
        /refused/,
      )
      await work()
      assert.equal(ran, 3, 'a refusal is an answer')
    } finally {
      now.mock.restore()
      mock.timers.reset()
    }
  })

  it('end with the signal while they wait', async () => {
    const executions = new Executions()
    const controller = new AbortController()
    const finish: (() => void)[] = []
    const busy = [0, 1].map(() => executions.run(() => new Promise<void>((resolve) => finish.push(resolve)), isTimeout))
    const waiting = executions.run(async () => assert.fail('not its turn'), isTimeout, controller.signal)
    controller.abort(new Error('stopped'))
    await assert.rejects(waiting, /stopped/)
    for (const end of finish) end()
    await Promise.all(busy)
  })
})
