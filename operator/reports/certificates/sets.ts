import type { Root } from '../../core/ids.ts'
import { toRoot } from '../../core/parse.ts'
import type { Store } from '../../core/ports/store.ts'
import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { CHUNK_BYTES, MAX_SET_BYTES } from '../../protocol/messages/certificate-channel.ts'
import { certificateLeaf, certificatesRoot, decodeCertificateSet, encodeCertificateSet } from '../../protocol/messages/certificate-set.ts'

/** Pieces of sets as they are asked for, by hash and number: serving one reads no more than that. */
const PIECES = 'certificate-set-piece'
/** Lengths of whole sets, in bytes. */
const SIZES = 'certificate-set-size'
const INDEX = 'certificate-set-index'
/** Sets kept: of reports that stand, and a few that never came to be. */
const KEPT = 16

/** Hash of a report that publishes no certificate. */
export const EMPTY_SET = toRoot(`0x${'00'.repeat(32)}`)

/** Sets of certificates by their hash, as they are served. */
export class CertificateSets {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Undefined for a set that this node does not have. */
  get(hash: Root): readonly DutyCertificate[] | undefined {
    if (hash === EMPTY_SET) return []
    const size = this.#sizeOf(hash)
    if (size === undefined) return undefined
    const pieces = Array.from({ length: piecesOf(size) }, (_, at) => this.#store.getBytes(PIECES, pieceKey(hash, at)) ?? new Uint8Array())
    return decodeCertificateSet(Buffer.concat(pieces))
  }

  /** Keeps a set, in order; returns its hash. */
  add(certificates: readonly DutyCertificate[]): Root {
    if (certificates.length === 0) return EMPTY_SET
    return this.#keep(certificatesRoot(certificates.map(certificateLeaf)), encodeCertificateSet(certificates))
  }

  /** Keeps what came as the set of this hash. False when it is another's, or none. */
  addBytes(hash: Root, bytes: Uint8Array): boolean {
    try {
      if (certificatesRoot(decodeCertificateSet(bytes).map(certificateLeaf)) !== hash) return false
    } catch {
      return false
    }
    this.#keep(hash, bytes)
    return true
  }

  /** A piece of a set to serve, with the whole's size in bytes. */
  chunk(hash: Root, at: number): { readonly size: number; readonly bytes: Uint8Array } | undefined {
    const bytes = this.#store.getBytes(PIECES, pieceKey(hash, at))
    const size = bytes && this.#sizeOf(hash)
    return size === undefined || bytes === undefined ? undefined : { size, bytes }
  }

  #sizeOf(hash: Root): number | undefined {
    const size = this.#store.get(SIZES, hash)
    return size === undefined ? undefined : Number(size)
  }

  #keep(hash: Root, bytes: Uint8Array): Root {
    if (bytes.length > MAX_SET_BYTES || this.#sizeOf(hash) !== undefined) return hash
    this.#store.transaction(() => {
      const known = this.#store.list(INDEX)
      const number = Number(known.at(-1)?.[0] ?? 0) + 1
      this.#store.put(INDEX, String(number).padStart(12, '0'), hash)
      this.#store.put(SIZES, hash, String(bytes.length))
      for (let at = 0; at < piecesOf(bytes.length); at++) {
        this.#store.putBytes(PIECES, pieceKey(hash, at), bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES))
      }
      for (const [key, old] of known.slice(0, Math.max(0, known.length + 1 - KEPT))) {
        this.#store.delete(INDEX, key)
        this.#forget(old as Root)
      }
    })
    return hash
  }

  #forget(hash: Root): void {
    for (let at = 0; at < piecesOf(this.#sizeOf(hash) ?? 0); at++) this.#store.delete(PIECES, pieceKey(hash, at))
    this.#store.delete(SIZES, hash)
  }
}

const pieceKey = (hash: Root, at: number): string => `${hash}/${at}`
const piecesOf = (size: number): number => Math.ceil(size / CHUNK_BYTES)
