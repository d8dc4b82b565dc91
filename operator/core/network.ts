import type { Address, Epoch, Hex, PoolId, ProducerId, PublicKey, Root, Slot, ValidatorIndex } from './ids.ts'
import type { PoolKind } from './vault.ts'

/** A block producer as the registry knows it. */
export type Producer = {
  readonly id: ProducerId
  readonly owner: Address
  readonly operator: Address
  readonly signingKey: PublicKey
  readonly peerAddress: string
  readonly slashed: boolean
}

export type PoolPhase = 'requested' | 'ceremony' | 'registered' | 'funded' | 'exiting' | 'closed' | 'cancelled'

/** A pool as its events tell. Timestamps in seconds. */
export type Pool = {
  readonly id: PoolId
  readonly kind: PoolKind
  readonly phase: PoolPhase
  readonly round: number
  /** Members of the vault of this round, in vault order; empty before the draw. */
  readonly members: readonly ProducerId[]
  /** Ceremony deadline. */
  readonly deadline?: Epoch
  readonly publicKey?: PublicKey
  readonly publicShares?: readonly PublicKey[]
  readonly ordinal?: number
  readonly registeredAt?: number
  readonly fundedAt?: number
  readonly validatorIndex?: ValidatorIndex
  readonly frontRunAt?: number
  /** From this epoch on its exit may be forced. */
  readonly exitDeadline?: Epoch
  readonly exitForced: boolean
  readonly stallProven: boolean
}

export type VaultDraw = {
  readonly id: number
  readonly poolId: PoolId
  readonly round: number
  readonly period: number
  /** As asked for. */
  readonly seedEpoch: Epoch
  readonly seedProven: boolean
  readonly done: boolean
}
export type LiquidationDraw = { readonly id: number; readonly count: number; readonly seedEpoch: Epoch; readonly done: boolean }

export type Period = { readonly size: number; readonly seed?: Root; readonly committee?: readonly ProducerId[] }

export type CommitmentPhase = 'open' | 'pending' | 'finalized' | 'dropped'
export type Commitment = {
  readonly id: number
  readonly epoch: Epoch
  readonly referenceSlot: Slot
  readonly blockRoot: Root
  readonly digest: Root
  readonly absent: Hex
  readonly phase: CommitmentPhase
  readonly pagesPosted: readonly number[]
  /** Seconds; once pending. */
  readonly windowEnds?: number
  readonly committedAt: number
}

/** What all contract events up to one block add up to. */
export type NetworkState = {
  readonly blockNumber: number
  readonly timestamp: number
  readonly producers: ReadonlyMap<ProducerId, Producer>
  readonly periods: ReadonlyMap<number, Period>
  readonly pools: ReadonlyMap<PoolId, Pool>
  readonly vaultDraws: ReadonlyMap<number, VaultDraw>
  readonly liquidationDraws: ReadonlyMap<number, LiquidationDraw>
  readonly commitments: ReadonlyMap<number, Commitment>
  /** Cumulative wei collected from the withdrawal vaults, by kind. */
  readonly collected: Readonly<Record<PoolKind, bigint>>
}

/** Pools in whose vault the producer holds a seat. */
export function poolsOf(state: NetworkState, producer: ProducerId): readonly Pool[] {
  return [...state.pools.values()].filter((pool) => pool.members.includes(producer))
}
