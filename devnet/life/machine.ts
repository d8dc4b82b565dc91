import { loadavg } from 'node:os'

/** A beat that comes later than this was not just late. */
const PAUSE_MS = 5_000
/** Processes that want to run, for each core, from which on a life is slowed down; its own fill the cores at times. */
const BUSY = 4

/** What the machine did to the life: it stood still (a laptop that slept, a paused container), or had more to do than this. */
export class MachineWatch {
  readonly #now: () => number
  readonly #load: () => number
  #last: number
  #still = 0

  /** `now` in ms; `load`: processes that want to run, for each core. */
  constructor({ now, load }: { readonly now: () => number; readonly load: () => number }) {
    this.#now = now
    this.#load = load
    this.#last = now()
  }

  beat(): void {
    const now = this.#now()
    if (now - this.#last > PAUSE_MS) this.#still += now - this.#last
    this.#last = now
  }

  /** A sentence when it may have been the machine's fault that something was late. */
  excuse(): string | undefined {
    if (this.#still > 0) return `this machine, or this program on it, stood still for ${Math.round(this.#still / 1000)} s meanwhile`
    const load = this.#load()
    return load > BUSY ? `this machine is busy: ${load.toFixed(1)} processes wait for each core; try again when it is not` : undefined
  }
}

/** Of the last minute; 0 where the system does not tell. */
export const loadPerCore = (cores: number): number => (loadavg()[0] ?? 0) / cores
