import type { BlsSignature, Root } from '../../core/ids.ts'
import type { QbftInstance, QbftMessage } from '../qbft/types.ts'
import { ByteReader, ByteWriter, CodecError } from './bytes.ts'
import type { QbftLimits } from './qbft-codec.ts'
import { readInstance, readQbft, writeInstance, writeQbft } from './qbft-codec.ts'

/**
 * A partial signature over a duty's signing root. `wanted`: the sender lacks a quorum and asks for the receiver's. `certified`:
 * the sender's signing key's over the certificate of the duty, for duties that have one.
 */
export type PartialMessage = {
  readonly root: Root
  readonly signature: BlsSignature
  readonly wanted: boolean
  readonly certified: BlsSignature | undefined
}

/** What travels on the duty channel. Its first byte tells the kind, then the instance, so that routing reads 14 bytes. */
export type DutyFrame = { readonly kind: 'qbft' | 'partial'; readonly instance: QbftInstance; readonly body: ByteReader }

const QBFT = 1
const PARTIAL = 2
/** Flags of a partial signature's frame. */
const WANTED = 1
const CERTIFIED = 2

export function encodeQbftFrame(instance: QbftInstance, message: QbftMessage): Uint8Array {
  return writeQbft(writeInstance(new ByteWriter(512).u8(QBFT), instance), message).done()
}

export function encodePartialFrame(instance: QbftInstance, { root, signature, wanted, certified }: PartialMessage): Uint8Array {
  const writer = writeInstance(new ByteWriter(256).u8(PARTIAL), instance)
    .u8((wanted ? WANTED : 0) | (certified === undefined ? 0 : CERTIFIED))
    .hex(root)
    .hex(signature)
  return (certified === undefined ? writer : writer.hex(certified)).done()
}

/** Reads the head of a frame. Throws `CodecError`. */
export function openDutyFrame(bytes: Uint8Array): DutyFrame {
  const body = new ByteReader(bytes)
  const code = body.u8()
  if (code !== QBFT && code !== PARTIAL) throw new CodecError('MALFORMED', `expected a duty frame of kind 1 or 2, got ${code}`)
  return { kind: code === QBFT ? 'qbft' : 'partial', instance: readInstance(body), body }
}

/** The rest of a QBFT frame. Throws `CodecError`. */
export function readQbftBody(body: ByteReader, limits: QbftLimits): QbftMessage {
  const message = readQbft(body, limits)
  body.end()
  return message
}

/** The rest of a partial signature's frame. Throws `CodecError`. */
export function readPartialBody(body: ByteReader): PartialMessage {
  const flags = body.u8()
  if (flags > (WANTED | CERTIFIED)) throw new CodecError('MALFORMED', `expected the flags of a partial signature, got ${flags}`)
  const message = {
    wanted: (flags & WANTED) !== 0,
    root: body.hex(32) as Root,
    signature: body.hex(96) as BlsSignature,
    certified: flags & CERTIFIED ? (body.hex(96) as BlsSignature) : undefined,
  }
  body.end()
  return message
}
