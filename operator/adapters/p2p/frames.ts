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
 * Cuts a byte stream into frames (length as 4 bytes big-endian, then that many bytes). Holds no more than what came of one
 * frame; nothing is allocated for bytes that were only announced.
 */
export class FrameReader {
  readonly #limit: number
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerFilled = 0
  #length = 0
  #parts: Uint8Array[] = []
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
      this.#parts.push(chunk.slice(at, at + taken))
      this.#filled += taken
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

  #finish(): Uint8Array {
    const [first] = this.#parts
    const frame = this.#parts.length === 1 && first !== undefined ? first : new Uint8Array(Buffer.concat(this.#parts))
    this.#parts = []
    this.#filled = 0
    this.#headerFilled = 0
    this.#startedAt = undefined
    return frame
  }
}
