// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {IWithdrawalVault} from "../interfaces/IWithdrawalVault.sol";
import {PoolId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title The end of the network
/// @dev bETH's shares are fixed from the start on: nothing mints or burns them any more. Those that are redeemed stay here.
contract WindDown is IWindDown, BeaconClock {
    IBondEther private immutable BOND_ETHER;
    IStakingPool private immutable STAKING_POOL;
    IPoolRegistry private immutable REGISTRY;
    uint64 private immutable FIRST_PERIOD_TIME;
    uint64 private immutable WAIT_SECONDS;

    /// @inheritdoc IWindDown
    bool public started;
    /// @inheritdoc IWindDown
    uint256 public totalUnits;
    uint256 private _paid;
    mapping(address account => uint256) private _paidTo;
    /// @inheritdoc IWindDown
    mapping(address account => uint256) public unitsOf;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        FIRST_PERIOD_TIME = _timestampOfSlot(parameters.firstPeriod * SLOTS_PER_EPOCH);
        WAIT_SECONDS = _secondsOf(parameters.windDownAfter);
    }

    modifier onceStarted() {
        if (!started) revert NotStarted();
        _;
    }

    /// @notice ETH from the StakingPool; anybody else's is a gift to all.
    receive() external payable {}

    /// @inheritdoc IWindDown
    function start() external {
        if (started) revert AlreadyStarted();
        uint64 earliest = startableAt();
        if (block.timestamp < earliest) revert TooEarly(earliest, uint64(block.timestamp));
        started = true;
        // What cover holds belongs to all others alike.
        totalUnits = BOND_ETHER.totalShares() - BOND_ETHER.coverShares();
        emit WindDownStarted(earliest - WAIT_SECONDS, totalUnits);
        STAKING_POOL.close();
    }

    /// @inheritdoc IWindDown
    function forceExit(PoolId poolId) external payable onceStarted {
        IPoolRegistry.Pool memory pool = REGISTRY.pool(poolId);
        if (pool.publicKey.length == 0) revert NoValidator(poolId);
        IWithdrawalVault vault = IWithdrawalVault(STAKING_POOL.withdrawalVault(pool.kind));
        uint256 fee = vault.exitFee();
        if (msg.value < fee) revert FeeTooLow(fee, msg.value);
        emit ExitForced(poolId, msg.sender, fee);
        vault.requestExit{value: fee}(pool.publicKey);
        if (msg.value > fee) _send(msg.sender, msg.value - fee);
    }

    /// @inheritdoc IWindDown
    function gather() external onceStarted returns (uint256 amount) {
        amount = STAKING_POOL.sweep();
        emit Gathered(amount);
    }

    /// @inheritdoc IWindDown
    function redeem(uint256 shares) external onceStarted {
        _redeem(shares);
    }

    /// @inheritdoc IWindDown
    function redeemWithPermit(uint256 shares, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external onceStarted {
        // Somebody may have sent the permit before: then it fails here, and the allowance is there.
        try IERC20Permit(address(BOND_ETHER)).permit(msg.sender, address(this), value, deadline, v, r, s) {} catch {}
        _redeem(shares);
    }

    /// @inheritdoc IWindDown
    function claim() external onceStarted returns (uint256 amount) {
        amount = claimable(msg.sender);
        _paidTo[msg.sender] += amount;
        _paid += amount;
        emit Claimed(msg.sender, amount);
        _send(msg.sender, amount);
    }

    /// @inheritdoc IWindDown
    function startableAt() public view returns (uint64) {
        uint256 since = Math.max(FIRST_PERIOD_TIME, Math.max(STAKING_POOL.firstBeaconDepositAt(), STAKING_POOL.lastReportAt()));
        return uint64(since) + WAIT_SECONDS;
    }

    /// @inheritdoc IWindDown
    function claimable(address account) public view returns (uint256) {
        uint256 units = unitsOf[account];
        return units == 0 ? 0 : Math.mulDiv(arrived(), units, totalUnits) - _paidTo[account];
    }

    /// @inheritdoc IWindDown
    function arrived() public view returns (uint256) {
        return address(this).balance + _paid;
    }

    function _redeem(uint256 shares) private {
        unitsOf[msg.sender] += shares;
        emit Redeemed(msg.sender, shares);
        BOND_ETHER.transferSharesFrom(msg.sender, address(this), shares);
    }

    function _send(address receiver, uint256 amount) private {
        (bool isPaid,) = receiver.call{value: amount}("");
        if (!isPaid) revert PaymentFailed(receiver, amount);
    }
}
