// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {ProducerId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title What a draw reads and writes of a producer: one slot
/// @dev Bonds and seats keep their histories beside it, for draws of a period that was not over when they changed.
abstract contract Accounts is IBlockProducers {
    struct Account {
        Status status;
        bool slashed;
        /// First period from whose start on the account is as it is now: what was bonded counts, what was released is free.
        /// `type(uint16).max` stands for any later one too.
        uint16 steady;
        uint16 locked; // seats of staker pools ever locked, less all whose release is entered, though its tail be ahead
        uint16 unsecured; // seats of bond pools, live or held
        uint32 newest; // pool of the live seat of staker pools last locked
        uint160 units; // of the bond: all ever added, less all ever taken
    }

    /// @dev Of a kind: with so many, no draw takes the producer. As many more find room, should a fault hold seats in their tail.
    uint256 internal constant MOST_SEATS = 2 ** 15;

    uint256 private immutable FIRST_PERIOD_TIME;
    uint256 private immutable PERIOD_SECONDS;

    mapping(ProducerId producerId => Account) internal _accounts;

    constructor(Parameters memory parameters) {
        uint256 epochSeconds = uint256(parameters.slotsPerEpoch) * parameters.secondsPerSlot;
        FIRST_PERIOD_TIME = parameters.genesisTime + parameters.firstPeriod * epochSeconds;
        PERIOD_SECONDS = parameters.periodLength * epochSeconds;
    }

    /// @dev Timestamp at which a period starts.
    function _startOf(uint64 period) internal view returns (uint256) {
        return FIRST_PERIOD_TIME + period * PERIOD_SECONDS;
    }

    /// @dev First period that starts after a timestamp.
    function _periodAfter(uint256 time) internal view returns (uint256) {
        return time < FIRST_PERIOD_TIME ? 0 : (time - FIRST_PERIOD_TIME) / PERIOD_SECONDS + 1;
    }

    /// @dev An account changed in a way that counts from the start of `period` on.
    function _steadyFrom(Account storage account, uint256 period) internal {
        uint16 steady = period < type(uint16).max ? uint16(period) : type(uint16).max;
        if (steady > account.steady) account.steady = steady;
    }

    function _isSteady(Account memory account, uint64 period) internal pure returns (bool) {
        return account.steady <= period && account.steady != type(uint16).max;
    }
}
