import type { BlsSignature, EcdsaSignature, Hex, MemberIndex, Root } from '../../core/ids.ts'
import type { Complaint, Dealing, Dleq, Reveal } from '../../core/ports/ceremony.ts'
import { CEREMONY_KINDS, type PublicContext } from '../dkg/context.ts'
import { transcriptBytes } from '../dkg/transcript.ts'
import type { QbftMessage } from '../qbft/types.ts'
import { ByteReader, ByteWriter, CodecError } from './bytes.ts'
import type { CeremonyStatement } from './ceremony.ts'
import { readQbft, writeQbft } from './qbft-codec.ts'

/** A statement with the operator key's signature. */
export type SignedCeremonyStatement = CeremonyStatement & { readonly signature: EcdsaSignature }

/** A member's two signatures on the outcome. Each proves itself: under its public share, and under its signing key. */
export type ParticipationMessage = {
  readonly kind: 'participation'
  readonly member: MemberIndex
  /** By the key share over the deposit message. */
  readonly partial: BlsSignature
  /** By the BLS signing key over the `DkgResult` digest. */
  readonly participation: BlsSignature
}

/** A complaint with the complainer's signature, which also names the dealing that it is about. */
export type ComplaintMessage = { readonly kind: 'complaint'; readonly complaint: Complaint; readonly signature: EcdsaSignature }

/**
 * That a member is there past the deadline, or who is not: `absent` 0 or bits by member (bit i: member index i + 1), signed by its BLS
 * signing key over the digest that names them.
 */
export type AbsenceMessage = {
  readonly kind: 'absence'
  readonly member: MemberIndex
  readonly absent: bigint
  readonly vote: BlsSignature
}

/** Everything that members of a ceremony send each other. */
export type CeremonyMessage =
  | SignedCeremonyStatement
  | ComplaintMessage
  | ParticipationMessage
  | AbsenceMessage
  | { readonly kind: 'qbft'; readonly about: Agreed; readonly message: QbftMessage }

/** What the members agree on by QBFT: who takes part, when not all have joined in time; then the transcript. */
export const AGREED = ['roster', 'transcript'] as const
export type Agreed = (typeof AGREED)[number]

/** Which ceremony a message belongs to, readable before its vault is known. */
export type CeremonyHeader = Pick<PublicContext, 'poolId' | 'kind' | 'round'>

export type CeremonyShape = { readonly size: number; readonly threshold: number }

const CODES = { join: 1, dealing: 2, reveal: 3, participation: 4, qbft: 5, complaint: 6, checked: 7, absence: 8 } as const
const G1 = 128
const SCALAR = 32
const ECDSA = 65
const BLS = 96
const HASH = 32

/** A number as 32 bytes, big-endian. */
export const wordOf = (value: bigint): Hex => `0x${value.toString(16).padStart(2 * SCALAR, '0')}`

function writeMaybe(writer: ByteWriter, hex: Hex | null): ByteWriter {
  return hex === null ? writer.u8(0) : writer.u8(1).hex(hex)
}

function readMember(reader: ByteReader, shape: CeremonyShape): MemberIndex {
  const member = reader.u8()
  if (member < 1 || member > shape.size) throw new CodecError('MALFORMED', `expected a member from 1 to ${shape.size}, got ${member}`)
  return member as MemberIndex
}

const times = <T>(count: number, read: () => T): readonly T[] => Array.from({ length: count }, read)

function writeProven(writer: ByteWriter, { point, proof }: { readonly point: Hex; readonly proof: Dleq }): ByteWriter {
  return writer.hex(point).hex(proof.challenge).hex(proof.response)
}

function readProven(reader: ByteReader): { readonly point: Hex; readonly proof: Dleq } {
  return { point: reader.hex(G1), proof: readProof(reader) }
}

const readProof = (reader: ByteReader): Dleq => ({ challenge: reader.hex(SCALAR), response: reader.hex(SCALAR) })

