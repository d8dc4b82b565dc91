import type { JudgedDuty } from '../../core/duties.ts'
import type { Epoch, ProducerId, Root, Slot } from '../../core/ids.ts'
import type { NetworkState, Producer } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { DutyRecord, EpochRange } from '../../core/report.ts'
import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { compareCertificates } from '../../protocol/messages/certificate-set.ts'
import type { Standing } from '../../protocol/state/coverage.ts'
import { deriveDutyRecord, type EarlierReport } from '../../protocol/state/duty-points.ts'
import { certificateFilter, isJudged, judgedEpochs, placeOf } from '../../protocol/state/summaries.ts'
import type { DutyHistory } from '../duty-history.ts'
import type { CertificateExchange, SetProposal } from './exchange.ts'

/** Proposals kept: of a few reports, by every member of their committees, the last ones of each. */
const EPOCHS_KEPT = 8
const HISTORIES_KEPT = 16
/** Turns whose leaders' sets are looked at, the first ones: of n members one is honest long before. */
const MAX_TURNS = 16

/** A report to be made: from which state, where it stands, and who signs it. */
export type Making = {
  readonly epoch: Epoch
  readonly state: NetworkState
  readonly standing: Standing
  readonly committee: readonly Producer[]
}

/** What has to be known before any set can be judged. */
export type Judged = {
  readonly duties: readonly JudgedDuty[]
  readonly earlier: readonly EarlierReport[]
  /** Are all the duties known of which something may come late? */
  readonly knowsEarlier: boolean
}

type Ports = {
  readonly self: ProducerId
  readonly exchange: CertificateExchange
  readonly history: DutyHistory
  readonly parameters: Parameters
}

