import { setImmediate as nextTurn } from 'node:timers/promises'
import { reasonOf } from '../../core/errors.ts'
import type { ProducerId, Root, Slot } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import type { Log } from '../../core/ports/log.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import { thresholdOf } from '../../core/vault.ts'
import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { countBits, verifyCertificate } from '../../protocol/messages/certificate-merge.ts'
import type { CertificateBook } from './book.ts'
import { certifyingKeys } from './keys.ts'

/** How far ahead of ours another's clock may be, in slots. */
const AHEAD = 1
/** Who sent a certificate that is not valid is not heard for so many slots: it verified none, so it means harm. */
const MUTED_SLOTS = 32
/** Certificates that one sender may bring: what a queue holds after a gap, and then as many as thousands of seats have duties. */
const BUDGET = { burst: 1_024, perSecond: 16 }

export type IntakePorts = {
  readonly book: CertificateBook
  readonly state: () => NetworkState
  /** Milliseconds, and the slot that it is. */
  readonly now: () => number
  readonly slot: () => Slot
  readonly log: Log
  readonly domainSeparator: Root
  readonly slotsPerEpoch: number
  readonly slotsKept: number
}

/**
 * Certificates from others on their way into the book. Each waits for a turn of the event loop of its own, senders taking turns,
 * and is verified only if it would change what is known: so nobody can keep this node busy with what it knows.
 */
export class Intake {
  readonly #ports: IntakePorts
  readonly #budgets = new Map<ProducerId, TokenBucket>()
  readonly #waiting = new Map<ProducerId, DutyCertificate[]>()
  readonly #muted = new Map<ProducerId, number>()
  readonly #counts = { received: 0, verified: 0, merged: 0, refused: 0 }
  #isWorking = false

  constructor(ports: IntakePorts) {
    this.#ports = ports
  }

  counts() {
    return { ...this.#counts }
  }

  /** Has this producer sent a bad certificate lately? */
  isMuted(from: ProducerId): boolean {
    return (this.#muted.get(from) ?? 0) > this.#ports.slot()
  }

  /** Takes certificates up for judging; all of them are lost when their sender has brought too many. */
  take(from: ProducerId, certificates: readonly DutyCertificate[]): void {
    const now = this.#ports.now()
    const budget = this.#budgets.get(from) ?? new TokenBucket(BUDGET, now)
    this.#budgets.set(from, budget)
    const waiting = this.#waiting.get(from) ?? []
    if (this.isMuted(from) || waiting.length + certificates.length > BUDGET.burst || !budget.take(certificates.length, now)) return
    this.#counts.received += certificates.length
    this.#waiting.set(from, [...waiting, ...certificates])
    if (!this.#isWorking) void this.#work()
  }

  /** Forgets what waits. */
  close(): void {
    this.#waiting.clear()
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    while (this.#waiting.size > 0) {
      await nextTurn()
      const [next] = this.#waiting
      if (next === undefined) break
      const [from, [certificate, ...rest]] = next
      this.#waiting.delete(from)
      if (rest.length > 0) this.#waiting.set(from, rest)
      try {
        if (certificate !== undefined && !this.#accept(certificate)) this.#mute(from, certificate)
      } catch (error) {
        this.#ports.log.debug('a certificate dropped', { from, reason: reasonOf(error) })
      }
    }
    this.#isWorking = false
  }

  /** False when it is a lie. */
  #accept(certificate: DutyCertificate): boolean {
    const { book, domainSeparator } = this.#ports
    const keys = this.#keysOf(certificate)
    if (keys === undefined || !book.isNews(certificate)) return true
    // Fewer than a quorum could make up any number of duties: they only add to what is known.
    if (book.participation(certificate) === 0n && countBits(certificate.participation) < thresholdOf(keys.length)) return true
    this.#counts.verified++
    if (!verifyCertificate(certificate, keys, domainSeparator)) return false
    if (book.merge(certificate)) this.#counts.merged++
    return true
  }

  #mute(from: ProducerId, { poolId, slot }: DutyCertificate): void {
    this.#counts.refused++
    this.#muted.set(from, this.#ports.slot() + MUTED_SLOTS)
    this.#waiting.delete(from)
    this.#ports.log.warn('a producer sent a bad certificate', { from, pool: poolId, slot })
  }

  /** Signing keys of the vault that a certificate names, when it is of now, of the vault in charge, and of its members. */
  #keysOf(certificate: DutyCertificate) {
    const { state, slot, slotsKept, slotsPerEpoch } = this.#ports
    const now = slot()
    if (certificate.slot > now + AHEAD || certificate.slot < now - slotsKept) return undefined
    return certifyingKeys(state(), certificate, { slotsPerEpoch })
  }
}
