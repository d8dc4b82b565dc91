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
        uint24 newest; // pool of the live seat of staker pools last locked
        uint16 gap; // what the pool of the one before has a lower id; 0 = not kept here
        uint152 units; // of the bond: all ever added, less all ever taken
    }

    /// @dev Of a kind: with so many, no draw takes the producer. As many more find room, should a fault hold seats in their tail.
    uint256 internal constant MOST_SEATS = 2 ** 15;

    uint256 private immutable FIRST_PERIOD_TIME;
    uint256 private immutable PERIOD_SECONDS;

    /// @dev Where the fields of an account begin in its slot.
    uint256 internal constant LOCKED_AT = 32;
    uint256 internal constant NEWEST_AT = 64;
    uint256 private constant UNITS_AT = 104;

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

    /// @dev An account as it is stored: draws read and write many, and fields one by one cost several times as much.
    function _packed(ProducerId producerId) internal view returns (uint256 word) {
        Account storage account = _accounts[producerId];
        assembly ("memory-safe") {
            word := sload(account.slot)
        }
    }

    function _setPacked(ProducerId producerId, uint256 word) internal {
        Account storage account = _accounts[producerId];
        assembly ("memory-safe") {
            sstore(account.slot, word)
        }
    }

    /// @dev Of a packed account.
    function _isActive(uint256 word) internal pure returns (bool) {
        return uint8(word) == uint8(Status.Active);
    }

    function _isSlashed(uint256 word) internal pure returns (bool) {
        return uint8(word >> 8) != 0;
    }

    function _isSteady(uint256 word, uint64 period) internal pure returns (bool) {
        uint16 steady = uint16(word >> 16);
        return steady <= period && steady != type(uint16).max;
    }

    function _lockedIn(uint256 word) internal pure returns (uint256) {
        return uint16(word >> LOCKED_AT);
    }

    function _unsecuredIn(uint256 word) internal pure returns (uint256) {
        return uint16(word >> 48);
    }

    function _unitsIn(uint256 word) internal pure returns (uint256) {
        return word >> UNITS_AT;
    }
}
