// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {ICdtStaking} from "../interfaces/ICdtStaking.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title CDT staking
/// @dev A payment of F at time t, with W = Σ amount × (t − start) coin-seconds locked so far, is worth r = F / W for each of them.
///      A position gets amount × (t − start) × r, so over many payments amount × (Σ r·t − start × Σ r): two running sums serve
///      all positions, whenever they were made. r is rounded down, and so is what a position gets: the sum of all is never above F.
///      With r in 2^-128 shares, F below 2^128 and W at least 2^59 (the least lock, for a second), Σ r·t stays below 2^234.
contract CdtStaking is ICdtStaking, BeaconClock {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    struct Stake {
        address owner;
        uint64 start;
        uint128 amount;
        uint256 rates; // Σ r and Σ r × t up to which it was paid
        uint256 timedRates;
    }

    /// @dev Least lock (CDT wei): it keeps W large beside the shares of a payment.
    uint256 private constant LEAST_LOCK = 1e18;
    uint256 private constant SCALE = 2 ** 128;

    IERC20 private immutable CDT;
    IBondEther private immutable BOND_ETHER;
    address private immutable STAKING_POOL;
    uint64 private immutable MIN_LOCK_SECONDS;

    /// @inheritdoc ICdtStaking
    uint256 public positionCount;
    /// @inheritdoc ICdtStaking
    uint256 public totalLocked;
    /// @dev Σ amount × start.
    uint256 private _lockedStarts;
    /// @dev Σ r and Σ r × t over all payments.
    uint256 private _rates;
    uint256 private _timedRates;
    /// @dev Shares here that were shared out and not claimed yet.
    uint256 private _owed;
    mapping(uint256 positionId => Stake) private _stakes;
    mapping(address owner => uint256[]) private _positionsOf;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        CDT = IERC20(nonZero(addresses.cdt));
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        STAKING_POOL = nonZero(addresses.stakingPool);
        MIN_LOCK_SECONDS = _secondsOf(parameters.cdtMinLock);
    }

    /// @inheritdoc ICdtStaking
    function lock(uint256 amount) external returns (uint256 positionId) {
        return _lock(amount);
    }

    /// @inheritdoc ICdtStaking
    function lockWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external returns (uint256 positionId) {
        // Somebody may have sent the permit before: then it fails here, and the allowance is there.
        try IERC20Permit(address(CDT)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _lock(amount);
    }

    /// @inheritdoc ICdtStaking
    function unlock(uint256 positionId, uint256 amount) external {
        Stake storage stake = _owned(positionId);
        uint64 until = stake.start + MIN_LOCK_SECONDS;
        if (block.timestamp < until) revert StillLocked(positionId, until, uint64(block.timestamp));
        uint256 locked = stake.amount;
        if (amount > locked) revert AmountTooLarge(positionId, locked, amount);
        uint256 left = locked - amount;
        if (left != 0 && left < LEAST_LOCK) revert LockTooSmall(LEAST_LOCK, left);
        uint256 shares = _settle(stake);
        stake.amount = uint128(left);
        totalLocked -= amount;
        _lockedStarts -= amount * stake.start;
        emit Unlocked(positionId, msg.sender, amount);
        _pay(positionId, shares);
        CDT.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ICdtStaking
    function claim(uint256 positionId) external returns (uint256 shares) {
        shares = _settle(_owned(positionId));
        _pay(positionId, shares);
    }

    /// @inheritdoc ICdtStaking
    function receiveFee() external {
        if (msg.sender != STAKING_POOL) revert NotStakingPool(msg.sender);
        uint256 shares = heldShares();
        uint256 weight = coinSeconds();
        if (weight == 0) {
            emit FeeHeld(shares);
            return;
        }
        uint256 rate = Math.mulDiv(shares, SCALE, weight);
        _rates += rate;
        _timedRates += rate * block.timestamp;
        _owed += shares;
        emit FeeShared(shares, weight);
    }

    /// @inheritdoc ICdtStaking
    function position(uint256 positionId) external view returns (Position memory) {
        Stake storage stake = _stakes[positionId];
        return Position({
            owner: stake.owner,
            start: stake.start,
            amount: stake.amount,
            unlockableAt: stake.owner == address(0) ? 0 : stake.start + MIN_LOCK_SECONDS,
            earned: _earned(stake)
        });
    }

    /// @inheritdoc ICdtStaking
    function positionsOf(address owner, uint256 first, uint256 count) external view returns (uint256[] memory positionIds) {
        uint256[] storage all = _positionsOf[owner];
        uint256 last = first + Math.min(count, Math.saturatingSub(all.length, first));
        positionIds = new uint256[](last - first);
        for (uint256 i = first; i < last; ++i) {
            positionIds[i - first] = all[i];
        }
    }

    /// @inheritdoc ICdtStaking
    function coinSeconds() public view returns (uint256) {
        return totalLocked * block.timestamp - _lockedStarts;
    }

    /// @inheritdoc ICdtStaking
    function heldShares() public view returns (uint256) {
        return BOND_ETHER.sharesOf(address(this)) - _owed;
    }

    function _lock(uint256 amount) private returns (uint256 positionId) {
        if (amount < LEAST_LOCK) revert LockTooSmall(LEAST_LOCK, amount);
        positionId = ++positionCount;
        _stakes[positionId] = Stake({
            owner: msg.sender,
            start: uint64(block.timestamp),
            amount: amount.toUint128(),
            rates: _rates,
            timedRates: _timedRates
        });
        _positionsOf[msg.sender].push(positionId);
        totalLocked += amount;
        _lockedStarts += amount * block.timestamp;
        emit Locked(positionId, msg.sender, amount);
        CDT.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @dev Brings a position up to date. @return shares all that it earned and did not get.
    function _settle(Stake storage stake) private returns (uint256 shares) {
        shares = _earned(stake);
        stake.rates = _rates;
        stake.timedRates = _timedRates;
    }

    function _pay(uint256 positionId, uint256 shares) private {
        if (shares == 0) return;
        _owed -= shares;
        emit Claimed(positionId, msg.sender, shares);
        BOND_ETHER.transferShares(msg.sender, shares);
    }

    function _earned(Stake storage stake) private view returns (uint256) {
        uint256 sum = (_timedRates - stake.timedRates) - stake.start * (_rates - stake.rates);
        return Math.mulDiv(stake.amount, sum, SCALE);
    }

    function _owned(uint256 positionId) private view returns (Stake storage stake) {
        stake = _stakes[positionId];
        if (stake.owner != msg.sender) revert NotPositionOwner(positionId, stake.owner, msg.sender);
    }
}
