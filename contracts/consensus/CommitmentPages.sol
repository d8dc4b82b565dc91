// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {PageTree} from "../libraries/PageTree.sol";
import {PoolKind} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";
import {CommitmentBook} from "./CommitmentBook.sol";

/// @title Pages of balances and points: what counts is added up here
/// @dev Pages come in their order, so that none can be left out, doubled or replaced. With the last one profits are complete, and
///      what finalization needs is taken over from the content.
abstract contract CommitmentPages is CommitmentBook, BeaconClock {
    using CommitmentContent for Content;
    using SafeCast for uint256;
    using SafeCast for int256;

    /// @inheritdoc IStateCommitments
    /// @dev 16 KB of calldata: about 660,000 gas at EIP-7623's floor.
    uint32 public constant POOLS_PER_PAGE = 2048;
    /// @inheritdoc IStateCommitments
    uint32 public constant POINTS_PER_PAGE = 4096;

    uint256 private constant BALANCE_BYTES = 8;
    uint256 private constant POINT_BYTES = 4;
    /// @dev One report lowers nobody by more than this part of the largest debt of a producer without seats.
    uint256 private constant MAX_LOSS_PART = 10;
    uint256 private constant PPM = 1_000_000;

    IStakingPool internal immutable STAKING_POOL;
    IBondEther internal immutable BOND_ETHER;
    uint64 private immutable DISPUTE_SECONDS;
    uint64 private immutable PAGES_SECONDS;
    uint32 private immutable MAX_REPORT_LOSS;
    uint256 private immutable MAX_POINTS_LOSS;

    constructor(Addresses memory addresses, Parameters memory parameters) CommitmentBook(addresses) BeaconClock(parameters) {
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        DISPUTE_SECONDS = _secondsOf(parameters.disputeDuration);
        PAGES_SECONDS = _secondsOf(parameters.pagesDeadline);
        MAX_REPORT_LOSS = parameters.maxReportLoss;
        MAX_POINTS_LOSS = parameters.maxCdtDebt / MAX_LOSS_PART;
    }

    /// @inheritdoc IStateCommitments
    function postPage(uint256 commitmentId, Content calldata content, uint32 page, bytes calldata data) external {
        Commitment storage made = _inState(commitmentId, CommitmentState.Open);
        content.check(made.contentHash);
        if (page != made.pagesPosted) revert WrongPage(made.pagesPosted, page);
        Report calldata report = content.report;
        bytes32 root = PageTree.root(data);
        if (root != report.pageRoots[page]) revert WrongPageRoot(report.pageRoots[page], root);

        uint256 stakerPages = _pagesOf(report.stakerPools, POOLS_PER_PAGE);
        uint256 poolPages = stakerPages + _pagesOf(report.bondPools, POOLS_PER_PAGE);
        if (page < stakerPages) {
            _checkLength(data, report.stakerPools, page, POOLS_PER_PAGE, BALANCE_BYTES);
            made.stakerProfit += _valueOf(data);
        } else if (page < poolPages) {
            _checkLength(data, report.bondPools, page - stakerPages, POOLS_PER_PAGE, BALANCE_BYTES);
            made.bondProfit += _valueOf(data);
        } else {
            _checkLength(data, report.producers, page - poolPages, POINTS_PER_PAGE, POINT_BYTES);
            (uint256 gained, uint256 worstLoss) = PageTree.sumInt32(data);
            if (worstLoss > MAX_POINTS_LOSS) revert LossTooLarge(MAX_POINTS_LOSS, worstLoss);
            made.positivePoints += gained.toUint128();
        }
        made.pagesPosted = page + 1;
        emit PagePosted(commitmentId, page, data);
        if (page + 1 == report.pageRoots.length) _startWindow(commitmentId, made, report, poolPages);
    }

    /// @inheritdoc IStateCommitments
    function dropOverdue(uint256 commitmentId) external {
        Commitment storage made = _inState(commitmentId, CommitmentState.Open);
        uint64 deadline = made.committedAt + PAGES_SECONDS;
        if (block.timestamp <= deadline) revert DeadlineNotPassed(deadline, uint64(block.timestamp));
        _drop(commitmentId, made, false);
    }

    /// @dev Pages that `report` has: staker pools', bond pools', points'.
    function _pageCount(Report calldata report) internal pure returns (uint256) {
        return _pagesOf(report.stakerPools, POOLS_PER_PAGE) + _pagesOf(report.bondPools, POOLS_PER_PAGE)
            + _pagesOf(report.producers, POINTS_PER_PAGE);
    }

    function _startWindow(uint256 commitmentId, Commitment storage made, Report calldata report, uint256 poolPages) private {
        uint64 timestamp = made.referenceTimestamp;
        int256 stakerProfit = made.stakerProfit + _withoutBalances(PoolKind.Staker, report.stakerArrivals, timestamp);
        int256 bondProfit = made.bondProfit + _withoutBalances(PoolKind.Bond, report.bondArrivals, timestamp);
        uint256 loss = _lossOf(PoolKind.Staker, stakerProfit) + _lossOf(PoolKind.Bond, bondProfit);
        uint64 window = DISPUTE_SECONDS;
        if (loss * PPM > BOND_ETHER.totalPooledEther() * MAX_REPORT_LOSS) window *= 2;
        uint64 windowEnds = uint64(block.timestamp) + window;

        made.state = CommitmentState.Pending;
        made.windowEnds = windowEnds;
        made.producers = report.producers;
        (made.stakerProfit, made.bondProfit) = (stakerProfit.toInt128(), bondProfit.toInt128());
        (made.stakerArrivals, made.bondArrivals) = (report.stakerArrivals.toUint128(), report.bondArrivals.toUint128());
        made.pointsHash = keccak256(abi.encodePacked(report.pageRoots[poolPages:]));
        emit CommitmentPending(commitmentId, stakerProfit, bondProfit, made.positivePoints, windowEnds);
    }

    function _withoutBalances(PoolKind kind, uint256 arrivals, uint64 timestamp) private view returns (int256) {
        return int256(arrivals) - int256(STAKING_POOL.beaconDeposits(kind, timestamp));
    }

    function _lossOf(PoolKind kind, int256 profit) private view returns (uint256) {
        int256 recognised = STAKING_POOL.recognised(kind);
        return profit < recognised ? uint256(recognised - profit) : 0;
    }

    /// @dev Wei. A page holds 2^11 balances below 2^64 gwei.
    function _valueOf(bytes calldata balances) private pure returns (int128) {
        return int128(int256(PageTree.sumUint64(balances) * 1 gwei));
    }

    /// @dev All pages of a kind but the last are full.
    function _checkLength(bytes calldata data, uint256 entries, uint256 page, uint256 perPage, uint256 entryBytes) private pure {
        uint256 rest = entries - page * perPage;
        uint256 expected = (rest < perPage ? rest : perPage) * entryBytes;
        if (data.length != expected) revert WrongPageLength(expected, data.length);
    }

    function _pagesOf(uint256 entries, uint256 perPage) private pure returns (uint256) {
        return (entries + perPage - 1) / perPage;
    }
}
