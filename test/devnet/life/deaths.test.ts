import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Deaths } from '../../../devnet/life/deaths.ts'

test('a process that ends unmeant ends the stage in which it happens, or the next one', async () => {
  const deaths = new Deaths()
  const [operator, killed, chain] = [
    Promise.withResolvers<number | null>(),
    Promise.withResolvers<null>(),
    Promise.withResolvers<number | null>(),
  ]
  deaths.watch({ name: 'operator-1', process: { ended: operator.promise }, isExpected: () => false })
  deaths.watch({ name: 'operator-2', process: { ended: killed.promise }, isExpected: () => true })
  deaths.watch({ name: 'the chain', process: { ended: chain.promise }, isExpected: () => false })

  const first: string[] = []
  const stop = deaths.onDeath((reason) => first.push(reason))
  killed.resolve(null)
  await turn()
  assert.deepEqual(first, [])
  operator.resolve(1)
  await turn()
  assert.deepEqual(first, ['operator-1 ended with status 1: see its log'])

  stop()
  chain.resolve(2)
  await turn()
  assert.equal(first.length, 1)
  const second: string[] = []
  deaths.onDeath((reason) => second.push(reason))
  assert.deepEqual(second, ['the chain ended with status 2: see its log'])
})
