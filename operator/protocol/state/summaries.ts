import { keccak256 } from 'ethers/crypto'
import type { JudgedDuty } from '../../core/duties.ts'
import type { Epoch, PoolId, Root, Slot } from '../../core/ids.ts'
import type { NetworkState } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { EpochRange } from '../../core/report.ts'
import { ByteWriter } from '../messages/bytes.ts'
import { type DutyCertificate, MAX_CERTIFIED_MEMBERS } from '../messages/certificate.ts'
import { INSTANCE_CODES } from '../qbft/types.ts'
import { vaultAt } from './vaults.ts'

/** A duty in a summary. `participation` as in certificates; nobody's when no certificate was published. */
export type SummarizedDuty = {
  readonly dutyType: number
  readonly slot: Slot
  readonly finalized: boolean
  readonly participation: bigint
}

/** A pool's duties in one beacon epoch, by slot and type, and the round of the vault that had to do them. */
export type ExecutionSummary = {
  readonly poolId: PoolId
  readonly epoch: Epoch
  readonly round: number
  readonly duties: readonly SummarizedDuty[]
}

/** Where a duty, or a certificate, stands among all. */
export const placeOf = ({ poolId, slot, dutyType }: Pick<DutyCertificate, 'poolId' | 'slot' | 'dutyType'>): string =>
  `${poolId}/${slot}/${dutyType}`

/** A report, by its epoch and the epochs that it covers. */
export type Covering = { readonly epoch: Epoch; readonly covers: readonly EpochRange[] }

/** Reports back from its epoch that a report looks for duties. */
const REPORTS_BACK = 4

/**
 * Epochs whose duties a report judges, of those that it covers: each one epoch earlier. A vote may be included until the end
 * of the epoch after its own (EIP-7045), so only then the chain has had the chance to show it. Those of long ago are passed over:
 * beacon nodes forget who had to do what, so where too many operators were away at the time, no report could ever be made again.
 */
export function judgedEpochs({ epoch, covers }: Covering, { reportEpochs }: Pick<Parameters, 'reportEpochs'>): readonly EpochRange[] {
  const first = Math.max(0, epoch - REPORTS_BACK * reportEpochs)
  return covers
    .map(({ from, to }) => ({ from: Math.max(first, from - 1) as Epoch, to: (to - 1) as Epoch }))
    .filter(({ from, to }) => from < to)
}

/** A test of slots: does a report judge their duties? */
export function judges(report: Covering, parameters: Pick<Parameters, 'slotsPerEpoch' | 'reportEpochs'>): (slot: Slot) => boolean {
  const ranges = judgedEpochs(report, parameters)
  return (slot) => {
    const epoch = Math.floor(slot / parameters.slotsPerEpoch)
    return ranges.some(({ from, to }) => epoch >= from && epoch < to)
  }
}

/** What certificates are judged by: the vaults, and what the finalized chain has of each duty. */
export type Judgement = {
  readonly state: NetworkState
  readonly duties: readonly JudgedDuty[]
  readonly parameters: Pick<Parameters, 'slotsPerEpoch'>
}

/**
 * A test of certificates: is this one of a duty that the finalized chain shows done, with the signing root it shows, by members
 * of the vault then in charge? Signatures are not looked at.
 */
export function certificateFilter({ state, duties, parameters }: Judgement): (certificate: DutyCertificate) => boolean {
  const roots = new Map(duties.map((duty) => [placeOf({ ...duty, dutyType: INSTANCE_CODES[duty.type] }), duty.signingRoot]))
  return (certificate) => {
    const { poolId, round, slot, signingRoot, participation } = certificate
    const pool = state.pools.get(poolId)
    const vault = pool && vaultAt(pool, Math.floor(slot / parameters.slotsPerEpoch) as Epoch)
    if (vault === undefined || vault.round !== round || participation >> BigInt(vault.members.length) !== 0n) return false
    return roots.get(placeOf(certificate)) === signingRoot
  }
}

/**
 * Summaries of the duties judged, in order of pool and epoch. Certificates count that `certificateFilter` lets pass; of a duty
 * that is not final nobody's part is recorded.
 */
export function summarize({ certificates, ...judgement }: Judgement & { readonly certificates: readonly DutyCertificate[] }) {
  const { state, duties, parameters } = judgement
  const counts = certificateFilter(judgement)
  const bits = new Map(certificates.filter(counts).map((certificate) => [placeOf(certificate), certificate.participation]))
  const grouped = new Map<string, ExecutionSummary & { duties: SummarizedDuty[] }>()
  for (const { poolId, type, slot, signingRoot } of duties) {
    const epoch = Math.floor(slot / parameters.slotsPerEpoch) as Epoch
    const pool = state.pools.get(poolId)
    const vault = pool && vaultAt(pool, epoch)
    if (vault === undefined) continue
    const key = `${poolId}/${epoch}`
    const summary = grouped.get(key) ?? { poolId, epoch, round: vault.round, duties: [] }
    grouped.set(key, summary)
    const dutyType = INSTANCE_CODES[type]
    const finalized = signingRoot !== undefined
    summary.duties.push({ dutyType, slot, finalized, participation: bits.get(placeOf({ poolId, slot, dutyType })) ?? 0n })
  }
  const summaries: ExecutionSummary[] = [...grouped.values()].map((summary) => ({
    ...summary,
    duties: summary.duties.toSorted((a, b) => a.slot - b.slot || a.dutyType - b.dutyType),
  }))
  return summaries.sort((a, b) => a.poolId - b.poolId || a.epoch - b.epoch)
}

/** A summary as it is hashed: pool, epoch, round, number of duties, then of each its type, slot, finality and participation. */
export function encodeSummary({ poolId, epoch, round, duties }: ExecutionSummary): Uint8Array {
  const writer = new ByteWriter(20 + duties.length * 26).u32(poolId).u64(epoch).u32(round).u32(duties.length)
  for (const { dutyType, slot, finalized, participation } of duties) {
    writer
      .u8(dutyType)
      .u64(slot)
      .u8(finalized ? 1 : 0)
      .hex(`0x${participation.toString(16).padStart(MAX_CERTIFIED_MEMBERS / 4, '0')}`)
  }
  return writer.done()
}

/** Leaf of a summary: keccak256, taken twice. `summariesRoot` of a report is the tree of certificates (`certificatesRoot`) over these. */
export function summaryLeaf(summary: ExecutionSummary): Root {
  return keccak256(keccak256(encodeSummary(summary))) as Root
}
