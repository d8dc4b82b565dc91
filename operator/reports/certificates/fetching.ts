import type { Milliseconds, ProducerId, Root } from '../../core/ids.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { CERTIFICATE_BYTES, type DutyCertificate } from '../../protocol/messages/certificate.ts'
import { type CertificateFrame, CHUNK_BYTES, MAX_SET_BYTES } from '../../protocol/messages/certificate-channel.ts'

/** Sets fetched at once. */
const MAX_FETCHES = 4
/** Asked of one peer in vain so often, the next one is asked. */
const TRIES = 2
/** A peer that has not given all of a set after so many pauses is given up, however steadily it drips. */
const MOST_PAUSES = 64
/** A fetch makes room for another after so many pauses. */
const PAUSES_SURE = 16

/** Sets of which is remembered who gave something else in their place. */
const HASHES_REMEMBERED = 64

/** What a set must be to be of use. */
export type Wanted = {
  /** For what: who failed to give it for one report may do for another. */
  readonly purpose: string
  /** Certificates in it, at most. */
  readonly most: number
  /** May this one be in it? Asked before anything is hashed. */
  readonly fits: (certificate: DutyCertificate) => boolean
  /** Asked last, of what is known to be the set of the hash. */
  readonly isRight: (set: readonly DutyCertificate[]) => Promise<boolean>
}

type Fetch = {
  readonly hash: Root
  readonly wanted: Wanted
  sources: readonly ProducerId[]
  at: number
  tries: number
  readonly since: Milliseconds
  /** When the present source was first asked. */
  askedAt: Milliseconds
  size: number | undefined
  chunks: Uint8Array[]
  /** Is all of it here, and being judged? */
  isJudged: boolean
  cancel: () => void
}

export type FetchingPorts = {
  readonly clock: Clock
  readonly pauseMs: number
  readonly ask: (to: ProducerId, hash: Root, chunk: number) => void
  /** Keeps it when it is the set of the hash, and right. False when it is another's: its source is not asked again. */
  readonly take: (hash: Root, bytes: Uint8Array, wanted: Wanted) => Promise<boolean>
}

/** Fetches sets piece by piece, from one source after another until one has it all. Bounded in number and size. */
export class Fetching {
  readonly #ports: FetchingPorts
  readonly #fetches = new Map<Root, Fetch>()
  readonly #failed = new Map<string, Set<ProducerId>>()

  constructor(ports: FetchingPorts) {
    this.#ports = ports
  }

  /** Begins to fetch, or adds sources to what is being fetched. */
  start(hash: Root, from: readonly ProducerId[], wanted: Wanted): void {
    const failed = this.#failed.get(failureKey(hash, wanted))
    const sources = [...new Set(from)].filter((one) => !failed?.has(one))
    const known = this.#fetches.get(hash)
    if (known !== undefined) {
      known.sources = [...new Set([...known.sources, ...sources])]
      return
    }
    if (sources.length === 0) return
    if (this.#fetches.size >= MAX_FETCHES) {
      const oldest = [...this.#fetches.values()].find(({ isJudged }) => !isJudged)
      if (oldest === undefined || this.#pausesSince(oldest.since) < PAUSES_SURE) return
      this.#end(oldest)
    }
    const now = this.#ports.clock.now()
    const made: Fetch = {
      ...{ hash, wanted, sources, at: 0, tries: 0, since: now, askedAt: now },
      ...{ size: undefined, chunks: [], isJudged: false, cancel: () => {} },
    }
    this.#fetches.set(hash, made)
    this.#ask(made)
  }

  /** A piece that came: only the one that was asked for counts, from whom it was asked of. */
  receive(from: ProducerId, { hash, chunk, size, bytes }: Extract<CertificateFrame, { kind: 'chunk' }>): void {
    const one = this.#fetches.get(hash)
    if (one === undefined || one.isJudged || one.sources[one.at] !== from || chunk !== one.chunks.length) return
    const expected = Math.min(CHUNK_BYTES, size - chunk * CHUNK_BYTES)
    if (this.#pausesSince(one.askedAt) > MOST_PAUSES) {
      this.#next(one)
      return
    }
    const most = Math.min(MAX_SET_BYTES, one.wanted.most * CERTIFICATE_BYTES)
    if (size > most || (one.size ?? size) !== size || bytes.length !== expected || expected <= 0) {
      this.#refuse(one, from)
      return
    }
    one.size = size
    one.tries = 0
    one.chunks.push(Uint8Array.from(bytes))
    if ((chunk + 1) * CHUNK_BYTES < size) this.#ask(one)
    else void this.#judge(one, from)
  }

  /** Gives up everything. */
  close(): void {
    for (const one of [...this.#fetches.values()]) this.#end(one)
  }

  async #judge(one: Fetch, from: ProducerId): Promise<void> {
    one.cancel()
    one.isJudged = true
    const isThis = await this.#ports.take(one.hash, Buffer.concat(one.chunks), one.wanted)
    if (this.#fetches.get(one.hash) !== one) return
    one.isJudged = false
    if (isThis) this.#end(one)
    else this.#refuse(one, from)
  }

  /** What this source gives in the set's place is no good, whenever it is asked. */
  #refuse(one: Fetch, from: ProducerId): void {
    const key = failureKey(one.hash, one.wanted)
    this.#failed.set(key, (this.#failed.get(key) ?? new Set<ProducerId>()).add(from))
    for (const oldest of this.#failed.keys()) {
      if (this.#failed.size <= HASHES_REMEMBERED) break
      this.#failed.delete(oldest)
    }
    this.#next(one)
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

const failureKey = (hash: Root, { purpose }: Wanted): string => `${purpose}/${hash}`
