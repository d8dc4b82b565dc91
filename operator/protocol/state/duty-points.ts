import type { JudgedDuty } from '../../core/duties.ts'
import type { Epoch, PoolId, ProducerId, Root } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { DutyRecord, PointEntry } from '../../core/report.ts'
import type { DutyCertificate } from '../messages/certificate.ts'
import { CertificateTree } from '../messages/certificate-set.ts'
import { INSTANCE_CODES } from '../qbft/types.ts'
import {
  type Covering,
  certificateFilter,
  type ExecutionSummary,
  judges,
  placeOf,
  type SummarizedDuty,
  summarize,
  summaryLeaf,
} from './summaries.ts'
import { vaultAt } from './vaults.ts'

const BASIS_POINTS = 10_000
/** What a duty that is not final costs each member, and what a bit that comes late is worth, in base points. */
const TWICE = 2

type PointParameters = Pick<Parameters, 'slotsPerEpoch' | 'baseReward' | 'minPoolPerformance'>

/** What a duty counts: a proposal is double. */
const weightOf = (dutyType: number): number => (dutyType === INSTANCE_CODES.proposal ? 2 : 1)

function membersOf(state: NetworkState, { poolId, epoch }: Pick<ExecutionSummary, 'poolId' | 'epoch'>): readonly ProducerId[] {
  const pool = state.pools.get(poolId)
  return (pool && vaultAt(pool, epoch)?.members) ?? []
}

const pointsOf = ({ dutyType, finalized, participation }: SummarizedDuty, place: number, baseReward: number): number => {
  const worth = baseReward * weightOf(dutyType)
  if (!finalized) return -TWICE * worth
  return (participation >> BigInt(place)) & 1n ? worth : -worth
}

/** Pools with less than the least part of their duties final. */
function failing(summaries: readonly ExecutionSummary[], { minPoolPerformance }: PointParameters): ReadonlySet<number> {
  const counts = new Map<number, { all: number; final: number }>()
  for (const { poolId, duties } of summaries) {
    const count = counts.get(poolId) ?? { all: 0, final: 0 }
    count.all += duties.length
    count.final += duties.filter(({ finalized }) => finalized).length
    counts.set(poolId, count)
  }
  return new Set([...counts].filter(([, { all, final }]) => final * BASIS_POINTS < all * minPoolPerformance).map(([poolId]) => poolId))
}

/**
 * Points of the duties in the summaries (protocol.md §9): of one that is final, its worth for each member in the bitfield and
 * against each other one; of one that is not, twice its worth against all. Members of a pool with too few final lose a base
 * point more for each epoch.
 */
export function pointsOfSummaries(
  summaries: readonly ExecutionSummary[],
  state: NetworkState,
  parameters: PointParameters,
): readonly PointEntry[] {
  const { baseReward } = parameters
  const poor = failing(summaries, parameters)
  return summaries.flatMap((summary) =>
    membersOf(state, summary).map((producerId, place) => {
      const ofDuties = summary.duties.reduce((sum, duty) => sum + pointsOf(duty, place, baseReward), 0)
      return { producerId, points: ofDuties - (poor.has(summary.poolId) ? baseReward : 0) }
    }),
  )
}

/** A report before this one: what it covered, and the certificates it published. */
export type EarlierReport = Covering & { readonly certificates: readonly DutyCertificate[] }

type Late = {
  readonly state: NetworkState
  /** Those of the duties that the earlier reports judged. */
  readonly certificates: readonly DutyCertificate[]
  /** Every set that was published before. */
  readonly published: readonly DutyCertificate[]
  readonly parameters: PointParameters
}

/** Points of bits that no report had so far: twice the duty's worth, for the loss that the member took and what it had earned. */
export function pointsOfLate({ state, certificates, published, parameters }: Late): readonly PointEntry[] {
  const before = new Map<string, bigint>()
  for (const certificate of published) {
    const place = placeOf(certificate)
    before.set(place, (before.get(place) ?? 0n) | certificate.participation)
  }
  return certificates.flatMap((certificate) => {
    const { poolId, slot, dutyType, participation } = certificate
    const fresh = participation & ~(before.get(placeOf(certificate)) ?? 0n)
    const points = TWICE * weightOf(dutyType) * parameters.baseReward
    const epoch = Math.floor(slot / parameters.slotsPerEpoch) as Epoch
    return membersOf(state, { poolId, epoch }).flatMap((producerId, place) =>
      (fresh >> BigInt(place)) & 1n ? [{ producerId, points }] : [],
    )
  })
}

type RecordInput = {
  readonly state: NetworkState
  readonly report: Covering
  readonly duties: readonly JudgedDuty[]
  readonly certificates: readonly DutyCertificate[]
  readonly certificatesHash: Root
  readonly earlier: readonly EarlierReport[]
  readonly parameters: PointParameters & Pick<Parameters, 'reportEpochs'>
}

type OfPool = {
  /** Judged by the report itself. */
  readonly duties: JudgedDuty[]
  readonly certificates: DutyCertificate[]
  /** Judged by the earlier ones. */
  readonly known: JudgedDuty[]
  readonly published: DutyCertificate[]
}

/**
 * What a report says of duties, pool by pool: stops after each, so that the work can be spread out. `duties`: all those that it
 * and the earlier ones judge, as the finalized chain shows them; `certificates`: the set it publishes, in order, and its hash;
 * `earlier`: the two reports before it, at most. Points are added up, one entry for each producer.
 */
export function* deriveDutyRecord(input: RecordInput): Generator<undefined, DutyRecord> {
  const { state, certificatesHash, parameters } = input
  const tree = new CertificateTree()
  const sums = new Map<ProducerId, number>()
  for (const { duties, certificates, known, published: before } of byPool(input)) {
    const summaries = summarize({ state, duties, certificates, parameters })
    for (const summary of summaries) tree.add(summaryLeaf(summary))
    const counts = certificateFilter({ state, duties: known, parameters })
    const published = before.filter(counts)
    const late = pointsOfLate({ state, certificates: certificates.filter(counts), published, parameters })
    for (const { producerId, points } of [...pointsOfSummaries(summaries, state, parameters), ...late]) {
      sums.set(producerId, (sums.get(producerId) ?? 0) + points)
    }
    yield undefined
  }
  return { certificatesHash, summariesRoot: tree.root(), points: [...sums].map(([producerId, points]) => ({ producerId, points })) }
}

/** What there is of each pool that has duties, in order of their ids. */
function byPool({ report, duties, certificates, earlier, parameters }: RecordInput): readonly OfPool[] {
  const pools = new Map<PoolId, OfPool>()
  const isOwn = judges(report, parameters)
  const areEarlier = earlier.map((one) => judges(one, parameters))
  for (const duty of duties) {
    const pool = pools.get(duty.poolId) ?? { duties: [], certificates: [], known: [], published: [] }
    pools.set(duty.poolId, pool)
    if (isOwn(duty.slot)) pool.duties.push(duty)
    if (areEarlier.some((isJudged) => isJudged(duty.slot))) pool.known.push(duty)
  }
  for (const certificate of certificates) pools.get(certificate.poolId)?.certificates.push(certificate)
  for (const one of earlier) for (const certificate of one.certificates) pools.get(certificate.poolId)?.published.push(certificate)
  return [...pools].sort(([a], [b]) => a - b).map(([, pool]) => pool)
}
