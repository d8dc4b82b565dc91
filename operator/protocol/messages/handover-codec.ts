import type { BlsSignature, EcdsaSignature, Hex, MemberIndex, PoolId, Root } from '../../core/ids.ts'
import type { Complaint, Dealing, Dleq } from '../../core/ports/ceremony.ts'
import { CEREMONY_KINDS, type PublicContext } from '../dkg/context.ts'
import type { QbftMessage } from '../qbft/types.ts'
import type { Handover } from '../rotation/handover.ts'
import { choiceBytes } from '../rotation/transcript.ts'
import { ByteReader, ByteWriter, CodecError } from './bytes.ts'
import { type AbsenceMessage, wordOf } from './ceremony-codec.ts'
import { readQbft, writeQbft } from './qbft-codec.ts'

/** Everything that members of a handover's two vaults send each other. */
export type HandoverMessage =
  | { readonly kind: 'join'; readonly member: MemberIndex; readonly joinKey: Hex; readonly proof: Dleq; readonly signature: EcdsaSignature }
  | { readonly kind: 'dealing'; readonly dealing: Dealing; readonly signature: EcdsaSignature }
  /** With the struct hash of the dealing that it is about. */
  | { readonly kind: 'complaint'; readonly complaint: Complaint; readonly about: Root; readonly signature: EcdsaSignature }
  /** By the new share and by the signing key, both over the result's digest. */
  | { readonly kind: 'participation'; readonly member: MemberIndex; readonly partial: BlsSignature; readonly participation: BlsSignature }
  | AbsenceMessage
  | { readonly kind: 'qbft'; readonly message: QbftMessage }

export type HandoverHeader = Pick<PublicContext, 'poolId' | 'round'>
export type HandoverShape = Pick<Handover, 'size' | 'oldSize' | 'threshold'>

const CODES = { join: 1, dealing: 2, complaint: 3, participation: 4, qbft: 5, absence: 6 } as const
const G1 = 128
const SCALAR = 32
const ECDSA = 65
const BLS = 96

function readMember(reader: ByteReader, [from, to]: readonly [number, number]): MemberIndex {
  const member = reader.u32()
  if (member < from || member > to) throw new CodecError('MALFORMED', `expected a member from ${from} to ${to}, got ${member}`)
  return member as MemberIndex
}

const writeMaybe = (writer: ByteWriter, hex: Hex | null): ByteWriter => (hex === null ? writer.u8(0) : writer.u8(1).hex(hex))

/** Of old members' join keys a dealing names the dealer's only. */
function writeDealing(writer: ByteWriter, { dealer, joinKeys, commitments, ciphertexts }: Dealing): ByteWriter {
  const size = ciphertexts.length
  writer.u32(dealer)
  for (const key of joinKeys.slice(0, size)) writeMaybe(writer, key)
  writeMaybe(writer, joinKeys[dealer - 1] ?? null)
  for (const commitment of commitments) writer.hex(commitment)
  for (const ciphertext of ciphertexts) writeMaybe(writer, ciphertext)
  return writer
}

function readDealing(reader: ByteReader, { size, oldSize, threshold }: HandoverShape): Dealing {
  const dealer = readMember(reader, [size + 1, size + oldSize])
  const named = Array.from({ length: size }, () => reader.maybe(G1))
  const own = reader.maybe(G1)
  const others = Array.from({ length: oldSize }, (_, at) => (size + at + 1 === dealer ? own : null))
  return {
    dealer,
    joinKeys: [...named, ...others],
    commitments: Array.from({ length: threshold }, () => reader.hex(G1)),
    ciphertexts: Array.from({ length: size }, () => reader.maybe(SCALAR)),
  }
}

