import type { Milliseconds, ProducerId, Root } from '../../core/ids.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { CertificateFrame } from '../../protocol/messages/certificate-channel.ts'
import { CHUNK_BYTES, MAX_SET_BYTES } from '../../protocol/messages/certificate-channel.ts'

/** Sets fetched at once. */
const MAX_FETCHES = 4
/** Asked of one peer in vain so often, the next one is asked. */
const TRIES = 2
/** A peer that has not given all of a set after so many pauses is given up, however steadily it drips. */
const MOST_PAUSES = 64
/** A fetch makes room for another after so many pauses. */
const PAUSES_SURE = 16

type Fetch = {
  readonly hash: Root
  sources: readonly ProducerId[]
  at: number
  tries: number
  readonly since: Milliseconds
  /** When the present source was first asked. */
  askedAt: Milliseconds
  size: number | undefined
  chunks: Uint8Array[]
  cancel: () => void
}

export type FetchingPorts = {
  readonly clock: Clock
  readonly pauseMs: number
  readonly ask: (to: ProducerId, hash: Root, chunk: number) => void
  /** Is this the set of the hash? It is kept then. */
  readonly take: (hash: Root, bytes: Uint8Array) => boolean
}

/** Fetches sets piece by piece, from one source after another until one has it all. Bounded in number and size. */
export class Fetching {
  readonly #ports: FetchingPorts
  readonly #fetches = new Map<Root, Fetch>()

  constructor(ports: FetchingPorts) {
    this.#ports = ports
  }

  /** Begins to fetch, or adds sources to what is being fetched. */
  start(hash: Root, sources: readonly ProducerId[]): void {
    const known = this.#fetches.get(hash)
    if (known !== undefined) {
      known.sources = [...new Set([...known.sources, ...sources])]
      return
    }
    if (sources.length === 0) return
    if (this.#fetches.size >= MAX_FETCHES) {
      const [oldest] = this.#fetches.values()
      if (oldest === undefined || this.#pausesSince(oldest.since) < PAUSES_SURE) return
      this.#end(oldest)
    }
    const now = this.#ports.clock.now()
    const made: Fetch = { hash, sources, at: 0, tries: 0, since: now, askedAt: now, size: undefined, chunks: [], cancel: () => {} }
    this.#fetches.set(hash, made)
    this.#ask(made)
  }

  /** A piece that came: only the one that was asked for counts, from whom it was asked of. */
  receive(from: ProducerId, { hash, chunk, size, bytes }: Extract<CertificateFrame, { kind: 'chunk' }>): void {
    const one = this.#fetches.get(hash)
    if (one === undefined || one.sources[one.at] !== from || chunk !== one.chunks.length) return
    const expected = Math.min(CHUNK_BYTES, size - chunk * CHUNK_BYTES)
    if (this.#pausesSince(one.askedAt) > MOST_PAUSES) {
      this.#next(one)
      return
    }
    const fits = size <= MAX_SET_BYTES && (one.size ?? size) === size && bytes.length === expected && expected > 0
    if (!fits) {
      this.#next(one)
      return
    }
    one.size = size
    one.tries = 0
    one.chunks.push(Uint8Array.from(bytes))
    if ((chunk + 1) * CHUNK_BYTES < size) this.#ask(one)
    else if (this.#ports.take(hash, Buffer.concat(one.chunks))) this.#end(one)
    else this.#next(one)
  }

  /** Gives up everything. */
  close(): void {
    for (const one of [...this.#fetches.values()]) this.#end(one)
  }

  #ask(one: Fetch): void {
    const { clock, ask, pauseMs } = this.#ports
    one.cancel()
    const source = one.sources[one.at]
    if (source === undefined) {
      this.#end(one)
      return
    }
    ask(source, one.hash, one.chunks.length)
    one.cancel = clock.at((clock.now() + pauseMs) as Milliseconds, () => {
      one.tries++
      if (one.tries < TRIES) this.#ask(one)
      else this.#next(one)
    })
  }

  #pausesSince(time: Milliseconds): number {
    return (this.#ports.clock.now() - time) / this.#ports.pauseMs
  }

  #next(one: Fetch): void {
    one.at++
    one.tries = 0
    one.askedAt = this.#ports.clock.now()
    one.size = undefined
    one.chunks = []
    this.#ask(one)
  }

  #end(one: Fetch): void {
    one.cancel()
    this.#fetches.delete(one.hash)
  }
}
