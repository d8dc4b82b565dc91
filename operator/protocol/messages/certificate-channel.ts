import type { Epoch, Root } from '../../core/ids.ts'
import { ByteReader, ByteWriter, CodecError } from './bytes.ts'
import { CERTIFICATE_BYTES, certifiedPlace, type DutyCertificate, readDutyCertificate, writeDutyCertificate } from './certificate.ts'

/** Certificates in one frame, at most. */
export const CERTIFICATES_PER_FRAME = 256
/** A set is served in pieces of this size, the last one shorter. */
export const CHUNK_BYTES = 128 * 1024
/** The largest set that is served and fetched: some 400,000 certificates. */
export const MAX_SET_BYTES = 400_000 * CERTIFICATE_BYTES

/** What travels on the channel of certificates. */
export type CertificateFrame =
  /** Certificates that the sender has made, verified; one of each place. */
  | { readonly kind: 'certificates'; readonly certificates: readonly DutyCertificate[] }
  /** A committee's leader names the set of a report made after `history` commitments made and dropped. */
  | { readonly kind: 'proposal'; readonly epoch: Epoch; readonly history: number; readonly hash: Root }
  /** Asks for a piece of the set of this hash, from 0. */
  | { readonly kind: 'ask'; readonly hash: Root; readonly chunk: number }
  /** A piece of it; `size` is the whole set's, in bytes. */
  | { readonly kind: 'chunk'; readonly hash: Root; readonly chunk: number; readonly size: number; readonly bytes: Uint8Array }

const CODES = { certificates: 1, ask: 2, chunk: 3, proposal: 4 } as const

export function encodeCertificateFrame(frame: CertificateFrame): Uint8Array {
  const writer = new ByteWriter(256).u8(CODES[frame.kind])
  switch (frame.kind) {
    case 'certificates':
      writer.u32(frame.certificates.length)
      for (const certificate of frame.certificates) writeDutyCertificate(writer, certificate)
      return writer.done()
    case 'proposal':
      return writer.u64(frame.epoch).u32(frame.history).hex(frame.hash).done()
    case 'ask':
      return writer.hex(frame.hash).u32(frame.chunk).done()
    case 'chunk':
      return writer.hex(frame.hash).u32(frame.chunk).u32(frame.size).raw(frame.bytes).done()
  }
}

/** Throws `CodecError` on anything that is not one frame. */
export function decodeCertificateFrame(bytes: Uint8Array): CertificateFrame {
  const reader = new ByteReader(bytes)
  const frame = readFrame(reader, bytes.length)
  reader.end()
  return frame
}

function readFrame(reader: ByteReader, size: number): CertificateFrame {
  const code = reader.u8()
  switch (code) {
    case CODES.certificates: {
      const count = reader.u32()
      if (count > CERTIFICATES_PER_FRAME) {
        throw new CodecError('TOO_LONG', `expected at most ${CERTIFICATES_PER_FRAME} certificates, got ${count}`)
      }
      const certificates = Array.from({ length: count }, () => readDutyCertificate(reader))
      if (new Set(certificates.map(certifiedPlace)).size < count) {
        throw new CodecError('MALFORMED', 'expected one certificate of each duty, got two of one')
      }
      return { kind: 'certificates', certificates }
    }
    case CODES.proposal:
      return { kind: 'proposal', epoch: reader.u64() as Epoch, history: reader.u32(), hash: reader.hex(32) as Root }
    case CODES.ask:
      return { kind: 'ask', hash: reader.hex(32) as Root, chunk: reader.u32() }
    case CODES.chunk: {
      const head = { kind: 'chunk', hash: reader.hex(32) as Root, chunk: reader.u32(), size: reader.u32() } as const
      return { ...head, bytes: reader.raw(Math.max(0, size - 41)) }
    }
    default:
      throw new CodecError('MALFORMED', `expected a frame of certificates of kind 1 to 4, got ${code}`)
  }
}
