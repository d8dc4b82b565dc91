import { setTimeout as sleep } from 'node:timers/promises'
import { OpenPoolsError, reasonOf } from '../core/errors.ts'
import type { Log } from '../core/ports/log.ts'
import type { StatusBoard } from './status-board.ts'

const FIRST_PAUSE_MS = 250
const LAST_PAUSE_MS = 5_000
/** Codes of errors that end by themselves: a server is down, starting or busy. */
const PASSING: ReadonlySet<string> = new Set(['UNREACHABLE', 'TIMEOUT', 'REFUSED', 'NOT_FOUND', 'BEHIND', 'SYNCING'])

export type Waiting = {
  /** What is waited for, as in "waiting for the beacon node". */
  readonly what: string
  readonly board: StatusBoard
  readonly log: Log
}

/**
 * Tries until it works or fails for good: an error of a code that does not pass by itself is thrown, and the signal's reason
 * when it aborts. What is waited for and why is in the status meanwhile.
 */
export async function waitFor<T>({ what, board, log }: Waiting, attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let pause = FIRST_PAUSE_MS
  board.enter(`waiting for ${what}`)
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OpenPoolsError) || !PASSING.has(error.code)) throw error
      board.enter(`waiting for ${what}: ${reasonOf(error)}`)
      log.warn(`waiting for ${what}`, { reason: reasonOf(error), retryInMs: pause })
    }
    await sleep(pause, undefined, { signal })
    pause = Math.min(LAST_PAUSE_MS, pause * 2)
  }
}
