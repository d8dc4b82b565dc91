// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {ICdtStaking} from "../interfaces/ICdtStaking.sol";
import {IDepositContract} from "../interfaces/IDepositContract.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {IWithdrawalVault} from "../interfaces/IWithdrawalVault.sol";
import {DepositData} from "../libraries/DepositData.sol";
import {DEAD_ETHER, SHARES_PER_WEI} from "../types/DeadShares.sol";
import {PoolId, PoolKind} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Deposits, the buffer, and the ledger
/// @dev What holds after every call:
///      BondEther.totalPooledEther = buffered + Σ beacon deposits − Σ collected + Σ recognised   (sums over both kinds).
///      Each term is a number kept here, so ETH forced into this contract is in none of them.
contract StakingPool is IStakingPool {
    using Checkpoints for Checkpoints.Trace208;
    using SafeCast for uint256;

    /// @dev All in one slot: every deposit and every reservation looks at them together. 2^120 wei are ten billion times all ETH.
    struct Buffer {
        uint120 buffered;
        uint120 reserved;
        bool closed; // wound down
    }

    /// @dev Of the reports booked so far, in one slot.
    struct Booked {
        int128 maximum; // recognised profit of both kinds together
        uint64 lastAt;
    }

    /// @dev Per kind of pools, cumulative (wei).
    struct Ledger {
        uint128 collected;
        int128 recognised;
    }

    uint256 private constant POOL_ETHER = 32 ether;
    uint256 private constant PPM = 1_000_000;
    uint256 private constant BASIS_POINTS = 10_000;
    /// @dev Losses are recognised down to an index of a thousandth: whatever is reported, a deposit's shares stay countable.
    uint256 private constant SHARES_PER_WEI_AT_MOST = SHARES_PER_WEI * 1_000;

    IBondEther private immutable BOND_ETHER;
    IWithdrawalQueue private immutable WITHDRAWAL_QUEUE;
    ICdtStaking private immutable CDT_STAKING;
    address private immutable STAKER_VAULT;
    address private immutable BOND_VAULT;
    address private immutable POOL_REGISTRY;
    address private immutable STATE_COMMITMENTS;
    address private immutable WIND_DOWN;
    IDepositContract private immutable DEPOSIT_CONTRACT;
    uint256 private immutable MIN_DEPOSIT;
    uint256 private immutable MAX_REPORT_GROWTH;
    uint256 private immutable REWARDS_FEE;

    Buffer private _buffer;
    mapping(PoolKind kind => Ledger) private _ledgers;
    mapping(PoolKind kind => Checkpoints.Trace208) private _beaconDeposits;
    mapping(PoolId poolId => uint256) private _reservations;
    /// @dev Losses of staker pools proven on chain, cumulative, and how far they were given to cover.
    Checkpoints.Trace208 private _writtenOff;
    uint256 private _madeGood;
    Booked private _booked;

    /// @dev Takes exactly `DEAD_ETHER` wei: what stands behind the dead shares of BondEther.
    constructor(Addresses memory addresses, Parameters memory parameters) payable {
        if (msg.value != DEAD_ETHER) revert WrongDeadEther(DEAD_ETHER, msg.value);
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        WITHDRAWAL_QUEUE = IWithdrawalQueue(nonZero(addresses.withdrawalQueue));
        CDT_STAKING = ICdtStaking(nonZero(addresses.cdtStaking));
        STAKER_VAULT = nonZero(addresses.stakerVault);
        BOND_VAULT = nonZero(addresses.bondVault);
        POOL_REGISTRY = nonZero(addresses.poolRegistry);
        STATE_COMMITMENTS = nonZero(addresses.stateCommitments);
        WIND_DOWN = nonZero(addresses.windDown);
        DEPOSIT_CONTRACT = IDepositContract(nonZero(parameters.depositContract));
        MIN_DEPOSIT = parameters.minDeposit;
        MAX_REPORT_GROWTH = parameters.maxReportGrowth;
        REWARDS_FEE = parameters.rewardsFee;
        _buffer.buffered = uint120(DEAD_ETHER);
    }

    modifier onlyPoolRegistry() {
        if (msg.sender != POOL_REGISTRY) revert NotPoolRegistry(msg.sender);
        _;
    }

    modifier onlyWindDown() {
        if (msg.sender != WIND_DOWN) revert NotWindDown(msg.sender);
        _;
    }

    modifier whileOpen() {
        if (_buffer.closed) revert WoundDown();
        _;
    }

    // Views

    /// @inheritdoc IStakingPool
    function buffered() external view returns (uint256) {
        return _buffer.buffered;
    }

    /// @inheritdoc IStakingPool
    function reserved() external view returns (uint256) {
        return _buffer.reserved;
    }

    /// @inheritdoc IStakingPool
    function unreserved() public view returns (uint256) {
        return _buffer.buffered - _buffer.reserved;
    }

    /// @inheritdoc IStakingPool
    function reservation(PoolId poolId) external view returns (uint256) {
        return _reservations[poolId];
    }

    /// @inheritdoc IStakingPool
    function withdrawalCredentials(PoolKind kind) public view returns (bytes32) {
        return DepositData.withdrawalCredentials(withdrawalVault(kind));
    }

    /// @inheritdoc IStakingPool
    function withdrawalVault(PoolKind kind) public view returns (address) {
        return kind == PoolKind.Staker ? STAKER_VAULT : BOND_VAULT;
    }

    /// @inheritdoc IStakingPool
    function beaconDeposits(PoolKind kind, uint64 timestamp) external view returns (uint256) {
        return _beaconDeposits[kind].upperLookupRecent(SafeCast.toUint48(timestamp));
    }

    /// @inheritdoc IStakingPool
    function collected(PoolKind kind) external view returns (uint256) {
        return _ledgers[kind].collected;
    }

    /// @inheritdoc IStakingPool
    function recognised(PoolKind kind) external view returns (int256) {
        return _ledgers[kind].recognised;
    }

    /// @inheritdoc IStakingPool
    function recognisedMaximum() external view returns (int256) {
        return _booked.maximum;
    }

    /// @inheritdoc IStakingPool
    function firstBeaconDepositAt() external view returns (uint64) {
        uint64 staker = _firstKey(_beaconDeposits[PoolKind.Staker]);
        uint64 bond = _firstKey(_beaconDeposits[PoolKind.Bond]);
        return bond == 0 || (staker != 0 && staker < bond) ? staker : bond;
    }

    /// @inheritdoc IStakingPool
    function lastReportAt() external view returns (uint64) {
        return _booked.lastAt;
    }

    // Stakers

    /// @inheritdoc IStakingPool
    function deposit() external payable returns (uint256 shares) {
        return _deposit(msg.sender);
    }

    /// @inheritdoc IStakingPool
    function depositFor(address receiver) external payable returns (uint256 shares) {
        return _deposit(receiver);
    }

    // Pools

    /// @inheritdoc IStakingPool
    function reserve(PoolId poolId) external onlyPoolRegistry whileOpen {
        uint256 free = Math.saturatingSub(unreserved(), WITHDRAWAL_QUEUE.demand());
        if (free < POOL_ETHER) revert BufferTooSmall(POOL_ETHER, free);
        _reservations[poolId] += POOL_ETHER;
        _buffer.reserved += uint120(POOL_ETHER);
        emit ReservationChanged(poolId, int256(POOL_ETHER), _buffer.reserved);
    }

    /// @inheritdoc IStakingPool
    function release(PoolId poolId, uint256 amount) external onlyPoolRegistry {
        _spendReservation(poolId, amount);
    }

    /// @inheritdoc IStakingPool
    function writeOff(PoolId poolId, uint256 amount) external onlyPoolRegistry {
        _writtenOff.push(uint48(block.timestamp), (_writtenOff.latest() + amount).toUint208());
        emit LossWrittenOff(poolId, amount);
    }

    /// @inheritdoc IStakingPool
    function depositToBeacon(PoolId poolId, PoolKind kind, bytes calldata publicKey, bytes calldata signature, uint256 amount)
        external
        onlyPoolRegistry
        whileOpen
    {
        _spendReservation(poolId, amount);
        _buffer.buffered -= amount.toUint120();
        uint256 total = _beaconDeposits[kind].latest() + amount;
        _beaconDeposits[kind].push(uint48(block.timestamp), total.toUint208());
        emit BeaconDeposit(poolId, kind, publicKey, amount, total);

        bytes32 credentials = withdrawalCredentials(kind);
        uint64 amountGwei = (amount / 1 gwei).toUint64();
        bytes32 root = DepositData.dataRoot(DepositData.pubkeyRoot(publicKey), credentials, amountGwei, signature);
        DEPOSIT_CONTRACT.deposit{value: amount}(publicKey, abi.encodePacked(credentials), signature, root);
    }

    // Reports

    /// @inheritdoc IStakingPool
    function bookReport(uint256[2] calldata arrivals, int256[2] calldata profitToDate, uint64 epochs) external whileOpen {
        if (msg.sender != STATE_COMMITMENTS) revert NotStateCommitments(msg.sender);
        WITHDRAWAL_QUEUE.closeBatch();
        _collect(PoolKind.Staker, arrivals[0]);
        _collect(PoolKind.Bond, arrivals[1]);

        // What cover bears is recognised apart from the rest: it would vanish in the gains of the same report.
        int256 covered = int256(_coverLosses());
        int256 staker = profitToDate[0] - _ledgers[PoolKind.Staker].recognised + covered;
        int256 bond = profitToDate[1] - _ledgers[PoolKind.Bond].recognised;
        (staker, bond) = _bound(staker, bond, epochs);
        int256 total = _recognise(PoolKind.Staker, profitToDate[0], staker - covered) + _recognise(PoolKind.Bond, profitToDate[1], bond);
        BOND_ETHER.recognise(staker, bond);
        _takeFee(total);
    }

    /// @inheritdoc IStakingPool
    function receiveCollected() external payable {
        PoolKind kind;
        if (msg.sender == STAKER_VAULT) kind = PoolKind.Staker;
        else if (msg.sender == BOND_VAULT) kind = PoolKind.Bond;
        else revert NotAVault(msg.sender);
        _buffer.buffered += uint120(msg.value);
        _ledgers[kind].collected += uint128(msg.value);
        emit Collected(kind, msg.value, _ledgers[kind].collected);
    }

    // Withdrawals

    /// @inheritdoc IStakingPool
    function payWithdrawals(uint256 shares, uint256 amount) external whileOpen {
        if (msg.sender != address(WITHDRAWAL_QUEUE)) revert NotWithdrawalQueue(msg.sender);
        uint256 available = unreserved();
        if (amount > available) revert BufferTooSmall(amount, available);
        _buffer.buffered -= uint120(amount);
        emit WithdrawalsPaid(amount, _buffer.buffered);
        BOND_ETHER.redeem(shares, amount);
        WITHDRAWAL_QUEUE.receivePaid{value: amount}();
    }

    // The end

    /// @inheritdoc IStakingPool
    function close() external onlyWindDown {
        (_buffer.closed, _buffer.reserved) = (true, 0);
    }

    /// @inheritdoc IStakingPool
    /// @dev ETH forced into this contract goes with the rest: there is nobody left whose accounts it could disturb.
    function sweep() external onlyWindDown returns (uint256 amount) {
        _collect(PoolKind.Staker, type(uint256).max);
        _collect(PoolKind.Bond, type(uint256).max);
        _buffer.buffered = 0;
        amount = address(this).balance;
        (bool isSent,) = WIND_DOWN.call{value: amount}("");
        if (!isSent) revert SweepFailed(amount);
    }

    // Internals

    function _deposit(address receiver) private whileOpen returns (uint256 shares) {
        if (msg.value < MIN_DEPOSIT) revert DepositTooSmall(MIN_DEPOSIT, msg.value);
        _buffer.buffered += uint120(msg.value);
        shares = BOND_ETHER.mint(receiver, msg.value);
        emit Deposited(msg.sender, receiver, msg.value, shares);
    }

    function _spendReservation(PoolId poolId, uint256 amount) private {
        uint256 left = _reservations[poolId];
        if (amount > left) revert ReservationTooSmall(poolId, amount, left);
        _reservations[poolId] = left - amount;
        if (!_buffer.closed) _buffer.reserved -= uint120(amount);
        emit ReservationChanged(poolId, -int256(amount), _buffer.reserved);
    }

    /// @dev Never more than the vault holds: an arrival that is not there yet is collected with a later report.
    function _collect(PoolKind kind, uint256 arrivals) private {
        address vault = withdrawalVault(kind);
        uint256 amount = Math.min(Math.saturatingSub(arrivals, _ledgers[kind].collected), vault.balance);
        if (amount > 0) IWithdrawalVault(vault).collect(amount);
    }

    /// @dev Of the losses written off by the reference of the report being booked, which shows them, what no earlier one has shown.
    function _coverLosses() private returns (uint256 covered) {
        uint256 before = _madeGood;
        if (_writtenOff.latest() == before) return 0;
        uint64 referenceTime = IStateCommitments(STATE_COMMITMENTS).lastFinalizedReference();
        uint256 shown = _writtenOff.upperLookupRecent(SafeCast.toUint48(referenceTime));
        if (shown == before) return 0;
        _madeGood = shown;
        return BOND_ETHER.coverLoss(shown - before);
    }

    /// @dev Gains of the two kinds together are clamped to the report's growth, each in proportion; a loss of one kind does not
    ///      widen the other's. Losses are recognised whole, down to the least index.
    function _bound(int256 staker, int256 bond, uint64 epochs) private view returns (int256, int256) {
        uint256 pot = BOND_ETHER.totalPooledEther();
        (uint256 stakerGain, uint256 bondGain) = _clamp(_positive(staker), _positive(bond), (pot * MAX_REPORT_GROWTH * epochs) / PPM);
        uint256 least = Math.ceilDiv(BOND_ETHER.totalShares(), SHARES_PER_WEI_AT_MOST);
        (uint256 stakerLoss, uint256 bondLoss) = _clamp(_positive(-staker), _positive(-bond), Math.saturatingSub(pot, least));
        return (int256(stakerGain) - int256(stakerLoss), int256(bondGain) - int256(bondLoss));
    }

    /// @dev Fee on what rises above the former maximum: rewards that make good a loss were paid for when they first came.
    function _takeFee(int256 recognisedTotal) private {
        _booked.lastAt = uint64(block.timestamp);
        int256 risen = recognisedTotal - _booked.maximum;
        if (risen <= 0) return;
        _booked.maximum = SafeCast.toInt128(recognisedTotal);
        uint256 fee = (uint256(risen) * REWARDS_FEE) / BASIS_POINTS;
        emit FeeTaken(recognisedTotal, fee);
        if (fee == 0) return;
        BOND_ETHER.mintFee(fee);
        CDT_STAKING.receiveFee();
    }

    function _recognise(PoolKind kind, int256 profitToDate, int256 change) private returns (int256 total) {
        total = _ledgers[kind].recognised + change;
        _ledgers[kind].recognised = SafeCast.toInt128(total);
        emit ReportBooked(kind, profitToDate, total);
    }

    function _firstKey(Checkpoints.Trace208 storage trace) private view returns (uint64) {
        return trace.length() == 0 ? 0 : trace.at(0)._key;
    }

    function _clamp(uint256 a, uint256 b, uint256 most) private pure returns (uint256, uint256) {
        if (a + b <= most) return (a, b);
        uint256 part = Math.mulDiv(a, most, a + b);
        return (part, most - part);
    }

    function _positive(int256 value) private pure returns (uint256) {
        return value > 0 ? uint256(value) : 0;
    }
}
