import { execFile } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { PgNotification, PgPool, PgPoolClient, PgQueryResult } from 'bullmq'
import { OpenPoolsError, reasonOf } from '../../core/errors.ts'
import type { Answer } from './database-thread.ts'

const CLOSE_MS = 5_000
const CREATE_MS = 120_000

/**
 * V8's optimizing compiler takes 500 MB for some seconds over Postgres' largest functions; its first compiler makes code that
 * is no slower for a few queries a second. Whether a module is ever optimized is decided while it loads, so these flags are
 * off only then, and other WebAssembly (BLS) is not affected.
 */
const TIER_UP_FLAGS = ['wasm-tier-up', 'wasm-dynamic-tiering']

/** CANNOT_OPEN: the folder holds no usable database. GONE: its thread ended, or was closed. */
export class DatabaseError extends OpenPoolsError<'CANNOT_OPEN' | 'GONE'> {}

/** An SQL error as node-postgres reports it: BullMQ reads the code and the detail. */
class SqlError extends Error {
  readonly code: string | undefined
  readonly detail: string | undefined

  constructor({ message, code, detail }: { readonly message: string; readonly code?: string; readonly detail?: string }) {
    super(message)
    this.code = code
    this.detail = detail
  }
}

type Pending = { readonly resolve: (result: PgQueryResult) => void; readonly reject: (error: Error) => void }

/**
 * An embedded Postgres in a folder, in a thread of its own, shaped like the `pg.Pool` that BullMQ takes. There is one session
 * behind all of its clients, so whoever needs a transaction must be alone (migrations run before anything else does).
 */
export class EmbeddedDatabase extends EventEmitter implements PgPool {
  /** BullMQ waits long for notifications when told that a lost connection would be noticed: here there is none to lose. */
  readonly options = { keepAlive: true }
  readonly #thread: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #clients = new Set<Client>()
  #lastId = 0
  #gone: Error | undefined

  private constructor(thread: Worker) {
    super()
    this.#thread = thread
    // Each queue and worker adds its listener.
    this.setMaxListeners(0)
    thread.on('message', (answer: Answer) => this.#receive(answer))
    thread.on('error', (error) => this.#end(error))
    thread.on('exit', (code) => this.#end(new DatabaseError('GONE', `the job database ended with exit code ${code}`, { code })))
  }

  /** Makes an empty database in the folder when there is none: the slow part of opening one. Throws `DatabaseError` CANNOT_OPEN. */
  static async make(folder: string): Promise<void> {
    if (!existsSync(join(folder, 'PG_VERSION'))) await create(folder)
  }

  /** Opens the folder, making the database in it when there is none. Throws `DatabaseError` CANNOT_OPEN. */
  static async open(folder: string): Promise<EmbeddedDatabase> {
    await EmbeddedDatabase.make(folder)
    for (const flag of TIER_UP_FLAGS) setFlagsFromString(`--no-${flag}`)
    try {
      return new EmbeddedDatabase(await startThread(folder))
    } finally {
      for (const flag of TIER_UP_FLAGS) setFlagsFromString(`--${flag}`)
    }
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject })
      this.#thread.postMessage({ id, text, ...(params === undefined ? {} : { params }) })
    })
  }

  async connect(): Promise<PgPoolClient> {
    const client = new Client(this, () => this.#clients.delete(client))
    this.#clients.add(client)
    return client
  }

  /** Writes everything out and ends the thread. */
  async end(): Promise<void> {
    if (this.#gone !== undefined) return
    this.#gone = new DatabaseError('GONE', 'the job database is closed')
    const exited = new Promise((resolve) => this.#thread.once('exit', resolve))
    this.#thread.postMessage('close')
    const timer = setTimeout(() => void this.#thread.terminate(), CLOSE_MS)
    await exited
    clearTimeout(timer)
  }

  #receive(answer: Answer): void {
    if (answer.kind === 'notification') {
      for (const client of this.#clients) client.emit('notification', answer satisfies PgNotification)
    } else if (answer.kind !== 'ready') {
      const pending = this.#pending.get(answer.id)
      this.#pending.delete(answer.id)
      if (answer.kind === 'rows') pending?.resolve({ rows: [...answer.rows], rowCount: answer.rowCount })
      else pending?.reject(new SqlError(answer))
    }
  }

  #end(reason: Error): void {
    const expected = this.#gone !== undefined
    this.#gone ??= reason
    for (const { reject } of this.#pending.values()) reject(this.#gone)
    this.#pending.clear()
    if (!expected && this.listenerCount('error') > 0) this.emit('error', reason)
  }
}

/** What `connect` hands out: the shared session with listeners of its own. */
class Client extends EventEmitter implements PgPoolClient {
  readonly #database: EmbeddedDatabase
  readonly release: () => void

  constructor(database: EmbeddedDatabase, release: () => void) {
    super()
    this.#database = database
    this.release = release
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    return this.#database.query(text, params)
  }
}

// Making a database needs another 400 MB once: a short-lived process takes them, not this one. The rename at the end keeps a
// half-made database from ever being opened.
async function create(folder: string): Promise<void> {
  const draft = `${folder}.new`
  const program = fileURLToPath(new URL('./database-create.ts', import.meta.url))
  const flags = TIER_UP_FLAGS.map((flag) => `--no-${flag}`)
  try {
    rmSync(draft, { recursive: true, force: true })
    await promisify(execFile)(process.execPath, [...flags, '--import', 'tsx', program, draft], { timeout: CREATE_MS })
    renameSync(draft, folder)
  } catch (cause) {
    throw cannotOpen(folder, cause)
  }
}

async function startThread(folder: string): Promise<Worker> {
  const thread = new Worker(new URL('./database-thread.ts', import.meta.url), { workerData: { folder }, execArgv: ['--import', 'tsx'] })
  const failed = new AbortController()
  thread.once('error', (cause) => failed.abort(cannotOpen(folder, cause)))
  thread.once('exit', (code) => failed.abort(cannotOpen(folder, `exit code ${code}`)))
  await once(thread, 'message', { signal: failed.signal }).catch((error: unknown) => {
    failed.signal.throwIfAborted()
    throw error
  })
  return thread
}

function cannotOpen(folder: string, cause: unknown): DatabaseError {
  return new DatabaseError('CANNOT_OPEN', `cannot open the job database in ${folder}: ${reasonOf(cause)}`, { folder }, { cause })
}
