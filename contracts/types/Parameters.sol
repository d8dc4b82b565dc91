// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Everything a deployment fixes for ever. Durations are in epochs unless named otherwise, amounts in wei.
struct Parameters {
    // The beacon chain it lives on
    uint64 genesisTime; // seconds since the Unix epoch
    uint64 secondsPerSlot;
    uint64 slotsPerEpoch;
    uint64 epochsPerHistoricalVector;
    uint64 shardCommitteePeriod; // epochs from activation until a validator may exit
    bytes4 genesisForkVersion;
    address depositContract;
    // Block producers and vaults
    uint16 vaultSize; // n
    uint128 seatAllocation; // BP_VAULT_BOND_ALLOCATION
    uint128 effectiveStake; // EFFECTIVE_BP_STAKE, the least bond
    uint16 minProducers;
    uint64 firstPeriod; // epoch at which period 0 starts
    uint64 periodLength;
    uint16 maxChurn; // joins, and apart from them exits, a period
    uint16 committeeSize; // COMMITMENT_COMMITTEE_SIZE
    uint64 seedDelay;
    uint64 ceremonyDeadline;
    uint64 seatTail;
    // Reports
    uint64 reportEpochs;
    uint64 disputeDuration;
    uint64 pagesDeadline;
    uint32 maxReportGrowth; // parts per million of the total for each epoch since the last finalization
    uint32 maxReportLoss; // parts per million; a greater loss waits twice the window
    // Staking and exits
    uint128 minDeposit;
    uint128 liquidationThreshold;
    uint64 maxQueueWait;
    uint64 maxLiquidationExecution;
    uint128 stallPenalty; // a seat
    uint16 reporterShare; // basis points of what a fault costs
}

/// @notice Every contract of a deployment. Fixed before the first is deployed, from the deployer's nonces.
struct Addresses {
    address directory;
    address beaconLayout;
    address bondEther;
    address stakingPool;
    address withdrawalQueue;
    address stakerVault;
    address bondVault;
    address blockProducers;
    address periods;
    address vaultDraws;
    address poolRegistry;
    address exits;
    address stateCommitments;
    address disputes;
}
