import type { Milliseconds } from '../core/ids.ts'
import type { Clock } from '../core/ports/clock.ts'

// Longest delay a timer takes; setTimeout fires at once beyond it.
const MAX_DELAY_MS = 2 ** 31 - 1

/** The machine's clock. Timers fire at or after their time, far ones included, and do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now() as Milliseconds,
  at(time, callback) {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const left = time - Date.now()
      timer = setTimeout(left > MAX_DELAY_MS ? arm : fire, Math.max(0, Math.min(left, MAX_DELAY_MS)))
      timer.unref()
    }
    // A timer may fire a fraction of a millisecond early by the wall clock; a slot must not be seen before it starts.
    const fire = (): void => (Date.now() < time ? arm() : callback())
    arm()
    return () => clearTimeout(timer)
  },
}
