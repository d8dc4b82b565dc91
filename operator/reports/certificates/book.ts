import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Slot } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import type { Store } from '../../core/ports/store.ts'
import { ByteReader } from '../../protocol/messages/bytes.ts'
import {
  type CertifiedDuty,
  type DutyCertificate,
  encodeDutyCertificate,
  readDutyCertificate,
} from '../../protocol/messages/certificate.ts'
import { countBits, isOfSameDuty, mergeCertificates } from '../../protocol/messages/certificate-merge.ts'

const SPACE = 'certificate'
const PAGE = 1_000
const READ_PAGE = 256

type Place = Pick<CertifiedDuty, 'poolId' | 'round' | 'slot' | 'dutyType'>

const startOf = (slot: number): string => String(slot).padStart(12, '0')
const keyOf = ({ poolId, round, slot, dutyType }: Place): string => `${startOf(slot)}/${poolId}/${round}/${dutyType}`
const read = (text: string): DutyCertificate => readDutyCertificate(new ByteReader(hexToBytes(text)))

/**
 * The certificates that a node has, merged, one for each pool, round, slot and type. What is new is in memory until `flush`,
 * which writes it all at once: what a crash takes in between, others still have.
 */
export class CertificateBook {
  readonly #store: Store
  readonly #fresh = new Map<string, DutyCertificate>()

  constructor(store: Store) {
    this.#store = store
  }

  /** What is known of a place. */
  find(place: Place): DutyCertificate | undefined {
    const key = keyOf(place)
    const fresh = this.#fresh.get(key)
    if (fresh !== undefined) return fresh
    const text = this.#store.get(SPACE, key)
    return text === undefined ? undefined : read(text)
  }

  /** Members known to have taken part in exactly this duty. */
  participation(duty: CertifiedDuty): bigint {
    const known = this.find(duty)
    return known?.signingRoot === duty.signingRoot ? known.participation : 0n
  }

  /** Would a certificate change what is known, if it is valid? */
  isNews(certificate: DutyCertificate): boolean {
    const known = this.find(certificate)
    if (known === undefined) return true
    const isDisjoint = isOfSameDuty(known, certificate) && (known.participation & certificate.participation) === 0n
    return isDisjoint || countBits(certificate.participation) > countBits(known.participation)
  }

  /**
   * Takes up a certificate whose signatures were verified; true when that changed something. Of two roots in one place the one
   * with more participants stands: a member that signs nonsense cannot keep the others' from being known.
   */
  merge(certificate: DutyCertificate): boolean {
    const known = this.find(certificate)
    const merged = known === undefined ? certificate : together(known, certificate)
    if (merged === known) return false
    this.#fresh.set(keyOf(certificate), merged)
    return true
  }

  /** Certificates of slots from `from` up to, not including, `to`, in order of slots; read a page in each turn of the event loop. */
  async between(from: Slot, to: Slot): Promise<readonly DutyCertificate[]> {
    this.flush()
    const found: DutyCertificate[] = []
    const end = startOf(to)
    for (let next = startOf(from); ; ) {
      const page = this.#store.list(SPACE, { from: next, limit: READ_PAGE })
      for (const [key, text] of page) {
        if (key >= end) return found
        found.push(read(text))
      }
      const last = page.at(-1)
      if (last === undefined || page.length < READ_PAGE) return found
      next = `${last[0]}\0`
      await nextTurn()
    }
  }

  flush(): void {
    if (this.#fresh.size === 0) return
    this.#store.transaction(() => {
      for (const [key, certificate] of this.#fresh) this.#store.put(SPACE, key, bytesToHex(encodeDutyCertificate(certificate)))
    })
    this.#fresh.clear()
  }

  /** Forgets the certificates of slots before, some at a time. */
  forget(before: Slot): void {
    const end = startOf(before)
    this.#store.transaction(() => {
      for (const [key] of this.#store.list(SPACE, { limit: PAGE })) if (key < end) this.#store.delete(SPACE, key)
    })
  }
}

function together(known: DutyCertificate, other: DutyCertificate): DutyCertificate {
  if (isOfSameDuty(known, other)) return mergeCertificates(known, other)
  return countBits(other.participation) > countBits(known.participation) ? other : known
}
