import { reasonOf } from '../../core/errors.ts'
import type { Epoch, Milliseconds, ProducerId, Root, Slot } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import type { ChainFollower } from '../../core/ports/chain.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Log } from '../../core/ports/log.ts'
import type { Network } from '../../core/ports/network.ts'
import type { Store } from '../../core/ports/store.ts'
import { thresholdOf } from '../../core/vault.ts'
import type { CertifiedDuty, DutyCertificate } from '../../protocol/messages/certificate.ts'
import {
  CERTIFICATES_PER_FRAME,
  type CertificateFrame,
  decodeCertificateFrame,
  encodeCertificateFrame,
} from '../../protocol/messages/certificate-channel.ts'
import { countBits, isOfSameDuty, verifyCertificate } from '../../protocol/messages/certificate-merge.ts'
import { vaultAt } from '../../protocol/state/vaults.ts'
import { CertificateBook } from './book.ts'
import { Fetching } from './fetching.ts'
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

/** How far ahead of ours another's clock may be, in slots. */
const AHEAD = 1
/** Who sent a certificate that is not valid is not heard for so many slots: it verified none, so it means harm. */
const MUTED_SLOTS = 32

export type ExchangeCounts = { readonly made: number; readonly received: number; readonly merged: number; readonly refused: number }

/**
 * Certificates among all producers. Every node is connected to every other, so whoever makes a certificate sends it to each
 * once, and nobody passes it on; what is lost on the way comes with the set that a committee publishes.
 */
export class CertificateExchange {
  readonly book: CertificateBook
  readonly sets: CertificateSets
  readonly fetching: Fetching
  readonly #ports: ExchangePorts
  readonly #muted = new Map<ProducerId, number>()
  readonly #counts = { made: 0, received: 0, merged: 0, refused: 0 }
  #outgoing: DutyCertificate[] = []
  #onProposal: (from: ProducerId, proposal: SetProposal) => void = () => {}

  constructor(ports: ExchangePorts) {
    this.#ports = ports
    this.book = new CertificateBook(ports.store)
    this.sets = new CertificateSets(ports.store)
    this.fetching = new Fetching({
      clock: ports.clock,
      pauseMs: ports.time.slotDurationMs / 4,
      ask: (to, hash, chunk) => this.#send(to, { kind: 'ask', hash, chunk }),
      take: (hash, bytes) => this.sets.addBytes(hash, bytes),
    })
  }

  counts(): ExchangeCounts {
    return { ...this.#counts }
  }

  /** Members known to have taken part in a duty. */
  participation(duty: CertifiedDuty): bigint {
    return this.book.participation(duty)
  }

  /** A certificate made here: kept, and sent to everybody soon. */
  add(certificate: DutyCertificate): void {
    this.#counts.made++
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

  /** Is there a signature behind each of its bits? What is known already is not verified again. */
  isValid(certificate: DutyCertificate): boolean {
    const known = this.book.find(certificate)
    if (known !== undefined && isSame(known, certificate)) return true
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
    const outgoing = this.#outgoing
    this.#outgoing = []
    for (let at = 0; at < outgoing.length; at += CERTIFICATES_PER_FRAME) {
      const bytes = encodeCertificateFrame({ kind: 'certificates', certificates: outgoing.slice(at, at + CERTIFICATES_PER_FRAME) })
      for (const { id, standing } of this.#ports.chain.view().head.producers.values()) {
        if (id !== this.#ports.self && standing !== 'gone') this.#ports.network.send(id, 'certificate', bytes)
      }
    }
  }

  #receive(from: ProducerId, frame: CertificateFrame): void {
    switch (frame.kind) {
      case 'certificates':
        if ((this.#muted.get(from) ?? 0) > this.#now()) return
        for (const certificate of frame.certificates) if (!this.#accept(from, certificate)) return
        return
      case 'proposal':
        this.#onProposal(from, frame)
        return
      case 'ask': {
        const piece = this.sets.chunk(frame.hash, frame.chunk)
        if (piece !== undefined) this.#send(from, { ...frame, kind: 'chunk', ...piece })
        return
      }
      case 'chunk':
        this.fetching.receive(from, frame)
    }
  }

  /** False when the sender is not worth listening to any more. */
  #accept(from: ProducerId, certificate: DutyCertificate): boolean {
    this.#counts.received++
    const keys = this.#keysOf(certificate)
    const known = this.book.participation(certificate)
    if (keys === undefined || (certificate.participation & ~known) === 0n) return true
    // Fewer than a quorum could make up any number of duties: they only add to what is known.
    if (known === 0n && countBits(certificate.participation) < thresholdOf(keys.length)) return true
    if (!verifyCertificate(certificate, keys, this.#ports.domainSeparator)) {
      this.#counts.refused++
      this.#muted.set(from, this.#now() + MUTED_SLOTS)
      this.#ports.log.warn('a producer sent a bad certificate', { from, pool: certificate.poolId, slot: certificate.slot })
      return false
    }
    if (this.book.merge(certificate)) this.#counts.merged++
    return true
  }

  /** Signing keys of the vault that a certificate names, when it is of now, of the vault in charge, and of its members. */
  #keysOf(certificate: DutyCertificate) {
    const { time, slotsKept, chain } = this.#ports
    const now = this.#now()
    if (certificate.slot > now + AHEAD || certificate.slot < now - slotsKept) return undefined
    return certifyingKeys(chain.view().head, certificate, time)
  }

  #quorumOf({ poolId }: DutyCertificate): number {
    return thresholdOf(this.#ports.chain.view().head.pools.get(poolId)?.members.length ?? 0)
  }

  #now(): number {
    const { clock, time } = this.#ports
    return Math.floor((clock.now() - time.genesisTimeMs) / time.slotDurationMs)
  }

  #send(to: ProducerId, frame: CertificateFrame): void {
    this.#ports.network.send(to, 'certificate', encodeCertificateFrame(frame))
  }
}

function isSame(a: DutyCertificate, b: DutyCertificate): boolean {
  return isOfSameDuty(a, b) && a.participation === b.participation && a.signature === b.signature
}

/** Signing keys of the members of the vault in charge at a certificate's slot; undefined when it is not that vault's. */
export function certifyingKeys(state: NetworkState, certificate: DutyCertificate, { slotsPerEpoch }: { readonly slotsPerEpoch: number }) {
  const pool = state.pools.get(certificate.poolId)
  const vault = pool && vaultAt(pool, Math.floor(certificate.slot / slotsPerEpoch) as Epoch)
  if (vault === undefined || vault.round !== certificate.round) return undefined
  if (certificate.participation >> BigInt(vault.members.length) !== 0n) return undefined
  const keys = vault.members.flatMap((id) => state.producers.get(id)?.signingKey ?? [])
  return keys.length === vault.members.length ? keys : undefined
}
