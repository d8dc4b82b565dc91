import { OpenPoolsError } from '../../core/errors.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import { FrameReader } from './frames.ts'
import type { ChannelLimits } from './limits.ts'
import type { Stream } from './types.ts'

/** A frame must be complete within this time of its first byte. */
const FRAME_MS = 30_000

export class FloodError extends OpenPoolsError<'TOO_MANY_BYTES' | 'TOO_MANY_FRAMES' | 'FRAME_TOO_SLOW'> {}

type Receiver = { readonly onFrame: (bytes: Uint8Array) => void; readonly onOffence: (reason: Error) => void }

/** What one peer sends on one channel: frames cut, counted and limited. */
export class Inbox {
  readonly #limits: ChannelLimits
  readonly #receiver: Receiver
  readonly #bytes: TokenBucket
  readonly #frames: TokenBucket
  readonly #excess: TokenBucket
  #stream: Stream | undefined
  #reader: FrameReader | undefined
  received = 0
  dropped = 0

  constructor(limits: ChannelLimits, receiver: Receiver) {
    const now = Date.now()
    this.#limits = limits
    this.#receiver = receiver
    this.#bytes = new TokenBucket({ burst: limits.burstBytes, perSecond: limits.bytesPerSecond }, now)
    this.#frames = new TokenBucket({ burst: limits.burstFrames, perSecond: limits.framesPerSecond }, now)
    // A backlog that arrives at once only loses frames; who goes on is flooding.
    this.#excess = new TokenBucket({ burst: limits.burstFrames, perSecond: limits.framesPerSecond / 10 }, now)
  }

  /** Reads this stream from now on; one that was open before is closed. */
  attach(stream: Stream): void {
    const reader = new FrameReader(this.#limits.frame)
    this.#stream?.abort(new Error('replaced by a newer stream'))
    this.#stream = stream
    this.#reader = reader
    stream.addEventListener('message', ({ data }) => {
      if (this.#stream === stream) this.#read(reader, data.subarray())
    })
    stream.addEventListener('close', () => {
      if (this.#stream !== stream) return
      this.#stream = undefined
      this.#reader = undefined
    })
  }

  detach(): void {
    this.#stream?.abort(new Error('peer dropped'))
    this.#stream = undefined
    this.#reader = undefined
  }

  /** To be called now and then: ends a frame that never does. */
  checkProgress(now: number): void {
    const since = this.#reader?.unfinishedSince
    if (since !== undefined && now - since > FRAME_MS) {
      this.#receiver.onOffence(new FloodError('FRAME_TOO_SLOW', `expected a whole frame within ${FRAME_MS} ms`))
    }
  }

  #read(reader: FrameReader, chunk: Uint8Array): void {
    const now = Date.now()
    if (!this.#bytes.take(chunk.byteLength, now)) {
      this.#receiver.onOffence(new FloodError('TOO_MANY_BYTES', `expected at most ${this.#limits.bytesPerSecond} bytes a second`))
      return
    }
    try {
      for (const frame of reader.push(chunk, now)) this.#accept(frame, now)
    } catch (error) {
      if (!(error instanceof OpenPoolsError)) throw error
      this.#receiver.onOffence(error)
    }
  }

  #accept(frame: Uint8Array, now: number): void {
    if (this.#frames.take(1, now)) {
      this.received++
      this.#receiver.onFrame(frame)
      return
    }
    this.dropped++
    if (!this.#excess.take(1, now)) {
      throw new FloodError('TOO_MANY_FRAMES', `expected at most ${this.#limits.framesPerSecond} frames a second`)
    }
  }
}
