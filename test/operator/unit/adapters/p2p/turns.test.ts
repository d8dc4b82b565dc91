import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Turns } from '../../../../../operator/adapters/p2p/turns.ts'

/** Takes longer than a turn is given. */
function calculate(): void {
  for (const end = performance.now() + 8; performance.now() < end; );
}

describe('messages that come all at once', () => {
  it('are dealt with in order, over several turns of the event loop, and what follows from one comes before the next', async () => {
    const turns = new Turns()
    const done: string[] = []
    for (let at = 1; at <= 4; at++) {
      turns.do(() => {
        calculate()
        done.push(`message ${at}`)
        queueMicrotask(() => done.push(`after ${at}`))
      })
    }
    assert.deepEqual(done, ['message 1'])
    for (let turn = 0; turn < 20 && done.length < 8; turn++) await nextTurn()
    assert.deepEqual(
      done,
      [1, 2, 3, 4].flatMap((at) => [`message ${at}`, `after ${at}`]),
    )
  })

  it('are dealt with at once while there is time', () => {
    const turns = new Turns()
    const done: number[] = []
    for (let at = 1; at <= 3; at++) turns.do(() => done.push(at))
    assert.deepEqual(done, [1, 2, 3])
  })

  it('never wait in numbers without bound, nor change their order for that', async () => {
    const turns = new Turns()
    const done: number[] = []
    turns.do(calculate)
    for (let at = 0; at < 2_000; at++) turns.do(() => done.push(at))
    assert.ok(done.length >= 2_000 - 513, `${done.length} done at once`)
    for (let turn = 0; turn < 2_000 && done.length < 2_000; turn++) await nextTurn()
    assert.deepEqual(
      done,
      Array.from({ length: 2_000 }, (_, at) => at),
    )
  })
})
