import { setTimeout as sleep } from 'node:timers/promises'

/** The chain's wall clock. Times are unix milliseconds. */
export class Clock {
  readonly genesisTime: number
  readonly slotMs: number

  /** @param options.genesisTime unix seconds */
  constructor(options: { readonly genesisTime: number; readonly slotSeconds: number }) {
    this.genesisTime = options.genesisTime
    this.slotMs = options.slotSeconds * 1000
  }

  /** The slot it is now; 0 before genesis. */
  get slot(): number {
    return Math.max(0, Math.floor((Date.now() - this.genesisTime * 1000) / this.slotMs))
  }

  startOf(slot: number): number {
    return this.genesisTime * 1000 + slot * this.slotMs
  }

  /** Waits for a moment within a slot; `fraction` 0 is its start. Returns at once when it has passed. */
  async until(slot: number, fraction: number, signal: AbortSignal): Promise<void> {
    const moment = this.startOf(slot) + fraction * this.slotMs
    // Timers may fire a millisecond early.
    for (let delay = moment - Date.now(); delay > 0; delay = moment - Date.now()) await sleep(delay, undefined, { signal })
  }
}