function writeDealing(writer: ByteWriter, dealing: Dealing): void {
  writer.u8(dealing.dealer)
  for (const key of dealing.joinKeys) writeMaybe(writer, key)
  for (const commitment of dealing.commitments) writer.hex(commitment)
  for (const ciphertext of dealing.ciphertexts) writeMaybe(writer, ciphertext)
}

function readDealing(reader: ByteReader, shape: CeremonyShape): Dealing {
  return {
    dealer: readMember(reader, shape),
    joinKeys: times(shape.size, () => reader.maybe(G1)),
    commitments: times(shape.threshold, () => reader.hex(G1)),
    ciphertexts: times(shape.size, () => reader.maybe(SCALAR)),
  }
}

function writeReveal(writer: ByteWriter, reveal: Reveal): void {
  writer.u8(reveal.member).u8(reveal.constantTerm === null ? 0 : 1)
  if (reveal.constantTerm !== null) writeProven(writer, reveal.constantTerm)
  writeProven(writer, reveal.publicShare)
}

function readReveal(reader: ByteReader, shape: CeremonyShape): Reveal {
  const member = readMember(reader, shape)
  const flag = reader.u8()
  if (flag > 1) throw new CodecError('MALFORMED', `expected 0 or 1, got ${flag}`)
  return { member, constantTerm: flag === 1 ? readProven(reader) : null, publicShare: readProven(reader) }
}

/** A ceremony message as bytes: header (pool, kind, round), code, body. Lists have the lengths that the vault gives them. */
export function encodeCeremony(header: CeremonyHeader, message: CeremonyMessage): Uint8Array {
  const writer = new ByteWriter(1024).u32(header.poolId).u8(CEREMONY_KINDS[header.kind]).u32(header.round).u8(CODES[message.kind])
  switch (message.kind) {
    case 'join':
      return writer
        .u8(message.member)
        .hex(message.joinKey)
        .hex(message.proof.challenge)
        .hex(message.proof.response)
        .hex(message.signature)
        .done()
    case 'dealing':
      writeDealing(writer, message.dealing)
      return writer.hex(message.signature).done()
    case 'checked':
      writer.u8(message.member)
      for (const hash of message.dealings) writeMaybe(writer, hash)
      return writer.hex(message.signature).done()
    case 'reveal':
      writeReveal(writer, message.reveal)
      return writer.hex(message.signature).done()
    case 'complaint': {
      const { dealer, member, sharedPoint, proof } = message.complaint
      writeProven(writer.u8(dealer).u8(member), { point: sharedPoint, proof })
      return writer.hex(message.signature).done()
    }
    case 'participation':
      return writer.u8(message.member).hex(message.partial).hex(message.participation).done()
    case 'absence':
      return writer.u8(message.member).hex(wordOf(message.absent)).hex(message.vote).done()
    case 'qbft':
      return writeQbft(writer.u8(AGREED.indexOf(message.about)), message.message).done()
  }
}

function readHeader(reader: ByteReader): CeremonyHeader {
  const poolId = reader.u32()
  const kind = reader.u8()
  if (poolId === 0 || kind !== CEREMONY_KINDS.dkg)
    throw new CodecError('MALFORMED', `expected a ceremony of a pool, got pool ${poolId}, kind ${kind}`)
  return { poolId: poolId as CeremonyHeader['poolId'], kind: 'dkg', round: reader.u32() }
}

/** Which ceremony the bytes claim to belong to. Throws `CodecError`. */
export function peekCeremony(bytes: Uint8Array): CeremonyHeader {
  return readHeader(new ByteReader(bytes))
}

/** Throws `CodecError` on anything that is not exactly one message of a ceremony of this shape. Points and signatures are not checked. */
export function decodeCeremony(bytes: Uint8Array, shape: CeremonyShape): CeremonyMessage {
  const reader = new ByteReader(bytes)
  readHeader(reader)
  const message = readBody(reader, shape)
  reader.end()
  return message
}

