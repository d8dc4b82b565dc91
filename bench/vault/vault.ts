import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PoolId, ProducerId, PublicKey } from '../../operator/core/ids.ts'
import { publicKeyFromEip2537 } from '../../operator/protocol/bls/points.ts'
import type { AnswerOf, Card, Notice, Registered, Request } from './protocol.ts'

const MEMBER = fileURLToPath(new URL('./member.ts', import.meta.url))
/** Nothing that the bench asks for takes this long. */
const PATIENCE_MS = 180_000
const ENDING_MS = 5_000

/** A member's process, seen from the bench. */
class MemberProcess {
  readonly id: ProducerId
  readonly #child: ChildProcess
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>()
  #asked = 0

  constructor(id: ProducerId, onNotice: (notice: Notice, from: ProducerId) => void) {
    this.id = id
    this.#child = fork(MEMBER, { execArgv: ['--disable-warning=ExperimentalWarning', '--import', 'tsx'], serialization: 'advanced' })
    this.#child.on('message', (notice: Notice) => {
      if (notice.kind === 'done') this.#take(notice.request)?.resolve(notice.answer)
      else if (notice.kind === 'failed') this.#take(notice.request)?.reject(new Error(`member ${id}: ${notice.reason}`))
      else onNotice(notice, id)
    })
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#open.values()) reject(new Error(`member ${id} ended with status ${code}`))
    })
  }

  ask<R extends Request>(request: R): Promise<AnswerOf<R['kind']>> {
    const id = this.#asked++
    const waiting = Promise.withResolvers<unknown>()
    this.#open.set(id, waiting)
    this.#child.send({ id, request })
    const timer = setTimeout(() => this.#take(id)?.reject(new Error(`member ${this.id} did not answer "${request.kind}"`)), PATIENCE_MS)
    return waiting.promise.finally(() => clearTimeout(timer)) as Promise<AnswerOf<R['kind']>>
  }

  /** Resolves when the process is gone. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ENDING_MS)
    await gone
    clearTimeout(timer)
  }

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const waiting = this.#open.get(id)
    this.#open.delete(id)
    return waiting
  }
}

/** A ceremony as it went. Times in milliseconds since the draw. */
export type CeremonyRun = {
  readonly pool: Registered
  /** When each member had signed the result, in its own time. */
  readonly signedMs: readonly number[]
  /** When the last member had, in the bench's. */
  readonly allSignedMs: number
  /** When the transaction was sent. */
  readonly publishedMs: number
  /** CPU of each member. */
  readonly cpuMs: readonly number[]
}

/** Members in processes of their own, connected over loopback. */
export class BenchVault {
  readonly members: readonly MemberProcess[]
  readonly #folder = mkdtempSync(join(tmpdir(), 'open-pools-bench-'))
  #onNotice: (notice: Notice) => void = () => {}
  #pools = 0

  private constructor(size: number) {
    this.members = Array.from({ length: size }, (_, at) => new MemberProcess((at + 1) as ProducerId, (notice) => this.#onNotice(notice)))
  }

  /** Starts `size` processes, each with new keys, and waits until all are connected. Close it in any case. */
  static async start({ size, slotMs }: { readonly size: number; readonly slotMs: number }): Promise<BenchVault> {
    const vault = new BenchVault(size)
    try {
      const cards: readonly Card[] = await Promise.all(
        vault.members.map(async (member) => {
          const { id } = member
          return { id, ...(await member.ask({ kind: 'create', id, dataDir: join(vault.#folder, String(id)) })) }
        }),
      )
      await vault.askAll({ kind: 'meet', members: cards, slotMs })
      return vault
    } catch (error) {
      await vault.close()
      throw error
    }
  }

  askAll<R extends Request>(request: R): Promise<readonly AnswerOf<R['kind']>[]> {
    return Promise.all(this.members.map((member) => member.ask(request)))
  }

  /** One DKG from the draw to the last member's word. */
  async ceremony(): Promise<CeremonyRun> {
    const poolId = ++this.#pools as PoolId
    const size = this.members.length
    const before = await this.askAll({ kind: 'cpu' })
    const { promise, resolve } = Promise.withResolvers<Omit<CeremonyRun, 'cpuMs'>>()
    const start = performance.now()
    const signedMs: number[] = []
    let allSignedMs = 0
    let published: { readonly pool: Registered; readonly publishedMs: number } | undefined
    this.#onNotice = (notice) => {
      const now = performance.now() - start
      if (notice.kind === 'signed') {
        signedMs.push(notice.afterMs)
        if (signedMs.length === size) allSignedMs = now
      } else if (notice.kind === 'completed') {
        const publicShares = (notice.publicShares.slice(2).match(/.{96}/g) ?? []).map((share) => `0x${share}` as PublicKey)
        published = { pool: { poolId, publicKey: publicKeyFromEip2537(notice.groupKey), publicShares }, publishedMs: now }
      }
      if (published !== undefined && signedMs.length === size) resolve({ ...published, signedMs, allSignedMs })
    }
    await this.askAll({ kind: 'draw', poolId })
    const run = await within(promise, `the ceremony of pool ${poolId}`)
    const after = await this.askAll({ kind: 'cpu' })
    await this.askAll({ kind: 'registered', pool: run.pool })
    return { ...run, cpuMs: after.map((cpu, at) => cpu - (before[at] ?? 0)) }
  }

  /** One more DKG: the longest that each member's event loop was held up in it. The watch would show in its CPU. */
  async watchedCeremony(): Promise<readonly number[]> {
    await this.askAll({ kind: 'watch' })
    await this.ceremony()
    return this.askAll({ kind: 'held-up' })
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
