import { reasonOf } from '../../core/errors.ts'
import type { Milliseconds, ProducerId, Root, Slot } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import type { ChainFollower } from '../../core/ports/chain.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Log } from '../../core/ports/log.ts'
import type { Network } from '../../core/ports/network.ts'
import type { Store } from '../../core/ports/store.ts'
import { TokenBucket } from '../../core/token-bucket.ts'
import { thresholdOf } from '../../core/vault.ts'
import { type CertifiedDuty, certifiedPlace, type DutyCertificate } from '../../protocol/messages/certificate.ts'
import {
  CERTIFICATES_PER_FRAME,
  type CertificateFrame,
  decodeCertificateFrame,
  encodeCertificateFrame,
} from '../../protocol/messages/certificate-channel.ts'
import { countBits, isOfSameDuty, verifyCertificate } from '../../protocol/messages/certificate-merge.ts'
import { CertificateBook } from './book.ts'
import { Fetching, type Wanted } from './fetching.ts'
import { Intake } from './intake.ts'
import { certifyingKeys } from './keys.ts'
import { CertificateSets } from './sets.ts'

export type ExchangePorts = {
  readonly self: ProducerId
  readonly clock: Clock
  readonly chain: ChainFollower
  readonly network: Network
  readonly store: Store
  readonly log: Log
  /** EIP-712 domain separator of Disputes. */
  readonly domainSeparator: Root
  readonly time: { readonly genesisTimeMs: number; readonly slotDurationMs: number; readonly slotsPerEpoch: number }
  /** Certificates older than this are of no report to come. */
  readonly slotsKept: number
}

export type SetProposal = Extract<CertificateFrame, { kind: 'proposal' }>

/** Reports whose sets are kept whatever comes: those that the next two are judged by. */
const REPORTS_PINNED = 4
/** Pieces of sets given to one peer: no more bytes than what it lets in, and a set of a hundred pools at once. */
const PIECES = { burst: 64, perSecond: 24 }

/** Certificates made here, and those of others: received, verified, taken up, and found bad. */
export type ExchangeCounts = {
  readonly made: number
  readonly received: number
  readonly verified: number
  readonly merged: number
  readonly refused: number
}

/**
 * Certificates among all producers. Every node is connected to every other, so whoever makes a certificate sends it to each
 * once, and nobody passes it on; what is lost on the way comes with the set that a committee publishes.
 */
export class CertificateExchange {
  readonly book: CertificateBook
  readonly sets: CertificateSets
  readonly fetching: Fetching
  readonly self: ProducerId
  readonly #ports: ExchangePorts
  readonly #intake: Intake
  readonly #pieces = new Map<ProducerId, TokenBucket>()
  #made = 0
  #outgoing: DutyCertificate[] = []
  #onProposal: (from: ProducerId, proposal: SetProposal) => void = () => {}

