import type { ProducerId } from '../../../operator/core/ids.ts'
import type { Network } from '../../../operator/core/ports/network.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

type Handler = (from: ProducerId, bytes: Uint8Array) => void

/** How bad the network is until it heals. */
export type Weather = {
  readonly drop: number
  /** On top of `drop`, for commits: some members decide and others do not, where agreement is hardest. */
  readonly dropCommits: number
  readonly duplicate: number
  readonly maxDelayMs: number
  readonly partitions: number
}

/** A QBFT commit on the wire: frame kind 1, an instance of 13 bytes, message type 3. */
function isCommit(bytes: Uint8Array): boolean {
  return bytes[0] === 1 && bytes[14] === 3
}

/** Loses, delays, doubles and reorders messages, and cuts the vault in two at times; all of it ends at `healAt`. */
export class SimNetwork {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #weather: Weather
  readonly #healAt: number
  readonly #cuts: { readonly from: number; readonly to: number; readonly side: ReadonlySet<number> }[] = []
  readonly #handlers = new Map<number, Set<Handler>>()

  constructor(options: {
    readonly scheduler: Scheduler
    readonly random: Random
    readonly weather: Weather
    readonly start: number
    readonly healAt: number
    readonly size: number
  }) {
    this.#scheduler = options.scheduler
    this.#random = options.random
    this.#weather = options.weather
    this.#healAt = options.healAt
    const ids = Array.from({ length: options.size }, (_, i) => i + 1)
    for (let i = 0; i < options.weather.partitions; i++) {
      const from = options.random.int(options.start, options.healAt)
      const side = new Set(options.random.shuffle(ids).slice(0, options.random.int(1, options.size - 1)))
      this.#cuts.push({ from, to: from + options.random.int(100, 3_000), side })
    }
  }

  send(from: ProducerId, to: ProducerId, bytes: Uint8Array): void {
    const { now } = this.#scheduler
    if (now >= this.#healAt) {
      this.#deliverAfter(this.#random.int(1, 10), from, to, bytes)
      return
    }
    if (this.#random.chance(this.#weather.drop) || this.#isCut(from, to)) return
    if (isCommit(bytes) && this.#random.chance(this.#weather.dropCommits)) return
    const copies = this.#random.chance(this.#weather.duplicate) ? 2 : 1
    // Mostly quick, at times very late: squaring bends the distribution.
    for (let i = 0; i < copies; i++) {
      this.#deliverAfter(1 + Math.floor(this.#random.next() ** 3 * this.#weather.maxDelayMs), from, to, bytes)
    }
  }

  /** The port of one process; `isAlive` ends it with the process. `reaches` limits whom it talks to. */
  port(self: ProducerId, isAlive: () => boolean, reaches: (to: ProducerId) => boolean = () => true): Network {
    return {
      self,
      send: (to, _, bytes) => {
        if (isAlive() && reaches(to)) this.send(self, to, bytes)
      },
      onMessage: (_, handler) => {
        const guarded: Handler = (from, bytes) => {
          if (isAlive()) handler(from, bytes)
        }
        const handlers = this.#handlers.get(self) ?? new Set()
        this.#handlers.set(self, handlers.add(guarded))
        return () => handlers.delete(guarded)
      },
    }
  }

  #isCut(from: number, to: number): boolean {
    const { now } = this.#scheduler
    return this.#cuts.some((cut) => now >= cut.from && now < cut.to && cut.side.has(from) !== cut.side.has(to))
  }

  #deliverAfter(delayMs: number, from: ProducerId, to: ProducerId, bytes: Uint8Array): void {
    this.#scheduler.at(this.#scheduler.now + delayMs, () => {
      for (const handler of this.#handlers.get(to) ?? []) handler(from, bytes)
    })
  }
}
