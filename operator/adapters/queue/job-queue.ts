import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createPostgresBackend, DelayedError, type JobsOptions, runMigrations, withBackend } from 'bullmq'
import { reasonOf } from '../../core/errors.ts'
import type { Log } from '../../core/ports/log.ts'
import type { Job, JobOutcome, JobQueue } from '../../core/ports/queue.ts'
import { lockFolder } from '../store/lock.ts'
import { EmbeddedDatabase } from './database.ts'

const { Queue, Worker } = withBackend(createPostgresBackend)
const SCHEMA = 'bullmq'
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000
/** A job may be tried this often: never given up in practice. The column is 32 bits wide. */
const ATTEMPTS = 1_000_000
/** Finished jobs are kept so that their ids are known: an event that comes again makes no second job. */
const KEPT_DONE = 20_000
/** Nobody else works on these jobs, so a lock that runs out only means that this process was busy. */
const LOCK_MS = 60_000
/** Wake-ups come by notification; this poll is for the one that got lost. */
const IDLE_POLL_SECONDS = 60
const CLOSE_MS = 10_000
const DATABASE = 'postgres'

type Stored = { readonly id: string; readonly data: Job['data'] }
type Handler = (job: Job, signal: AbortSignal) => Promise<JobOutcome>

/** Makes the queue's empty database ahead of its first use, so that the first start of a node is as quick as any other. */
export async function prepareJobQueue(folder: string): Promise<void> {
  const lock = lockFolder(folder)
  try {
    await EmbeddedDatabase.make(join(folder, DATABASE))
  } finally {
    lock.release()
  }
}

/**
 * Jobs in an embedded Postgres under `folder`, run by BullMQ. The folder is locked; jobs that a killed process left half done
 * run again at once. Throws `FolderLockError` and `DatabaseError`.
 */
export async function openJobQueue({ folder, log }: { readonly folder: string; readonly log: Log }): Promise<JobQueue> {
  const lock = lockFolder(folder)
  try {
    const database = await openDatabase(join(folder, DATABASE), log)
    await prepare(database)
    return new BullJobQueue({ database, log, onClosed: lock.release })
  } catch (error) {
    lock.release()
    throw error
  }
}

// The database does not fsync: a power loss may break it. What it holds follows from chain events, so it is begun anew.
async function openDatabase(folder: string, log: Log): Promise<EmbeddedDatabase> {
  try {
    return await EmbeddedDatabase.open(folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
    log.warn('job database is broken: setting it aside and making a new one', { folder, reason: reasonOf(error) })
    rmSync(`${folder}.broken`, { recursive: true, force: true })
    renameSync(folder, `${folder}.broken`)
    return EmbeddedDatabase.open(folder)
  }
}

async function prepare(database: EmbeddedDatabase): Promise<void> {
  await runMigrations(await database.connect(), SCHEMA)
  await database.query(`SET search_path TO ${SCHEMA}`)
  // We hold the folder, so whoever worked on an active job is dead. BullMQ takes a job back that is marked and whose lock ran
  // out, the first time it looks (its own marking would need two looks, a minute apart).
  await database.query(`UPDATE job SET stalled_marked = true, locked_until_ms = 0 WHERE state = 'active'`)
  await database.query(`DELETE FROM meta WHERE field = 'stalled-check'`)
}

class BullJobQueue implements JobQueue {
  readonly #database: EmbeddedDatabase
  readonly #log: Log
  readonly #onClosed: () => void
  readonly #queues = new Map<string, InstanceType<typeof Queue<Stored>>>()
  readonly #workers = new Map<string, InstanceType<typeof Worker<Stored>>>()
  readonly #stop = new AbortController()

  constructor({ database, log, onClosed }: { readonly database: EmbeddedDatabase; readonly log: Log; readonly onClosed: () => void }) {
    this.#database = database
    this.#log = log
    this.#onClosed = onClosed
  }

  async add(queue: string, id: string, data: Job['data'], options: { readonly delayMs?: number } = {}): Promise<void> {
    await this.#queue(queue).add(queue, { id, data }, jobOptions(id, options.delayMs ?? 0))
  }

  process(queue: string, concurrency: number, handler: Handler): void {
    if (this.#workers.has(queue)) throw new Error(`queue ${queue} has a handler already`)
    const worker = new Worker<Stored>(
      queue,
      async (job, token) => {
        const outcome = await this.#run(queue, { ...job.data, attempt: job.attemptsStarted }, handler)
        if (outcome.done) return
        await job.moveToDelayed(Date.now() + outcome.retryInMs, token)
        throw new DelayedError()
      },
      {
        connection: this.#database,
        concurrency,
        drainDelay: IDLE_POLL_SECONDS,
        lockDuration: LOCK_MS,
        stalledInterval: LOCK_MS,
        maxStalledCount: ATTEMPTS,
        settings: { backoffStrategy: (attempt) => Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 16)) },
      },
    )
    worker.on('error', (error) => this.#log.error('job worker', { queue, reason: reasonOf(error) }))
    this.#workers.set(queue, worker)
  }

  /** Aborts what runs, waits for it, and closes the database. Jobs that did not finish run again after the next start. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the job queue is closing'))
    const workers = [...this.#workers.values()]
    await withTimeout(Promise.all(workers.map((worker) => worker.close())))
    await withTimeout(Promise.all([...this.#queues.values()].map((queue) => queue.close())))
    await this.#database.end()
    this.#onClosed()
  }

  #queue(name: string): InstanceType<typeof Queue<Stored>> {
    const known = this.#queues.get(name)
    if (known !== undefined) return known
    const queue = new Queue<Stored>(name, { connection: this.#database })
    queue.on('error', (error) => this.#log.error('job queue', { queue: name, reason: reasonOf(error) }))
    this.#queues.set(name, queue)
    return queue
  }

  async #run(queue: string, job: Job, handler: Handler): Promise<JobOutcome> {
    try {
      const outcome = await handler(job, this.#stop.signal)
      if (!outcome.done) this.#log.debug('job waits', { queue, id: job.id, reason: outcome.reason, retryInMs: outcome.retryInMs })
      return outcome
    } catch (error) {
      // An interrupted job is not a failed one: it runs again after the next start.
      if (this.#stop.signal.aborted) return { done: false, retryInMs: 0, reason: 'interrupted' }
      this.#log.warn('job failed, will be retried', { queue, id: job.id, attempt: job.attempt, reason: reasonOf(error) })
      throw error
    }
  }
}

function jobOptions(id: string, delay: number): JobsOptions {
  return {
    // BullMQ refuses ids that are whole numbers or hold colons.
    jobId: `job-${id.replaceAll('%', '%25').replaceAll(':', '%3A')}`,
    delay,
    attempts: ATTEMPTS,
    backoff: { type: 'custom' },
    removeOnComplete: { count: KEPT_DONE },
    stackTraceLimit: 1,
  }
}

async function withTimeout(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS)
  })
  await Promise.race([work.catch(() => undefined), timeout])
  clearTimeout(timer)
}
