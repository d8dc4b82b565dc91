// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {Accounts} from "./Accounts.sol";
import {BondUnits} from "./BondUnits.sol";
import {Seats} from "./Seats.sol";

/// @title The producers, and what is read of them
/// @dev `seats()` must not loop over producers, so the capacity is a running sum: each producer counts with the whole seats
/// that its bond was worth when it last changed (registered, topped up, slashed). What reports add to bonds or take from
/// them meanwhile is not in it; a draw judges every bond at its value.
abstract contract ProducerBook is BondUnits, Seats {
    using SafeCast for uint256;

    /// @dev Four slots. The coordinates of a key have 48 bytes: the first 16 of both share a slot.
    struct Record {
        address owner;
        bool listed; // joined, or about to: the last thing asked of Periods was a join
        uint32 countedSeats; // of the capacity
        uint40 registeredAt; // timestamp
        uint128 keyXHi;
        uint128 keyYHi;
        bytes32 keyXLo;
        bytes32 keyYLo;
    }

    /// @dev What rounding may have taken from a bond before anyone holds it against its owner.
    uint256 private constant DUST = 1 gwei;

    IPeriods internal immutable PERIODS;
    uint256 internal immutable EFFECTIVE_STAKE;

    uint32 private _count;
    uint64 private _capacity;
    mapping(ProducerId producerId => Record) internal _records;
    /// @dev Timestamp; who asks to leave once a draw is requested does not lose, or get rid of, its place in it.
    mapping(ProducerId producerId => uint64) internal _leavingSince;
    mapping(address operator => ProducerId) private _byOperator;
    mapping(bytes32 keyHash => ProducerId) private _bySigningKey;

    constructor(Addresses memory addresses, Parameters memory parameters)
        Accounts(parameters)
        BondUnits(nonZero(addresses.bondEther))
        Seats(parameters)
    {
        PERIODS = IPeriods(nonZero(addresses.periods));
        EFFECTIVE_STAKE = parameters.effectiveStake;
    }

    /// @inheritdoc IBlockProducers
    function producerCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IBlockProducers
    function registeredAt(ProducerId producerId) external view returns (uint64) {
        return _records[producerId].registeredAt;
    }

    /// @inheritdoc IBlockProducers
    /// @dev Reports ask of lately: from the last one back in doubling steps, then in between. Times never fall with the ids.
    function countAt(uint64 timestamp) external view returns (uint32) {
        uint32 high = _count;
        uint32 low = high;
        for (uint32 step = 1; low > 0 && _records[ProducerId.wrap(low)].registeredAt > timestamp; step *= 2) {
            high = low - 1;
            low = low > step ? low - step : 0;
        }
        while (low < high) {
            uint32 middle = (low + high + 1) / 2;
            if (_records[ProducerId.wrap(middle)].registeredAt > timestamp) high = middle - 1;
            else low = middle;
        }
        return low;
    }

    /// @inheritdoc IBlockProducers
    function producer(ProducerId producerId) external view returns (Producer memory) {
        Record storage record = _records[producerId];
        Account storage account = _accounts[producerId];
        return Producer({
            owner: record.owner,
            shares: uint128(_sharesOf(account.units)), // all ETH there is has fewer bits
            lockedSeats: uint128(_lockedNow(producerId)),
            status: account.status,
            slashed: account.slashed,
            registeredAt: record.registeredAt
        });
    }

    /// @inheritdoc IBlockProducers
    function ownerOf(ProducerId producerId) external view returns (address) {
        return _records[producerId].owner;
    }

    /// @inheritdoc IBlockProducers
    function signingKey(ProducerId producerId) public view returns (G1Point memory) {
        Record storage record = _records[producerId];
        return G1Point(bytes32(uint256(record.keyXHi)), record.keyXLo, bytes32(uint256(record.keyYHi)), record.keyYLo);
    }

    /// @inheritdoc IBlockProducers
    function sumOfKeys(ProducerId[] calldata producers) external view returns (G1Point memory sum) {
        for (uint256 i = 0; i < producers.length; ++i) {
            sum = Bls12381.add(sum, signingKey(producers[i]));
        }
    }

    /// @inheritdoc IBlockProducers
    function sumOfGivenKeys(ProducerId[] calldata producers, G1Point[] calldata keys) external view returns (G1Point memory) {
        if (keys.length != producers.length) revert KeyCount(producers.length, keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            ProducerId holder = _bySigningKey[keccak256(abi.encode(keys[i]))];
            if (!(holder == producers[i])) revert NotTheKeyOf(producers[i], holder);
        }
        return Bls12381.aggregate(keys);
    }

    /// @inheritdoc IBlockProducers
    function producerOf(address operator) public view returns (ProducerId) {
        return _byOperator[operator];
    }

    /// @inheritdoc IBlockProducers
    function seats() external view returns (uint256 capacity, uint256 locked) {
        return (_capacity, _totalLockedSeats());
    }

    /// @inheritdoc IBlockProducers
    function isEligible(ProducerId producerId, PoolKind kind, uint64 period, uint256 unitValue_, uint64 requestedAt)
        external
        view
        returns (bool)
    {
        return _isEligible(producerId, kind, period, unitValue_, requestedAt, type(uint256).max);
    }

    /// @inheritdoc IBlockProducers
    function firstEligible(
        ProducerId[] calldata producers,
        PoolKind kind,
        uint64 period,
        uint256 unitValue_,
        uint64 requestedAt,
        uint256 most
    ) external view returns (ProducerId[] memory found) {
        found = new ProducerId[](most);
        uint256 count = 0;
        unchecked {
            for (uint256 i = 0; i < producers.length && count < most; ++i) {
                ProducerId producerId = producers[i];
                if (_isEligible(producerId, kind, period, unitValue_, requestedAt, MOST_SEATS)) found[count++] = producerId;
            }
        }
        assembly ("memory-safe") {
            // Shorter than it was allocated.
            mstore(found, count)
        }
    }

    /// @inheritdoc IBlockProducers
    function bondValue(ProducerId producerId) public view override(BondUnits, Seats) returns (uint256) {
        return BondUnits.bondValue(producerId);
    }

    function _isEligible(
        ProducerId producerId,
        PoolKind kind,
        uint64 period,
        uint256 unitValue_,
        uint64 requestedAt,
        uint256 mostSeats
    ) private view returns (bool) {
        uint256 account = _packed(producerId);
        uint256 locked = _lockedIn(account);
        if (locked >= mostSeats || _unsecuredIn(account) >= mostSeats) return false;
        if (_isSlashed(account)) return false;
        if (!_isActive(account) && _leavingSince[producerId] < requestedAt) return false;
        bool isSteady = _isSteady(account, period);
        uint256 units = isSteady ? _unitsIn(account) : _unitsAt(producerId, period, _firstPeriodOf(producerId));
        uint256 value = units * unitValue_ / UNIT_SCALE + DUST;
        if (value < EFFECTIVE_STAKE) return false;
        if (kind == PoolKind.Bond) return true;
        if (!isSteady) locked = _lockedSince(producerId, _startOf(period));
        return value >= (locked + 1) * SEAT_ALLOCATION;
    }

    /// @dev A new producer under the next id; its key's possession is proven.
    function _add(address owner, address operator, G1Point calldata key, bytes32 keyHash)
        internal
        returns (ProducerId producerId)
    {
        producerId = ProducerId.wrap(++_count);
        _byOperator[operator] = producerId;
        _bySigningKey[keyHash] = producerId;
        Record storage record = _records[producerId];
        (record.owner, record.registeredAt) = (owner, uint40(block.timestamp));
        _accounts[producerId].status = Status.Active;
        (record.keyXHi, record.keyYHi) = (uint128(uint256(key.xHi)), uint128(uint256(key.yHi)));
        (record.keyXLo, record.keyYLo) = (key.xLo, key.yLo);
    }

    /// @dev After a bond or a status changed: the producer's seats in the capacity, and whether it belongs in the list.
    function _recount(ProducerId producerId) internal {
        Record storage record = _records[producerId];
        uint256 value = bondValue(producerId) + DUST;
        bool counts = _stays(producerId) && value >= EFFECTIVE_STAKE;
        uint32 countedSeats = counts ? (value / SEAT_ALLOCATION).toUint32() : 0;
        _capacity = _capacity - record.countedSeats + countedSeats;
        record.countedSeats = countedSeats;
        if (counts == record.listed) return;
        record.listed = counts;
        if (counts) PERIODS.queueJoin(producerId);
        else PERIODS.queueLeave(producerId);
    }

    /// @dev Neither slashed out nor leaving.
    function _stays(ProducerId producerId) internal view returns (bool) {
        Account storage account = _accounts[producerId];
        return account.status == Status.Active && !account.slashed;
    }

    /// @dev First period in which the bond that a producer registered with counts.
    function _firstPeriodOf(ProducerId producerId) internal view returns (uint256) {
        return _periodAfter(_records[producerId].registeredAt);
    }

    function _checkFree(address operator, bytes32 keyHash) internal view {
        ProducerId holder = _byOperator[operator];
        if (ProducerId.unwrap(holder) != 0) revert OperatorTaken(operator, holder);
        holder = _bySigningKey[keyHash];
        if (ProducerId.unwrap(holder) != 0) revert SigningKeyTaken(keyHash, holder);
    }

    function _checkKnown(ProducerId producerId) internal view {
        if (_records[producerId].owner == address(0)) revert ProducerUnknown(producerId);
    }
}
