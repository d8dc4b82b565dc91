import type { Milliseconds } from '../../../operator/core/ids.ts'
import type { Clock } from '../../../operator/core/ports/clock.ts'

type Event = { readonly time: number; readonly order: number; run: (() => void) | undefined }

/** Virtual time: events in order of time, then of creation. Between two events every pending promise runs to its end. */
export class Scheduler {
  readonly #heap: Event[] = []
  readonly #held = new Set<Promise<unknown>>()
  #now: number
  #order = 0

  constructor(start: number) {
    this.#now = start
  }

  get now(): number {
    return this.#now
  }

  /** Runs a callback at a time. Returns a function that cancels it. */
  at(time: number, run: () => void): () => void {
    const event: Event = { time: Math.max(time, this.#now), order: this.#order++, run }
    this.#push(event)
    return () => {
      event.run = undefined
    }
  }

  /** Time stands still while this work of the real world (a disk, a key derivation) is under way. */
  hold<T>(work: Promise<T>): Promise<T> {
    const over = (): boolean => this.#held.delete(done)
    const done: Promise<unknown> = work.then(over, over)
    this.#held.add(done)
    return work
  }

  /** Runs until a time, or until `isDone` after some event. */
  async run(until: number, isDone: () => boolean): Promise<void> {
    await this.#settle()
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      if (event.time > until) {
        this.#push(event)
        return
      }
      if (event.run === undefined) continue
      this.#now = event.time
      event.run()
      await this.#settle()
      if (isDone()) return
    }
  }

  async #settle(): Promise<void> {
    await settle()
    while (this.#held.size > 0) {
      await Promise.all(this.#held)
      await settle()
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || before(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const [first, last] = [heap[0], heap.pop()]
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
      if (left === undefined) break
      const child = right !== undefined && before(right, left) ? right : left
      if (before(last, child)) break
      heap[at] = child
      at = child === left ? 2 * at + 1 : 2 * at + 2
    }
    heap[at] = last
    return first
  }
}

function before(a: Event, b: Event): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}

/** All microtasks run before an immediate does. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A process's clock: `stop` ends its timers, as its death would. */
export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler
  #alive = true

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  now(): Milliseconds {
    return this.#scheduler.now as Milliseconds
  }

  at(time: Milliseconds, callback: () => void): () => void {
    return this.#scheduler.at(time, () => {
      if (this.#alive) callback()
    })
  }

  stop(): void {
    this.#alive = false
  }
}
