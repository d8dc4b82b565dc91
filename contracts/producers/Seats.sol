// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title Seats: who holds them in which pool, what those of staker pools lock of a bond, and until when
/// @dev What is locked is a sum over time: seats ever locked less those released by now. A release that waits for its tail is
/// entered at the time when the tail ends, so that nothing has to be done then. Seats of bond pools lock nothing, but whoever
/// holds one, or is in its tail, keeps its bond here.
///
/// A pool's holders are one list, three to a storage slot. An entry ends with the time until which it answers:
/// 0 while the seat is live, `LIVE_HELD` when it is live and a fault of the pool is not settled, `HELD` when it is not live
/// any more but answers for such a fault.
abstract contract Seats is IBlockProducers {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev Seats ever released, over time: the last change, and those before it.
    struct Released {
        uint48 time;
        uint32 count;
        Checkpoints.Trace208 before;
    }

    struct Ledger {
        uint32 locked; // seats of staker pools ever locked
        uint32 live; // of these, neither released nor in their tail
        uint32 unsecured; // seats of bond pools, live or held
        uint160 newest; // the five live seats of staker pools last locked, the newest in the lowest 32 bits
        Released atOnce; // by timestamp
        Released afterTail; // by the timestamp at which the tail ends
        uint48 unsecuredUntil; // end of the last tail of a bond pool's seat
    }

    uint48 private constant LIVE_HELD = 1;
    uint48 private constant HELD = type(uint48).max;
    uint256 private constant REMEMBERED = 5;
    /// @dev A bond may fall to so much of what its seats lock before it loses the newest of them.
    uint256 private constant LEAST_COLLATERAL = 9_000;
    uint256 private constant WHOLE = 10_000;

    uint128 internal immutable SEAT_ALLOCATION;
    uint64 private immutable TAIL_SECONDS;

    mapping(ProducerId producerId => Ledger) private _ledgers;
    uint256 private _totalLocked;
    Released private _totalAtOnce;
    Released private _totalAfterTail;
    /// @dev Producer (32 bits) and the timestamp until which it answers (48).
    mapping(PoolId poolId => uint80[]) private _seats;

    constructor(Parameters memory parameters) {
        SEAT_ALLOCATION = parameters.seatAllocation;
        TAIL_SECONDS = parameters.seatTail * parameters.slotsPerEpoch * parameters.secondsPerSlot;
    }

    /// @inheritdoc IBlockProducers
    function holdersOf(PoolId poolId) external view returns (Holder[] memory holders) {
        (uint80[] memory entries, uint256 count) = _standing(poolId, 0);
        holders = new Holder[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint48 until = uint48(entries[i]);
            bool held = until == LIVE_HELD || until == HELD;
            holders[i] = Holder(_producerIn(entries[i]), until <= LIVE_HELD ? 0 : until, held);
        }
    }

    /// @inheritdoc IBlockProducers
    function seatCount(ProducerId producerId) external view returns (uint256) {
        Ledger storage ledger = _ledgers[producerId];
        return uint256(ledger.live) + ledger.unsecured;
    }

    /// @inheritdoc IBlockProducers
    function isUndercollateralized(ProducerId producerId) public view returns (bool) {
        return bondValue(producerId) * WHOLE < _ledgers[producerId].live * SEAT_ALLOCATION * LEAST_COLLATERAL;
    }

    /// @inheritdoc IBlockProducers
    function newestSeat(ProducerId producerId) external view returns (PoolId) {
        return PoolId.wrap(uint32(_ledgers[producerId].newest));
    }

    /// @inheritdoc IBlockProducers
    function bondValue(ProducerId producerId) public view virtual returns (uint256);

    function _lock(PoolId poolId, PoolKind kind, ProducerId[] calldata members) internal {
        (uint80[] memory entries, uint256 count) = _standing(poolId, members.length);
        uint256 old = count;
        for (uint256 i = 0; i < members.length; ++i) {
            ProducerId producerId = members[i];
            if (_liveAt(entries, old, producerId, i) < old) continue;
            entries[count++] = _entry(producerId, 0);
            Ledger storage ledger = _ledgers[producerId];
            if (kind == PoolKind.Bond) {
                ++ledger.unsecured;
            } else {
                ++ledger.locked;
                ++ledger.live;
                ledger.newest = (ledger.newest << 32) | PoolId.unwrap(poolId);
            }
            emit SeatLocked(producerId, poolId, _amount(kind));
        }
        if (kind == PoolKind.Staker) _totalLocked += count - old;
        _store(poolId, entries, count);
    }

    /// @param tailFrom timestamp from which the tails count, 0 for none
    function _release(PoolId poolId, PoolKind kind, ProducerId[] calldata members, uint64 tailFrom) internal {
        (uint80[] memory entries, uint256 count) = _standing(poolId, 0);
        uint48 until = tailFrom == 0 ? uint48(block.timestamp) : uint48(tailFrom + TAIL_SECONDS);
        uint256 released = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 place = _liveAt(entries, count, members[i], i);
            if (place == count) revert SeatNotLocked(members[i], poolId);
            bool isHeld = uint48(entries[place]) == LIVE_HELD;
            if (isHeld || tailFrom != 0) entries[place] = _entry(members[i], isHeld ? HELD : until);
            else entries[place] = 0;
            if (kind == PoolKind.Staker) _takeLive(members[i], poolId);
            if (!isHeld) {
                ++released;
                _free(members[i], kind, until, tailFrom != 0);
            }
            emit SeatReleased(members[i], poolId, _amount(kind), isHeld ? type(uint64).max : until);
        }
        if (kind == PoolKind.Staker) _freeOfTotal(released, until, tailFrom != 0);
        _store(poolId, entries, count);
    }

    /// @dev Whoever answers for the pool now does so until `_unhold`. A seat in its tail is locked anew: until the tail's end,
    /// which is entered already, it counts twice.
    function _hold(PoolId poolId, PoolKind kind) internal {
        (uint80[] memory entries, uint256 count) = _standing(poolId, 0);
        for (uint256 i = 0; i < count; ++i) {
            uint48 until = uint48(entries[i]);
            if (until == LIVE_HELD || until == HELD) revert SeatsAlreadyHeld(poolId);
            ProducerId producerId = _producerIn(entries[i]);
            entries[i] = _entry(producerId, until == 0 ? LIVE_HELD : HELD);
            if (until == 0) continue;
            if (kind == PoolKind.Bond) {
                ++_ledgers[producerId].unsecured;
            } else {
                ++_ledgers[producerId].locked;
                ++_totalLocked;
            }
        }
        emit SeatsHeld(poolId);
        _store(poolId, entries, count);
    }

    /// @dev Ends what `_hold` began: seats no longer live are free at once.
    function _unhold(PoolId poolId, PoolKind kind) internal {
        (uint80[] memory entries, uint256 count) = _standing(poolId, 0);
        uint256 released = 0;
        for (uint256 i = 0; i < count; ++i) {
            ProducerId producerId = _producerIn(entries[i]);
            uint48 until = uint48(entries[i]);
            if (until == LIVE_HELD) entries[i] = _entry(producerId, 0);
            if (until != HELD) continue;
            entries[i] = 0;
            ++released;
            _free(producerId, kind, uint48(block.timestamp), false);
            emit SeatReleased(producerId, poolId, _amount(kind), uint64(block.timestamp));
        }
        if (kind == PoolKind.Staker) _freeOfTotal(released, uint48(block.timestamp), false);
        emit SeatsUnheld(poolId);
        _store(poolId, entries, count);
    }

    /// @dev Wei that a producer's seats lock now, tails included.
    function _lockedNow(ProducerId producerId) internal view returns (uint256) {
        return _locked(_ledgers[producerId], block.timestamp);
    }

    /// @dev Everything ever locked less what was released before `time`.
    function _lockedSince(ProducerId producerId, uint256 time) internal view returns (uint256) {
        return _locked(_ledgers[producerId], time - 1);
    }

    function _totalLockedSeats() internal view returns (uint256) {
        uint48 key = uint48(block.timestamp);
        return _totalLocked - _countAt(_totalAtOnce, key) - _countAt(_totalAfterTail, key);
    }

    /// @dev Whether a producer holds no seat of any kind, live, in its tail or held. @return since when (timestamp; 0 = ever).
    function _seatless(ProducerId producerId) internal view returns (bool, uint64 since) {
        Ledger storage ledger = _ledgers[producerId];
        since = _later(ledger.atOnce.time, ledger.afterTail.time);
        since = _later(since, ledger.unsecuredUntil);
        bool locks = _locked(ledger, block.timestamp) > 0;
        return (!locks && ledger.unsecured == 0 && since <= block.timestamp, since);
    }

    function _free(ProducerId producerId, PoolKind kind, uint48 from, bool afterTail) private {
        Ledger storage ledger = _ledgers[producerId];
        if (kind == PoolKind.Staker) {
            _enter(afterTail ? ledger.afterTail : ledger.atOnce, 1, from);
        } else {
            --ledger.unsecured;
            if (from > ledger.unsecuredUntil) ledger.unsecuredUntil = from;
        }
    }

    function _freeOfTotal(uint256 count, uint48 from, bool afterTail) private {
        if (count > 0) _enter(afterTail ? _totalAfterTail : _totalAtOnce, count, from);
    }

    /// @dev Tails need not end in the order in which they are entered: one that would end before an earlier one ends with it.
    function _enter(Released storage released, uint256 count, uint48 from) private {
        (uint48 last, uint32 before) = (released.time, released.count);
        if (from > last) {
            if (last != 0) released.before.push(last, before);
            released.time = from;
        }
        released.count = before + uint32(count);
    }

    function _countAt(Released storage released, uint48 time) private view returns (uint256) {
        return time >= released.time ? released.count : released.before.upperLookupRecent(time);
    }

    function _takeLive(ProducerId producerId, PoolId poolId) private {
        Ledger storage ledger = _ledgers[producerId];
        --ledger.live;
        uint160 newest = ledger.newest;
        for (uint8 shift = 0; shift < REMEMBERED * 32; shift += 32) {
            if (uint32(newest >> shift) != PoolId.unwrap(poolId)) continue;
            uint160 newer = newest & ((uint160(1) << shift) - 1);
            // What is older moves up a place.
            ledger.newest = newer | ((newest >> (shift + 32)) << shift);
            return;
        }
    }

    /// @dev The pool's entries whose time is not over, with room for `more`.
    function _standing(PoolId poolId, uint256 more) private view returns (uint80[] memory entries, uint256 count) {
        uint80[] memory all = _seats[poolId];
        entries = new uint80[](all.length + more);
        for (uint256 i = 0; i < all.length; ++i) {
            uint48 until = uint48(all[i]);
            if (until <= LIVE_HELD || until > block.timestamp) entries[count++] = all[i];
        }
    }

    /// @dev Without the entries that are empty.
    function _store(PoolId poolId, uint80[] memory entries, uint256 count) private {
        uint256 kept = 0;
        for (uint256 i = 0; i < count; ++i) {
            if (entries[i] != 0) entries[kept++] = entries[i];
        }
        assembly ("memory-safe") {
            // Shorter than it was allocated.
            mstore(entries, kept)
        }
        _seats[poolId] = entries;
    }

    /// @param hint place to look at first: members mostly come in the order in which they were entered
    /// @return place of the producer's live seat among the first `count` entries, `count` when it has none
    function _liveAt(uint80[] memory entries, uint256 count, ProducerId producerId, uint256 hint)
        private
        pure
        returns (uint256 place)
    {
        for (uint256 i = 0; i < count; ++i) {
            place = (hint + i) % count;
            if (uint48(entries[place]) <= LIVE_HELD && _producerIn(entries[place]) == producerId) return place;
        }
        return count;
    }

    function _locked(Ledger storage ledger, uint256 time) private view returns (uint256) {
        uint48 key = uint48(time);
        return (ledger.locked - _countAt(ledger.atOnce, key) - _countAt(ledger.afterTail, key)) * SEAT_ALLOCATION;
    }

    function _amount(PoolKind kind) private view returns (uint256) {
        return kind == PoolKind.Staker ? SEAT_ALLOCATION : 0;
    }

    function _entry(ProducerId producerId, uint48 until) private pure returns (uint80) {
        return (uint80(ProducerId.unwrap(producerId)) << 48) | until;
    }

    function _producerIn(uint80 entry) private pure returns (ProducerId) {
        return ProducerId.wrap(uint32(entry >> 48));
    }

    function _later(uint64 a, uint64 b) private pure returns (uint64) {
        return a > b ? a : b;
    }
}
