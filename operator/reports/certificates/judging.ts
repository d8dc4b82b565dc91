import type { JudgedDuty } from '../../core/duties.ts'
import type { Epoch, ProducerId, Slot } from '../../core/ids.ts'
import type { Commitment, NetworkState, Producer } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { DutyCertificate } from '../../protocol/messages/certificate.ts'
import { compareCertificates } from '../../protocol/messages/certificate-set.ts'
import type { Standing } from '../../protocol/state/coverage.ts'
import type { EarlierReport } from '../../protocol/state/duty-points.ts'
import { type Covering, certificateFilter, judgedEpochs, judges, placeOf } from '../../protocol/state/summaries.ts'
import type { DutyHistory } from '../duty-history.ts'
import { Bounded } from './bounded.ts'
import type { CertificateExchange } from './exchange.ts'

/** Reports of which is kept what they are judged by: it is large, and read anew it costs seconds. */
const REPORTS_KEPT = 2

/** A report to be made: from which state, where it stands, and who signs it. */
export type Making = {
  readonly epoch: Epoch
  readonly state: NetworkState
  readonly standing: Standing
  readonly committee: readonly Producer[]
}

/** What has to be known before any set can be judged. */
export type Judged = {
  /** Names all that is in here, and where the report stands: what was found by it holds as long as this is the same. */
  readonly key: string
  readonly duties: readonly JudgedDuty[]
  readonly earlier: readonly EarlierReport[]
  /** Are all the duties known of which something may come late? */
  readonly knowsEarlier: boolean
  /** May a certificate be in the set? Signatures are not looked at. */
  readonly counts: (certificate: DutyCertificate) => boolean
  /** Its bits that no report had so far: of a duty that the report itself judges, all. */
  readonly newsOf: (certificate: DutyCertificate) => bigint
  /** Certificates in a set, at most. */
  readonly most: number
}

/** A certificate to publish, and which of its bits no report had so far. */
export type Collected = { readonly certificate: DutyCertificate; readonly news: bigint }

export type JudgingPorts = {
  readonly exchange: CertificateExchange
  readonly history: DutyHistory
  readonly parameters: Parameters
}

/** What a report's certificates are judged by, and those that this node has for it. */
export class Judging {
  readonly #ports: JudgingPorts
  readonly #known = new Bounded<Judged>(REPORTS_KEPT)

  constructor(ports: JudgingPorts) {
    this.#ports = ports
  }

  /** What the duties of a report are judged by; what is missing of it in words, and it is being fetched. */
  async by({ epoch, state, standing, committee }: Making): Promise<Judged | string> {
    const { history, parameters } = this.#ports
    const before = standing.after.flatMap((id) => state.commitments.get(id) ?? [])
    const own = judgedEpochs({ epoch, ...standing }, parameters)
    const unknown = history.unknown(own)[0]
    if (unknown !== undefined) return `the duties of epoch ${unknown} are not judged`
    const late = before.flatMap((one) => judgedEpochs(one, parameters))
    const unknownLate = history.unknown(late).length
    const place = [...standing.covers, ...before.flatMap(({ covers }) => covers)].map(({ from, to }) => `${from}-${to}`)
    const sets = before.map(({ content }) => content.report.certificatesHash)
    const key = [epoch, standing.history, unknownLate, ...place, ...sets].join('/')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const earlier: EarlierReport[] = []
    for (const one of before) {
      const certificates = await this.published(one, { state, committee })
      if (certificates === undefined) return 'the certificates of an earlier report are being fetched'
      earlier.push({ epoch: one.epoch, covers: one.covers, certificates })
    }
    const duties = await history.duties([...own, ...late])
    const judged = {
      ...{ key, duties, earlier, knowsEarlier: unknownLate === 0 },
      counts: certificateFilter({ state, duties, parameters }),
      newsOf: newsAfter(earlier, judges({ epoch, ...standing }, parameters)),
      most: duties.filter(({ signingRoot }) => signingRoot !== undefined).length,
    }
    this.#known.set(key, judged)
    return judged
  }

  /** The set that a commitment published, or undefined while it is being fetched from its committee: whoever signed it, it is served. */
  async published(
    commitment: Pick<Commitment, 'epoch' | 'covers' | 'after' | 'content'>,
    { state, committee }: Pick<Making, 'state' | 'committee'>,
  ): Promise<readonly DutyCertificate[] | undefined> {
    const { exchange, parameters } = this.#ports
    const hash = commitment.content.report.certificatesHash
    const set = await exchange.sets.get(hash)
    if (set !== undefined) return set
    const reports = [commitment, ...commitment.after.flatMap((id) => state.commitments.get(id) ?? [])]
    const epochs = reports.flatMap((one) => judgedEpochs(one, parameters)).reduce((sum, { from, to }) => sum + to - from, 0)
    exchange.fetching.start(hash, othersOf(committee, exchange.self), {
      purpose: 'published',
      // An attestation of each pool in each epoch, and a block in each slot.
      most: epochs * (state.pools.size + parameters.slotsPerEpoch),
      fits: () => true,
      isRight: async () => true,
    })
    return undefined
  }

  /**
   * All certificates of duties that a report judges, and of the earlier ones those with something new; none of these where this
   * node does not know all: others that do not know the same would sign nothing, and so agree on it. In the order of a set.
   */
  async collect({ epoch, standing }: Making, { counts, newsOf, earlier, knowsEarlier }: Judged): Promise<readonly Collected[]> {
    const { exchange, parameters } = this.#ports
    const report: Covering = { epoch, ...standing }
    const collected: Collected[] = []
    for (const one of [report, ...(knowsEarlier ? earlier : [])]) {
      for (const { from, to } of judgedEpochs(one, parameters)) {
        const first = (from * parameters.slotsPerEpoch) as Slot
        for (const certificate of await exchange.book.between(first, (to * parameters.slotsPerEpoch) as Slot)) {
          const news = newsOf(certificate)
          if (news !== 0n && counts(certificate)) collected.push({ certificate, news })
        }
      }
    }
    return collected.sort((a, b) => compareCertificates(a.certificate, b.certificate))
  }
}

function newsAfter(earlier: readonly EarlierReport[], isOwn: (slot: Slot) => boolean): Judged['newsOf'] {
  const published = new Map<string, bigint>()
  for (const certificate of earlier.flatMap(({ certificates }) => certificates)) {
    const place = placeOf(certificate)
    published.set(place, (published.get(place) ?? 0n) | certificate.participation)
  }
  return (certificate) => {
    const { slot, participation } = certificate
    return isOwn(slot) ? participation : participation & ~(published.get(placeOf(certificate)) ?? 0n)
  }
}

/** The other members of a committee. */
export function othersOf(committee: readonly Producer[], self: ProducerId): readonly ProducerId[] {
  return committee.map(({ id }) => id).filter((id) => id !== self)
}
