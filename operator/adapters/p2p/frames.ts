import { OpenPoolsError } from '../../core/errors.ts'

const HEADER_BYTES = 4

export class FrameError extends OpenPoolsError<'FRAME_TOO_LARGE' | 'FRAME_EMPTY'> {}

/** The header of a frame: its length, big-endian, 4 bytes. */
export function frameHeader(bytes: Uint8Array): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(bytes.byteLength)
  return header
}

/**
 * Cuts a byte stream into frames (length as 4 bytes big-endian, then that many bytes). Holds at most twice what came of
 * one frame; nothing is allocated for bytes that were only announced.
 */
export class FrameReader {
  readonly #limit: number
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerFilled = 0
  #length = 0
  #body = Buffer.alloc(0)
  #filled = 0
  #startedAt: number | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** When the unfinished frame began, or undefined between frames. */
  get unfinishedSince(): number | undefined {
    return this.#startedAt
  }

  /** Complete frames, each a copy. Throws `FrameError` on a length that no frame may have; the stream is of no use then. */
  *push(chunk: Uint8Array, now: number): Generator<Uint8Array> {
    let at = 0
    while (at < chunk.byteLength) {
      this.#startedAt ??= now
      if (this.#headerFilled < HEADER_BYTES) {
        const taken = Math.min(HEADER_BYTES - this.#headerFilled, chunk.byteLength - at)
        this.#header.set(chunk.subarray(at, at + taken), this.#headerFilled)
        this.#headerFilled += taken
        at += taken
        if (this.#headerFilled === HEADER_BYTES) this.#length = this.#checkedLength()
        continue
      }
      const taken = Math.min(this.#length - this.#filled, chunk.byteLength - at)
      this.#append(chunk.subarray(at, at + taken))
      at += taken
      if (this.#filled === this.#length) yield this.#finish()
    }
  }

  #checkedLength(): number {
    const length = this.#header.readUInt32BE()
    if (length === 0) throw new FrameError('FRAME_EMPTY', 'expected a frame of at least one byte')
    if (length > this.#limit) {
      throw new FrameError('FRAME_TOO_LARGE', `expected a frame of at most ${this.#limit} bytes, got ${length} announced`, { length })
    }
    return length
  }

  /** Into one buffer that grows with what came: kept apart, crumbs of a byte each would weigh a hundred times as much. */
  #append(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.byteLength
    if (needed > this.#body.byteLength) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#length, Math.max(needed, 2 * this.#body.byteLength)))
      grown.set(this.#body.subarray(0, this.#filled))
      this.#body = grown
    }
    this.#body.set(bytes, this.#filled)
    this.#filled = needed
  }

  #finish(): Uint8Array {
    const frame = new Uint8Array(this.#body.buffer, this.#body.byteOffset, this.#length)
    this.#body = Buffer.alloc(0)
    this.#filled = 0
    this.#headerFilled = 0
    this.#startedAt = undefined
    return frame
  }
}
