import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import { MemoryWatch } from '../../../devnet/life/memory.ts'

it('tells how much the processes grew that lived from the mark on', async () => {
  const watch = new MemoryWatch()
  const brief = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(brief, 'spawn')
  watch.watch('operator', process.pid)
  watch.watch('operator', brief.pid ?? 0)
  watch.watch('beacon', process.pid)
  watch.mark(10)
  brief.kill('SIGKILL')
  await once(brief, 'exit')
  const held = Buffer.alloc(64 * 2 ** 20, 1)
  const { from, to, perEpoch } = watch.growth('operator', 14)
  assert.ok(to - from > 55 && to - from < 200, `${from} to ${to} MB with ${held.length} bytes more`)
  assert.ok(Math.abs(perEpoch - (to - from) / 4) < 0.1)
  watch.sample()
  assert.ok(watch.peak('operator') >= Math.floor(to))
  assert.deepEqual(watch.growth('execution', 14), { from: 0, to: 0, perEpoch: 0 })
})
