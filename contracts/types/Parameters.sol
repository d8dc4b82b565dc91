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
    bytes32 genesisValidatorsRoot;
    uint64 ejectionBalance; // gwei: at or below it the beacon chain ejects a validator
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
    uint16 minAuxCommitteeSize;
    uint64 seedDelay;
    uint64 ceremonyDeadline;
    uint64 seatTail;
    uint64 rotationPeriod; // epochs after which any vault may be drawn anew
    uint64 rotationMargin; // least epochs from a handover's completion to its cutover
    // Reports
    uint64 reportEpochs;
    uint64 disputeDuration;
    uint64 pagesDeadline;
    uint64 voteDuration;
    uint128 failedVotePenalty; // an opener
    uint32 maxReportGrowth; // parts per million of the total for each epoch since the last finalization
    uint32 maxReportLoss; // parts per million; a greater loss waits twice the window
    // Staking and exits
    uint128 minDeposit;
    uint128 liquidationThreshold;
    uint64 maxQueueWait;
    uint64 maxLiquidationExecution;
    uint128 stallPenalty; // a seat
    uint16 reporterShare; // basis points of what a fault costs
    uint128 reporterFee; // where a fault is charged by the loss that it did
    uint16 rewardsFee; // basis points of rewards, to those who lock CDT
    // Points and CDT
    uint32 baseReward; // points of an attestation
    uint32 dkgReward; // points
    uint32 dkgFailurePenalty; // points
    uint32 maxCdtDebt; // points for each seat held, at least one
    uint16 minPoolPerformance; // basis points of a report's duties
    uint32 nominalPools; // perfectly served pools whose points take up the whole emission
    uint128 cdtEmission; // CDT wei a year
    uint64 cdtMinLock;
    // Forks and the end
    uint64 layoutDelay; // least epochs from a layout row's adoption to its first epoch
    uint64 windDownAfter; // epochs without a finalized report
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
    address cdt;
    address rewards;
    address cdtStaking;
    address slashing;
    address windDown;
    address ceremonies;
    address rotations;
    address dkgDisputes;
    address wrappedBondEther;
    address views;
    address votes;
}
