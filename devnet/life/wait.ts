import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 300

/** Asks again and again until there is an answer. Rejects when the signal aborts; `probe` failing is an answer too. */
export async function until<T>(probe: () => Promise<T | undefined>, signal: AbortSignal, pollMs = POLL_MS): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    const answer = await probe()
    if (answer !== undefined) return answer
    await sleep(pollMs, undefined, { signal })
  }
}
