import { OpenPoolsError } from '../../core/errors.ts'
import type { Hex } from '../../core/ids.ts'
import { bytesToHex } from '../../core/parse.ts'

/** Bytes from a peer that are no message of ours. */
export class CodecError extends OpenPoolsError<'TOO_SHORT' | 'TOO_LONG' | 'MALFORMED'> {}

/** Appends big-endian fields to a growing buffer. */
export class ByteWriter {
  #bytes: Buffer
  #length = 0

  constructor(expected = 256) {
    this.#bytes = Buffer.allocUnsafe(expected)
  }

  u8(value: number): this {
    const at = this.#grow(1)
    this.#bytes.writeUInt8(value, at)
    return this
  }

  u32(value: number): this {
    const at = this.#grow(4)
    this.#bytes.writeUInt32BE(value, at)
    return this
  }

  u64(value: number): this {
    const at = this.#grow(8)
    this.#bytes.writeBigUInt64BE(BigInt(value), at)
    return this
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  hex(hex: Hex): this {
    const size = (hex.length - 2) / 2
    const at = this.#grow(size)
    this.#bytes.write(hex.slice(2), at, size, 'hex')
    return this
  }

  /** The bytes written so far; the writer must not be used afterwards. */
  done(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#length)
  }

  #grow(size: number): number {
    const at = this.#length
    this.#length += size
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    return at
  }
}

/** Reads big-endian fields; every method throws `CodecError` instead of reading past the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes in all, read or not. */
  get size(): number {
    return this.#bytes.length
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  u64(): number {
    const value = this.#bytes.readBigUInt64BE(this.#take(8))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CodecError('MALFORMED', `expected a number below 2^53, got ${value}`)
    return Number(value)
  }

  /** A view, not a copy. */
  raw(size: number): Uint8Array {
    const at = this.#take(size)
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, size)
  }

  hex(size: number): Hex {
    return bytesToHex(this.raw(size))
  }

  /** 0, or 1 and then bytes that are not all zero: zeros stand for nothing in what is hashed, and must not come in two forms. */
  maybe(size: number): Hex | null {
    const flag = this.u8()
    if (flag > 1) throw new CodecError('MALFORMED', `expected 0 or 1, got ${flag}`)
    if (flag === 0) return null
    const value = this.hex(size)
    if (/^0x0*$/.test(value)) throw new CodecError('MALFORMED', `expected ${size} zero bytes to be left out`)
    return value
  }

  /** Throws unless everything was read: two encodings of one message must not exist. */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new CodecError('TOO_LONG', `expected ${this.#at} bytes, got ${this.#bytes.length}`)
    }
  }

  #take(size: number): number {
    const at = this.#at
    if (at + size > this.#bytes.length) {
      throw new CodecError('TOO_SHORT', `expected ${size} bytes at offset ${at}, got ${this.#bytes.length - at}`)
    }
    this.#at += size
    return at
  }
}
