// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IExits} from "../interfaces/IExits.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {IWithdrawalVault} from "../interfaces/IWithdrawalVault.sol";
import {
    BalanceProof,
    BeaconProofs,
    Layout,
    RandaoProof,
    StateProof,
    ValidatorProof
} from "../libraries/BeaconProofs.sol";
import {DepositData} from "../libraries/DepositData.sol";
import {RandaoSeeds} from "../libraries/RandaoSeeds.sol";
import {SwapOrNot} from "../libraries/SwapOrNot.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Liquidation: which pools go, and what happens when their vaults do not let them.
contract Exits is IExits, BeaconClock {
    /// @inheritdoc IExits
    uint32 public constant MAX_DRAWN = 64;

    uint256 private constant POOL_SIZE = 32 ether;

    IBeaconLayout private immutable LAYOUT;
    IBlockProducers private immutable PRODUCERS;
    IPoolRegistry private immutable REGISTRY;
    IStakingPool private immutable STAKING_POOL;
    IWithdrawalQueue private immutable QUEUE;
    IWithdrawalVault private immutable STAKER_VAULT;
    IWithdrawalVault private immutable BOND_VAULT;
    address private immutable SLASHING;
    address private immutable ROTATIONS;
    uint64 private immutable VECTOR;
    uint64 private immutable SEED_DELAY;
    uint64 private immutable SHARD_COMMITTEE_PERIOD;
    uint64 private immutable MAX_EXECUTION;
    uint64 private immutable QUEUE_WAIT_SECONDS;
    uint256 private immutable THRESHOLD;
    uint256 private immutable STALL_PENALTY;
    uint256 private immutable SEAT_ALLOCATION;

    /// @inheritdoc IExits
    uint256 public drawCount;
    mapping(uint256 drawId => Draw) private _draws;
    mapping(PoolId => Exit) private _exits;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        QUEUE = IWithdrawalQueue(nonZero(addresses.withdrawalQueue));
        STAKER_VAULT = IWithdrawalVault(nonZero(addresses.stakerVault));
        BOND_VAULT = IWithdrawalVault(nonZero(addresses.bondVault));
        SLASHING = nonZero(addresses.slashing);
        ROTATIONS = nonZero(addresses.rotations);
        VECTOR = parameters.epochsPerHistoricalVector;
        SEED_DELAY = parameters.seedDelay;
        SHARD_COMMITTEE_PERIOD = parameters.shardCommitteePeriod;
        MAX_EXECUTION = parameters.maxLiquidationExecution;
        QUEUE_WAIT_SECONDS = _secondsOf(parameters.maxQueueWait);
        THRESHOLD = parameters.liquidationThreshold;
        STALL_PENALTY = parameters.stallPenalty;
        SEAT_ALLOCATION = parameters.seatAllocation;
    }

    /// @inheritdoc IExits
    function requestLiquidation() external returns (uint256 drawId) {
        if (isDrawPending()) revert DrawPending(drawCount);
        uint256 unmet = unmetDemand();
        if (unmet == 0 || (unmet < THRESHOLD && !_waitsTooLong())) revert NoUnmetDemand(unmet, THRESHOLD);

        Draw memory made;
        made.seedEpoch = Epoch.wrap(_firstEpochAfter(SEED_DELAY));
        made.stakerPools = REGISTRY.activeCount(PoolKind.Staker);
        made.bondPools = REGISTRY.activeCount(PoolKind.Bond);
        uint256 wanted = _min((unmet + POOL_SIZE - 1) / POOL_SIZE, MAX_DRAWN);
        // Bond pools that the bonds no longer pay for go first; then staker pools; the rest, if any, can only be bond pools.
        uint256 bonds = _min(_min(_surplusBondPools(), made.bondPools), wanted);
        uint256 stakers = _min(wanted - bonds, made.stakerPools);
        bonds = _min(wanted - stakers, made.bondPools);
        if (stakers + bonds == 0) revert NothingToLiquidate();
        (made.stakerCount, made.bondCount) = (uint32(stakers), uint32(bonds));

        drawId = ++drawCount;
        _draws[drawId] = made;
        emit LiquidationRequested(drawId, uint32(stakers + bonds), made.seedEpoch);
    }

    /// @inheritdoc IExits
    function drawLiquidation(
        uint256 drawId,
        uint64 timestamp,
        StateProof calldata state,
        RandaoProof calldata randao
    ) external {
        uint256 count = drawCount;
        Draw memory made = _draws[drawId];
        if (drawId != count || drawId == 0 || made.done) revert OutOfOrder(made.done ? count + 1 : count, drawId);
        _proveMix(Epoch.unwrap(seedEpochOf(drawId)), timestamp, state, randao);
        _draws[drawId].done = true;
        bytes32 seed = sha256(abi.encodePacked(randao.mix, "liquidation", uint64(drawId)));
        PoolId[] memory stakers = _drawn(PoolKind.Staker, made.stakerCount, made.stakerPools, seed);
        PoolId[] memory bonds = _drawn(PoolKind.Bond, made.bondCount, made.bondPools, seed);
        _markExiting(drawId, stakers);
        _markExiting(drawId, bonds);
    }

    /// @inheritdoc IExits
    function drawOne(PoolId poolId) external {
        if (msg.sender != SLASHING && msg.sender != ROTATIONS) revert NotAllowed(msg.sender);
        if (isDrawPending()) revert DrawPending(drawCount);
        PoolId[] memory pools = new PoolId[](1);
        pools[0] = poolId;
        _markExiting(0, pools);
    }

    /// @inheritdoc IExits
    function forceExit(PoolId poolId) external payable {
        IPoolRegistry.Pool memory pool = _exiting(poolId);
        Exit storage made = _drawnExit(poolId);
        if (_currentEpoch() <= Epoch.unwrap(made.deadline)) revert BeforeDeadline(made.deadline, Epoch.wrap(_currentEpoch()));
        IWithdrawalVault vault = _vaultOf(pool.kind);
        uint256 fee = vault.exitFee();
        if (msg.value < fee) revert IWithdrawalVault.FeeTooLow(fee, msg.value);

        bool isCharged = made.stallProven && made.feePayer != address(0);
        if (made.feePayer == address(0) || (fee > made.feePaid && !isCharged)) {
            (made.feePaid, made.feePayer) = (uint128(fee), msg.sender);
        }
        emit ExitForced(poolId, msg.sender, fee);
        if (made.stallProven && !isCharged) _charge(poolId, 0, msg.sender, fee);
        vault.requestExit{value: fee}(pool.publicKey);
        if (msg.value > fee) {
            (bool isPaid,) = msg.sender.call{value: msg.value - fee}("");
            if (!isPaid) revert RefundFailed(msg.sender, msg.value - fee);
        }
    }

    /// @inheritdoc IExits
    function proveStall(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external {
        IPoolRegistry.Pool memory pool = _exiting(poolId);
        Exit storage made = _drawnExit(poolId);
        if (made.stallProven) revert StallAlreadyProven(poolId);
        (, uint64 epoch,) = _proveValidator(pool, timestamp, state, proof);
        uint64 deadline = _stallFrom(Epoch.unwrap(made.deadline), proof.validator.activationEpoch);
        if (epoch < deadline) revert ProofBeforeDeadline(Epoch.wrap(deadline), Epoch.wrap(epoch));
        if (proof.validator.exitEpoch != BeaconProofs.FAR_FUTURE_EPOCH) revert ExitInitiated(poolId, proof.validator.exitEpoch);

        made.stallProven = true;
        emit StallProven(poolId, msg.sender);
        _charge(poolId, STALL_PENALTY, made.feePayer, made.feePaid);
    }

    /// @inheritdoc IExits
    function closePool(
        PoolId poolId,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external {
        IPoolRegistry.Pool memory pool = _exiting(poolId);
        (bytes32 stateRoot, uint64 epoch, Layout memory row) = _proveValidator(pool, timestamp, state, validator);
        if (balance.index != validator.index) revert WrongBalanceIndex(validator.index, balance.index);
        uint64 left = BeaconProofs.verifyBalance(stateRoot, balance, row);
        if (epoch < validator.validator.withdrawableEpoch || left != 0) {
            revert NotWithdrawn(poolId, validator.validator.withdrawableEpoch, left);
        }
        REGISTRY.markClosed(poolId);
    }

    /// @inheritdoc IExits
    function exit(PoolId poolId) external view returns (Exit memory) {
        return _exits[poolId];
    }

    /// @inheritdoc IExits
    function draw(uint256 drawId) external view returns (Draw memory) {
        return _draws[drawId];
    }

    /// @inheritdoc IExits
    function isDrawPending() public view returns (bool) {
        return drawCount > 0 && !_draws[drawCount].done;
    }

    /// @inheritdoc IExits
    function unmetDemand() public view returns (uint256) {
        uint256 demand = QUEUE.demand();
        Draw memory last = _draws[drawCount];
        uint256 going = REGISTRY.exitingCount();
        if (!last.done) going += last.stakerCount + last.bondCount;
        uint256 met = STAKING_POOL.unreserved() + address(STAKER_VAULT).balance + address(BOND_VAULT).balance + going * POOL_SIZE;
        return demand > met ? demand - met : 0;
    }

    /// @inheritdoc IExits
    function seedEpochOf(uint256 drawId) public view returns (Epoch) {
        return Epoch.wrap(RandaoSeeds.epochNow(Epoch.unwrap(_draws[drawId].seedEpoch), _currentEpoch(), VECTOR));
    }

    function _proveMix(uint64 seedEpoch, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) private view {
        (bytes32 stateRoot, uint64 epoch, Layout memory row) = _stateAt(LAYOUT, timestamp, state);
        RandaoSeeds.verify(stateRoot, epoch, row, randao, seedEpoch, VECTOR);
    }

    /// @dev Read whole before any is marked, which changes the list.
    function _drawn(PoolKind kind, uint256 count, uint256 size, bytes32 seed) private view returns (PoolId[] memory pools) {
        pools = new PoolId[](count);
        if (count == 0) return pools;
        uint256[] memory positions = SwapOrNot.shuffledIndices(0, count, size, seed);
        for (uint256 i = 0; i < count; ++i) {
            pools[i] = REGISTRY.activeAt(kind, uint32(positions[i]));
        }
    }

    function _markExiting(uint256 drawId, PoolId[] memory pools) private {
        Epoch deadline = Epoch.wrap(_currentEpoch() + MAX_EXECUTION);
        for (uint256 i = 0; i < pools.length; ++i) {
            _exits[pools[i]].drawnAt = uint64(block.timestamp);
            _exits[pools[i]].deadline = deadline;
            REGISTRY.markExiting(pools[i]);
            emit LiquidationDrawn(drawId, pools[i], deadline);
        }
    }

    /// @dev Takes `penalty` and its part of the fee from each seat, but no more than the seat, and pays the fee from what it took.
    function _charge(PoolId poolId, uint256 penalty, address payee, uint256 fee) private {
        ProducerId[] memory members = REGISTRY.vault(poolId);
        // Anybody can drive EIP-7002's fee up for a block, and force the exit in it: a seat answers for no more of it than for the stall.
        uint256 share = _min((fee + members.length - 1) / members.length, STALL_PENALTY);
        PRODUCERS.chargeSeats(poolId, members, _min(penalty + share, SEAT_ALLOCATION), payee, _min(fee, share * members.length));
    }

    function _proveValidator(
        IPoolRegistry.Pool memory pool,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata proof
    ) private view returns (bytes32 stateRoot, uint64 epoch, Layout memory row) {
        bytes32 key = DepositData.pubkeyRoot(pool.publicKey);
        if (proof.validator.pubkeyRoot != key) revert WrongPublicKey(key, proof.validator.pubkeyRoot);
        (stateRoot, epoch, row) = _stateAt(LAYOUT, timestamp, state);
        BeaconProofs.verifyValidator(stateRoot, proof, row);
    }

    /// @dev First epoch whose state can show a stall: after the deadline, and as long after the validator was old enough to exit.
    function _stallFrom(uint64 deadline, uint64 activationEpoch) private view returns (uint64) {
        if (activationEpoch == BeaconProofs.FAR_FUTURE_EPOCH) return activationEpoch;
        uint64 oldEnough = activationEpoch + SHARD_COMMITTEE_PERIOD + MAX_EXECUTION;
        return oldEnough > deadline ? oldEnough : deadline;
    }

    function _exiting(PoolId poolId) private view returns (IPoolRegistry.Pool memory pool) {
        pool = REGISTRY.pool(poolId);
        if (pool.state != IPoolRegistry.PoolState.Exiting) revert NotExiting(poolId);
    }

    /// @dev An abandoned pool exits without a draw: its vault was asked for nothing.
    function _drawnExit(PoolId poolId) private view returns (Exit storage made) {
        made = _exits[poolId];
        if (made.drawnAt == 0) revert NotDrawn(poolId);
    }

    function _waitsTooLong() private view returns (bool) {
        uint64 oldest = QUEUE.oldestRequestedAt();
        return oldest != 0 && block.timestamp >= oldest + QUEUE_WAIT_SECONDS;
    }

    function _surplusBondPools() private view returns (uint256) {
        uint256 paidFor = PRODUCERS.totalBondValue() / POOL_SIZE;
        uint256 standing = REGISTRY.bondPoolCount();
        return standing > paidFor ? standing - paidFor : 0;
    }

    function _vaultOf(PoolKind kind) private view returns (IWithdrawalVault) {
        return kind == PoolKind.Staker ? STAKER_VAULT : BOND_VAULT;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
