import { setTimeout as sleep } from 'node:timers/promises'
import type { BeaconApi, Header } from './beacon-api.ts'

const EVERY_MS = 400

export type Position = { readonly slot: number; readonly finalizedEpoch: number }

/** Where the chain is, looked at again and again, for those who read along in the background of all stages. */
export class Heads {
  readonly #beacon: BeaconApi
  readonly #readers: ((head: Header) => Promise<void>)[] = []
  #latest: Position | undefined

  constructor(beacon: BeaconApi) {
    this.#beacon = beacon
  }

  /** Where it was when it was last looked at. */
  get latest(): Position | undefined {
    return this.#latest
  }

  /** Calls a reader with each head from now on. One that fails is called again with the next. */
  each(reader: (head: Header) => Promise<void>): void {
    this.#readers.push(reader)
  }

  /** Looks until the signal aborts. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined)
      await this.#look().catch(() => {
        // The chain is stopping or busy: the next look reads what this one missed.
      })
    }
  }

  async #look(): Promise<void> {
    const head = await this.#beacon.header('head')
    if (head === undefined) return
    this.#latest = { slot: head.slot, finalizedEpoch: await this.#beacon.finalizedEpoch() }
    for (const read of this.#readers) await read(head)
  }
}
