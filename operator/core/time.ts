import type { Milliseconds } from './ids.ts'
import type { Clock } from './ports/clock.ts'

/** Resolves after so many milliseconds of the clock; rejects with the signal's reason when it aborts. */
export function sleep(clock: Clock, afterMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const abort = (): void => {
      cancel()
      reject(signal.reason)
    }
    const cancel = clock.at((clock.now() + afterMs) as Milliseconds, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    signal.addEventListener('abort', abort, { once: true })
  })
}
