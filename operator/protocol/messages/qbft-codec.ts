import type { EcdsaSignature, MemberIndex, Root } from '../../core/ids.ts'
import type { PreparedCertificate, QbftInstance, QbftMessage, SignedStatement, Statement, StatementType } from '../qbft/types.ts'
import { STATEMENT_TYPES, ZERO_ROOT } from '../qbft/types.ts'
import { ByteReader, ByteWriter, CodecError } from './bytes.ts'

/** What a decoder accepts at most. */
export type QbftLimits = { readonly size: number; readonly maxValueBytes: number }

const DECIDED_CODE = 5
const SIGNATURE_BYTES = 65

export function writeInstance(writer: ByteWriter, instance: QbftInstance): ByteWriter {
  return writer.u32(instance.poolId).u64(instance.slot).u8(instance.duty)
}

export function readInstance(reader: ByteReader): QbftInstance {
  return { poolId: reader.u32(), slot: reader.u64(), duty: reader.u8() }
}

/**
 * A QBFT message as bytes. Justifications are compact: what the statement itself implies (type, round, value) is not
 * repeated; a prepare or commit in a certificate is its sender and signature.
 */
export function writeQbft(writer: ByteWriter, message: QbftMessage): ByteWriter {
  if (message.kind === 'decided') {
    const first = message.commits[0]
    writer.u8(DECIDED_CODE)
    writer.u32(first?.round ?? 0).hex(first?.value ?? ZERO_ROOT)
    writeSigners(writer, message.commits)
    return writeValue(writer, message.value)
  }
  const { signed, roundChanges, prepares, value } = message
  writer
    .u8(STATEMENT_TYPES.indexOf(signed.type) + 1)
    .u8(signed.sender)
    .u32(signed.round)
    .hex(signed.signature)
  switch (signed.type) {
    case 'prepare':
    case 'commit':
      return writer.hex(signed.value)
    case 'pre-prepare':
      writer.hex(signed.value).u8(roundChanges.length)
      for (const change of roundChanges) writer.u8(change.sender).u32(change.preparedRound).hex(change.preparedValue).hex(change.signature)
      writer.u32(prepares[0]?.round ?? 0)
      writeSigners(writer, prepares)
      return writeValue(writer, value)
    case 'round-change':
      writer.u32(signed.preparedRound)
      if (signed.preparedRound === 0) return writer
      writer.hex(signed.preparedValue)
      writeSigners(writer, prepares)
      return writeValue(writer, value)
  }
}

/** Reads what `writeQbft` wrote and nothing else. Throws `CodecError`. */
export function readQbft(reader: ByteReader, limits: QbftLimits): QbftMessage {
  const code = reader.u8()
  if (code === DECIDED_CODE) {
    const base = statement('commit', reader.u32(), reader.hex(32) as Root)
    const commits = readSigners(reader, limits, base)
    return { kind: 'decided', commits, value: readValue(reader, limits) }
  }
  const type = STATEMENT_TYPES[code - 1]
  if (type === undefined) throw new CodecError('MALFORMED', `expected a QBFT message type from 1 to 5, got ${code}`)
  const sender = readSender(reader, limits)
  const round = reader.u32()
  const signature = readSignature(reader)
  switch (type) {
    case 'prepare':
    case 'commit': {
      const signed = { ...statement(type, round, reader.hex(32) as Root), sender, signature }
      return { kind: 'statement', signed, roundChanges: [], prepares: [], value: undefined }
    }
    case 'pre-prepare': {
      const signed = { ...statement(type, round, reader.hex(32) as Root), sender, signature }
      const roundChanges = readRoundChanges(reader, limits, round)
      const prepares = readSigners(reader, limits, statement('prepare', reader.u32(), signed.value))
      return { kind: 'statement', signed, roundChanges, prepares, value: readValue(reader, limits) }
    }
    case 'round-change': {
      const preparedRound = reader.u32()
      const base = { ...statement(type, round, ZERO_ROOT), sender, signature, preparedRound }
      if (preparedRound === 0) return { kind: 'statement', signed: base, roundChanges: [], prepares: [], value: undefined }
      const signed = { ...base, preparedValue: reader.hex(32) as Root }
      const prepares = readSigners(reader, limits, statement('prepare', preparedRound, signed.preparedValue))
      return { kind: 'statement', signed, roundChanges: [], prepares, value: readValue(reader, limits) }
    }
  }
}

/** What the gate keeps beside a commit, so that a restarted member still knows what it has prepared. */
export function encodeCertificate(certificate: PreparedCertificate): Uint8Array {
  const writer = new ByteWriter(256 + certificate.value.length).u32(certificate.round).hex(certificate.root)
  writeSigners(writer, certificate.prepares)
  return writeValue(writer, certificate.value).done()
}

/** Inverse of `encodeCertificate`. Throws `CodecError`. */
export function decodeCertificate(bytes: Uint8Array, limits: QbftLimits): PreparedCertificate {
  const reader = new ByteReader(bytes)
  const round = reader.u32()
  const root = reader.hex(32) as Root
  const prepares = readSigners(reader, limits, statement('prepare', round, root))
  const value = readValue(reader, limits)
  reader.end()
  return { round, root, value, prepares }
}

function statement(type: StatementType, round: number, value: Root): Statement {
  return { type, round, value, preparedRound: 0, preparedValue: ZERO_ROOT }
}

function writeSigners(writer: ByteWriter, statements: readonly SignedStatement[]): void {
  writer.u8(statements.length)
  for (const { sender, signature } of statements) writer.u8(sender).hex(signature)
}

function readSigners(reader: ByteReader, limits: QbftLimits, base: Statement): readonly SignedStatement[] {
  const count = readCount(reader, limits)
  return Array.from({ length: count }, () => ({ ...base, sender: readSender(reader, limits), signature: readSignature(reader) }))
}

function readRoundChanges(reader: ByteReader, limits: QbftLimits, round: number): readonly SignedStatement[] {
  const count = readCount(reader, limits)
  return Array.from({ length: count }, () => ({
    ...statement('round-change', round, ZERO_ROOT),
    sender: readSender(reader, limits),
    preparedRound: reader.u32(),
    preparedValue: reader.hex(32) as Root,
    signature: readSignature(reader),
  }))
}

function readCount(reader: ByteReader, { size }: QbftLimits): number {
  const count = reader.u8()
  if (count > size) throw new CodecError('MALFORMED', `expected at most ${size} statements, got ${count}`)
  return count
}

function readSender(reader: ByteReader, { size }: QbftLimits): MemberIndex {
  const sender = reader.u8()
  if (sender < 1 || sender > size) throw new CodecError('MALFORMED', `expected a member from 1 to ${size}, got ${sender}`)
  return sender as MemberIndex
}

function readSignature(reader: ByteReader): EcdsaSignature {
  return reader.hex(SIGNATURE_BYTES) as EcdsaSignature
}

function writeValue(writer: ByteWriter, value: Uint8Array | undefined): ByteWriter {
  const bytes = value ?? new Uint8Array(0)
  return writer.u32(bytes.length).raw(bytes)
}

/** A copy: the frame's buffer belongs to the transport. */
function readValue(reader: ByteReader, { maxValueBytes }: QbftLimits): Uint8Array {
  const length = reader.u32()
  if (length > maxValueBytes) throw new CodecError('TOO_LONG', `expected a value of at most ${maxValueBytes} bytes, got ${length}`)
  return new Uint8Array(reader.raw(length))
}
