import { frameHeader } from './frames.ts'
import type { ChannelLimits } from './limits.ts'
import type { Stream } from './types.ts'

/** A message that waited this long is of no use to a real-time duty, and whoever sent it repeats it. */
const STALE_MS = 3_000
/** A peer that reads nothing for so long gets a new stream. */
const STUCK_MS = 10_000
/** Up to here what was pushed in one go leaves as one piece, which saves encryptions and packets. */
const JOIN_BYTES = 64 << 10

type Waiting = { readonly bytes: Uint8Array; readonly at: number }

/** The bounded queue of one channel to one peer, and the stream it drains into. */
export class Outbox {
  readonly #limits: ChannelLimits
  readonly #open: () => Promise<Stream>
  readonly #queue: Waiting[] = []
  #queuedBytes = 0
  #stream: Stream | undefined
  #opening = false
  #pumping = false
  #blockedSince: number | undefined
  dropped = 0
  sent = 0

  /** `open` makes a new stream on the current connection; it rejects when there is none. */
  constructor(limits: ChannelLimits, open: () => Promise<Stream>) {
    this.#limits = limits
    this.#open = open
  }

  /** Never throws, never waits: what does not fit pushes out the oldest. */
  push(bytes: Uint8Array): void {
    if (bytes.byteLength === 0 || bytes.byteLength > this.#limits.frame) {
      this.dropped++
      return
    }
    this.#queue.push({ bytes, at: Date.now() })
    this.#queuedBytes += bytes.byteLength
    while (this.#queuedBytes > this.#limits.queuedBytes || this.#queue.length > this.#limits.queuedFrames) this.#drop()
    if (this.#pumping) return
    this.#pumping = true
    queueMicrotask(() => {
      this.#pumping = false
      this.pump()
    })
  }

  /** Sends what the stream takes; called again when it drains, and when a connection opens. */
  pump(): void {
    this.#dropStale()
    const stream = this.#stream
    if (stream === undefined || stream.writeStatus !== 'writable') {
      if (this.#queue.length > 0) this.#reopen()
      return
    }
    try {
      while (this.#queue.length > 0 && !stream.writableNeedsDrain) this.#sendNext(stream)
    } catch {
      // The stream closed under us; its close event opens another one.
    }
    this.#watchForStuck(stream)
  }

  /** The next message, with all that fit beside it. */
  #sendNext(stream: Stream): void {
    const pieces: Uint8Array[] = []
    let size = 0
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (size > 0 && size + next.bytes.byteLength > JOIN_BYTES) break
      this.#queue.shift()
      this.#queuedBytes -= next.bytes.byteLength
      this.sent++
      pieces.push(frameHeader(next.bytes), next.bytes)
      size += next.bytes.byteLength
    }
    if (size <= JOIN_BYTES) stream.send(Buffer.concat(pieces))
    else for (const piece of pieces) stream.send(piece)
  }

  #reopen(): void {
    if (this.#opening) return
    this.#opening = true
    this.#open()
      .then((stream) => {
        this.#stream = stream
        this.#blockedSince = undefined
        stream.addEventListener('drain', () => this.pump())
        stream.addEventListener('close', () => {
          if (this.#stream === stream) this.#stream = undefined
        })
      })
      .catch(() => undefined)
      .finally(() => {
        this.#opening = false
        if (this.#stream !== undefined) this.pump()
      })
  }

  #watchForStuck(stream: Stream): void {
    if (!stream.writableNeedsDrain) {
      this.#blockedSince = undefined
      return
    }
    this.#blockedSince ??= Date.now()
    if (Date.now() - this.#blockedSince > STUCK_MS) stream.abort(new Error('the peer stopped reading'))
  }

  #dropStale(): void {
    const oldest = Date.now() - STALE_MS
    while (this.#queue[0] !== undefined && this.#queue[0].at < oldest) this.#drop()
  }

  #drop(): void {
    const gone = this.#queue.shift()
    if (gone === undefined) return
    this.#queuedBytes -= gone.bytes.byteLength
    this.dropped++
  }
}
