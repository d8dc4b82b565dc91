import { keccak256 } from 'ethers/crypto'
import type { Hex, MemberIndex, Root } from '../../core/ids.ts'
import type { CeremonyContext, Dealing } from '../../core/ports/ceremony.ts'
import { ByteReader, ByteWriter, CodecError } from '../messages/bytes.ts'
import { dealingHash } from '../messages/ceremony.ts'
import { contextBytes, type PublicContext } from './context.ts'
import { DkgError } from './errors.ts'

/** What the members agree on by QBFT before anything is revealed. */
export type Transcript = {
  /** Join keys that every qualified dealing encrypts to, in member order; null for who gets no share. */
  readonly joinKeys: readonly (Hex | null)[]
  /** Struct hashes of the qualified dealings, in member order; null for the other members. */
  readonly dealingHashes: readonly (Root | null)[]
  /** Dealers whose polynomials make the key, ascending. */
  readonly qualified: readonly MemberIndex[]
}

/** The dealings of a ceremony, and whose of them make the key. */
export type Qualified = {
  readonly context: PublicContext & Pick<CeremonyContext, 'size' | 'threshold'>
  /** In member order; null where none is held. */
  readonly dealings: readonly (Dealing | null)[]
  /** Qualified dealers, ascending. */
  readonly qualified: readonly MemberIndex[]
}

const KEY = 128
const HASH = 32

/** The transcript that the dealings of the qualified members (ascending) make. Throws `DkgError` when one is missing. */
export function transcriptOf({ context, dealings, qualified }: Qualified): Transcript {
  const chosen = qualified.map((dealer) => dealingOf(dealings, dealer))
  const joinKeys = Array.from({ length: context.size }, (_, i) => {
    const key = chosen[0]?.joinKeys[i] ?? null
    return chosen.every((dealing) => (dealing.joinKeys[i] ?? null) === key) ? key : null
  })
  const hashes = new Map(chosen.map((dealing) => [Number(dealing.dealer), dealingHash(context, dealing)]))
  return { joinKeys, qualified, dealingHashes: joinKeys.map((_, i) => hashes.get(i + 1) ?? null) }
}

/** Members that every qualified dealing holds a share for. */
export function receiversOf({ joinKeys }: Transcript): readonly MemberIndex[] {
  return joinKeys.flatMap((key, i) => (key === null ? [] : [(i + 1) as MemberIndex]))
}

/** The dealing of a qualified member. Throws `DkgError` when there is none. */
export function dealingOf(dealings: readonly (Dealing | null)[], dealer: MemberIndex): Dealing {
  const dealing = dealings[dealer - 1]
  if (dealing === null || dealing === undefined || dealing.dealer !== dealer) {
    throw new DkgError('BAD_DEALING_SHAPE', `expected a dealing of qualified member ${dealer}`, { member: dealer })
  }
  return dealing
}

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
