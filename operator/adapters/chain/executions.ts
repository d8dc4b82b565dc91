/** Calls that make the client execute contracts at the same time, from one operator. */
const AT_ONCE = 2
/** A client that did not answer in time may still be executing what it was asked. */
const FIRST_REST_MS = 4_000
const LONGEST_REST_MS = 60_000

/**
 * Spares a client that is slow: executions (`eth_call`, `eth_estimateGas`) go two at a time, and after one that was not
 * answered in time nothing is executed for a while, longer each time. Without it, operators that all ask again what timed out
 * bury a client under work whose answers nobody awaits any more. The rests are spread at random: operators would otherwise
 * come back all at once.
 */
export class Executions {
  readonly #random: () => number
  #running = 0
  #restMs = 0
  #restsUntil = 0
  readonly #waiting = new Set<() => void>()

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** Runs one execution when it is its turn. `isTimeout` says whether an error means that no answer came in time. Throws what the work throws, or the signal's reason. */
  async run<T>(work: () => Promise<T>, isTimeout: (error: unknown) => boolean, signal?: AbortSignal): Promise<T> {
    await this.#turn(signal)
    try {
      const answer = await work()
      this.#restMs = 0
      return answer
    } catch (error) {
      if (isTimeout(error)) this.#rest()
      else this.#restMs = 0
      throw error
    } finally {
      this.#running -= 1
      this.#wake()
    }
  }

  async #turn(signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const restMs = this.#restsUntil - performance.now()
      if (restMs <= 0 && this.#running < AT_ONCE) {
        this.#running += 1
        return
      }
      await new Promise<void>((resolve) => {
        const timer = restMs > 0 ? setTimeout(done, restMs) : undefined
        const waiting = this.#waiting
        function done(): void {
          clearTimeout(timer)
          waiting.delete(done)
          signal?.removeEventListener('abort', done)
          resolve()
        }
        waiting.add(done)
        signal?.addEventListener('abort', done)
      })
    }
  }

  #rest(): void {
    this.#restMs = Math.min(LONGEST_REST_MS, Math.max(FIRST_REST_MS, 2 * this.#restMs))
    this.#restsUntil = performance.now() + this.#restMs * (0.5 + this.#random())
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done()
  }
}
