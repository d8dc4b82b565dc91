import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const STOP_GRACE_MS = 4_000
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--import', 'tsx']

export type Running = {
  readonly name: string
  readonly pid: number
  readonly ended: Promise<number | null>
  readonly signal: (name: NodeJS.Signals) => void
}

/** Every process this life has started, so that none is left behind however it ends. */
export class Processes {
  readonly #running = new Set<ChildProcess>()

  /** Runs one of the project's programs to its end and returns what it printed. Throws with its last words when it fails. */
  async run(script: string, args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [...NODE_FLAGS, script, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#running.add(child)
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2_000)
    })
    const [code] = (await once(child, 'close')) as [number | null]
    this.#running.delete(child)
    if (code !== 0) throw new Error(`${script} ${args[0] ?? ''} ended with status ${code}: ${errors.trim()}`)
    return output.trim()
  }

  /** Starts a program that goes on; its output goes to a log file. */
  start(name: string, script: string, args: readonly string[], logFile: string): Running {
    const log = createWriteStream(logFile, { flags: 'a' })
    const child = spawn(process.execPath, [...NODE_FLAGS, script, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#running.add(child)
    child.stdout.pipe(log, { end: false })
    child.stderr.pipe(log, { end: false })
    const ended = once(child, 'exit').then(([code]) => {
      this.#running.delete(child)
      log.end()
      return code as number | null
    })
    return { name, pid: child.pid ?? 0, ended, signal: (signal) => void child.kill(signal) }
  }

  /** Ends everything: asks first, wakes what is stopped, then kills. */
  async stopAll(): Promise<void> {
    const waiting = [...this.#running].map(async (child) => {
      const exited = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS)
      await exited
      clearTimeout(timer)
    })
    await Promise.all(waiting)
  }
}
