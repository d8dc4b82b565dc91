import type { Milliseconds } from '../ids.ts'

/** Time as the workflows see it: real in production, virtual under simulation. */
export type Clock = {
  /** Milliseconds since the Unix epoch. */
  now(): Milliseconds
  /** Calls back once at or after the given time. Returns a function that cancels it. */
  at(time: Milliseconds, callback: () => void): () => void
}
