import { OpenPoolsError } from '../errors.ts'
import type { ChainEvent } from '../events.ts'
import type { Address, Hex, Root } from '../ids.ts'
import type { NetworkState } from '../network.ts'

/**
 * Why an execution client did not give what was asked: UNREACHABLE, TIMEOUT, REFUSED (a JSON-RPC error; `data.rpcCode` and
 * `data.revert`, the revert data if any), OTHER_CHAIN (another chain id or genesis than before), BEHIND (it does not have a
 * block yet that we had finalized), MALFORMED (an answer that JSON-RPC does not allow), WRONG_ENDPOINT (a beacon node answers at
 * its URL).
 */
export class ChainError extends OpenPoolsError<
  'UNREACHABLE' | 'TIMEOUT' | 'REFUSED' | 'OTHER_CHAIN' | 'BEHIND' | 'MALFORMED' | 'WRONG_ENDPOINT'
> {}

/** Contracts of a deployment, by the names of `Addresses` in contracts/types/Parameters.sol. */
export const CONTRACTS = [
  'directory',
  'beaconLayout',
  'bondEther',
  'stakingPool',
  'withdrawalQueue',
  'stakerVault',
  'bondVault',
  'blockProducers',
  'periods',
  'vaultDraws',
  'poolRegistry',
  'exits',
  'stateCommitments',
  'disputes',
  'cdt',
  'rewards',
  'cdtStaking',
  'slashing',
  'windDown',
  'ceremonies',
  'rotations',
  'dkgDisputes',
  'wrappedBondEther',
  'views',
  'votes',
] as const
export type ContractName = (typeof CONTRACTS)[number]
export type ContractAddresses = Readonly<Record<ContractName, Address>>

/** Parameters as deployed; units and meaning as in contracts/types/Parameters.sol (durations in epochs, amounts in wei). */
export type Parameters = {
  readonly genesisTime: number
  readonly secondsPerSlot: number
  readonly slotsPerEpoch: number
  readonly epochsPerHistoricalVector: number
  readonly shardCommitteePeriod: number
  readonly genesisForkVersion: Hex
  readonly genesisValidatorsRoot: Root
  readonly ejectionBalance: number
  readonly depositContract: Address
  readonly vaultSize: number
  readonly seatAllocation: bigint
  readonly effectiveStake: bigint
  readonly minProducers: number
  readonly firstPeriod: number
  readonly periodLength: number
  readonly maxChurn: number
  readonly committeeSize: number
  readonly minAuxCommitteeSize: number
  readonly seedDelay: number
  readonly ceremonyDeadline: number
  readonly seatTail: number
  readonly rotationPeriod: number
  readonly rotationMargin: number
  readonly reportEpochs: number
  readonly disputeDuration: number
  readonly pagesDeadline: number
  readonly voteDuration: number
  readonly failedVotePenalty: bigint
  readonly maxReportGrowth: number
  readonly maxReportLoss: number
  readonly minDeposit: bigint
  readonly liquidationThreshold: bigint
  readonly maxQueueWait: number
  readonly maxLiquidationExecution: number
  readonly stallPenalty: bigint
  readonly reporterShare: number
  readonly reporterFee: bigint
  readonly rewardsFee: number
  readonly baseReward: number
  readonly dkgReward: number
  readonly dkgFailurePenalty: number
  readonly maxCdtDebt: number
  readonly minPoolPerformance: number
  readonly nominalPools: number
  readonly cdtEmission: bigint
  readonly cdtMinLock: number
  readonly layoutDelay: number
  readonly windDownAfter: number
}

/** What the contracts say, folded: at the head, and at the last finalized block. */
export type ChainView = {
  readonly head: NetworkState
  readonly finalized: NetworkState
  /** Last block that `head` and `finalized` have seen, with events or without. */
  readonly headBlock: number
  readonly finalizedBlock: number
  /** When the last finalized block was made, seconds. */
  readonly finalizedTimestamp: number
}

export type ChainFollower = {
  view(): ChainView
  /** Called after each batch of blocks has been folded in (or rolled back), with the events that are new at the head and those new as finalized. */
  onChange(
    listener: (change: {
      readonly view: ChainView
      readonly applied: readonly ChainEvent[]
      readonly finalized: readonly ChainEvent[]
    }) => void,
  ): () => void
}

/** How a transaction ended. A revert that the simulation foresaw costs nothing; `error` is the contract's custom error by name. */
export type TransactionOutcome =
  | { readonly status: 'included'; readonly hash: Root; readonly blockNumber: number; readonly gasUsed: bigint }
  | { readonly status: 'refused'; readonly error: string; readonly args: Readonly<Record<string, unknown>> }

export type Call = { readonly contract: ContractName; readonly method: string; readonly args: readonly unknown[]; readonly value?: bigint }

/** A block to read at: by number or tag on whatever chain the client follows, or exactly this one. */
export type BlockId = number | 'latest' | 'finalized' | { readonly number: number; readonly hash: Root }

export type Contracts = {
  readonly chainId: bigint
  readonly addresses: ContractAddresses
  readonly parameters: Parameters
  /** eth_call of a view, decoded (ethers Result as plain values); at `block`, default latest. */
  read(call: Call, block?: BlockId): Promise<unknown>
  /** Wei held by an address at a block. */
  balance(address: Address, block?: BlockId): Promise<bigint>
  /** Simulates only: undefined when the call would go through, else the custom error's name. */
  simulate(call: Call): Promise<string | undefined>
  /** Simulates, sends, waits for inclusion, bumps the fee when stuck. Throws `ChainError` when the client can't be reached. */
  send(call: Call, signal?: AbortSignal): Promise<TransactionOutcome>
}
