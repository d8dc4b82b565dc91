// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";
import {Accounts} from "./Accounts.sol";
import {Released} from "./Released.sol";

/// @title Seats: who holds them in which pool, what those of staker pools lock of a bond, and until when
/// @dev What is locked is a sum over time: seats ever locked less those released by now. A release that waits for its tail is
/// entered at the time when the tail ends, so that nothing has to be done then. Seats of bond pools lock nothing, but whoever
/// holds one, or is in its tail, keeps its bond here.
///
/// A pool's holders are one list. An entry ends with the time until which it answers:
/// 0 while the seat is live, `LIVE_HELD` when it is live and a fault of the pool is not settled, `HELD` when it is not live
/// any more but answers for such a fault. A storage slot has the producers of eight entries, another the times of four: most
/// are 0, and then not stored.
abstract contract Seats is Accounts {
    /// @dev Seats ever released, over time: the last change is a `Released`, those before it are in a trace.
    struct Before {
        Checkpoints.Trace208 atOnce; // by timestamp
        Checkpoints.Trace208 afterTail; // by the timestamp at which the tail ends
    }

    /// @dev One slot. What no draw needs of a producer whose account is steady.
    struct Ledger {
        uint48 unsecuredUntil; // end of the last tail of a bond pool's seat
        uint24 ended; // seats of staker pools that are locked though they are not live any more: held
        Released atOnce;
        Released afterTail;
    }

    uint48 private constant LIVE_HELD = 1;
    uint48 private constant HELD = type(uint48).max;
    /// @dev Bits of a pool's id: pools of 32 ETH each, twice all the ETH there is.
    uint256 private constant ID_BITS = 24;
    uint256 private constant ID = 2 ** ID_BITS - 1;
    /// @dev Of so many seats it is known which was locked before which: the newest two and those in a slot of their own.
    uint256 private constant REMEMBERED = 10;
    /// @dev Of an entry's producer: a time is stored.
    uint256 private constant HAS_TIME = 1 << 31;
    /// @dev A bond may fall to so much of what its seats lock before it loses the newest of them.
    uint256 private constant LEAST_COLLATERAL = 9_000;
    uint256 private constant WHOLE = 10_000;

    uint128 internal immutable SEAT_ALLOCATION;
    uint64 private immutable TAIL_SECONDS;

    mapping(ProducerId producerId => Ledger) private _ledgers;
    mapping(ProducerId producerId => Before) private _before;
    /// @dev Pools of live seats of staker pools locked before those that the account keeps, the last of them in the lowest bits.
    mapping(ProducerId producerId => uint192) private _older;
    /// @dev Eight producers a word, none after the last.
    mapping(PoolId poolId => mapping(uint256 word => uint256)) private _holders;
    mapping(PoolId poolId => mapping(uint256 word => uint256)) private _times;
    /// @dev By the time at which tails end; those released at once are never asked for.
    Checkpoints.Trace208 private _totalBefore;
    Released private _totalAfterTail;
    /// @dev Shares a slot with the count of producers and the capacity.
    uint64 private _totalLocked;

    constructor(Parameters memory parameters) {
        SEAT_ALLOCATION = parameters.seatAllocation;
        TAIL_SECONDS = parameters.seatTail * parameters.slotsPerEpoch * parameters.secondsPerSlot;
    }

    /// @inheritdoc IBlockProducers
    function holdersOf(PoolId poolId) external view returns (Holder[] memory holders) {
        (uint256[] memory entries, uint256 count) = _standing(poolId, 0);
        holders = new Holder[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint48 until = uint48(entries[i]);
            bool held = until == LIVE_HELD || until == HELD;
            holders[i] = Holder(_producerIn(entries[i]), until <= LIVE_HELD ? 0 : until, held);
        }
    }

    /// @inheritdoc IBlockProducers
    function liveSeats(PoolId poolId, uint256 most) external view returns (uint256[] memory words) {
        (uint256[] memory entries, uint256 count) = _standing(poolId, 0);
        words = new uint256[]((most + 7) / 8);
        uint256 kept = 0;
        unchecked {
            for (uint256 i = 0; i < count && kept < most; ++i) {
                uint256 entry = entries[i];
                if (uint48(entry) > LIVE_HELD) continue;
                words[kept / 8] |= (entry >> 48) << (kept % 8 * 32);
                ++kept;
            }
        }
    }

    /// @inheritdoc IBlockProducers
    function seatCount(ProducerId producerId) external view returns (uint256) {
        Ledger storage ledger = _ledgers[producerId];
        return _liveSeats(producerId, ledger) + _accounts[producerId].unsecured;
    }

    /// @inheritdoc IBlockProducers
    function isUndercollateralized(ProducerId producerId) public view returns (bool) {
        uint256 live = _liveSeats(producerId, _ledgers[producerId]);
        return bondValue(producerId) * WHOLE < live * SEAT_ALLOCATION * LEAST_COLLATERAL;
    }

    /// @inheritdoc IBlockProducers
    function newestSeat(ProducerId producerId) external view returns (PoolId) {
        return PoolId.wrap(_accounts[producerId].newest);
    }

    /// @inheritdoc IBlockProducers
    function bondValue(ProducerId producerId) public view virtual returns (uint256);

    function _lock(PoolId poolId, PoolKind kind, ProducerId[] calldata members) internal {
        (uint256[] memory entries, uint256 count) = _standing(poolId, members.length);
        ProducerId[] memory added = new ProducerId[](members.length);
        uint256 fresh = 0;
        unchecked {
            for (uint256 i = 0; i < members.length; ++i) {
                ProducerId producerId = members[i];
                if (_liveAt(entries, count, producerId, i) < count) continue;
                added[fresh] = producerId;
                entries[count + fresh++] = _entry(producerId, 0);
                if (kind == PoolKind.Bond) ++_accounts[producerId].unsecured;
                else _takeSeat(producerId, poolId);
            }
        }
        if (fresh == 0) return;
        assembly ("memory-safe") {
            // Shorter than it was allocated.
            mstore(added, fresh)
        }
        emit SeatsLocked(poolId, added, _amount(kind));
        if (kind == PoolKind.Staker) _totalLocked += uint64(fresh);
        _store(poolId, entries, count + fresh);
    }

    /// @param tailFrom timestamp from which the tails count, 0 for none
    function _release(PoolId poolId, PoolKind kind, ProducerId[] calldata members, uint64 tailFrom) internal {
        (uint256[] memory entries, uint256 count) = _standing(poolId, 0);
        uint48 until = tailFrom == 0 ? uint48(block.timestamp) : uint48(tailFrom + TAIL_SECONDS);
        uint256 released = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 place = _liveAt(entries, count, members[i], i);
            if (place == count) revert SeatNotLocked(members[i], poolId);
            bool isHeld = uint48(entries[place]) == LIVE_HELD;
            if (isHeld || tailFrom != 0) entries[place] = _entry(members[i], isHeld ? HELD : until);
            else entries[place] = 0;
            if (kind == PoolKind.Staker) _endLive(members[i], poolId, isHeld);
            if (!isHeld) {
                ++released;
                _free(members[i], kind, until, tailFrom != 0);
            }
            _emitReleased(members[i], poolId, kind, isHeld ? type(uint64).max : until);
        }
        if (kind == PoolKind.Staker) _freeOfTotal(released, until, tailFrom != 0);
        _store(poolId, entries, count);
    }

    /// @dev Whoever answers for the pool now does so until `_unhold`. A seat in its tail is locked anew: until the tail's end,
    /// which is entered already, it counts twice.
    function _hold(PoolId poolId, PoolKind kind) internal {
        (uint256[] memory entries, uint256 count) = _standing(poolId, 0);
        for (uint256 i = 0; i < count; ++i) {
            uint48 until = uint48(entries[i]);
            if (until == LIVE_HELD || until == HELD) revert SeatsAlreadyHeld(poolId);
            ProducerId producerId = _producerIn(entries[i]);
            entries[i] = _entry(producerId, until == 0 ? LIVE_HELD : HELD);
            if (until == 0) continue;
            if (kind == PoolKind.Bond) {
                ++_accounts[producerId].unsecured;
            } else {
                ++_accounts[producerId].locked;
                ++_ledgers[producerId].ended;
                ++_totalLocked;
            }
        }
        emit SeatsHeld(poolId);
        _store(poolId, entries, count);
    }

    /// @dev Ends what `_hold` began: seats no longer live are free at once.
    function _unhold(PoolId poolId, PoolKind kind) internal {
        (uint256[] memory entries, uint256 count) = _standing(poolId, 0);
        uint256 released = 0;
        for (uint256 i = 0; i < count; ++i) {
            ProducerId producerId = _producerIn(entries[i]);
            uint48 until = uint48(entries[i]);
            if (until == LIVE_HELD) entries[i] = _entry(producerId, 0);
            if (until != HELD) continue;
            entries[i] = 0;
            ++released;
            if (kind == PoolKind.Staker) --_ledgers[producerId].ended;
            _free(producerId, kind, uint48(block.timestamp), false);
            _emitReleased(producerId, poolId, kind, uint64(block.timestamp));
        }
        if (kind == PoolKind.Staker) _freeOfTotal(released, uint48(block.timestamp), false);
        emit SeatsUnheld(poolId);
        _store(poolId, entries, count);
    }

    /// @dev Wei that a producer's seats lock now, tails included.
    function _lockedNow(ProducerId producerId) internal view returns (uint256) {
        return _seatsAt(producerId, block.timestamp) * SEAT_ALLOCATION;
    }

    /// @dev Seats ever locked less what was released before `time`.
    function _lockedSince(ProducerId producerId, uint256 time) internal view returns (uint256) {
        return _seatsAt(producerId, time - 1);
    }

    function _totalLockedSeats() internal view returns (uint256) {
        return _totalLocked + _totalAfterTail.afterTime(_totalBefore, uint48(block.timestamp));
    }

    /// @dev Whether a producer holds no seat of any kind, live, in its tail or held. @return since when (timestamp; 0 = ever).
    function _seatless(ProducerId producerId) internal view returns (bool, uint64 since) {
        Ledger storage ledger = _ledgers[producerId];
        since = _later(ledger.atOnce.time(), ledger.afterTail.time());
        since = _later(since, ledger.unsecuredUntil);
        bool locks = _seatsAt(producerId, block.timestamp) > 0;
        return (!locks && _accounts[producerId].unsecured == 0 && since <= block.timestamp, since);
    }

    function _liveSeats(ProducerId producerId, Ledger storage ledger) private view returns (uint256) {
        return _accounts[producerId].locked - ledger.ended;
    }

    /// @dev Those locked now, and those released after a time.
    function _seatsAt(ProducerId producerId, uint256 time) private view returns (uint256) {
        Ledger storage ledger = _ledgers[producerId];
        Before storage before = _before[producerId];
        return _accounts[producerId].locked + ledger.atOnce.afterTime(before.atOnce, uint48(time))
            + ledger.afterTail.afterTime(before.afterTail, uint48(time));
    }

    function _free(ProducerId producerId, PoolKind kind, uint48 from, bool afterTail) private {
        Ledger storage ledger = _ledgers[producerId];
        if (kind == PoolKind.Staker) {
            Before storage before = _before[producerId];
            if (afterTail) ledger.afterTail = ledger.afterTail.entered(before.afterTail, 1, from);
            else ledger.atOnce = ledger.atOnce.entered(before.atOnce, 1, from);
            Account storage account = _accounts[producerId];
            --account.locked;
            _steadyFrom(account, _periodAfter((afterTail ? ledger.afterTail : ledger.atOnce).time()));
        } else {
            --_accounts[producerId].unsecured;
            if (from > ledger.unsecuredUntil) ledger.unsecuredUntil = from;
        }
    }

    function _freeOfTotal(uint256 count, uint48 from, bool afterTail) private {
        _totalLocked -= uint64(count);
        if (afterTail && count > 0) _totalAfterTail = _totalAfterTail.entered(_totalBefore, count, from);
    }

    /// @dev Into accounts with fewer than `MOST_SEATS`: no field overflows.
    function _takeSeat(ProducerId producerId, PoolId poolId) private {
        unchecked {
            uint256 account = _packed(producerId) + (1 << LOCKED_AT);
            uint40 newest = uint40(account >> NEWEST_AT);
            (uint40 kept, uint256 beyond, uint256 ids) = _push(newest, uint24(PoolId.unwrap(poolId)));
            if (ids != 0) _older[producerId] = uint192((uint256(_older[producerId]) << ids) | beyond);
            _setPacked(producerId, account ^ (uint256(newest ^ kept) << NEWEST_AT));
        }
    }

    /// @dev Before the newest pool of an account comes a newer one.
    /// @param pair of the newest pool and the gap to the one before it, as an account has them
    /// @return kept the pair to keep
    /// @return beyond pools that the pair has no room for, the last of them in the lowest bits
    /// @return bits of these
    function _push(uint40 pair, uint24 poolId) private pure returns (uint40 kept, uint256 beyond, uint256 bits) {
        unchecked {
            uint24 newest = uint24(pair);
            uint24 gap = uint24(pair >> ID_BITS);
            kept = poolId;
            if (newest == 0) return (kept, 0, 0);
            if (gap != 0) (beyond, bits) = (newest - gap, ID_BITS);
            gap = poolId - newest;
            if (gap <= type(uint16).max) return (kept | (uint40(gap) << 24), beyond, bits);
            return (kept, (beyond << ID_BITS) | newest, bits + ID_BITS);
        }
    }

    function _endLive(ProducerId producerId, PoolId poolId, bool isHeld) private {
        if (isHeld) ++_ledgers[producerId].ended;
        Account storage account = _accounts[producerId];
        uint256 older = _older[producerId];
        uint256 pools = older;
        unchecked {
            if (account.gap != 0) pools = (pools << ID_BITS) | uint24(account.newest - account.gap);
            pools = (pools << ID_BITS) | account.newest;
            for (uint256 shift = 0; shift < REMEMBERED * ID_BITS; shift += ID_BITS) {
                if ((pools >> shift) & ID != uint24(PoolId.unwrap(poolId))) continue;
                // What is older moves up a place.
                pools = (pools & ((1 << shift) - 1)) | ((pools >> (shift + ID_BITS)) << shift);
                account.newest = uint24(pools);
                pools >>= ID_BITS;
                uint256 gap = pools & ID == 0 ? 0 : uint24(account.newest - uint24(pools));
                if (gap > type(uint16).max) gap = 0;
                account.gap = uint16(gap);
                if (gap != 0) pools >>= ID_BITS;
                if (pools != older) _older[producerId] = uint192(pools);
                return;
            }
        }
    }

    /// @dev The pool's entries whose time is not over, with room for `more`.
    function _standing(PoolId poolId, uint256 more) private view returns (uint256[] memory entries, uint256 count) {
        mapping(uint256 word => uint256) storage holders = _holders[poolId];
        uint256 words = 0;
        unchecked {
            while (holders[words] != 0) ++words;
            entries = new uint256[](words * 8 + more);
            for (uint256 i = 0; i < words * 8; i += 8) {
                uint256 place = i;
                for (uint256 word = holders[i / 8]; word != 0; word >>= 32) {
                    uint256 holder = uint32(word);
                    uint48 until = holder < HAS_TIME ? 0 : uint48(_times[poolId][place / 4] >> (place % 4 * 64));
                    ++place;
                    if (until > LIVE_HELD && until <= block.timestamp) continue;
                    entries[count++] = ((holder & ~HAS_TIME) << 48) | until;
                }
            }
        }
    }

    /// @dev Without the entries that are empty.
    function _store(PoolId poolId, uint256[] memory entries, uint256 count) private {
        mapping(uint256 word => uint256) storage holders = _holders[poolId];
        uint256 word = 0;
        uint256 times = 0;
        uint256 kept = 0;
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                uint256 entry = entries[i];
                if (entry == 0) continue;
                uint256 until = uint48(entry);
                word |= (until == 0 ? entry >> 48 : entry >> 48 | HAS_TIME) << (kept % 8 * 32);
                times |= until << (kept % 4 * 64);
                ++kept;
                // Times that no entry refers to may stay.
                if (times != 0) _times[poolId][(kept - 1) / 4] = times;
                if (kept % 4 == 0) times = 0;
                if (kept % 8 != 0) continue;
                holders[kept / 8 - 1] = word;
                word = 0;
            }
            // What stood beyond is gone.
            for (uint256 i = kept / 8; word != 0 || holders[i] != 0; ++i) {
                holders[i] = word;
                word = 0;
            }
        }
    }

    /// @param hint place to look at first: members mostly come in the order in which they were entered
    /// @return place of the producer's live seat among the first `count` entries, `count` when it has none
    function _liveAt(uint256[] memory entries, uint256 count, ProducerId producerId, uint256 hint)
        private
        pure
        returns (uint256 place)
    {
        unchecked {
            for (uint256 i = 0; i < count; ++i) {
                place = (hint + i) % count;
                if (uint48(entries[place]) <= LIVE_HELD && _producerIn(entries[place]) == producerId) return place;
            }
        }
        return count;
    }

    function _emitReleased(ProducerId producerId, PoolId poolId, PoolKind kind, uint64 until) private {
        emit SeatReleased(producerId, poolId, _amount(kind), until);
    }

    function _amount(PoolKind kind) private view returns (uint256) {
        return kind == PoolKind.Staker ? SEAT_ALLOCATION : 0;
    }

    function _entry(ProducerId producerId, uint48 until) private pure returns (uint256) {
        return (uint256(ProducerId.unwrap(producerId)) << 48) | until;
    }

    function _producerIn(uint256 entry) private pure returns (ProducerId) {
        return ProducerId.wrap(uint32(entry >> 48));
    }

    function _later(uint64 a, uint64 b) private pure returns (uint64) {
        return a > b ? a : b;
    }
}