/** A handover's message as bytes: header (pool, kind, round), code, body. Lists have the lengths that the vaults give them. */
export function encodeHandover(header: HandoverHeader, message: HandoverMessage): Uint8Array {
  const writer = new ByteWriter(1024).u32(header.poolId).u8(CEREMONY_KINDS.rotation).u32(header.round).u8(CODES[message.kind])
  switch (message.kind) {
    case 'join':
      writer.u32(message.member).hex(message.joinKey).hex(message.proof.challenge).hex(message.proof.response)
      return writer.hex(message.signature).done()
    case 'dealing':
      return writeDealing(writer, message.dealing).hex(message.signature).done()
    case 'complaint': {
      const { dealer, member, sharedPoint, proof } = message.complaint
      writer.u32(dealer).u32(member).hex(message.about).hex(sharedPoint).hex(proof.challenge).hex(proof.response)
      return writer.hex(message.signature).done()
    }
    case 'participation':
      return writer.u32(message.member).hex(message.partial).hex(message.participation).done()
    case 'absence':
      return writer.u32(message.member).hex(wordOf(message.absent)).hex(message.vote).done()
    case 'qbft':
      return writeQbft(writer, message.message).done()
  }
}

/** Is this a message of a handover at all? */
export const isHandover = (bytes: Uint8Array): boolean => bytes[4] === CEREMONY_KINDS.rotation

function readHeader(reader: ByteReader): HandoverHeader {
  const poolId = reader.u32()
  const kind = reader.u8()
  if (poolId === 0 || kind !== CEREMONY_KINDS.rotation) {
    throw new CodecError('MALFORMED', `expected a handover of a pool, got pool ${poolId}, kind ${kind}`)
  }
  return { poolId: poolId as PoolId, round: reader.u32() }
}

/** Which handover the bytes claim to belong to. Throws `CodecError`. */
export function peekHandover(bytes: Uint8Array): HandoverHeader {
  return readHeader(new ByteReader(bytes))
}

/** Throws `CodecError` on anything that is not exactly one message of a handover of this shape. Points and signatures are not checked. */
export function decodeHandover(bytes: Uint8Array, shape: HandoverShape): HandoverMessage {
  const reader = new ByteReader(bytes)
  readHeader(reader)
  const message = readBody(reader, shape)
  reader.end()
  return message
}

const readProof = (reader: ByteReader): Dleq => ({ challenge: reader.hex(SCALAR), response: reader.hex(SCALAR) })
const readSignature = (reader: ByteReader): EcdsaSignature => reader.hex(ECDSA) as EcdsaSignature

function readBody(reader: ByteReader, shape: HandoverShape): HandoverMessage {
  const { size, oldSize } = shape
  const code = reader.u8()
  switch (code) {
    case CODES.join: {
      const member = readMember(reader, [1, size + oldSize])
      return { kind: 'join', member, joinKey: reader.hex(G1), proof: readProof(reader), signature: readSignature(reader) }
    }
    case CODES.dealing:
      return { kind: 'dealing', dealing: readDealing(reader, shape), signature: readSignature(reader) }
    case CODES.complaint: {
      const [dealer, member] = [readMember(reader, [size + 1, size + oldSize]), readMember(reader, [1, size])]
      const about = reader.hex(SCALAR) as Root
      const complaint = { dealer, member, sharedPoint: reader.hex(G1), proof: readProof(reader) }
      return { kind: 'complaint', complaint, about, signature: readSignature(reader) }
    }
    case CODES.participation: {
      const member = readMember(reader, [1, size])
      return { kind: 'participation', member, partial: reader.hex(BLS) as BlsSignature, participation: reader.hex(BLS) as BlsSignature }
    }
    case CODES.absence: {
      const member = readMember(reader, [1, size + oldSize])
      return { kind: 'absence', member, absent: BigInt(reader.hex(SCALAR)), vote: reader.hex(BLS) as BlsSignature }
    }
    case CODES.qbft:
      return { kind: 'qbft', message: readQbft(reader, { size, maxValueBytes: choiceBytes(oldSize) }) }
    default:
      throw new CodecError('MALFORMED', `expected a handover's message, got code ${code}`)
  }
}
