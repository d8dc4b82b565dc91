import type { Job, JobOutcome, JobQueue } from '../../../../../operator/core/ports/queue.ts'
import type { Scheduler } from '../../../simulation/scheduler.ts'

const RETRY_MS = 1_000

/** What a job queue keeps on disk. */
export type StoredJob = { readonly id: string; readonly data: Job['data']; dueAt: number; attempt: number; done: boolean; reason: string }
export type JobDisk = Map<string, StoredJob>

/** The queue of one process over a disk that outlives it, on virtual time. */
export function jobQueue({
  scheduler,
  disk,
  signal,
}: {
  readonly scheduler: Scheduler
  readonly disk: JobDisk
  readonly signal: AbortSignal
}): JobQueue {
  let handle: ((job: Job, signal: AbortSignal) => Promise<JobOutcome>) | undefined

  function plan(job: StoredJob): void {
    scheduler.at(job.dueAt, () => {
      if (signal.aborted || handle === undefined || job.done) return
      job.attempt += 1
      handle({ id: job.id, data: job.data, attempt: job.attempt }, signal).then(
        (outcome) => settle(job, outcome),
        (error: unknown) => settle(job, { done: false, retryInMs: RETRY_MS, reason: String(error) }),
      )
    })
  }

  function settle(job: StoredJob, outcome: JobOutcome): void {
    // A dead process writes nothing: its job starts anew in the next one.
    if (signal.aborted) return
    job.done = outcome.done
    if (outcome.done) return
    job.reason = outcome.reason
    job.dueAt = scheduler.now + outcome.retryInMs
    plan(job)
  }

  return {
    add: async (_, id, data) => {
      if (disk.has(id)) return
      const job = { id, data, dueAt: scheduler.now, attempt: 0, done: false, reason: '' }
      disk.set(id, job)
      plan(job)
    },
    process: (_, __, handler) => {
      handle = handler
      for (const job of disk.values()) plan(job)
    },
    close: async () => {},
  }
}