/** The committee's way to one set of certificates for a report: leaders propose theirs, the others fetch and judge them. */
export class SetProposals {
  readonly #ports: Ports
  readonly #proposals = new Map<Epoch, Map<ProducerId, Map<number, Root>>>()
  readonly #own = new Map<string, Root>()
  readonly #judged = new Map<string, boolean>()

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /**
   * A proposal by a member of the report's committee: the first of each member for each history counts. It is fetched when its
   * sender's turn has come, so that nobody can keep others busy with sets that are not needed.
   */
  receive(from: ProducerId, { epoch, history, hash }: SetProposal): void {
    const ofEpoch = this.#proposals.get(epoch) ?? new Map<ProducerId, Map<number, Root>>()
    this.#proposals.set(epoch, ofEpoch)
    const own = ofEpoch.get(from) ?? new Map<number, Root>()
    ofEpoch.set(from, own)
    if (!own.has(history)) own.set(history, hash)
    for (const oldest of own.keys()) {
      if (own.size <= HISTORIES_KEPT) break
      own.delete(oldest)
    }
    while (this.#proposals.size > EPOCHS_KEPT) this.#proposals.delete(Math.min(...this.#proposals.keys()) as Epoch)
  }

  /** What the duties of a report are judged by; what is missing of it in words, and it is being fetched. */
  judged({ epoch, state, standing, committee }: Making): Judged | string {
    const { exchange, history, parameters } = this.#ports
    const before = standing.after.flatMap((id) => state.commitments.get(id) ?? [])
    const own = history.duties(judgedEpochs({ epoch, ...standing }, parameters))
    if (own.unknown[0] !== undefined) return `the duties of epoch ${own.unknown[0]} are not judged`
    const late = history.duties(before.flatMap((one) => judgedEpochs(one, parameters)))
    const earlier: EarlierReport[] = []
    for (const { epoch, covers, content } of before) {
      const hash = content.report.certificatesHash
      const certificates = exchange.sets.get(hash)
      if (certificates === undefined) {
        exchange.fetching.start(hash, this.#others(committee))
        return 'the certificates of an earlier report are being fetched'
      }
      earlier.push({ epoch, covers, certificates })
    }
    return { duties: [...own.duties, ...late.duties], earlier, knowsEarlier: late.unknown.length === 0 }
  }

  /** The set of this hash, or undefined while it is being fetched from the committee. */
  find(hash: Root, committee: readonly Producer[]): readonly DutyCertificate[] | undefined {
    const set = this.#ports.exchange.sets.get(hash)
    if (set === undefined) this.#ports.exchange.fetching.start(hash, this.#others(committee))
    return set
  }

  /** Sets that this member may sign for: those of the leaders up to this turn that it has and found right, each once. */
  candidates(making: Making, judged: Judged, { first, turns }: { readonly first: number; readonly turns: number }) {
    const { epoch, standing, committee } = making
    const found = new Map<Root, readonly DutyCertificate[]>()
    for (let turn = 0; turn <= Math.min(turns, committee.length - 1, MAX_TURNS - 1); turn++) {
      const leader = committee[(first + turn) % committee.length]
      if (leader === undefined) continue
      const isOwn = leader.id === this.#ports.self
      const hash = isOwn ? this.#propose(making, judged) : this.#proposals.get(epoch)?.get(leader.id)?.get(standing.history)
      if (hash === undefined || found.has(hash)) continue
      const set = this.find(hash, [leader, ...committee])
      if (set !== undefined && (isOwn || this.#isRight(hash, set, making, judged))) found.set(hash, set)
    }
    return found
  }

  /** What a report with this set says of duties. */
  record({ epoch, state, standing }: Making, { duties, earlier }: Judged, certificates: readonly DutyCertificate[]): DutyRecord {
    const { parameters } = this.#ports
    return deriveDutyRecord({ state, report: { epoch, ...standing }, certificates, parameters, duties, earlier })
  }

  /** Proposes the set made of what this node has, once made always the same one; said again, it may have been lost. */
  #propose(making: Making, judged: Judged): Root {
    const { epoch, standing, committee } = making
    const key = `${epoch}/${standing.history}`
    const hash = this.#own.get(key) ?? this.#ports.exchange.sets.add(this.#collect(making, judged))
    this.#own.set(key, hash)
    for (const oldest of this.#own.keys()) {
      if (this.#own.size <= EPOCHS_KEPT) break
      this.#own.delete(oldest)
    }
    this.#ports.exchange.propose(
      committee.map(({ id }) => id),
      { epoch, history: standing.history, hash },
    )
    return hash
  }

  /**
   * All certificates of duties that this report judges, and of the earlier ones those with something new; none of these where
   * this node does not know all: others that do not know the same would sign nothing, and so agree on it.
   */
  #collect({ epoch, state, standing }: Making, { duties, earlier, knowsEarlier }: Judged): readonly DutyCertificate[] {
    const { exchange, parameters } = this.#ports
    const counts = certificateFilter({ state, duties, parameters })
    const published = new Map<string, bigint>()
    for (const certificate of earlier.flatMap(({ certificates }) => certificates)) {
      const place = placeOf(certificate)
      published.set(place, (published.get(place) ?? 0n) | certificate.participation)
    }
    const isNew = (certificate: DutyCertificate): boolean =>
      isJudged({ epoch, ...standing }, certificate.slot, parameters) ||
      (certificate.participation & ~(published.get(placeOf(certificate)) ?? 0n)) !== 0n
    const reports = [{ epoch, ...standing }, ...(knowsEarlier ? earlier : [])]
    return slotsOf(
      reports.flatMap((report) => judgedEpochs(report, parameters)),
      parameters,
    )
      .flatMap(({ from, to }) => exchange.book.between(from, to))
      .filter((certificate) => counts(certificate) && isNew(certificate))
      .toSorted(compareCertificates)
  }

  /** Every certificate of a duty judged, by its vault, with a signature behind each bit. Remembered, and merged into what is known. */
  #isRight(hash: Root, set: readonly DutyCertificate[], { epoch, state, standing }: Making, { duties }: Judged): boolean {
    const { exchange, parameters } = this.#ports
    const key = `${epoch}/${standing.history}/${hash}`
    const before = this.#judged.get(key)
    if (before !== undefined) return before
    const counts = certificateFilter({ state, duties, parameters })
    const right = set.every((certificate) => counts(certificate) && exchange.isValid(certificate))
    this.#judged.set(key, right)
    for (const oldest of this.#judged.keys()) {
      if (this.#judged.size <= EPOCHS_KEPT * MAX_TURNS) break
      this.#judged.delete(oldest)
    }
    if (right) for (const certificate of set) exchange.book.merge(certificate)
    return right
  }

  #others(committee: readonly Producer[]): readonly ProducerId[] {
    return committee.map(({ id }) => id).filter((id) => id !== this.#ports.self)
  }
}

const slotsOf = (ranges: readonly EpochRange[], { slotsPerEpoch }: Parameters) =>
  ranges.map(({ from, to }) => ({ from: (from * slotsPerEpoch) as Slot, to: (to * slotsPerEpoch) as Slot }))
