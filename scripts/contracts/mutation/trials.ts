import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Codes } from './compiler.ts'
import type { TrialReport } from './trial.ts'

const TRIAL = fileURLToPath(new URL('./trial.ts', import.meta.url))
const START_SECONDS = 300
/** Times what the unchanged contracts took, at least: a mutant may loop. */
const PATIENCE = 6
const LEAST_SECONDS = 120
const MOST_MEMORY = 1.5e9
/** Modules beside tests make chains too, and are evaluated once in a process: its next run would find them closed. */
const SHARED = /from '[^']*\.support\.ts'/

/** The test that failed first; `(no end)` when none ended. */
export type TrialVerdict = { readonly killer: string | undefined }

type Given = {
  readonly root: string
  readonly suites: readonly string[]
  readonly built: Codes
  readonly created?: readonly string[]
}

/** The tests of a contract, run against altered codes. */
export class Trials {
  #child: ChildProcess | undefined
  #limit = START_SECONDS
  #patience = START_SECONDS
  #created: readonly string[]

  readonly #root: string
  readonly #suites: readonly string[]
  readonly #built: Codes
  readonly #shares: boolean

  /**
   * @param given.root of the project, its contracts built
   * @param given.suites test files
   * @param given.built codes as built
   * @param given.created contracts that the tests create, when it is known that they pass
   */
  constructor({ root, suites, built, created = [] }: Given) {
    this.#created = created
    this.#root = root
    this.#suites = suites
    this.#built = built
    this.#shares = suites.some((suite) => SHARED.test(readFileSync(join(root, suite), 'utf8')))
  }

  /** Contracts that the tests create. The first call runs them on the contracts as they are; throws when they fail. */
  async created(): Promise<readonly string[]> {
    if (this.#created.length === 0) {
      await this.#start()
      if (this.#shares) this.stop()
    }
    return this.#created
  }

  /**
   * Exchanges these codes and runs the tests up to the first that fails; with none, the contracts as they are. A machine that stood
   * still looks like a mutant that loops: what failed by time is run again.
   */
  async run(codes: Codes): Promise<TrialVerdict> {
    const { killer, isLate } = await this.#run(codes)
    return isLate ? this.#run(codes) : { killer }
  }

  async #run(codes: Codes): Promise<TrialVerdict & { readonly isLate: boolean }> {
    if (this.#child === undefined) await this.#start()
    const report = await this.#ask(codes)
    if (report === undefined) return { killer: '(no end)', isLate: true }
    if (report.memory > MOST_MEMORY || this.#shares) this.stop()
    const isLate = report.killer !== undefined && /^Timeout of /.test(report.reason)
    return { killer: isLate ? `${report.killer} (by time)` : report.killer, isLate }
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  async #start(): Promise<void> {
    const child = fork(TRIAL, [...this.#suites], {
      cwd: this.#root,
      execArgv: ['--import', 'tsx', '--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    this.#limit = START_SECONDS
    const isReady = await Promise.race([once(child, 'message').then(() => true), once(child, 'exit').then(() => false)])
    if (!isReady) throw new Error(`${this.#suites.join(' ')} do not load`)
    const start = performance.now()
    if (this.#created.length > 0) {
      this.#limit = this.#patience
      child.send({ codes: this.#built, isKnown: true })
      return
    }
    const report = await this.#ask(this.#built)
    if (report === undefined || report.killer !== undefined) {
      this.stop()
      throw new Error(`the contracts as they are fail «${report?.killer ?? 'by time'}» of ${this.#suites.join(' ')}: ${report?.reason}`)
    }
    this.#created = report.created
    this.#patience = Math.max(LEAST_SECONDS, (PATIENCE * (performance.now() - start)) / 1000)
    this.#limit = this.#patience
  }

  /** Undefined when there was no answer in time, or the process died of the question. */
  #ask(codes: Codes): Promise<TrialReport | undefined> {
    const child = this.#child
    if (child === undefined) throw new Error('expected a process that runs tests, found none')
    return new Promise((resolve) => {
      const end = (report: TrialReport | undefined) => {
        clearTimeout(timer)
        child.off('message', onMessage)
        child.off('exit', onExit)
        if (report === undefined) this.stop()
        resolve(report)
      }
      const onMessage = (report: unknown) => end(report as TrialReport)
      const onExit = () => end(undefined)
      const timer = setTimeout(onExit, this.#limit * 1000)
      child.on('message', onMessage)
      child.on('exit', onExit)
      child.send({ codes })
    })
  }
}
