// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {BeaconHeader, BeaconProofs} from "../libraries/BeaconProofs.sol";
import {BeaconRoots} from "../libraries/BeaconRoots.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {Epoch, PoolKind} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {CommitmentPages} from "./CommitmentPages.sol";

/// @title What the commitment committees say of the network, until it is disputed or finalized.
contract StateCommitments is CommitmentPages, EIP712 {
    using CommitmentContent for Content;

    bytes32 private constant COMMITMENT_TYPEHASH = keccak256(
        "Commitment(uint64 epoch,uint64 referenceSlot,bytes32 blockRoot,uint64 executionBlock,uint32 history,uint256 stakerArrivals,uint256 bondArrivals,uint32 stakerPools,uint32 bondPools,uint32 producers,bytes32 certificatesHash,bytes32 summariesRoot,bytes32 pagesHash)"
    );
    /// @dev Slots that may be empty after an epoch's boundary; with more, the epoch is passed over.
    uint256 private constant MAX_EMPTY_SLOTS = 64;
    /// @dev Withdrawal batches finalized together with a report; anyone may go on with the queue itself.
    uint256 private constant WITHDRAWAL_STEPS = 32;

    IBlockProducers private immutable PRODUCERS;
    IPeriods private immutable PERIODS;
    IPoolRegistry private immutable REGISTRY;
    IWithdrawalQueue private immutable QUEUE;
    IRewards private immutable REWARDS;
    IWindDown private immutable WIND_DOWN;
    uint64 private immutable REPORT_EPOCHS;
    uint64 private immutable FIRST_EPOCH;

    constructor(Addresses memory addresses, Parameters memory parameters)
        EIP712("Open Pools", "1")
        CommitmentPages(addresses, parameters)
    {
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        PERIODS = IPeriods(nonZero(addresses.periods));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        QUEUE = IWithdrawalQueue(nonZero(addresses.withdrawalQueue));
        REWARDS = IRewards(nonZero(addresses.rewards));
        WIND_DOWN = IWindDown(nonZero(addresses.windDown));
        REPORT_EPOCHS = parameters.reportEpochs;
        FIRST_EPOCH = parameters.firstPeriod;
    }

    /// @inheritdoc IStateCommitments
    function commitState(
        Report calldata report,
        BeaconHeader calldata header,
        bytes calldata absent,
        G1Point[] calldata absentKeys,
        G2Point calldata signature
    ) external returns (uint256 commitmentId) {
        if (WIND_DOWN.started()) revert WoundDown();
        uint256 previous = _newestLive();
        _checkEpoch(report, previous);
        _checkReference(report, header);
        uint64 timestamp = _timestampOfSlot(header.slot);
        _checkCounts(report, timestamp);
        _checkArrivals(PoolKind.Staker, report.stakerArrivals);
        _checkArrivals(PoolKind.Bond, report.bondArrivals);
        bytes32 signed = digest(report);
        _checkSignature(report.epoch, absent, absentKeys, signed, signature);
        return _open(report, absent, timestamp, previous, signed);
    }

    /// @inheritdoc IStateCommitments
    function finalizeState(uint256 commitmentId) external {
        if (commitmentId != nextToFinalize()) revert NotNext(nextToFinalize(), commitmentId);
        Commitment storage stored = _inState(commitmentId, CommitmentState.Pending);
        Commitment memory made = stored;
        if (block.timestamp < made.windowEnds) revert WindowOpen(made.windowEnds, uint64(block.timestamp));

        uint64 since = _head.lastFinalizedReference == 0 ? FIRST_EPOCH : _head.lastFinalizedEpoch;
        stored.state = CommitmentState.Finalized;
        _head.lastFinalizedReference = made.referenceTimestamp;
        _head.lastFinalizedEpoch = made.epoch;
        _lastFinalizedProfit = int256(made.stakerProfit) + made.bondProfit;
        _advance();

        STAKING_POOL.bookReport(
            [uint256(made.stakerArrivals), made.bondArrivals], [int256(made.stakerProfit), made.bondProfit], made.epoch - since
        );
        REWARDS.bookReport(
            commitmentId, made.referenceTimestamp, made.epoch - since, made.producers, made.positivePoints, made.pointsHash
        );
        emit StateFinalized(commitmentId, made.epoch, BOND_ETHER.rewardsIndex());
        if (!withdrawalsHeld()) QUEUE.finalize(WITHDRAWAL_STEPS);
    }

    /// @inheritdoc IStateCommitments
    function digest(Report calldata report) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                bytes.concat(
                    abi.encode(
                        COMMITMENT_TYPEHASH,
                        report.epoch,
                        report.referenceSlot,
                        report.blockRoot,
                        report.executionBlock,
                        report.history,
                        report.stakerArrivals
                    ),
                    abi.encode(
                        report.bondArrivals,
                        report.stakerPools,
                        report.bondPools,
                        report.producers,
                        report.certificatesHash,
                        report.summariesRoot,
                        keccak256(abi.encodePacked(report.pageRoots))
                    )
                )
            )
        );
    }

    function _periodOf(uint64 epoch) internal view override returns (uint64) {
        return PERIODS.periodAt(Epoch.wrap(epoch));
    }

    function _open(Report calldata report, bytes calldata absent, uint64 timestamp, uint256 previous, bytes32 signed)
        private
        returns (uint256 commitmentId)
    {
        Content memory content = Content(report, BeaconRoots.blockHashAt(report.executionBlock), absent);
        commitmentId = ++_head.count;
        _head.last = uint32(commitmentId);
        Commitment storage made = _commitments[commitmentId];
        made.state = CommitmentState.Open;
        made.epoch = report.epoch;
        made.referenceTimestamp = timestamp;
        made.committedAt = uint64(block.timestamp);
        made.previous = uint32(previous);
        made.contentHash = CommitmentContent.hashOf(content);
        emit StateCommitted(commitmentId, report.epoch, signed, content);
    }

    function _checkEpoch(Report calldata report, uint256 previous) private view {
        uint64 epoch = report.epoch;
        if (epoch % REPORT_EPOCHS != 0) revert EpochOffGrid(epoch, REPORT_EPOCHS);
        uint64 last = previous == 0 ? 0 : _commitments[previous].epoch;
        if (epoch <= last) revert EpochNotAfter(last, epoch);
        if (epoch > _currentEpoch()) revert EpochInFuture(epoch, Epoch.wrap(_currentEpoch()));
        uint32 before = _head.count + _head.dropped;
        if (report.history != before) revert WrongHistory(before, report.history);
    }

    /// @dev The root after the boundary is that of the last block at or before it, so the header's slot is at most the boundary's.
    function _checkReference(Report calldata report, BeaconHeader calldata header) private view {
        uint64 boundary = _timestampOfSlot(report.epoch * SLOTS_PER_EPOCH);
        (bytes32 root,) = BeaconRoots.firstRootAfter(boundary, SECONDS_PER_SLOT, MAX_EMPTY_SLOTS);
        if (root != report.blockRoot) revert WrongReference(root, report.blockRoot);
        bytes32 headerRoot = BeaconProofs.headerRoot(header);
        if (headerRoot != root) revert WrongReference(root, headerRoot);
        if (header.slot != report.referenceSlot) revert WrongReferenceSlot(header.slot, report.referenceSlot);
    }

    function _checkCounts(Report calldata report, uint64 timestamp) private view {
        _checkPools(PoolKind.Staker, report.stakerPools, timestamp);
        _checkPools(PoolKind.Bond, report.bondPools, timestamp);
        uint32 registered = PRODUCERS.countAt(timestamp);
        if (report.producers != registered) revert WrongProducerCount(registered, report.producers);
        uint256 pages = _pageCount(report);
        if (report.pageRoots.length != pages) revert WrongPageCount(pages, report.pageRoots.length);
    }

    function _checkPools(PoolKind kind, uint32 count, uint64 timestamp) private view {
        uint32 registered = REGISTRY.registeredCountAt(kind, timestamp);
        if (count != registered) revert WrongPoolCount(kind, registered, count);
    }

    /// @dev What the vault has and ever had now is no less than at the reference; what was collected came with reports of
    ///      earlier references.
    function _checkArrivals(PoolKind kind, uint256 arrivals) private view {
        uint256 collected = STAKING_POOL.collected(kind);
        if (arrivals < collected) revert ArrivalsBelowCollected(kind, collected, arrivals);
        uint256 most = STAKING_POOL.withdrawalVault(kind).balance + collected;
        if (arrivals > most) revert ArrivalsAboveReal(kind, most, arrivals);
    }

    function _checkSignature(
        uint64 epoch,
        bytes calldata absent,
        G1Point[] calldata absentKeys,
        bytes32 signed,
        G2Point calldata signature
    ) private view {
        uint64 period = _periodOf(epoch);
        if (_convicted[period]) revert CommitteeConvicted(period);
        (uint256 size, uint256 signers, G1Point memory key) = PERIODS.committeeWithout(period, absent, absentKeys);
        uint256 needed = (2 * size + 2) / 3;
        if (signers < needed) revert TooFewSigners(needed, signers);
        if (!Bls12381.verify(key, signed, signature)) revert InvalidAggregateSignature();
    }
}
