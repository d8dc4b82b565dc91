/** What the beacon chain fixes; read from a beacon node when deploying. Names as in `Parameters` (contracts/types). */
export interface BeaconFacts {
  readonly genesisTime: bigint
  readonly secondsPerSlot: bigint
  readonly slotsPerEpoch: bigint
  readonly epochsPerHistoricalVector: bigint
  readonly shardCommitteePeriod: bigint
  readonly genesisForkVersion: string
  readonly genesisValidatorsRoot: string
  /** Gwei. */
  readonly ejectionBalance: bigint
  readonly depositContract: string
}

/** What a network chooses. Durations in epochs, amounts in wei; names as in `Parameters`. */
export interface NetworkChoices {
  readonly vaultSize: bigint
  readonly seatAllocation: bigint
  readonly effectiveStake: bigint
  readonly minProducers: bigint
  readonly periodLength: bigint
  readonly maxChurn: bigint
  readonly committeeSize: bigint
  readonly minAuxCommitteeSize: bigint
  readonly seedDelay: bigint
  readonly ceremonyDeadline: bigint
  readonly seatTail: bigint
  readonly rotationPeriod: bigint
  readonly rotationMargin: bigint
  readonly reportEpochs: bigint
  readonly disputeDuration: bigint
  readonly pagesDeadline: bigint
  readonly voteDuration: bigint
  readonly failedVotePenalty: bigint
  readonly maxReportGrowth: bigint
  readonly maxReportLoss: bigint
  readonly minDeposit: bigint
  readonly liquidationThreshold: bigint
  readonly maxQueueWait: bigint
  readonly maxLiquidationExecution: bigint
  readonly stallPenalty: bigint
  readonly reporterShare: bigint
  readonly reporterFee: bigint
  readonly rewardsFee: bigint
  readonly baseReward: bigint
  readonly dkgReward: bigint
  readonly dkgFailurePenalty: bigint
  readonly maxCdtDebt: bigint
  readonly minPoolPerformance: bigint
  readonly nominalPools: bigint
  readonly cdtEmission: bigint
  readonly cdtMinLock: bigint
  readonly layoutDelay: bigint
  readonly windDownAfter: bigint
}

/** The Solidity struct `Parameters`. */
export interface DeploymentParameters extends BeaconFacts, NetworkChoices {
  readonly firstPeriod: bigint
}

/** One row of BeaconLayout (the Solidity struct `Layout`). */
export interface LayoutRow {
  readonly firstEpoch: bigint
  readonly forkVersion: string
  readonly forkGindex: bigint
  readonly validatorsGindex: bigint
  readonly balancesGindex: bigint
  readonly randaoMixesGindex: bigint
}
