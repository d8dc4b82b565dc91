/** A job's outcome: done, or again after a delay with a reason worth showing. */
export type JobOutcome = { readonly done: true } | { readonly done: false; readonly retryInMs: number; readonly reason: string }

export type Job = { readonly id: string; readonly data: Readonly<Record<string, string | number>>; readonly attempt: number }

/**
 * Durable work driven by the chain. Ids are deterministic: adding a known id is a no-op, so that an event delivered twice
 * is one job. A job interrupted by a crash runs again. A handler that throws is retried with exponential backoff.
 */
export type JobQueue = {
  add(queue: string, id: string, data: Job['data'], options?: { readonly delayMs?: number }): Promise<void>
  /** Registers the only handler of a queue, `concurrency` jobs at once. */
  process(queue: string, concurrency: number, handler: (job: Job, signal: AbortSignal) => Promise<JobOutcome>): void
  close(): Promise<void>
}
