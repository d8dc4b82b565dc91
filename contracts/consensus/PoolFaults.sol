// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IExits} from "../interfaces/IExits.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {BalancePages} from "../libraries/BalancePages.sol";
import {BalanceProof, BeaconProofs, Layout, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {DepositData} from "../libraries/DepositData.sol";
import {PoolId, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";
import {Equivocations} from "./Equivocations.sol";

/// @title Faults of pools, from their proof to the charge for the loss
/// @dev A pool has one fault at most, whatever is proven of it: together its holders answer for one loss. From the proof on
/// their seats are held; who takes a seat later answers for nothing.
abstract contract PoolFaults is Equivocations, BeaconClock {
    using CommitmentContent for IStateCommitments.Content;

    uint64 private constant FULL_GWEI = 32e9;
    /// @dev Reports whose time must have come before a balance is taken for the last one.
    uint64 private constant REPORTS_TO_WAIT = 2;

    IBeaconLayout internal immutable LAYOUT;
    IPoolRegistry internal immutable REGISTRY;
    IExits private immutable EXITS;
    IStateCommitments private immutable COMMITMENTS;
    uint64 private immutable EJECTION_BALANCE;
    uint64 private immutable REPORT_EPOCHS;
    uint64 private immutable DISPUTE_EPOCHS;
    uint64 private immutable GIVE_UP_EPOCHS;
    uint256 private immutable SEAT_ALLOCATION;
    uint256 private immutable STALL_PENALTIES;
    uint256 private immutable REPORTER_FEE;

    mapping(PoolId poolId => Fault) private _faults;
    /// @dev Pools that are exiting, or to be, since a fault or an exit was proven here.
    mapping(PoolId poolId => bool) private _isLeaving;

    constructor(Addresses memory addresses, Parameters memory parameters)
        Equivocations(addresses)
        BeaconClock(parameters)
    {
        LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        EXITS = IExits(nonZero(addresses.exits));
        COMMITMENTS = IStateCommitments(nonZero(addresses.stateCommitments));
        EJECTION_BALANCE = parameters.ejectionBalance;
        REPORT_EPOCHS = parameters.reportEpochs;
        DISPUTE_EPOCHS = parameters.disputeDuration;
        GIVE_UP_EPOCHS = parameters.windDownAfter;
        SEAT_ALLOCATION = parameters.seatAllocation;
        STALL_PENALTIES = uint256(parameters.stallPenalty) * parameters.vaultSize;
        REPORTER_FEE = parameters.reporterFee;
    }

    /// @inheritdoc ISlashing
    function reportExit(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof)
        external
    {
        IPoolRegistry.Pool memory pool = _charged(poolId);
        (,, uint64 stateTime) = _proveExit(poolId, pool, timestamp, state, proof);
        FaultKind kind = _faults[poolId].kind;
        bool isNew = false;
        if (kind == FaultKind.None) {
            kind = _faultOf(poolId, stateTime, proof);
            isNew = kind != FaultKind.None;
            if (isNew) _open(poolId, pool, kind);
        }
        if (kind != FaultKind.None && _extend(poolId, proof.validator.withdrawableEpoch)) isNew = true;
        if (pool.state == IPoolRegistry.PoolState.Funded && !_isLeaving[poolId]) {
            isNew = true;
            _takeOut(poolId);
        }
        if (!isNew) revert NothingNew(poolId);
        emit ExitSeen(poolId, proof.validator.withdrawableEpoch);
    }

    /// @inheritdoc ISlashing
    function liquidate(PoolId poolId) external {
        if (!_isLeaving[poolId] || REGISTRY.pool(poolId).state != IPoolRegistry.PoolState.Funded) {
            revert NotLiquidatable(poolId);
        }
        EXITS.drawOne(poolId);
    }

    /// @inheritdoc ISlashing
    function showBalance(
        PoolId poolId,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external {
        Fault storage found = _unsettled(poolId);
        (bytes32 stateRoot, Layout memory row, uint64 stateTime) =
            _proveExit(poolId, REGISTRY.pool(poolId), timestamp, state, validator);
        if (balance.index != validator.index) revert WrongBalanceIndex(validator.index, balance.index);
        uint64 left = BeaconProofs.verifyBalance(stateRoot, balance, row);
        uint64 withdrawable = validator.validator.withdrawableEpoch;
        uint64 epoch = (stateTime - GENESIS_TIME) / _secondsOf(1);
        // In the withdrawable epoch itself the sweep may have come already, but no deposit yet.
        if (epoch > withdrawable || (epoch == withdrawable && left == 0)) revert BalanceTooLate(withdrawable, epoch);
        _extend(poolId, withdrawable);
        _keep(poolId, found, epoch, left);
    }

    /// @inheritdoc ISlashing
    function showReportedBalance(
        PoolId poolId,
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        bytes32 word,
        bytes32[] calldata branch
    ) external {
        Fault storage found = _unsettled(poolId);
        IStateCommitments.Commitment memory made = COMMITMENTS.commitment(commitmentId);
        if (made.state != IStateCommitments.CommitmentState.Finalized) revert NotFinalized(commitmentId);
        content.check(made.contentHash);
        // A reference is at or before its epoch's first slot, so one of the withdrawable epoch may come after a sweep.
        if (made.epoch >= found.withdrawableEpoch) revert BalanceTooLate(found.withdrawableEpoch, made.epoch);
        IPoolRegistry.Pool memory pool = REGISTRY.pool(poolId);
        uint64 left = BalancePages.balanceIn(
            content.report, COMMITMENTS.POOLS_PER_PAGE(), pool.kind, pool.ordinal, word, branch
        );
        _keep(poolId, found, made.epoch, left);
    }

    /// @inheritdoc ISlashing
    function settle(PoolId poolId) external {
        Fault storage found = _unsettled(poolId);
        uint64 withdrawable = found.withdrawableEpoch;
        if (withdrawable == 0) revert NotExiting(poolId);
        uint64 from = _settleableFrom(withdrawable, found.balanceEpoch);
        uint64 current = _currentEpoch();
        if (current < from) revert NotSettledYet(poolId, from, current);
        found.settled = true;
        uint64 left = found.balanceEpoch == 0 || found.balance > FULL_GWEI ? FULL_GWEI : found.balance;
        uint64 loss = FULL_GWEI - left;
        uint256 total = uint256(loss) * 1 gwei * 3 / 2;
        if (found.kind == FaultKind.Exit && total < STALL_PENALTIES) total = STALL_PENALTIES;
        uint256 charged = _charge(poolId, found, total, address(0), 0);
        emit FaultSettled(poolId, loss, charged);
        PRODUCERS.unholdSeats(poolId, REGISTRY.pool(poolId).kind);
    }

    /// @inheritdoc ISlashing
    function fault(PoolId poolId) external view returns (Fault memory) {
        return _faults[poolId];
    }

    /// @dev A new fault: holds the seats, pays the reporter, liquidates the pool.
    function _openSignatures(PoolId poolId, IPoolRegistry.Pool memory pool) internal {
        if (_faults[poolId].kind != FaultKind.None) revert FaultKnown(poolId);
        _open(poolId, pool, FaultKind.Signatures);
        if (pool.state == IPoolRegistry.PoolState.Funded && !_isLeaving[poolId]) _takeOut(poolId);
    }

    /// @dev A pool that had 32 ETH of ours. One that was abandoned is exiting, but neither drawn nor taken out here.
    function _charged(PoolId poolId) internal view returns (IPoolRegistry.Pool memory pool) {
        pool = REGISTRY.pool(poolId);
        bool isFunded = pool.state == IPoolRegistry.PoolState.Funded;
        bool hasLeft = pool.state == IPoolRegistry.PoolState.Exiting || pool.state == IPoolRegistry.PoolState.Closed;
        if (!isFunded && !(hasLeft && EXITS.exit(poolId).drawnAt != 0)) revert NotFunded(poolId);
    }

    function _open(PoolId poolId, IPoolRegistry.Pool memory pool, FaultKind kind) private {
        Fault storage found = _faults[poolId];
        (found.kind, found.provenAt) = (kind, uint64(block.timestamp));
        emit PoolFault(poolId, kind, msg.sender);
        PRODUCERS.holdSeats(poolId, pool.kind);
        _charge(poolId, found, REPORTER_FEE, msg.sender, REPORTER_FEE);
    }

    /// @dev While a draw is pending the list that it draws from must stay as it is: `liquidate` follows.
    function _takeOut(PoolId poolId) private {
        _isLeaving[poolId] = true;
        if (!EXITS.isDrawPending()) EXITS.drawOne(poolId);
    }

    /// @dev Brings what each held seat has paid for this fault to its part of `total`, and no further than the seat.
    function _charge(PoolId poolId, Fault storage found, uint256 total, address payee, uint256 compensation)
        private
        returns (uint256 charged)
    {
        ProducerId[] memory members = _answering(poolId);
        if (members.length == 0) revert NobodyAnswers(poolId);
        uint256 each = (total + members.length - 1) / members.length;
        if (each > SEAT_ALLOCATION) each = SEAT_ALLOCATION;
        uint256 paid = found.chargedEach;
        if (each > paid) {
            found.chargedEach = uint128(each);
            PRODUCERS.chargeSeats(poolId, members, each - paid, payee, compensation);
        }
        return found.chargedEach * members.length;
    }

    function _keep(PoolId poolId, Fault storage found, uint64 epoch, uint64 balance) private {
        bool isLater = epoch > found.balanceEpoch || (epoch == found.balanceEpoch && balance < found.balance);
        if (!isLater) revert NothingNew(poolId);
        (found.balanceEpoch, found.balance) = (epoch, balance);
        emit BalanceShown(poolId, epoch, balance);
    }

    /// @dev A validator slashed while it exits becomes withdrawable later than it would have been.
    function _extend(PoolId poolId, uint64 withdrawable) private returns (bool isLater) {
        isLater = withdrawable > _faults[poolId].withdrawableEpoch && !_faults[poolId].settled;
        if (isLater) _faults[poolId].withdrawableEpoch = withdrawable;
    }

    /// @dev What an exit is a fault of, if of any.
    function _faultOf(PoolId poolId, uint64 stateTime, ValidatorProof calldata proof) private view returns (FaultKind) {
        if (proof.validator.slashed) return FaultKind.Signatures;
        uint64 drawnAt = EXITS.exit(poolId).drawnAt;
        if (drawnAt != 0 && stateTime >= drawnAt) return FaultKind.None;
        // Once it can be withdrawn it can be topped up, and no longer shows what it was ejected for.
        uint64 withdrawableTime = GENESIS_TIME + _secondsOf(proof.validator.withdrawableEpoch);
        bool mayBeEjected = proof.validator.effectiveBalance <= EJECTION_BALANCE || stateTime >= withdrawableTime;
        return mayBeEjected ? FaultKind.None : FaultKind.Exit;
    }

    function _settleableFrom(uint64 withdrawable, uint64 balanceEpoch) private view returns (uint64) {
        if (balanceEpoch == withdrawable) return withdrawable;
        uint64 reports = REPORTS_TO_WAIT * REPORT_EPOCHS;
        bool isNear = balanceEpoch != 0 && balanceEpoch + reports >= withdrawable;
        // A report of before may wait twice its window.
        return withdrawable + (isNear ? reports + 2 * DISPUTE_EPOCHS : GIVE_UP_EPOCHS);
    }

    function _answering(PoolId poolId) private view returns (ProducerId[] memory members) {
        IBlockProducers.Holder[] memory holders = PRODUCERS.holdersOf(poolId);
        members = new ProducerId[](holders.length);
        uint256 count = 0;
        for (uint256 i = 0; i < holders.length; ++i) {
            if (holders[i].held) members[count++] = holders[i].producerId;
        }
        assembly ("memory-safe") {
            // Shorter than it was allocated.
            mstore(members, count)
        }
    }

    function _proveExit(
        PoolId poolId,
        IPoolRegistry.Pool memory pool,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata proof
    ) private view returns (bytes32 stateRoot, Layout memory row, uint64 stateTime) {
        bytes32 key = DepositData.pubkeyRoot(pool.publicKey);
        if (proof.validator.pubkeyRoot != key) revert WrongPublicKey(key, proof.validator.pubkeyRoot);
        (stateRoot,, row) = _stateAt(LAYOUT, timestamp, state);
        BeaconProofs.verifyValidator(stateRoot, proof, row);
        if (proof.validator.exitEpoch == BeaconProofs.FAR_FUTURE_EPOCH) revert NotExiting(poolId);
        stateTime = _timestampOfSlot(state.header.slot);
    }

    function _unsettled(PoolId poolId) private view returns (Fault storage found) {
        found = _faults[poolId];
        if (found.kind == FaultKind.None || found.settled) revert NoFault(poolId);
    }
}
