import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDurableStates } from '../../../../operator/signer/durable-states.ts'
import { openSealedStates, type SealedStates } from '../../../../operator/signer/sealed-states.ts'
import { folderOf, withCode } from './support.ts'

type State = { readonly steps: readonly string[] }
const KEY = new Uint8Array(32).fill(7)

/** Writes wait until they are let go, one by one. */
function slowDisk() {
  const waiting: { readonly id: string; readonly value: State; readonly done: PromiseWithResolvers<void> }[] = []
  const sealed: SealedStates = {
    list: () => [],
    load: () => undefined,
    save: (id, value) => {
      const done = Promise.withResolvers<void>()
      waiting.push({ id, value: JSON.parse(Buffer.from(value).toString('utf8')) as State, done })
      return done.promise
    },
    erase: async () => {},
  }
  return { sealed, waiting }
}

describe('durable states', () => {
  it('saves that come while another is being written are written as one, and none resolves before its own is on disk', async () => {
    const { sealed, waiting } = slowDisk()
    const states = createDurableStates<State>(sealed)
    const resolved: number[] = []
    const saves = [['a'], ['a', 'b'], ['a', 'b', 'c']].map(async (steps, at) => {
      await states.save('x', { steps })
      resolved.push(at)
    })
    assert.deepEqual(states.find('x'), { steps: ['a', 'b', 'c'] }, 'seen at once')
    waiting[0]?.done.resolve()
    await saves[0]
    assert.deepEqual(resolved, [0])
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(
      waiting.map(({ value }) => value.steps),
      [['a'], ['a', 'b', 'c']],
    )
    waiting[1]?.done.resolve()
    await Promise.all(saves)
    assert.deepEqual(resolved.toSorted(), [0, 1, 2])
  })

  it('what could not be written is written before anybody goes on with it', async () => {
    const { sealed, waiting } = slowDisk()
    const states = createDurableStates<State>(sealed)
    const first = states.save('x', { steps: ['a'] })
    waiting[0]?.done.reject(new Error('disk full'))
    await assert.rejects(first, /disk full/)
    const again = states.settle('x')
    assert.equal(waiting.length, 2)
    waiting[1]?.done.resolve()
    await again
    await states.settle('x')
    assert.equal(waiting.length, 2)
  })

  it('what is erased while it is being written is gone, and never saved again', async (test) => {
    const folder = folderOf(test)
    const states = createDurableStates<State>(openSealedStates(folder, KEY))
    const saving = states.save('x', { steps: ['a'] })
    const erasing = states.erase('x')
    assert.equal(states.find('x'), undefined)
    const late = states.save('x', { steps: ['b'] })
    await Promise.all([saving, erasing])
    await assert.rejects(late, withCode('CONFLICTING_STEP'))
    const reopened = openSealedStates(folder, KEY)
    assert.deepEqual(reopened.list(), [])
    assert.equal(reopened.load('x'), undefined)
    await assert.rejects(reopened.save('x', new Uint8Array(1)), withCode('CONFLICTING_STEP'))
  })

  it('another process finds the last that was saved, not what was only kept', async (test) => {
    const folder = folderOf(test)
    const states = createDurableStates<State>(openSealedStates(folder, KEY))
    await Promise.all([states.save('x', { steps: ['a'] }), states.save('x', { steps: ['a', 'b'] })])
    states.keep('x', { steps: ['a', 'b', 'kept'] })
    await states.settle('x')
    assert.deepEqual(createDurableStates<State>(openSealedStates(folder, KEY)).find('x'), { steps: ['a', 'b'] })
  })
})
