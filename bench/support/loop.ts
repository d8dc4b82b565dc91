import { readFileSync } from 'node:fs'

const TICK_MS = 2

/** Milliseconds that the main thread has waited for a processor (Linux; elsewhere 0). */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

/**
 * Watches how long the event loop is held up by what this process does, calculations and synced writes: a timer's delay, less the time
 * in which other processes had the processor. The function that it gives stops it and gives the longest, in milliseconds. The watch
 * itself takes some hundredth of a processor.
 */
export function watchLoop(): () => number {
  let [last, waited, longest] = [performance.now(), waitedMs(), 0]
  const timer = setInterval(() => {
    const [now, nowWaited] = [performance.now(), waitedMs()]
    longest = Math.max(longest, now - last - TICK_MS - (nowWaited - waited))
    last = now
    waited = nowWaited
  }, TICK_MS)
  return () => {
    clearInterval(timer)
    return longest
  }
}
