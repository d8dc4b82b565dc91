import type { Epoch, Hex, PublicKey, Root, Slot } from './ids.ts'
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
  readonly stakerArrivals: bigint
  readonly bondArrivals: bigint
  readonly stakerPools: number
  readonly bondPools: number
  readonly pageRoots: readonly Root[]
}

/** A report and the pages that its roots stand for, staker pools' first. */
export type DerivedReport = { readonly report: Report; readonly pages: readonly Hex[] }
