import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { figure, timed } from './figures.ts'

export type Machine = {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly node: string
  /** Processes that wanted to run when the benchmark began, over the last minute: above the cores, figures are of little use. */
  readonly load: number
  /** Milliseconds that writing and syncing 500 bytes takes in the folder for temporary files, median. */
  readonly fsyncMs: number
}

async function measureFsync(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-bench-'))
  const descriptor = openSync(join(folder, 'sync'), 'w')
  const record = Buffer.alloc(500)
  const samples = await timed(50, () => {
    writeSync(descriptor, record)
    fsyncSync(descriptor)
  })
  closeSync(descriptor)
  rmSync(folder, { recursive: true })
  return figure('fsync', samples).p50
}

/** What the figures were measured on. */
export async function describeMachine(): Promise<Machine> {
  const all = cpus()
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
    fsyncMs: await measureFsync(),
  }
}