function readBody(reader: ByteReader, shape: CeremonyShape): CeremonyMessage {
  const code = reader.u8()
  switch (code) {
    case CODES.join:
      return {
        kind: 'join',
        member: readMember(reader, shape),
        joinKey: reader.hex(G1),
        proof: readProof(reader),
        signature: readSignature(reader),
      }
    case CODES.dealing:
      return { kind: 'dealing', dealing: readDealing(reader, shape), signature: readSignature(reader) }
    case CODES.checked:
      return {
        kind: 'checked',
        member: readMember(reader, shape),
        dealings: times(shape.size, () => reader.maybe(HASH) as Root | null),
        signature: readSignature(reader),
      }
    case CODES.reveal:
      return { kind: 'reveal', reveal: readReveal(reader, shape), signature: readSignature(reader) }
    case CODES.complaint: {
      const [dealer, member] = [readMember(reader, shape), readMember(reader, shape)]
      const { point: sharedPoint, proof } = readProven(reader)
      return { kind: 'complaint', complaint: { dealer, member, sharedPoint, proof }, signature: readSignature(reader) }
    }
    case CODES.participation:
      return {
        kind: 'participation',
        member: readMember(reader, shape),
        partial: reader.hex(BLS) as BlsSignature,
        participation: reader.hex(BLS) as BlsSignature,
      }
    case CODES.absence:
      return {
        kind: 'absence',
        member: readMember(reader, shape),
        absent: BigInt(reader.hex(SCALAR)),
        vote: reader.hex(BLS) as BlsSignature,
      }
    case CODES.qbft:
      return readAgreement(reader, shape)
    default:
      throw new CodecError('MALFORMED', `expected a ceremony message, got code ${code}`)
  }
}

function readAgreement(reader: ByteReader, { size }: CeremonyShape): CeremonyMessage {
  const about = AGREED[reader.u8()]
  if (about === undefined) throw new CodecError('MALFORMED', 'expected the agreement on a roster or on a transcript, got another')
  return { kind: 'qbft', about, message: readQbft(reader, { size, maxValueBytes: agreedBytes(about, size) }) }
}

/** Most bytes of a value agreed on by a vault of `size`. */
export function agreedBytes(about: Agreed, size: number): number {
  return about === 'roster' ? size * (1 + JOIN) : transcriptBytes(size)
}

/** A join with its proof and signature: what a roster is made of. */
export type SignedJoin = Extract<SignedCeremonyStatement, { kind: 'join' }>

const JOIN = G1 + 2 * SCALAR + ECDSA

/** Who takes part, each by its own signed join: for each member of the vault a byte, 1 = takes part, then its join. */
export function encodeRoster(joins: ReadonlyMap<MemberIndex, SignedJoin>, size: number): Uint8Array {
  const writer = new ByteWriter(agreedBytes('roster', size))
  for (let member = 1; member <= size; member++) {
    const join = joins.get(member as MemberIndex)
    if (join === undefined) writer.u8(0)
    else writer.u8(1).hex(join.joinKey).hex(join.proof.challenge).hex(join.proof.response).hex(join.signature)
  }
  return writer.done()
}

/** Throws `CodecError` on anything but a roster of a vault of `size`. Keys, proofs and signatures are not checked. */
export function decodeRoster(bytes: Uint8Array, size: number): readonly SignedJoin[] {
  const reader = new ByteReader(bytes)
  const joins = times(size, () => reader.maybe(JOIN)).flatMap((join, at): readonly SignedJoin[] => {
    if (join === null) return []
    const fields = new ByteReader(Buffer.from(join.slice(2), 'hex'))
    const member = (at + 1) as MemberIndex
    return [{ kind: 'join', member, joinKey: fields.hex(G1), proof: readProof(fields), signature: readSignature(fields) }]
  })
  reader.end()
  return joins
}

const readSignature = (reader: ByteReader): EcdsaSignature => reader.hex(ECDSA) as EcdsaSignature
