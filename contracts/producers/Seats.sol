// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {PoolId, ProducerId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title Seats of staker pools: what they lock of a bond, and until when
/// @dev Everything is a sum over time: locked is what was ever locked less what is released by now. A release that waits for
/// its tail is entered at the time when the tail ends, so that nothing has to be done then.
abstract contract Seats is IBlockProducers {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;

    struct Ledger {
        uint256 locked; // ever, wei
        Checkpoints.Trace208 releasedAtOnce; // ever, by timestamp
        Checkpoints.Trace208 releasedAfterTail; // ever, by the timestamp at which the tail ends
    }

    uint128 internal immutable SEAT_ALLOCATION;
    uint64 private immutable TAIL_SECONDS;

    mapping(ProducerId producerId => Ledger) private _ledgers;
    Ledger private _total;
    mapping(PoolId poolId => mapping(ProducerId producerId => uint256)) private _seats;

    constructor(Parameters memory parameters) {
        SEAT_ALLOCATION = parameters.seatAllocation;
        TAIL_SECONDS = parameters.seatTail * parameters.slotsPerEpoch * parameters.secondsPerSlot;
    }

    function _lock(PoolId poolId, ProducerId[] calldata members) internal {
        for (uint256 i = 0; i < members.length; ++i) {
            ProducerId producerId = members[i];
            if (_seats[poolId][producerId] != 0) revert SeatAlreadyLocked(producerId, poolId);
            _seats[poolId][producerId] = SEAT_ALLOCATION;
            _ledgers[producerId].locked += SEAT_ALLOCATION;
            emit SeatLocked(producerId, poolId, SEAT_ALLOCATION);
        }
        _total.locked += members.length * SEAT_ALLOCATION;
    }

    function _release(PoolId poolId, ProducerId[] calldata members, bool afterTail) internal {
        uint64 from = uint64(block.timestamp) + (afterTail ? TAIL_SECONDS : 0);
        uint256 sum = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            ProducerId producerId = members[i];
            uint256 amount = _seats[poolId][producerId];
            if (amount == 0) revert SeatNotLocked(producerId, poolId);
            delete _seats[poolId][producerId];
            sum += amount;
            _enter(_ledgers[producerId], amount, from, afterTail);
            emit SeatReleased(producerId, poolId, amount, from);
        }
        _enter(_total, sum, from, afterTail);
    }

    /// @dev Wei that a producer's seats lock now, tails included.
    function _lockedNow(ProducerId producerId) internal view returns (uint256) {
        return _locked(_ledgers[producerId], block.timestamp);
    }

    /// @dev Everything ever locked less what was released before `time`.
    function _lockedSince(ProducerId producerId, uint256 time) internal view returns (uint256) {
        return _locked(_ledgers[producerId], time - 1);
    }

    function _totalLockedNow() internal view returns (uint256) {
        return _locked(_total, block.timestamp);
    }

    function _enter(Ledger storage ledger, uint256 amount, uint64 from, bool afterTail) private {
        Checkpoints.Trace208 storage released = afterTail ? ledger.releasedAfterTail : ledger.releasedAtOnce;
        released.push(uint48(from), (released.latest() + amount).toUint208());
    }

    function _locked(Ledger storage ledger, uint256 time) private view returns (uint256) {
        uint48 key = uint48(time);
        return
            ledger.locked - ledger.releasedAtOnce.upperLookupRecent(key) - ledger.releasedAfterTail.upperLookupRecent(key);
    }
}
