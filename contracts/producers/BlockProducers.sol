// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BondUnits} from "./BondUnits.sol";
import {Seats} from "./Seats.sol";

/// @title Registry of block producers: keys, bonds held as bETH shares, seats
/// @dev `seats()` must not loop over producers, so the capacity is a running sum: each producer counts with the whole seats
/// that its bond was worth when it last changed (registered, topped up, slashed). What reports add to bonds or take from
/// them meanwhile is not in it; a draw judges every bond at its value.
contract BlockProducers is BondUnits, Seats, EIP712 {
    using SafeCast for uint256;

    struct Record {
        address owner;
        bool slashed;
        bool listed; // joined, or about to: the last thing asked of Periods was a join
        uint64 countedSeats; // of the capacity
        address operator;
        string peerAddress;
        G1Point signingKey;
    }

    bytes32 private constant POSSESSION_TYPEHASH =
        keccak256("ProofOfPossession(address owner,address operator,bytes signingKey)");
    uint256 private constant MAX_PEER_ADDRESS = 256;
    uint256 private constant BASIS_POINTS = 10_000;
    /// @dev What rounding may have taken from a bond before anyone holds it against its owner.
    uint256 private constant DUST = 1 gwei;

    IStakingPool private immutable STAKING_POOL;
    IPeriods private immutable PERIODS;
    address private immutable VAULT_DRAWS;
    address private immutable POOL_REGISTRY;
    address private immutable EXITS;
    address private immutable DISPUTES;
    uint256 private immutable EFFECTIVE_STAKE;
    uint256 private immutable REPORTER_SHARE;
    uint256 private immutable FIRST_PERIOD_TIME;
    uint256 private immutable PERIOD_SECONDS;

    uint32 private _count;
    uint256 private _capacity;
    mapping(ProducerId producerId => Record) private _records;
    mapping(address operator => ProducerId) private _byOperator;
    mapping(bytes32 keyHash => ProducerId) private _bySigningKey;

    constructor(Addresses memory addresses, Parameters memory parameters)
        BondUnits(nonZero(addresses.bondEther))
        Seats(parameters)
        EIP712("Open Pools", "1")
    {
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        PERIODS = IPeriods(nonZero(addresses.periods));
        VAULT_DRAWS = nonZero(addresses.vaultDraws);
        POOL_REGISTRY = nonZero(addresses.poolRegistry);
        EXITS = nonZero(addresses.exits);
        DISPUTES = nonZero(addresses.disputes);
        EFFECTIVE_STAKE = parameters.effectiveStake;
        REPORTER_SHARE = parameters.reporterShare;
        uint256 epochSeconds = uint256(parameters.slotsPerEpoch) * parameters.secondsPerSlot;
        FIRST_PERIOD_TIME = parameters.genesisTime + parameters.firstPeriod * epochSeconds;
        PERIOD_SECONDS = parameters.periodLength * epochSeconds;
    }

    modifier onlyVaultDraws() {
        if (msg.sender != VAULT_DRAWS) revert NotVaultDraws(msg.sender);
        _;
    }

    /// @inheritdoc IBlockProducers
    function register(
        address operator,
        G1Point calldata signingKey_,
        G2Point calldata proofOfPossession,
        string calldata peerAddress
    ) external payable returns (ProducerId producerId) {
        if (msg.value < EFFECTIVE_STAKE) revert BondTooSmall(EFFECTIVE_STAKE, msg.value);
        if (operator == address(0)) revert ZeroOperator();
        _checkPeerAddress(peerAddress);
        ProducerId holder = _byOperator[operator];
        if (ProducerId.unwrap(holder) != 0) revert OperatorTaken(operator, holder);
        bytes memory key = abi.encode(signingKey_);
        bytes32 keyHash = keccak256(key);
        holder = _bySigningKey[keyHash];
        if (ProducerId.unwrap(holder) != 0) revert SigningKeyTaken(keyHash, holder);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(POSSESSION_TYPEHASH, msg.sender, operator, keyHash)));
        if (!Bls12381.verify(signingKey_, digest, proofOfPossession)) revert InvalidProofOfPossession();

        producerId = ProducerId.wrap(++_count);
        _byOperator[operator] = producerId;
        _bySigningKey[keyHash] = producerId;
        Record storage record = _records[producerId];
        (record.owner, record.operator) = (msg.sender, operator);
        record.peerAddress = peerAddress;
        record.signingKey = signingKey_;
        uint256 shares = _bond(producerId);
        emit ProducerRegistered(producerId, msg.sender, operator, signingKey_, peerAddress, shares);
        _recount(producerId);
    }

    /// @inheritdoc IBlockProducers
    function addBond(ProducerId producerId) external payable {
        _checkKnown(producerId);
        if (_records[producerId].slashed) revert ProducerOut(producerId);
        uint256 shares = _bond(producerId);
        emit BondAdded(producerId, shares);
        _recount(producerId);
    }

    /// @inheritdoc IBlockProducers
    function setPeerAddress(ProducerId producerId, string calldata peerAddress) external {
        _checkKnown(producerId);
        Record storage record = _records[producerId];
        if (msg.sender != record.owner && msg.sender != record.operator) revert NotOwner(record.owner, msg.sender);
        _checkPeerAddress(peerAddress);
        record.peerAddress = peerAddress;
        emit PeerAddressChanged(producerId, peerAddress);
    }

    /// @inheritdoc IBlockProducers
    function lockSeats(PoolId poolId, ProducerId[] calldata members) external onlyVaultDraws {
        _lock(poolId, members);
    }

    /// @inheritdoc IBlockProducers
    function releaseSeats(PoolId poolId, ProducerId[] calldata members, bool afterTail) external {
        if (msg.sender != POOL_REGISTRY) revert NotPoolRegistry(msg.sender);
        _release(poolId, members, afterTail);
    }

    /// @inheritdoc IBlockProducers
    function slashSeats(PoolId poolId, ProducerId[] calldata members, uint256 amount, address reporter)
        external
        returns (uint256 taken)
    {
        if (msg.sender != POOL_REGISTRY && msg.sender != EXITS) revert NotSlasher(msg.sender);
        uint256 toCover = 0;
        uint256 toReporter = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 shares = _takeUnits(members[i], amount);
            uint256 reported = _reporterShares(shares, reporter);
            toReporter += reported;
            toCover += shares - reported;
            emit ProducerSlashed(members[i], poolId, shares, reporter, reported, false);
            _recount(members[i]);
        }
        return _pay(toCover, reporter, toReporter);
    }

    /// @inheritdoc IBlockProducers
    function chargeSeats(
        PoolId poolId,
        ProducerId[] calldata members,
        uint256 amount,
        address payee,
        uint256 compensation
    ) external returns (uint256 taken) {
        if (msg.sender != EXITS) revert NotSlasher(msg.sender);
        uint256 owed = payee == address(0) ? 0 : BOND_ETHER.getSharesByPooledEth(compensation);
        uint256 toCover = 0;
        uint256 toPayee = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 shares = _takeUnits(members[i], amount);
            uint256 paid = shares < owed - toPayee ? shares : owed - toPayee;
            toPayee += paid;
            toCover += shares - paid;
            emit ProducerSlashed(members[i], poolId, shares, payee, paid, false);
            _recount(members[i]);
        }
        return _pay(toCover, payee, toPayee);
    }

    /// @inheritdoc IBlockProducers
    function slashOut(ProducerId producerId, address reporter) external {
        if (msg.sender != DISPUTES) revert NotSlasher(msg.sender);
        _checkKnown(producerId);
        Record storage record = _records[producerId];
        if (record.slashed) return;
        record.slashed = true;
        uint256 shares = _takeAllUnits(producerId);
        uint256 reported = _reporterShares(shares, reporter);
        emit ProducerSlashed(producerId, PoolId.wrap(0), shares, reporter, reported, true);
        _recount(producerId);
        _pay(shares - reported, reporter, reported);
    }

    /// @inheritdoc IBlockProducers
    function producerCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IBlockProducers
    function producer(ProducerId producerId) external view returns (Producer memory) {
        Record storage record = _records[producerId];
        return Producer({
            owner: record.owner,
            operator: record.operator,
            shares: _sharesOf(_unitsOf(producerId)).toUint128(),
            lockedSeats: _lockedNow(producerId).toUint128(),
            slashed: record.slashed,
            peerAddress: record.peerAddress
        });
    }

    /// @inheritdoc IBlockProducers
    function signingKey(ProducerId producerId) external view returns (G1Point memory) {
        return _records[producerId].signingKey;
    }

    /// @inheritdoc IBlockProducers
    function producerOf(address operator) external view returns (ProducerId) {
        return _byOperator[operator];
    }

    /// @inheritdoc IBlockProducers
    function seats() external view returns (uint256 capacity, uint256 locked) {
        return (_capacity, _totalLockedNow() / SEAT_ALLOCATION);
    }

    /// @inheritdoc IBlockProducers
    function isEligible(ProducerId producerId, PoolKind kind, uint64 period, uint256 unitValue_)
        external
        view
        returns (bool)
    {
        if (_records[producerId].slashed) return false;
        uint256 value = _unitsAt(producerId, period) * unitValue_ / UNIT_SCALE + DUST;
        if (value < EFFECTIVE_STAKE) return false;
        if (kind == PoolKind.Bond) return true;
        return value >= _lockedSince(producerId, FIRST_PERIOD_TIME + period * PERIOD_SECONDS) + SEAT_ALLOCATION;
    }

    /// @dev The sent ETH becomes stake like any other; its shares are the producer's from the next period on.
    function _bond(ProducerId producerId) private returns (uint256 shares) {
        uint256 held = _held();
        shares = STAKING_POOL.depositFor{value: msg.value}(address(this));
        _addUnits(producerId, held, shares, PERIODS.nextPeriod());
    }

    /// @dev After a bond changed: its seats in the capacity, and whether it belongs in the list.
    function _recount(ProducerId producerId) private {
        Record storage record = _records[producerId];
        uint256 value = bondValue(producerId) + DUST;
        bool counts = !record.slashed && value >= EFFECTIVE_STAKE;
        uint64 countedSeats = counts ? (value / SEAT_ALLOCATION).toUint64() : 0;
        _capacity = _capacity - record.countedSeats + countedSeats;
        record.countedSeats = countedSeats;
        if (counts == record.listed) return;
        record.listed = counts;
        if (counts) PERIODS.queueJoin(producerId);
        else PERIODS.queueLeave(producerId);
    }

    function _reporterShares(uint256 shares, address reporter) private view returns (uint256) {
        return reporter == address(0) ? 0 : shares * REPORTER_SHARE / BASIS_POINTS;
    }

    /// @return taken wei that all these shares are worth
    function _pay(uint256 toCover, address payee, uint256 toPayee) private returns (uint256 taken) {
        taken = BOND_ETHER.getPooledEthByShares(toCover + toPayee);
        if (toCover > 0) BOND_ETHER.giveToCover(toCover);
        if (toPayee > 0) BOND_ETHER.transferShares(payee, toPayee);
    }

    function _checkKnown(ProducerId producerId) private view {
        if (_records[producerId].owner == address(0)) revert ProducerUnknown(producerId);
    }

    function _checkPeerAddress(string calldata peerAddress) private pure {
        uint256 length = bytes(peerAddress).length;
        if (length > MAX_PEER_ADDRESS) revert PeerAddressLength(MAX_PEER_ADDRESS, length);
    }
}
