import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { orAbort } from '../../../../operator/duties/time.ts'

const late = (): Error => new Error('late')

describe('orAbort', () => {
  it('settles with the promise, or with the failure once the signal aborts', async () => {
    const controller = new AbortController()
    assert.equal(await orAbort(Promise.resolve(1), controller.signal, late), 1)
    await assert.rejects(orAbort(Promise.reject(new Error('own')), controller.signal, late), /own/)
    const waiting = orAbort(new Promise(() => {}), controller.signal, late)
    controller.abort()
    await assert.rejects(waiting, /late/)
  })

  it('leaves no rejection unhandled, however late the promise fails', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    const failing = async (): Promise<never> => {
      await sleep(5)
      throw new Error('no answer')
    }
    const controller = new AbortController()
    const before = orAbort(failing(), controller.signal, late)
    controller.abort()
    await assert.rejects(before, /late/)
    await assert.rejects(orAbort(failing(), controller.signal, late), /late/)
    await sleep(20)
    process.off('unhandledRejection', note)
    assert.deepEqual(unhandled, [])
  })
})
