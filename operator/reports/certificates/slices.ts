import { setImmediate as nextTurn } from 'node:timers/promises'

/** Does something for one entry after another until one does not hold, so many in a turn of the event loop. */
export async function everyInSlices<T>(entries: readonly T[], perTurn: number, holds: (entry: T) => boolean): Promise<boolean> {
  for (let at = 0; at < entries.length; at += perTurn) {
    if (at > 0) await nextTurn()
    if (!entries.slice(at, at + perTurn).every(holds)) return false
  }
  return true
}

/** Takes steps, one a turn of the event loop, up to what they come to. */
export async function inTurns<T>(steps: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    await nextTurn()
  }
}