  constructor(ports: ExchangePorts) {
    this.#ports = ports
    this.self = ports.self
    this.book = new CertificateBook(ports.store)
    this.sets = new CertificateSets(ports.store, (hash) => standsWith(ports.chain.view().head, hash))
    this.#intake = new Intake({
      ...{ book: this.book, log: ports.log, domainSeparator: ports.domainSeparator, slotsKept: ports.slotsKept },
      state: () => ports.chain.view().head,
      now: () => ports.clock.now(),
      slot: () => this.#now(),
      slotsPerEpoch: ports.time.slotsPerEpoch,
    })
    this.fetching = new Fetching({
      clock: ports.clock,
      pauseMs: ports.time.slotDurationMs / 4,
      ask: (to, hash, chunk) => this.#send(to, { kind: 'ask', hash, chunk }),
      take: (hash, bytes, wanted) => this.#take(hash, bytes, wanted),
    })
  }

  counts(): ExchangeCounts {
    return { made: this.#made, ...this.#intake.counts() }
  }

  /** Members known to have taken part in a duty. */
  participation(duty: CertifiedDuty): bigint {
    return this.book.participation(duty)
  }

  /** A certificate made here: kept, and sent to everybody soon. */
  add(certificate: DutyCertificate): void {
    this.#made++
    const before = this.book.find(certificate)
    if (!this.book.merge(certificate)) return
    // Others begin with a quorum: to them a few members' signatures are news only beside those of the rest.
    const isOpen = before !== undefined && countBits(before.participation) >= this.#quorumOf(certificate)
    this.#outgoing.push(isOpen ? certificate : (this.book.find(certificate) ?? certificate))
  }

  /** Calls back with the sets that others propose; there is one listener. */
  onProposal(listener: (from: ProducerId, proposal: SetProposal) => void): void {
    this.#onProposal = listener
  }

  propose(to: readonly ProducerId[], proposal: Omit<SetProposal, 'kind'>): void {
    for (const one of to) if (one !== this.#ports.self) this.#send(one, { kind: 'proposal', ...proposal })
  }

  /** Was this very certificate verified before? */
  isKnown(certificate: DutyCertificate): boolean {
    const known = this.book.find(certificate)
    return known !== undefined && isSame(known, certificate)
  }

  /** Is there a signature behind each of its bits? */
  isValid(certificate: DutyCertificate): boolean {
    const { chain, time, domainSeparator } = this.#ports
    const keys = certifyingKeys(chain.view().head, certificate, time)
    return keys !== undefined && verifyCertificate(certificate, keys, domainSeparator)
  }

  start(signal: AbortSignal): void {
    const { network, log } = this.#ports
    const stop = network.onMessage('certificate', (from, bytes) => {
      try {
        this.#receive(from, decodeCertificateFrame(bytes))
      } catch (error) {
        log.debug('a message about certificates dropped', { from, reason: reasonOf(error) })
      }
    })
    signal.addEventListener('abort', () => {
      stop()
      this.#intake.close()
      this.fetching.close()
    })
    this.#tick(signal)
  }

  #tick(signal: AbortSignal): void {
    const { clock, time, log, slotsKept } = this.#ports
    const cancel = clock.at((clock.now() + time.slotDurationMs / 4) as Milliseconds, () => {
      signal.removeEventListener('abort', cancel)
      if (signal.aborted) return
      try {
        this.#publish()
        this.book.flush()
        if (this.#now() % time.slotsPerEpoch === 0) this.book.forget(Math.max(0, this.#now() - slotsKept) as Slot)
      } catch (error) {
        log.error('certificates are not kept', { reason: reasonOf(error) })
      }
      this.#tick(signal)
    })
    signal.addEventListener('abort', cancel, { once: true })
  }

  #publish(): void {
    const frames = framesOf(this.#outgoing)
    this.#outgoing = []
    for (const certificates of frames) {
      const bytes = encodeCertificateFrame({ kind: 'certificates', certificates })
      for (const { id, standing } of this.#ports.chain.view().head.producers.values()) {
        if (id !== this.#ports.self && standing !== 'gone') this.#ports.network.send(id, 'certificate', bytes)
      }
    }
  }

  #receive(from: ProducerId, frame: CertificateFrame): void {
    switch (frame.kind) {
      case 'certificates':
        this.#intake.take(from, frame.certificates)
        return
      case 'proposal':
        this.#onProposal(from, frame)
        return
      case 'ask': {
        if (this.#intake.isMuted(from) || !this.#mayAsk(from)) return
        const piece = this.sets.chunk(frame.hash, frame.chunk)
        if (piece !== undefined) this.#send(from, { ...frame, kind: 'chunk', ...piece })
        return
      }
      case 'chunk':
        this.fetching.receive(from, frame)
    }
  }

  /** A set that came: kept when it is right. False when it is not the set of this hash. */
  async #take(hash: Root, bytes: Uint8Array, wanted: Wanted): Promise<boolean> {
    const set = await this.sets.read(hash, bytes, wanted.fits)
    if (set === undefined) return false
    try {
      if (await wanted.isRight(set)) this.sets.keep(hash, bytes)
    } catch (error) {
      this.#ports.log.warn('a set of certificates is not kept', { hash, reason: reasonOf(error) })
    }
    return true
  }

  #mayAsk(from: ProducerId): boolean {
    const now = this.#ports.clock.now()
    const budget = this.#pieces.get(from) ?? new TokenBucket(PIECES, now)
    this.#pieces.set(from, budget)
    return budget.take(1, now)
  }

  #quorumOf({ poolId }: DutyCertificate): number {
    return thresholdOf(this.#ports.chain.view().head.pools.get(poolId)?.members.length ?? 0)
  }

  #now(): Slot {
    const { clock, time } = this.#ports
    return Math.floor((clock.now() - time.genesisTimeMs) / time.slotDurationMs) as Slot
  }

  #send(to: ProducerId, frame: CertificateFrame): void {
    this.#ports.network.send(to, 'certificate', encodeCertificateFrame(frame))
  }
}

function isSame(a: DutyCertificate, b: DutyCertificate): boolean {
  return isOfSameDuty(a, b) && a.participation === b.participation && a.signature === b.signature
}

/** Dealt out to frames, each with one certificate of a place at most. */
function framesOf(certificates: readonly DutyCertificate[]): readonly (readonly DutyCertificate[])[] {
  const frames: Map<string, DutyCertificate>[] = []
  for (const certificate of certificates) {
    const place = certifiedPlace(certificate)
    const open = frames.find((frame) => frame.size < CERTIFICATES_PER_FRAME && !frame.has(place))
    if (open === undefined) frames.push(new Map([[place, certificate]]))
    else open.set(place, certificate)
  }
  return frames.map((frame) => [...frame.values()])
}

/** Did one of the last reports that stand publish this set? The next ones are judged by the two before them. */
function standsWith({ commitments }: NetworkState, hash: Root): boolean {
  const standing = [...commitments.values()].filter(({ phase }) => phase !== 'dropped')
  return standing.slice(-REPORTS_PINNED).some(({ content }) => content.report.certificatesHash === hash)
}
