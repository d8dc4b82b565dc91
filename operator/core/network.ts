import type { Address, Epoch, Hex, PoolId, ProducerId, PublicKey, Root, ValidatorIndex } from './ids.ts'
import type { CommitmentContent, EpochRange } from './report.ts'
import type { PoolKind } from './vault.ts'

/** A block producer as the registry knows it. */
export type Producer = {
  readonly id: ProducerId
  readonly owner: Address
  readonly operator: Address
  readonly signingKey: PublicKey
  readonly peerAddress: string
  /** Seconds: since when that has had its peer id, where it is not since the registration. */
  readonly peerIdSince?: number
  readonly slashed: boolean
  /** A leaving one takes no new seat, and those it has are to be rotated away; one that is gone has taken its bond. */
  readonly standing: 'active' | 'leaving' | 'gone'
  /** Seconds. */
  readonly registeredAt: number
}

export type PoolPhase = 'requested' | 'ceremony' | 'registered' | 'funded' | 'exiting' | 'closed' | 'cancelled'

/** A handover of a pool's key to another vault. */
export type Rotation = {
  readonly round: number
  /** Round of the vault that hands over. */
  readonly oldRound: number
  /** Of the new vault, in vault order. */
  readonly members: readonly ProducerId[]
  readonly deadline: Epoch
}

/** A vault in charge of a pool's key from an epoch on. */
export type VaultTerm = {
  readonly round: number
  readonly members: readonly ProducerId[]
  /** In vault order. */
  readonly publicShares: readonly PublicKey[]
  /** The cutover; 0 of the vault that made the key. */
  readonly from: Epoch
}

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
  /** Every vault that had its key or is to have it, in order of their rounds. */
  readonly vaults: readonly VaultTerm[]
  /** The handover under way, once its vault is drawn. */
  readonly rotation?: Rotation
  /** The ceremony whose result not all members of the vault have signed, until they are named. Bit i: member index i + 1 signed. */
  readonly incomplete?: { readonly round: number; readonly deadline: Epoch; readonly participation: bigint }
  /** Round of a vault that has to go: members are missing from its ceremony's result, or dealt falsely in it. */
  readonly dueRound?: number
  /** Round of the last handover that is over; of those up to it, only what `vaults` names was completed. */
  readonly endedRound?: number
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

export type Period = {
  readonly size: number
  readonly seed?: Root
  /** In order of the draw. */
  readonly committee?: readonly ProducerId[]
  /** Members whose keys are no longer in the committee's: slashed, they count as absent. */
  readonly struck?: readonly ProducerId[]
}

export type CommitmentPhase = 'open' | 'pending' | 'disputed' | 'finalized' | 'dropped'
export type Commitment = {
  readonly id: number
  readonly epoch: Epoch
  readonly digest: Root
  readonly content: CommitmentContent
  readonly phase: CommitmentPhase
  /** Epochs whose points are in it: those up to its own that no commitment standing when it was made had. */
  readonly covers: readonly EpochRange[]
  /** The two at most that stood before it, the older first: what comes late of their duties is in it. */
  readonly after: readonly number[]
  /** Pages are posted in order. */
  readonly pagesPosted: number
  /** The pages of points posted so far. */
  readonly pointPages: readonly Hex[]
  /** Seconds; once pending. */
  readonly windowEnds?: number
  readonly committedAt: number
}

/** A finalized report as Rewards numbers them, from 1. */
export type BookedReport = { readonly commitmentId: number; readonly producers: number; readonly rate: bigint }

/** How far a producer's points are settled. */
export type Settlement = { readonly report: number; readonly debt: bigint; readonly minted: bigint }

/** Something on chain that earns or costs points. Timestamps in seconds. */
export type Deed =
  | { readonly kind: 'ceremony'; readonly timestamp: number; readonly participants: readonly ProducerId[]; readonly leader?: ProducerId }
  /** `named`: absent or proven bad, each by itself; else nobody is, and all its members share it. */
  | {
      readonly kind: 'failed-ceremony'
      readonly timestamp: number
      readonly members: readonly ProducerId[]
      readonly named: boolean
    }
  /** A transaction that did what was due, by whoever sent it. */
  | { readonly kind: 'upkeep'; readonly timestamp: number; readonly sender: Address; readonly transaction: Root }
  /** A finalized commitment of this epoch. */
  | { readonly kind: 'report'; readonly timestamp: number; readonly epoch: Epoch; readonly absent: Hex }

/** What was proven of a pool to Slashing: a fault, its validator's exit, or both. */
export type PoolFault = {
  /** Undefined: an exit that is nobody's fault. */
  readonly kind?: 'signatures' | 'exit'
  readonly exitSeen: boolean
  /** Of the exit, as far as it was proven. */
  readonly withdrawableEpoch?: Epoch
  /** Of the balance last shown. */
  readonly balanceEpoch?: Epoch
  readonly settled: boolean
}

/** A vote on a commitment, from its opening on. */
export type CommitmentVote = {
  /** Whose list votes. */
  readonly period: number
  /** Seconds. */
  readonly deadline: number
  readonly openers: number
  /** Undefined while it is open. */
  readonly outcome?: 'upheld' | 'dropped' | 'convicted'
  /** Positions of openers that paid for a vote that failed: bit i of word w is position 256·w + i. */
  readonly charged: ReadonlyMap<number, bigint>
}

/** How far a lying commitment's committee is judged, by the contract that found the lie. */
export type Verdict = { readonly court: 'disputes' | 'votes'; readonly judged: number; readonly size: number }

/** What follows on faults, votes and the end of the network. */
export type Aftermath = {
  readonly faults: ReadonlyMap<PoolId, PoolFault>
  readonly votes: ReadonlyMap<number, CommitmentVote>
  readonly verdicts: ReadonlyMap<number, Verdict>
  readonly woundDown: boolean
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
  /** Commitments made and dropped. */
  readonly history: number
  readonly reports: ReadonlyMap<number, BookedReport>
  readonly settlements: ReadonlyMap<ProducerId, Settlement>
  readonly deeds: readonly Deed[]
  readonly aftermath: Aftermath
  /** Cumulative wei collected from the withdrawal vaults, by kind. */
  readonly collected: Readonly<Record<PoolKind, bigint>>
}

/** Pools in whose vault the producer holds a seat. */
export function poolsOf(state: NetworkState, producer: ProducerId): readonly Pool[] {
  return [...state.pools.values()].filter((pool) => pool.members.includes(producer))
}
