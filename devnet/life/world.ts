import type { JsonRpcProvider } from 'ethers'
import type {
  BlockProducers,
  BondEther,
  Directory,
  Exits,
  Periods,
  PoolRegistry,
  StakingPool,
  StateCommitments,
  WithdrawalQueue,
} from '../../typechain-types/index.ts'
import type { RunningChain } from '../chain/start-chain.ts'
import type { BeaconApi } from './beacon-api.ts'
import type { DutyWatch } from './duty-watch.ts'
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
  readonly stateCommitments: StateCommitments
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

/** Everything the stages share. Filled in from stage to stage; a stage may rely on what an earlier one has put there. */
export type World = {
  readonly folder: string
  readonly slotSeconds: number
  readonly screen: Screen
  readonly processes: Processes
  readonly memory: MemoryWatch
  chain: RunningChain
  beacon: BeaconApi
  provider: JsonRpcProvider
  slotsPerEpoch: number
  network: Network
  contracts: Contracts
  firstPeriod: number
  operators: readonly Operator[]
  stakers: readonly Person[]
  pools: readonly PoolFacts[]
  duties: DutyWatch
  references: ReferenceWatch
  requests: { readonly person: Person; readonly requestId: string }[]
  readonly facts: Facts
  /** Where the chain was when it was last looked at. */
  pulse: { readonly slot: number; readonly finalizedEpoch: number } | undefined
}

/** What the life finds out on its way, for the table and the last line. */
export type Facts = {
  deposited: bigint
  claimed: bigint
  operatorKilled: string
  roundChangesWhileKilled: number
  forcedExits: number
  indexStart: bigint
  attestationsBeforeWithdrawals: number
  proposalsBeforeWithdrawals: number
}

export type Stage = {
  readonly name: string
  /** Longest it may take before the life calls it hung. */
  readonly seconds: number
  /** Does the stage and returns what there is to say of it. */
  run(world: World, signal: AbortSignal): Promise<string>
}
