/** What the beacon chain fixes; read from a beacon node when deploying. Names as in `Parameters` (contracts/types). */
export interface BeaconFacts {
  readonly genesisTime: bigint
  readonly secondsPerSlot: bigint
  readonly slotsPerEpoch: bigint
  readonly epochsPerHistoricalVector: bigint
  readonly shardCommitteePeriod: bigint
  readonly genesisForkVersion: string
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
  readonly seedDelay: bigint
  readonly ceremonyDeadline: bigint
  readonly seatTail: bigint
  readonly reportEpochs: bigint
  readonly disputeDuration: bigint
  readonly pagesDeadline: bigint
  readonly maxReportGrowth: bigint
  readonly maxReportLoss: bigint
  readonly minDeposit: bigint
  readonly liquidationThreshold: bigint
  readonly maxQueueWait: bigint
  readonly maxLiquidationExecution: bigint
  readonly stallPenalty: bigint
  readonly reporterShare: bigint
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
