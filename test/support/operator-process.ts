import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { OperatorStatus } from '../../operator/app/status.ts'

const MAIN = fileURLToPath(new URL('../../operator/app/cli/main.ts', import.meta.url))
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--import', import.meta.resolve('tsx')]

export type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

// No OPENPOOLS_ variable but those given reaches the process.
function start(args: readonly string[], env: Readonly<Record<string, string>>, program = MAIN): ChildProcess {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OPENPOOLS_')))
  return spawn(process.execPath, [...NODE_FLAGS, program, ...args], { env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs `openpools` to its end, as a person does. */
export async function openpools(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = start(args, env)
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, ...said }
}

/** A running `openpools run`, or another program with the same flags. */
export class OperatorProcess {
  readonly #child: ChildProcess
  readonly #url: string
  readonly #ended: Promise<number | null>
  #said = ''

  constructor({ args, httpPort, program }: { readonly args: readonly string[]; readonly httpPort: number; readonly program?: string }) {
    this.#url = `http://127.0.0.1:${httpPort}`
    this.#child = start(['run', ...args, '--http-port', String(httpPort)], {}, program)
    this.#ended = once(this.#child, 'close').then(([status]) => status as number | null)
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text
      })
    }
  }

  /** Of its HTTP port. */
  get url(): string {
    return this.#url
  }

  /** All it has written. */
  get said(): string {
    return this.#said
  }

  get ended(): Promise<number | null> {
    return this.#ended
  }

  /** Undefined while it does not answer. */
  async status(): Promise<OperatorStatus | undefined> {
    try {
      const response = await fetch(`${this.#url}/status`, { signal: AbortSignal.timeout(2_000) })
      return response.ok ? ((await response.json()) as OperatorStatus) : undefined
    } catch {
      return undefined
    }
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.#url}/metrics`)).text()
  }

  /** The first status that fits. Throws, with the end of its log, when it ends before or none fits in time. */
  async until(what: string, fits: (status: OperatorStatus) => boolean, seconds = 20): Promise<OperatorStatus> {
    const deadline = Date.now() + seconds * 1_000
    let last: OperatorStatus | undefined
    while (Date.now() < deadline && this.#child.exitCode === null) {
      last = await this.status()
      if (last !== undefined && fits(last)) return last
      await sleep(100)
    }
    const why = this.#child.exitCode === null ? `not within ${seconds} s` : `it ended with status ${this.#child.exitCode}`
    throw new Error(`${what}: ${why}; last ${JSON.stringify(last)}; it said:\n${this.#said.slice(-4_000)}`)
  }

  /** Most resident memory so far in MB, as the system counts it. */
  peakMb(): number {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))
    return Math.round(Number(match?.[1] ?? 0) / 1024)
  }

  /** Ends it by a signal and tells how: its status and how long it took. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ readonly status: number | null; readonly ms: number }> {
    const from = Date.now()
    this.#child.kill(signal)
    return { status: await this.#ended, ms: Date.now() - from }
  }
}
