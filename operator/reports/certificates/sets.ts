import type { Root } from '../../core/ids.ts'
import { toRoot } from '../../core/parse.ts'
import type { Store } from '../../core/ports/store.ts'
import { CERTIFICATE_BYTES, type DutyCertificate } from '../../protocol/messages/certificate.ts'
import { CHUNK_BYTES, MAX_SET_BYTES } from '../../protocol/messages/certificate-channel.ts'
import {
  CertificateTree,
  certificateLeaf,
  compareCertificates,
  decodeCertificateSet,
  encodeCertificateSet,
} from '../../protocol/messages/certificate-set.ts'
import { everyInSlices } from './slices.ts'

/** Pieces of sets as they are asked for, by hash and number: serving one reads no more than that. */
const PIECES = 'certificate-set-piece'
/** Lengths of whole sets, in bytes. */
const SIZES = 'certificate-set-size'
const INDEX = 'certificate-set-index'
/** Sets kept beside those that are pinned: proposals for a report or two, and a few that never came to be. */
const KEPT = 16
/** Sets last used are in memory, as a report in the making uses them again and again. */
const IN_MEMORY = 4
/** Certificates in one turn of the event loop: a few milliseconds' worth. */
const CODED_A_TURN = 256
const HASHED_A_TURN = 32

/** Hash of a report that publishes no certificate. */
export const EMPTY_SET = toRoot(`0x${'00'.repeat(32)}`)

/** Sets of certificates by their hash, as they are served. Whatever grows with a set is done in slices. */
export class CertificateSets {
  readonly #store: Store
  readonly #isPinned: (hash: Root) => boolean
  readonly #recent = new Map<Root, readonly DutyCertificate[]>()

  /** `isPinned`: is a set needed, however many come after it? */
  constructor(store: Store, isPinned: (hash: Root) => boolean) {
    this.#store = store
    this.#isPinned = isPinned
  }

  has(hash: Root): boolean {
    return hash === EMPTY_SET || this.#sizeOf(hash) !== undefined
  }

  /** Undefined for a set that this node does not have. */
  async get(hash: Root): Promise<readonly DutyCertificate[] | undefined> {
    if (hash === EMPTY_SET) return []
    const size = this.#sizeOf(hash)
    if (size === undefined) return undefined
    const known = this.#recent.get(hash)
    if (known !== undefined) return this.#remember(hash, known)
    const pieces = Array.from({ length: piecesOf(size) }, (_, at) => this.#store.getBytes(PIECES, pieceKey(hash, at)) ?? new Uint8Array())
    const certificates = await decodeInSlices(Buffer.concat(pieces), () => true)
    return certificates && this.#remember(hash, certificates)
  }

  /** Keeps a set, in order; returns its hash. */
  async add(certificates: readonly DutyCertificate[]): Promise<Root> {
    if (certificates.length === 0) return EMPTY_SET
    const hash = await hashInSlices(certificates)
    const parts: Uint8Array[] = []
    await everyInSlices(startsOf(certificates.length, CODED_A_TURN), 1, (start) => {
      parts.push(encodeCertificateSet(certificates.slice(start, start + CODED_A_TURN)))
      return true
    })
    this.keep(hash, Buffer.concat(parts))
    this.#remember(hash, certificates)
    return hash
  }

  /**
   * Reads what came as the set of this hash: what does not fit is found before anything is hashed. Undefined when it is another's,
   * or none. It is not kept.
   */
  async read(
    hash: Root,
    bytes: Uint8Array,
    fits: (certificate: DutyCertificate) => boolean,
  ): Promise<readonly DutyCertificate[] | undefined> {
    try {
      const certificates = await decodeInSlices(bytes, fits)
      return certificates !== undefined && (await hashInSlices(certificates)) === hash ? certificates : undefined
    } catch {
      return undefined
    }
  }

  /** Keeps the bytes of a set to serve them. */
  keep(hash: Root, bytes: Uint8Array): void {
    if (bytes.length > MAX_SET_BYTES || this.#sizeOf(hash) !== undefined) return
    this.#store.transaction(() => {
      const known = this.#store.list(INDEX)
      const number = Number(known.at(-1)?.[0] ?? 0) + 1
      this.#store.put(INDEX, String(number).padStart(12, '0'), hash)
      this.#store.put(SIZES, hash, String(bytes.length))
      for (let at = 0; at < piecesOf(bytes.length); at++) {
        this.#store.putBytes(PIECES, pieceKey(hash, at), bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES))
      }
      const others = known.filter(([, old]) => !this.#isPinned(old as Root))
      for (const [key, old] of others.slice(0, Math.max(0, others.length + 1 - KEPT))) {
        this.#store.delete(INDEX, key)
        this.#forget(old as Root)
      }
    })
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

  #remember(hash: Root, certificates: readonly DutyCertificate[]): readonly DutyCertificate[] {
    this.#recent.delete(hash)
    this.#recent.set(hash, certificates)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= IN_MEMORY) break
      this.#recent.delete(oldest)
    }
    return certificates
  }

  #forget(hash: Root): void {
    for (let at = 0; at < piecesOf(this.#sizeOf(hash) ?? 0); at++) this.#store.delete(PIECES, pieceKey(hash, at))
    this.#store.delete(SIZES, hash)
    this.#recent.delete(hash)
  }
}

const pieceKey = (hash: Root, at: number): string => `${hash}/${at}`
const piecesOf = (size: number): number => Math.ceil(size / CHUNK_BYTES)
const startsOf = (length: number, step: number): readonly number[] => Array.from({ length: Math.ceil(length / step) }, (_, at) => at * step)

/** The set that these bytes are; undefined when a certificate in it does not fit. Throws `CodecError` on what is no set. */
async function decodeInSlices(
  bytes: Uint8Array,
  fits: (certificate: DutyCertificate) => boolean,
): Promise<readonly DutyCertificate[] | undefined> {
  const slice = CODED_A_TURN * CERTIFICATE_BYTES
  const certificates: DutyCertificate[] = []
  const areGood = await everyInSlices(startsOf(bytes.length, slice), 1, (start) => {
    const some = decodeCertificateSet(bytes.subarray(start, start + slice))
    const [last, next] = [certificates.at(-1), some[0]]
    if (last !== undefined && next !== undefined && compareCertificates(last, next) >= 0) return false
    certificates.push(...some)
    return some.every(fits)
  })
  return areGood ? certificates : undefined
}

async function hashInSlices(certificates: readonly DutyCertificate[]): Promise<Root> {
  const tree = new CertificateTree()
  await everyInSlices(certificates, HASHED_A_TURN, (certificate) => {
    tree.add(certificateLeaf(certificate))
    return true
  })
  return tree.root()
}
