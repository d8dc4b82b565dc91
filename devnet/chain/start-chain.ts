import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ChainOptions, ChainReady } from './options.ts'

export type RunningChain = ChainReady & {
  /** Process id of the beacon chain; the execution client is its child. */
  readonly pid: number
  /** Settles when the process has ended, with its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>
  readonly stop: () => Promise<void>
}

const STOP_GRACE_MS = 5_000

/**
 * Starts a local chain as a child process, which also ends when this process does. Resolves when it is ready.
 * Throws when it ends before, with what it wrote last. Its log goes to this process's stderr when `verbose`.
 */
export async function startChain(options: Partial<ChainOptions> = {}): Promise<RunningChain> {
  const { verbose = false, ...values } = options
  const flags = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name.replace(/[A-Z]/g, '-$&').toLowerCase()}`, String(value)],
  )
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...flags, ...(verbose ? ['--verbose'] : [])], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('The chain was started without pipes')
  let lastWords = ''
  stderr.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-2_000)
    if (verbose) process.stderr.write(chunk)
  })

  const line = await Promise.race([
    once(createInterface({ input: stdout }), 'line').then(([text]) => String(text)),
    ended.then((code) => Promise.reject(new Error(`The chain ended with exit code ${code} before it was ready: ${lastWords}`))),
  ])
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    if ((await Promise.race([ended.then(() => true), sleep(STOP_GRACE_MS, false, { ref: false })])) === true) return
    child.kill('SIGKILL')
    await ended
  }
  return { ...(JSON.parse(line) as ChainReady), pid: child.pid ?? 0, ended, stop }
}
