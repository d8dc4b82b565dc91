import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openJobQueue } from '../../../../../operator/adapters/queue/job-queue.ts'
import { FolderLockError } from '../../../../../operator/adapters/store/lock.ts'
import type { Job } from '../../../../../operator/core/ports/queue.ts'
import { recordingLog } from '../support/log.ts'
import { until } from '../support/wait.ts'

describe('JobQueue on BullMQ and an embedded Postgres', () => {
  let root: string
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'open-pools-queue-'))
    await (await openJobQueue({ folder: join(root, 'empty'), log: recordingLog() })).close()
  })
  after(() => rmSync(root, { recursive: true, force: true }))
  // Making a database takes seconds; copying an empty one does not.
  const open = (name: string) => {
    const folder = join(root, name)
    if (!existsSync(folder)) cpSync(join(root, 'empty'), folder, { recursive: true })
    return openJobQueue({ folder, log: recordingLog() })
  }

  it('runs a job once for its id, before and after it is done, and after a restart', async () => {
    const ran: string[] = []
    const record = async (job: Job) => {
      ran.push(`${job.id} ${JSON.stringify(job.data)}`)
      return { done: true } as const
    }
    const queue = await open('once')
    await queue.add('draws', '7:1', { pool: 7 })
    await queue.add('draws', '7:1', { pool: 8 })
    queue.process('draws', 2, record)
    await until('job', () => ran.length === 1)
    await queue.add('draws', '7:1', { pool: 9 })
    await queue.add('draws', '12', { pool: 12 })
    await until('second job', () => ran.length === 2)
    await queue.close()
    const again = await open('once')
    again.process('draws', 2, record)
    await again.add('draws', '7:1', { pool: 10 })
    await again.add('draws', 'last', { note: 'x' })
    await until('third job', () => ran.length === 3)
    assert.deepEqual(ran, ['7:1 {"pool":7}', '12 {"pool":12}', 'last {"note":"x"}'])
    await again.close()
  })

  it('picks up at once, keeps its queues apart, delays, and runs a job again when it asks for it or throws', async (context) => {
    const queue = await open('timing')
    const times = new Map<string, number[]>()
    const note = (job: Job): number => {
      const seen = [...(times.get(job.id) ?? []), performance.now()]
      times.set(job.id, seen)
      return seen.length
    }
    queue.process('a', 4, async (job) => {
      const run = note(job)
      if (job.id === 'again' && run < 3) return { done: false, retryInMs: 50, reason: 'not yet' }
      if (job.id === 'throws' && run < 2) throw new Error('first time')
      return { done: true }
    })
    queue.process('b', 1, async (job) => {
      note(job)
      return { done: true }
    })
    await delay(300)
    const latencies: number[] = []
    for (let i = 0; i < 20; i++) {
      const begin = performance.now()
      await queue.add('b', `quick-${i}`, {})
      await until('quick', () => times.has(`quick-${i}`))
      latencies.push((times.get(`quick-${i}`)?.[0] ?? 0) - begin)
    }
    context.diagnostic(`add to start p50 ${latencies.toSorted((x, y) => x - y)[10]?.toFixed(1)} ms`)
    const begin = performance.now()
    await queue.add('a', 'later', {}, { delayMs: 400 })
    await queue.add('a', 'again', {})
    await queue.add('a', 'throws', {})
    await until('delayed', () => times.has('later'))
    const waited = (times.get('later')?.[0] ?? 0) - begin
    assert.ok(waited >= 395 && waited < 1500, `${waited}`)
    await until('again', () => times.get('again')?.length === 3)
    await until('throws', () => times.get('throws')?.length === 2)
    const [first = 0, second = 0] = times.get('throws') ?? []
    assert.ok(second - first >= 950, `backoff ${second - first}`)
    await queue.close()
  })

  it('aborts its jobs when it closes and runs them again after', async () => {
    const queue = await open('abort')
    let aborted = false
    let started = false
    queue.process('q', 1, async (_, signal) => {
      started = true
      await delay(60_000, undefined, { signal }).catch(() => {
        aborted = true
      })
      signal.throwIfAborted()
      return { done: true }
    })
    await queue.add('q', 'long', {})
    await until('started', () => started)
    await queue.close()
    assert.ok(aborted)
    const again = await open('abort')
    let ran = 0
    again.process('q', 1, async () => {
      ran++
      return { done: true }
    })
    await until('ran again', () => ran === 1)
    await again.close()
  })

  it('refuses a folder that is in use', async () => {
    const queue = await open('locked')
    await assert.rejects(open('locked'), (error: unknown) => error instanceof FolderLockError && error.code === 'FOLDER_IN_USE')
    await queue.close()
    await (await open('locked')).close()
  })

  it('begins anew when its database is broken', async () => {
    await (await open('broken')).close()
    for (const file of ['PG_VERSION', join('global', 'pg_control')]) writeFileSync(join(root, 'broken', 'postgres', file), 'garbage')
    const queue = await open('broken')
    let ran = 0
    queue.process('q', 1, async () => {
      ran++
      return { done: true }
    })
    await queue.add('q', 'x', {})
    await until('job', () => ran === 1)
    await queue.close()
  })

  it('after kill −9 runs the interrupted job again, at once', async () => {
    const module = new URL('../../../../../operator/adapters/queue/job-queue.ts', import.meta.url).href
    await (await open('killed')).close()
    const script = `
      const { openJobQueue } = await import(${JSON.stringify(module)})
      const log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => log }
      const queue = await openJobQueue({ folder: ${JSON.stringify(join(root, 'killed'))}, log })
      queue.process('q', 1, () => { process.stdout.write('started\\n'); return new Promise(() => {}) })
      await queue.add('q', 'x', { n: 1 })
      setInterval(() => {}, 1000)
    `
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const chunk of child.stdout) {
      if (String(chunk).includes('started')) child.kill('SIGKILL')
    }
    const begin = performance.now()
    const queue = await open('killed')
    const got: Job[] = []
    queue.process('q', 1, async (job) => {
      got.push(job)
      return { done: true }
    })
    await until('recovered', () => got.length === 1)
    assert.deepEqual(got[0]?.data, { n: 1 })
    assert.ok(performance.now() - begin < 8_000)
    await queue.close()
  })
})
