import type { Epoch, Hex, ProducerId, PublicKey, Root, Slot } from './ids.ts'
import type { BeaconHeaderInfo } from './ports/beacon.ts'
import type { PoolKind } from './vault.ts'

/** What one pool's validator had at a reference. Gwei. */
export type ReferenceBalance = { readonly balance: bigint; readonly eligible: boolean }

/** Everything a report needs of its reference block, captured while beacon nodes still remember that state. */
export type Reference = {
  readonly epoch: Epoch
  readonly header: BeaconHeaderInfo
  /** Of the execution payload; the timestamp in seconds. */
  readonly executionBlock: number
  readonly timestamp: number
  /** By validator key; a validator that the state did not have is absent. */
  readonly balances: ReadonlyMap<PublicKey, ReferenceBalance>
  /** Cumulative wei: the withdrawal vault's balance and everything ever collected from it. */
  readonly arrivals: Readonly<Record<PoolKind, bigint>>
}

/** A state commitment as the committee signs it (IStateCommitments.Report). */
export type Report = {
  readonly epoch: Epoch
  readonly referenceSlot: Slot
  readonly blockRoot: Root
  /** Number of the reference's execution block. */
  readonly executionBlock: number
  /** Commitments made and dropped before it. */
  readonly history: number
  readonly stakerArrivals: bigint
  readonly bondArrivals: bigint
  readonly stakerPools: number
  readonly bondPools: number
  readonly producers: number
  readonly certificatesHash: Root
  readonly summariesRoot: Root
  readonly pageRoots: readonly Root[]
}

/** What a commitment is kept by the hash of (IStateCommitments.Content). */
export type CommitmentContent = {
  readonly report: Report
  /** Hash of the reference's execution block, as EIP-2935 had it at the commitment. */
  readonly executionHash: Root
  /** Bitfield over the committee: who did not sign. */
  readonly absent: Hex
}

/** Epochs from `from` up to, not including, `to`. */
export type EpochRange = { readonly from: Epoch; readonly to: Epoch }

/** Points that a producer earned (or lost, below 0), for whatever. */
export type PointEntry = { readonly producerId: ProducerId; readonly points: number }

/** What a report says of duties, and what it makes of them: the published set's hash, the summaries' root, the points. */
export type DutyRecord = { readonly certificatesHash: Root; readonly summariesRoot: Root; readonly points: readonly PointEntry[] }

/** A report and the pages that its roots stand for: staker pools', bond pools', then points'. */
export type DerivedReport = { readonly report: Report; readonly pages: readonly Hex[] }
