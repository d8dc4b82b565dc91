// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakingPool} from "../../../contracts/interfaces/IStakingPool.sol";
import {IWithdrawalQueue} from "../../../contracts/interfaces/IWithdrawalQueue.sol";

/// @dev Stands where StateCommitments stands and finalizes whatever the test says, without committee, window or proof.
contract ReportsHarness {
    IStakingPool private immutable STAKING_POOL;
    IWithdrawalQueue private immutable QUEUE;

    uint64 public lastFinalizedReference;
    bool public withdrawalsHeld;

    constructor(IStakingPool stakingPool, IWithdrawalQueue queue) {
        STAKING_POOL = stakingPool;
        QUEUE = queue;
    }

    function hold(bool held) external {
        withdrawalsHeld = held;
    }

    function finalizeState(
        uint64 referenceTimestamp,
        uint256[2] calldata arrivals,
        int256[2] calldata profit,
        uint64 epochs,
        uint256 withdrawalSteps
    ) external {
        lastFinalizedReference = referenceTimestamp;
        STAKING_POOL.bookReport(arrivals, profit, epochs);
        if (!withdrawalsHeld && withdrawalSteps > 0) QUEUE.finalize(withdrawalSteps);
    }
}
