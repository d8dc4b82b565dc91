// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {Epoch, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title The lists of active producers, frozen period by period
/// @dev Joins and leaves carry the time they were asked, and a freeze looks only at those from before its own time: so it
/// makes no difference when it is carried out. Leaves go before joins. Each queue keeps its order, but churn can bring a
/// producer's join to its turn before its earlier leave, or a leave before its earlier join: the two cancel out.
abstract contract PeriodLists is IPeriods, BeaconClock {
    using Checkpoints for Checkpoints.Trace208;

    struct Move {
        ProducerId producerId;
        uint64 askedAt; // timestamp
    }

    struct Member {
        uint32 place; // position in the list + 1; 0 = not in it
        uint32 leavesToSkip;
        uint32 joinsToSkip;
        uint32 leaves; // one past its last leave in the queue
        uint64 leftFrom; // first period without it, of the last time it left
    }

    /// @dev A position in the list. Most of those that a draw reads have not changed since its period: they take one slot.
    struct Place {
        ProducerId producerId;
        uint48 since; // period
        Checkpoints.Trace208 before; // who was there, by period
    }

    /// @dev Joins and leaves carried out or skipped by one call of `freeze`: some 80,000 gas each at most.
    uint256 private constant MAX_MOVES = 128;

    uint64 internal immutable FIRST_PERIOD;
    uint64 internal immutable PERIOD_LENGTH;
    uint64 internal immutable SEED_DELAY;
    uint256 internal immutable MAX_CHURN;
    address internal immutable BLOCK_PRODUCERS;

    Move[] private _joins;
    Move[] private _leaves;
    mapping(ProducerId producerId => Member) private _members;
    mapping(uint32 position => Place) private _places;
    mapping(uint64 period => uint32) private _sizes;

    uint64 private _nextToFreeze;
    uint32 private _size; // while period `_nextToFreeze` is being frozen
    uint32 private _nextJoin;
    uint32 private _nextLeave;
    uint32 private _joined; // in the period being frozen
    uint32 private _left;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        BLOCK_PRODUCERS = nonZero(addresses.blockProducers);
        FIRST_PERIOD = parameters.firstPeriod;
        PERIOD_LENGTH = parameters.periodLength;
        SEED_DELAY = parameters.seedDelay;
        MAX_CHURN = parameters.maxChurn;
    }

    modifier onlyBlockProducers() {
        if (msg.sender != BLOCK_PRODUCERS) revert NotBlockProducers(msg.sender);
        _;
    }

    /// @inheritdoc IPeriods
    function queueJoin(ProducerId producerId) external onlyBlockProducers {
        _joins.push(Move(producerId, uint64(block.timestamp)));
        emit JoinQueued(producerId);
    }

    /// @inheritdoc IPeriods
    function queueLeave(ProducerId producerId) external onlyBlockProducers {
        _leaves.push(Move(producerId, uint64(block.timestamp)));
        _members[producerId].leaves = uint32(_leaves.length);
        emit LeaveQueued(producerId);
    }

    /// @inheritdoc IPeriods
    function freeze(uint256 maxPeriods) external {
        uint256 moves = MAX_MOVES;
        for (uint256 i = 0; i < maxPeriods && moves > 0; ++i) {
            uint64 period = _nextToFreeze;
            uint256 freezeTime = _freezeTimeOf(period);
            if (block.timestamp < freezeTime) return;
            moves = _runLeaves(period, freezeTime, moves);
            moves = _runJoins(period, freezeTime, moves);
            // With no moves left it is not known here whether more are due: the next call finds out.
            if (moves == 0) return;
            _sizes[period] = _size;
            _nextToFreeze = period + 1;
            _joined = 0;
            _left = 0;
            emit ListFrozen(period, _size);
        }
    }

    /// @inheritdoc IPeriods
    function periodAt(Epoch epoch) public view returns (uint64) {
        uint64 number = Epoch.unwrap(epoch);
        if (number < FIRST_PERIOD) revert BeforeFirstPeriod(epoch, FIRST_PERIOD);
        return (number - FIRST_PERIOD) / PERIOD_LENGTH;
    }

    /// @inheritdoc IPeriods
    function currentPeriod() external view returns (uint64) {
        return periodAt(Epoch.wrap(_currentEpoch()));
    }

    /// @inheritdoc IPeriods
    function nextPeriod() external view returns (uint64) {
        uint64 epoch = block.timestamp < GENESIS_TIME ? 0 : _currentEpoch();
        return epoch < FIRST_PERIOD ? 0 : (epoch - FIRST_PERIOD) / PERIOD_LENGTH + 1;
    }

    /// @inheritdoc IPeriods
    function startOf(uint64 period) public view returns (Epoch) {
        return Epoch.wrap(FIRST_PERIOD + period * PERIOD_LENGTH);
    }

    /// @inheritdoc IPeriods
    function seedEpochOf(uint64 period) public view returns (Epoch) {
        return Epoch.wrap(Epoch.unwrap(startOf(period)) - 1);
    }

    /// @inheritdoc IPeriods
    function nextToFreeze() external view returns (uint64) {
        return _nextToFreeze;
    }

    /// @inheritdoc IPeriods
    function sizeAt(uint64 period) public view returns (uint32) {
        if (period >= _nextToFreeze) revert NotFrozenYet(period, _freezeEpochOf(period), Epoch.wrap(_currentEpoch()));
        return _sizes[period];
    }

    /// @inheritdoc IPeriods
    function producerAt(uint64 period, uint32 position) external view returns (ProducerId) {
        uint32 size = sizeAt(period);
        if (position >= size) revert PositionOutOfRange(position, size);
        return _producerAt(period, position);
    }

    /// @inheritdoc IPeriods
    function producersAt(uint64 period, uint256[] calldata positions) external view returns (ProducerId[] memory producers) {
        uint32 size = sizeAt(period);
        producers = new ProducerId[](positions.length);
        unchecked {
            for (uint256 i = 0; i < positions.length; ++i) {
                uint256 position = positions[i];
                if (position >= size) revert PositionOutOfRange(uint32(position), size);
                producers[i] = _producerAt(period, uint32(position));
            }
        }
    }

    /// @inheritdoc IPeriods
    function listAt(uint64 period, uint32 from, uint32 count) external view returns (ProducerId[] memory list) {
        uint32 size = sizeAt(period);
        if (uint256(from) + count > size) revert PositionOutOfRange(from + count, size);
        list = new ProducerId[](count);
        for (uint32 i = 0; i < count; ++i) {
            list[i] = _producerAt(period, from + i);
        }
    }

    /// @inheritdoc IPeriods
    /// @dev Joins and leaves alternate, and what came out of turn cancels out: once the last leave is carried out, the producer is
    ///      out unless a join followed it.
    function membershipEnd(ProducerId producerId) external view returns (uint64) {
        Member storage member = _members[producerId];
        bool isOut = member.place == 0 && member.leaves > 0 && member.leaves <= _nextLeave;
        return isOut ? member.leftFrom : type(uint64).max;
    }

    function _producerAt(uint64 period, uint32 position) internal view returns (ProducerId) {
        Place storage place = _places[position];
        if (place.since <= period) return place.producerId;
        return ProducerId.wrap(uint32(place.before.upperLookupRecent(uint48(period))));
    }

    function _freezeEpochOf(uint64 period) private view returns (Epoch) {
        return Epoch.wrap(Epoch.unwrap(seedEpochOf(period)) - SEED_DELAY);
    }

    function _freezeTimeOf(uint64 period) private view returns (uint256) {
        return GENESIS_TIME + _secondsOf(Epoch.unwrap(_freezeEpochOf(period)));
    }

    function _runLeaves(uint64 period, uint256 freezeTime, uint256 moves) private returns (uint256) {
        uint32 next = _nextLeave;
        while (moves > 0 && _left < MAX_CHURN && next < _leaves.length && _leaves[next].askedAt < freezeTime) {
            ProducerId producerId = _leaves[next].producerId;
            Member storage member = _members[producerId];
            if (member.leavesToSkip > 0) {
                --member.leavesToSkip;
            } else if (member.place == 0) {
                ++member.joinsToSkip;
            } else {
                ++_left;
                _remove(period, producerId, member.place - 1);
            }
            ++next;
            --moves;
        }
        _nextLeave = next;
        return moves;
    }

    function _runJoins(uint64 period, uint256 freezeTime, uint256 moves) private returns (uint256) {
        uint32 next = _nextJoin;
        // Nobody is kept out of the first list: it has no predecessor to change too fast from.
        uint256 churn = period == 0 ? type(uint256).max : MAX_CHURN;
        while (moves > 0 && _joined < churn && next < _joins.length && _joins[next].askedAt < freezeTime) {
            ProducerId producerId = _joins[next].producerId;
            Member storage member = _members[producerId];
            if (member.joinsToSkip > 0) {
                --member.joinsToSkip;
            } else if (member.place > 0) {
                ++member.leavesToSkip;
            } else {
                ++_joined;
                _append(period, producerId);
            }
            ++next;
            --moves;
        }
        _nextJoin = next;
        return moves;
    }

    function _append(uint64 period, ProducerId producerId) private {
        uint32 position = _size;
        _put(period, position, producerId);
        _size = position + 1;
        emit Joined(period, producerId, position);
    }

    /// @dev The last of the list takes the free position.
    function _remove(uint64 period, ProducerId producerId, uint32 position) private {
        uint32 last = _size - 1;
        _size = last;
        if (position != last) _put(period, position, _places[last].producerId);
        (_members[producerId].place, _members[producerId].leftFrom) = (0, period);
        emit Left(period, producerId, position);
    }

    function _put(uint64 period, uint32 position, ProducerId producerId) private {
        Place storage place = _places[position];
        (ProducerId before, uint48 since) = (place.producerId, place.since);
        if (ProducerId.unwrap(before) != 0 && since < period) place.before.push(since, ProducerId.unwrap(before));
        (place.producerId, place.since) = (producerId, uint48(period));
        _members[producerId].place = position + 1;
    }
}
