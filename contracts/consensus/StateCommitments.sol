// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {BeaconHeader, BeaconProofs} from "../libraries/BeaconProofs.sol";
import {BeaconRoots} from "../libraries/BeaconRoots.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {PageTree} from "../libraries/PageTree.sol";
import {Epoch, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";

/// @title What the commitment committees say of the network, until it is disputed or finalized.
/// @dev Profits are kept as running sums: arrivals less deposits when committed, each posted page's balances on top. So what
///      counts is added up here, and a profit is complete when the commitment is pending.
contract StateCommitments is IStateCommitments, EIP712, BeaconClock {
    /// @inheritdoc IStateCommitments
    /// @dev 16 KB of calldata: about 660,000 gas at EIP-7623's floor.
    uint32 public constant POOLS_PER_PAGE = 2048;

    bytes32 private constant COMMITMENT_TYPEHASH = keccak256(
        "Commitment(uint64 epoch,uint64 referenceSlot,bytes32 blockRoot,uint256 stakerArrivals,uint256 bondArrivals,uint32 stakerPools,uint32 bondPools,bytes32 pagesHash)"
    );
    uint256 private constant ENTRY_BYTES = 8;
    /// @dev Slots that may be empty after an epoch's boundary; with more, the epoch is passed over.
    uint256 private constant MAX_EMPTY_SLOTS = 64;
    /// @dev Withdrawal batches finalized together with a report; anyone may go on with the queue itself.
    uint256 private constant WITHDRAWAL_STEPS = 32;
    uint256 private constant PPM = 1_000_000;

    IBlockProducers private immutable PRODUCERS;
    IPeriods private immutable PERIODS;
    IPoolRegistry private immutable REGISTRY;
    IStakingPool private immutable STAKING_POOL;
    IWithdrawalQueue private immutable QUEUE;
    IBondEther private immutable BOND_ETHER;
    address private immutable DISPUTES;
    IWindDown private immutable WIND_DOWN;
    uint64 private immutable REPORT_EPOCHS;
    uint64 private immutable DISPUTE_SECONDS;
    uint64 private immutable PAGES_SECONDS;
    uint64 private immutable FIRST_EPOCH;
    uint32 private immutable MAX_LOSS;

    /// @inheritdoc IStateCommitments
    uint256 public commitmentCount;
    /// @inheritdoc IStateCommitments
    uint256 public nextToFinalize = 1;
    /// @inheritdoc IStateCommitments
    uint64 public lastFinalizedReference;
    uint64 private _lastFinalizedEpoch;
    int256 private _lastFinalizedProfit;
    /// @dev Newest commitment, and for each the one that was newest and not dropped before it.
    uint256 private _last;
    mapping(uint256 id => uint256) private _previous;
    mapping(uint256 id => Commitment) private _commitments;
    /// @dev One bit a page.
    mapping(uint256 id => mapping(uint256 word => uint256)) private _posted;
    /// @dev Two thirds of this period's committee signed a lie: what is left of it is too few to commit anything.
    mapping(uint64 period => bool) private _convicted;

    constructor(Addresses memory addresses, Parameters memory parameters)
        EIP712("Open Pools", "1")
        BeaconClock(parameters)
    {
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        PERIODS = IPeriods(nonZero(addresses.periods));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        QUEUE = IWithdrawalQueue(nonZero(addresses.withdrawalQueue));
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        DISPUTES = nonZero(addresses.disputes);
        WIND_DOWN = IWindDown(nonZero(addresses.windDown));
        REPORT_EPOCHS = parameters.reportEpochs;
        DISPUTE_SECONDS = _secondsOf(parameters.disputeDuration);
        PAGES_SECONDS = _secondsOf(parameters.pagesDeadline);
        FIRST_EPOCH = parameters.firstPeriod;
        MAX_LOSS = parameters.maxReportLoss;
    }

    /// @inheritdoc IStateCommitments
    function commitState(
        Report calldata report,
        BeaconHeader calldata header,
        bytes calldata absent,
        G2Point calldata signature
    ) external returns (uint256 commitmentId) {
        if (WIND_DOWN.started()) revert WoundDown();
        uint256 previous = _newestLive();
        _checkEpoch(report.epoch, previous);
        _checkReference(report, header);
        uint64 timestamp = _timestampOfSlot(header.slot);
        _checkPools(report, timestamp);
        _checkArrivals(PoolKind.Staker, report.stakerArrivals);
        _checkArrivals(PoolKind.Bond, report.bondArrivals);
        uint64 period = PERIODS.periodAt(Epoch.wrap(report.epoch));
        if (_convicted[period]) revert CommitteeConvicted(period);
        bytes32 signed = digest(report);
        _checkSignature(period, absent, signed, signature);

        commitmentId = ++commitmentCount;
        _previous[commitmentId] = previous;
        _last = commitmentId;
        Commitment storage made = _commitments[commitmentId];
        _record(made, report, timestamp);
        made.period = period;
        made.absent = absent;
        _announce(commitmentId, report, signed, absent);
        if (report.pageRoots.length == 0) _startWindow(commitmentId, made);
    }

    /// @inheritdoc IStateCommitments
    function postPage(uint256 commitmentId, uint32 page, bytes calldata balances) external {
        Commitment storage made = _inState(commitmentId, CommitmentState.Open);
        uint256 pages = made.pageRoots.length;
        if (page >= pages) revert PageUnknown(commitmentId, page);
        uint256 bit = 1 << (page % 256);
        if (_posted[commitmentId][page / 256] & bit != 0) revert PageAlreadyPosted(commitmentId, page);

        uint256 stakerPages = _pagesOf(made.stakerPools);
        bool isStaker = page < stakerPages;
        uint256 length = isStaker
            ? _pageLength(made.stakerPools, page)
            : _pageLength(made.bondPools, page - stakerPages);
        if (balances.length != length) revert WrongPageLength(length, balances.length);
        bytes32 root = PageTree.root(balances);
        if (root != made.pageRoots[page]) revert WrongPageRoot(made.pageRoots[page], root);

        uint256 sum = PageTree.sumUint64(balances);
        _posted[commitmentId][page / 256] |= bit;
        // A page holds 2^11 balances below 2^64 gwei.
        int256 value = int256(sum * 1 gwei);
        if (isStaker) made.stakerProfit += value;
        else made.bondProfit += value;
        uint32 posted = ++made.pagesPosted;
        emit PagePosted(commitmentId, page, root, sum);
        if (posted == pages) _startWindow(commitmentId, made);
    }

    /// @inheritdoc IStateCommitments
    function dropOverdue(uint256 commitmentId) external {
        Commitment storage made = _inState(commitmentId, CommitmentState.Open);
        uint64 deadline = made.committedAt + PAGES_SECONDS;
        if (block.timestamp <= deadline) revert DeadlineNotPassed(deadline, uint64(block.timestamp));
        _drop(commitmentId, made);
    }

    /// @inheritdoc IStateCommitments
    function dropDisputed(uint256 commitmentId) external {
        if (msg.sender != DISPUTES) revert NotDisputes(msg.sender);
        Commitment storage made = _commitments[commitmentId];
        if (made.state != CommitmentState.Open) _inState(commitmentId, CommitmentState.Pending);
        // Its signers have nothing left to lose, and their signature could be committed again by anyone.
        _convicted[made.period] = true;
        _drop(commitmentId, made);
    }

    /// @inheritdoc IStateCommitments
    function finalizeState(uint256 commitmentId) external {
        if (commitmentId != nextToFinalize) revert NotNext(nextToFinalize, commitmentId);
        Commitment storage made = _inState(commitmentId, CommitmentState.Pending);
        uint64 windowEnds = made.windowEnds;
        if (block.timestamp < windowEnds) revert WindowOpen(windowEnds, uint64(block.timestamp));

        (uint64 epoch, int256 stakerProfit, int256 bondProfit) = (made.epoch, made.stakerProfit, made.bondProfit);
        uint64 since = lastFinalizedReference == 0 ? FIRST_EPOCH : _lastFinalizedEpoch;
        made.state = CommitmentState.Finalized;
        lastFinalizedReference = made.referenceTimestamp;
        _lastFinalizedEpoch = epoch;
        _lastFinalizedProfit = stakerProfit + bondProfit;
        _advance();

        STAKING_POOL.bookReport([made.stakerArrivals, made.bondArrivals], [stakerProfit, bondProfit], epoch - since);
        emit StateFinalized(commitmentId, epoch, BOND_ETHER.rewardsIndex());
        if (!withdrawalsHeld()) QUEUE.finalize(WITHDRAWAL_STEPS);
    }

    /// @inheritdoc IStateCommitments
    function commitment(uint256 commitmentId) external view returns (Commitment memory) {
        return _commitments[commitmentId];
    }

    /// @inheritdoc IStateCommitments
    function digest(Report calldata report) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    COMMITMENT_TYPEHASH,
                    report.epoch,
                    report.referenceSlot,
                    report.blockRoot,
                    report.stakerArrivals,
                    report.bondArrivals,
                    report.stakerPools,
                    report.bondPools,
                    keccak256(abi.encodePacked(report.pageRoots))
                )
            )
        );
    }

    /// @inheritdoc IStateCommitments
    /// @dev From the newest down: epochs fall along the way, so there is at most one commitment for each of the grid's epochs since
    ///      the last finalized one, however many were dropped.
    function withdrawalsHeld() public view returns (bool) {
        uint256 next = nextToFinalize;
        for (uint256 id = _last; id >= next; id = _previous[id]) {
            Commitment storage made = _commitments[id];
            if (made.state == CommitmentState.Pending && made.stakerProfit + made.bondProfit < _lastFinalizedProfit) {
                return true;
            }
        }
        return false;
    }

    function _checkEpoch(uint64 epoch, uint256 previous) private view {
        if (epoch % REPORT_EPOCHS != 0) revert EpochOffGrid(epoch, REPORT_EPOCHS);
        uint64 last = previous == 0 ? 0 : _commitments[previous].epoch;
        if (epoch <= last) revert EpochNotAfter(last, epoch);
        if (epoch > _currentEpoch()) revert EpochInFuture(epoch, Epoch.wrap(_currentEpoch()));
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

    function _checkPools(Report calldata report, uint64 timestamp) private view {
        _checkCount(PoolKind.Staker, report.stakerPools, timestamp);
        _checkCount(PoolKind.Bond, report.bondPools, timestamp);
        uint256 pages = _pagesOf(report.stakerPools) + _pagesOf(report.bondPools);
        if (report.pageRoots.length != pages) revert WrongPageCount(pages, report.pageRoots.length);
    }

    function _checkCount(PoolKind kind, uint32 count, uint64 timestamp) private view {
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

    function _checkSignature(uint64 period, bytes calldata absent, bytes32 signed, G2Point calldata signature)
        private
        view
    {
        (ProducerId[] memory members, G1Point memory key) = PERIODS.committee(period);
        uint256 size = members.length;
        if (absent.length != (size + 7) / 8) revert AbsentLength((size + 7) / 8, absent.length);
        uint256 signers = size;
        for (uint256 octet = 0; octet < absent.length; ++octet) {
            uint256 missing = uint8(absent[octet]);
            for (uint256 i = octet * 8; missing != 0; ++i) {
                if (missing & 1 == 1) {
                    if (i >= size) revert AbsentBeyondCommittee(size);
                    key = Bls12381.sub(key, PRODUCERS.signingKey(members[i]));
                    --signers;
                }
                missing >>= 1;
            }
        }
        uint256 needed = (2 * size + 2) / 3;
        if (signers < needed) revert TooFewSigners(needed, signers);
        if (!Bls12381.verify(key, signed, signature)) revert InvalidAggregateSignature();
    }

    function _record(Commitment storage made, Report calldata report, uint64 timestamp) private {
        made.state = CommitmentState.Open;
        made.epoch = report.epoch;
        made.referenceSlot = report.referenceSlot;
        made.referenceTimestamp = timestamp;
        made.blockRoot = report.blockRoot;
        made.committedAt = uint64(block.timestamp);
        made.stakerPools = report.stakerPools;
        made.bondPools = report.bondPools;
        made.stakerArrivals = report.stakerArrivals;
        made.bondArrivals = report.bondArrivals;
        made.stakerProfit = _withoutBalances(PoolKind.Staker, report.stakerArrivals, timestamp);
        made.bondProfit = _withoutBalances(PoolKind.Bond, report.bondArrivals, timestamp);
        made.pageRoots = report.pageRoots;
    }

    function _announce(uint256 commitmentId, Report calldata report, bytes32 signed, bytes calldata absent) private {
        emit StateCommitted(commitmentId, report.epoch, report.referenceSlot, report.blockRoot, signed, absent);
    }

    function _withoutBalances(PoolKind kind, uint256 arrivals, uint64 timestamp) private view returns (int256) {
        return int256(arrivals) - int256(STAKING_POOL.beaconDeposits(kind, timestamp));
    }

    function _startWindow(uint256 commitmentId, Commitment storage made) private {
        (int256 stakerProfit, int256 bondProfit) = (made.stakerProfit, made.bondProfit);
        uint256 loss = _lossOf(PoolKind.Staker, stakerProfit) + _lossOf(PoolKind.Bond, bondProfit);
        uint64 window = DISPUTE_SECONDS;
        if (loss * PPM > BOND_ETHER.totalPooledEther() * MAX_LOSS) window *= 2;
        uint64 windowEnds = uint64(block.timestamp) + window;
        made.state = CommitmentState.Pending;
        made.windowEnds = windowEnds;
        emit CommitmentPending(commitmentId, stakerProfit, bondProfit, windowEnds);
    }

    function _lossOf(PoolKind kind, int256 profit) private view returns (uint256) {
        int256 recognised = STAKING_POOL.recognised(kind);
        return profit < recognised ? uint256(recognised - profit) : 0;
    }

    function _drop(uint256 commitmentId, Commitment storage made) private {
        made.state = CommitmentState.Dropped;
        _advance();
        emit CommitmentDropped(commitmentId, made.epoch);
    }

    /// @dev Each commitment is passed once.
    function _advance() private {
        uint256 next = nextToFinalize;
        while (_isDone(_commitments[next].state)) ++next;
        nextToFinalize = next;
    }

    function _isDone(CommitmentState state) private pure returns (bool) {
        return state == CommitmentState.Finalized || state == CommitmentState.Dropped;
    }

    /// @dev Newest commitment not dropped, 0 for none. What was dropped before a commitment was made is not looked at again.
    function _newestLive() private view returns (uint256 id) {
        id = _last;
        while (_commitments[id].state == CommitmentState.Dropped) id = _previous[id];
    }

    function _inState(uint256 commitmentId, CommitmentState expected) private view returns (Commitment storage made) {
        made = _commitments[commitmentId];
        if (made.state != expected) revert WrongCommitmentState(commitmentId, expected, made.state);
    }

    function _pagesOf(uint32 pools) private pure returns (uint256) {
        return (uint256(pools) + POOLS_PER_PAGE - 1) / POOLS_PER_PAGE;
    }

    /// @dev Bytes of a kind's page: all but the last are full.
    function _pageLength(uint32 pools, uint256 page) private pure returns (uint256) {
        uint256 rest = pools - page * POOLS_PER_PAGE;
        return (rest < POOLS_PER_PAGE ? rest : POOLS_PER_PAGE) * ENTRY_BYTES;
    }
}
