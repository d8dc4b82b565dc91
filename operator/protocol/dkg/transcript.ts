import { keccak256 } from 'ethers/crypto'
import type { Hex, MemberIndex, Root } from '../../core/ids.ts'
import { ByteReader, ByteWriter, CodecError } from '../messages/bytes.ts'
import { contextBytes, type PublicContext } from './context.ts'

/** What the members agree on by QBFT before anything is revealed. */
export type Transcript = {
  /** Join keys in member order; null where none joined in time. */
  readonly joinKeys: readonly (Hex | null)[]
  /** Struct hashes of the dealings, in member order; null where none came in time. */
  readonly dealingHashes: readonly (Root | null)[]
  /** Dealers whose polynomials make the key, ascending. */
  readonly qualified: readonly MemberIndex[]
}

const KEY = 128
const HASH = 32

/** Length of the encoded transcript of a vault of `size`. */
export function transcriptBytes(size: number): number {
  return size * (KEY + HASH + 1)
}

function writeList(writer: ByteWriter, list: readonly (Hex | null)[], size: number): void {
  const nothing: Hex = `0x${'00'.repeat(size)}`
  for (const entry of list) writer.hex(entry ?? nothing)
}

function readList(reader: ByteReader, count: number, size: number): readonly (Hex | null)[] {
  return Array.from({ length: count }, () => {
    const entry = reader.hex(size)
    return /^0x0*$/.test(entry) ? null : entry
  })
}

/** The value of the ceremony's QBFT instance: join keys ‖ dealing hashes ‖ one byte for each member, 1 = qualified. */
export function encodeTranscript({ joinKeys, dealingHashes, qualified }: Transcript): Uint8Array {
  const writer = new ByteWriter(transcriptBytes(joinKeys.length))
  writeList(writer, joinKeys, KEY)
  writeList(writer, dealingHashes, HASH)
  for (const i of joinKeys.keys()) writer.u8(qualified.includes((i + 1) as MemberIndex) ? 1 : 0)
  return writer.done()
}

/** Throws `CodecError` on anything but a transcript of a vault of `size`. */
export function decodeTranscript(bytes: Uint8Array, size: number): Transcript {
  const reader = new ByteReader(bytes)
  const joinKeys = readList(reader, size, KEY)
  const dealingHashes = readList(reader, size, HASH) as readonly (Root | null)[]
  const flags = Array.from({ length: size }, () => reader.u8())
  reader.end()
  if (flags.some((flag) => flag > 1)) throw new CodecError('MALFORMED', `expected flags of 0 or 1, got ${flags.join()}`)
  const qualified = flags.flatMap((flag, i) => (flag === 1 ? [(i + 1) as MemberIndex] : []))
  return { joinKeys, dealingHashes, qualified }
}

/** keccak256(context ‖ encoded transcript): what participants sign as `transcriptRoot`. */
export function transcriptRootOf(context: PublicContext, transcript: Transcript): Root {
  return keccak256(Buffer.concat([contextBytes(context), encodeTranscript(transcript)])) as Root
}
