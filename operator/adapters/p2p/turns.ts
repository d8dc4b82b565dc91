/** What is done with messages in one turn of the event loop; timers and duties wait for no more than this and one message. */
const TURN_MS = 5
/** Beyond this the oldest is done at once: what waits must not grow without bound. */
const MOST_WAITING = 512

/**
 * Spreads work over turns of the event loop, in order. Messages that came while the process had no processor are all there at once,
 * and would hold up everything else until the last of them is dealt with.
 */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #endsAt: number | undefined

  do(work: () => void): void {
    const now = performance.now()
    if (this.#endsAt === undefined) {
      this.#endsAt = now + TURN_MS
      setImmediate(() => {
        this.#endsAt = undefined
      })
    }
    if (this.#waiting.length === 0 && now < this.#endsAt) {
      work()
      return
    }
    this.#waiting.push(work)
    if (this.#waiting.length === 1) setImmediate(() => this.#next())
    else if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()?.()
  }

  /** One a turn: what follows from it has its time too. */
  #next(): void {
    const work = this.#waiting[0]
    try {
      work?.()
    } finally {
      this.#waiting.shift()
      if (this.#waiting.length > 0) setImmediate(() => this.#next())
    }
  }
}
