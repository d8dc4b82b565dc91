import type { Epoch, Milliseconds, Slot } from '../core/ids.ts'
import type { ChainSpec } from '../core/ports/beacon.ts'
import type { Clock } from '../core/ports/clock.ts'

/** Slots and epochs of the chain on the node's clock. */
export class SlotClock {
  readonly slotMs: number
  readonly slotsPerEpoch: number
  readonly clock: Clock
  readonly #genesisMs: number

  constructor(clock: Clock, spec: Pick<ChainSpec, 'genesisTimeMs' | 'slotDurationMs' | 'slotsPerEpoch'>) {
    this.clock = clock
    this.#genesisMs = spec.genesisTimeMs
    this.slotMs = spec.slotDurationMs
    this.slotsPerEpoch = spec.slotsPerEpoch
  }

  /** The slot that is now; below 0 before genesis. */
  now(): number {
    return Math.floor((this.clock.now() - this.#genesisMs) / this.slotMs)
  }

  /** When a slot, or a fraction of it, starts. */
  startOf(slot: number): Milliseconds {
    return (this.#genesisMs + slot * this.slotMs) as Milliseconds
  }

  epochOf(slot: Slot): Epoch {
    return Math.floor(slot / this.slotsPerEpoch) as Epoch
  }

  isLastOfEpoch(slot: Slot): boolean {
    return slot % this.slotsPerEpoch === this.slotsPerEpoch - 1
  }
}

/** Settles with the promise, or rejects with what `failure` makes once the signal aborts. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(failure())
    if (signal.aborted) {
      // Nobody waits for it any more, so its failure is nobody's either.
      promise.catch(() => undefined)
      return onAbort()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Waits; rejects with what `failure` makes once the signal aborts. */
export function pause(clock: Clock, ms: number, signal: AbortSignal, failure: () => Error): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cancel = clock.at((clock.now() + ms) as Milliseconds, resolve)
  return orAbort(promise, signal, failure).finally(cancel)
}

/** A signal that aborts with its parent or at a time; `done` releases both. */
export function deadline(
  clock: Clock,
  time: Milliseconds,
  parent: AbortSignal,
): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const cancel = clock.at(time, abort)
  if (parent.aborted) abort()
  parent.addEventListener('abort', abort, { once: true })
  const done = (): void => {
    cancel()
    parent.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, done }
}
