import type { JsonRpcProvider } from 'ethers'
import type {
  BlockProducers,
  BondEther,
  Cdt,
  Directory,
  Exits,
  Periods,
  PoolRegistry,
  Rewards,
  Rotations,
  StakingPool,
  StateCommitments,
  WithdrawalQueue,
} from '../../typechain-types/index.ts'
import type { RunningChain } from '../chain/start-chain.ts'
import type { BeaconApi } from './beacon-api.ts'
import type { Deaths } from './deaths.ts'
import type { DutyWatch } from './duty-watch.ts'
import type { Heads } from './heads.ts'
import type { MemoryWatch } from './memory.ts'
import type { Network, Operator } from './operators.ts'
import type { Person } from './people.ts'
import type { Processes } from './processes.ts'
import type { ReferenceWatch } from './reference-watch.ts'
import type { Screen } from './screen.ts'

export type Contracts = {
  readonly directory: Directory
  readonly bondEther: BondEther
  readonly stakingPool: StakingPool
  readonly withdrawalQueue: WithdrawalQueue
  readonly blockProducers: BlockProducers
  readonly periods: Periods
  readonly poolRegistry: PoolRegistry
  readonly exits: Exits
  readonly rotations: Rotations
  readonly stateCommitments: StateCommitments
  readonly rewards: Rewards
  readonly cdt: Cdt
  readonly stakerVault: string
  readonly bondVault: string
}

export type PoolFacts = {
  readonly poolId: number
  readonly kind: 'staker' | 'bond'
  readonly members: readonly number[]
  readonly publicKey: string
  readonly validatorIndex: number
}

/** What there is before the first stage. */
export type Ground = {
  readonly folder: string
  readonly slotSeconds: number
  readonly screen: Screen
  readonly processes: Processes
  readonly memory: MemoryWatch
  readonly deaths: Deaths
  /** Has something put away when the life is over, however it ends; last opened first. */
  readonly atEnd: (close: () => unknown) => void
}

/** A local Ethereum, the people on it, and their keys. */
export type Ethereum = {
  readonly chain: RunningChain
  readonly beacon: BeaconApi
  readonly provider: JsonRpcProvider
  readonly slotsPerEpoch: number
  readonly heads: Heads
  readonly duties: DutyWatch
  readonly operators: readonly Operator[]
  readonly stakers: readonly Person[]
}

export type Deployment = {
  readonly network: Network
  readonly contracts: Contracts
  readonly firstPeriod: number
  readonly references: ReferenceWatch
}

/** Wei; the rewards index at 1e27. */
export type Deposits = { readonly deposited: bigint; readonly indexStart: bigint }

export type Pools = { readonly pools: readonly PoolFacts[] }

export type Departure = { readonly leaver: Operator }

/** What became of the duties while a member was dead, and until the withdrawals began. */
export type DutyFacts = {
  readonly operatorKilled: string
  readonly roundChangesWhileKilled: number
  readonly attestationsBeforeWithdrawals: number
  readonly proposalsBeforeWithdrawals: number
}

/** Pools handed over to another vault; all pools with their vaults as they are then. */
export type Handovers = Pools & { readonly handovers: readonly number[] }

export type Request = { readonly person: Person; readonly requestId: string }
export type Withdrawals = { readonly requests: readonly Request[]; readonly forcedExits: number }

/** Wei. */
export type Claims = { readonly claimed: bigint }

// What each stage finds, from the first to the last.
export type OnEthereum = Ground & Ethereum
export type Deployed = OnEthereum & Deployment
export type Funded = Deployed & Deposits
export type WithPools = Funded & Pools
export type WithLeaver = WithPools & Departure
export type AfterDuties = WithLeaver & DutyFacts
export type AfterHandover = AfterDuties & Handovers
export type AfterWithdrawals = AfterHandover & Withdrawals
/** Everything, once all stages are over. */
export type World = AfterWithdrawals & Claims

/** What a stage adds to the world for those after it, and what there is to say of it. */
export type StageResult<Added> = { readonly added: Added; readonly summary: string }

export type Stage<Found extends Ground, Added> = {
  readonly name: string
  /** Longest it may take before the life calls it hung, with slots of one second; longer slots, longer. */
  readonly seconds: number
  run(world: Found, signal: AbortSignal): Promise<StageResult<Added>>
}
