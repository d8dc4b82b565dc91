// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point, G2Point} from "../libraries/Bls12381.sol";
import {BeaconHeader} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolKind, Slot} from "../types/Ids.sol";

/// @title What the commitment committees say of the network, until it is disputed or finalized.
/// @dev Reference of epoch e = the block at or before its first slot. Several commitments may be pending; they are finalized in order.
///      A commitment is kept by the hash of its content; whoever acts on it brings the content, which `StateCommitted` tells.
interface IStateCommitments {
    /// @dev Open → Pending with its last page; Pending ⇄ Disputed by a vote; Pending → Finalized; all but these → Dropped.
    enum CommitmentState {
        None,
        Open, // pages missing
        Pending, // in its dispute window, or waiting for the ones before it
        Disputed, // a vote on it is open
        Finalized,
        Dropped
    }

    /// @notice What the committee signs, as EIP-712 struct
    ///         Commitment(uint64 epoch,uint64 referenceSlot,bytes32 blockRoot,uint64 executionBlock,uint32 history,uint256 stakerArrivals,uint256 bondArrivals,uint32 stakerPools,uint32 bondPools,uint32 producers,bytes32 certificatesHash,bytes32 summariesRoot,bytes32 pagesHash).
    struct Report {
        uint64 epoch;
        uint64 referenceSlot;
        bytes32 blockRoot; // beacon block root of the reference
        uint64 executionBlock; // number of the reference's execution block: the one whose timestamp is the reference slot's
        uint32 history; // commitments made and dropped before this one: which epochs' points are in it follows from them
        uint256 stakerArrivals; // wei, cumulative: vault's balance + everything collected, at the reference
        uint256 bondArrivals;
        uint32 stakerPools; // registered at the reference
        uint32 bondPools;
        uint32 producers; // registered at the reference
        bytes32 certificatesHash; // of the published set of duty certificates
        bytes32 summariesRoot; // of the execution summaries
        bytes32[] pageRoots; // staker pools', bond pools', then points'; pagesHash = keccak256(abi.encodePacked(pageRoots))
    }

    /// @notice Everything that stands behind a commitment. Its hash is keccak256(abi.encode(content)).
    struct Content {
        Report report;
        bytes32 executionHash; // of block `executionBlock`, by EIP-2935 when committed
        bytes absent; // bitfield over the committee (bit i of byte i / 8, from the least): who did not sign
    }

    /// @dev What only matters later is zero before.
    struct Commitment {
        CommitmentState state;
        uint64 epoch;
        uint64 referenceTimestamp; // of the reference slot
        uint64 committedAt; // timestamp
        uint32 previous; // the newest commitment not dropped when this one was made; 0 for none
        bytes32 contentHash;
        uint64 windowEnds; // timestamp, once pending
        uint32 pagesPosted;
        uint32 producers; // once pending
        uint128 positivePoints; // Σ of the positive point deltas posted
        int128 stakerProfit; // wei; P once pending, until then the sum of the balances posted
        int128 bondProfit;
        uint128 stakerArrivals; // once pending
        uint128 bondArrivals;
        bytes32 pointsHash; // keccak256 of the points' page roots, once pending
    }

    event StateCommitted(uint256 indexed commitmentId, uint64 indexed epoch, bytes32 digest, Content content);
    /// @notice Page `page` of a commitment, all of it: balances or point deltas.
    event PagePosted(uint256 indexed commitmentId, uint32 indexed page, bytes data);
    event CommitmentPending(uint256 indexed commitmentId, int256 stakerProfit, int256 bondProfit, uint256 positivePoints, uint64 windowEnds);
    /// @notice A vote on it is open: neither it nor what comes after is finalized, and no withdrawal is.
    event CommitmentFrozen(uint256 indexed commitmentId);
    /// @notice A vote found nothing wrong with it.
    event CommitmentUnfrozen(uint256 indexed commitmentId);
    /// @param convicted whether it was found a lie: its committee makes no others.
    event CommitmentDropped(uint256 indexed commitmentId, uint64 indexed epoch, bool convicted);
    event StateFinalized(uint256 indexed commitmentId, uint64 indexed epoch, uint256 index);

    /// @notice The network is wound down.
    error WoundDown();
    error EpochOffGrid(uint64 epoch, uint64 reportEpochs);
    error EpochNotAfter(uint64 last, uint64 actual);
    error EpochInFuture(uint64 epoch, Epoch now_);
    /// @notice A commitment was made or dropped since this report was signed.
    error WrongHistory(uint32 expected, uint32 actual);
    error WrongReference(bytes32 expected, bytes32 actual);
    error WrongReferenceSlot(uint64 expected, uint64 actual);
    error WrongPoolCount(PoolKind kind, uint32 expected, uint32 actual);
    error WrongProducerCount(uint32 expected, uint32 actual);
    error WrongPageCount(uint256 expected, uint256 actual);
    error ArrivalsAboveReal(PoolKind kind, uint256 most, uint256 actual);
    /// @notice Reports with earlier references collected more than this one says ever arrived.
    error ArrivalsBelowCollected(PoolKind kind, uint256 least, uint256 actual);
    /// @notice A commitment of this period's committee was found a lie: it makes no others.
    error CommitteeConvicted(uint64 period);
    error TooFewSigners(uint256 needed, uint256 actual);
    error InvalidAggregateSignature();
    error WrongCommitmentState(uint256 commitmentId, CommitmentState expected, CommitmentState actual);
    error WrongContent(bytes32 expected, bytes32 actual);
    /// @notice Pages are posted in their order.
    error WrongPage(uint32 expected, uint32 actual);
    error WrongPageLength(uint256 expected, uint256 actual);
    error WrongPageRoot(bytes32 expected, bytes32 actual);
    /// @notice A page of points takes more from somebody than a tenth of the largest debt.
    error LossTooLarge(uint256 most, uint256 actual);
    error DeadlineNotPassed(uint64 deadline, uint64 now_);
    error WindowOpen(uint64 windowEnds, uint64 now_);
    error WindowOver(uint64 windowEnds, uint64 now_);
    error NotNext(uint256 expectedCommitmentId, uint256 actual);
    error NotAJudge(address caller);

    /// @notice Opens a commitment signed by at least ⌈2/3⌉ of the committee of the period that contains the reference epoch. Anyone.
    /// @param header of the reference block; its root must be `report.blockRoot`, and the EIP-4788 value right after the epoch's boundary.
    /// @param absent bitfield over the committee (bit i of byte i / 8, from the least), ⌈size / 8⌉ bytes; slashed members struck from the
    ///        committee are absent.
    /// @param absentKeys signing keys of the absent members that are not struck, in order of the committee.
    function commitState(
        Report calldata report,
        BeaconHeader calldata header,
        bytes calldata absent,
        G1Point[] calldata absentKeys,
        G2Point calldata signature
    ) external returns (uint256 commitmentId);

    /// @notice Posts the next page. Anyone. Pools' pages hold balances in gwei, 8 bytes big-endian each, in order of registration; points'
    ///         pages one signed delta of 4 bytes for each producer, in order of their ids.
    function postPage(uint256 commitmentId, Content calldata content, uint32 page, bytes calldata data) external;

    /// @notice Drops a commitment whose pages did not come in time; its epoch is free again. Anyone.
    function dropOverdue(uint256 commitmentId) external;

    /// @notice Drops a commitment that was disproven or voted down; `convict` when it was found a lie. Judges only.
    function dropDisputed(uint256 commitmentId, bool convict) external;

    /// @notice Pending, its window not over → Disputed. Judges only.
    function freeze(uint256 commitmentId) external;

    /// @notice Disputed → Pending; its window ends when it did. Judges only.
    function unfreeze(uint256 commitmentId) external;

    /// @notice After the window: books the oldest pending commitment, moves the index, fixes the worth of its points, finalizes
    ///         withdrawals. Anyone.
    function finalizeState(uint256 commitmentId) external;

    /// @notice Number of pools a page holds; all but the last of a kind are full.
    function POOLS_PER_PAGE() external view returns (uint32);

    /// @notice Number of point deltas a page holds; all but the last are full.
    function POINTS_PER_PAGE() external view returns (uint32);

    function commitment(uint256 commitmentId) external view returns (Commitment memory);

    function commitmentCount() external view returns (uint256);

    /// @notice Commitments made and dropped so far: what the next report has to name.
    function history() external view returns (uint32);

    /// @notice Oldest commitment neither finalized nor dropped, or one past the last.
    function nextToFinalize() external view returns (uint256);

    /// @notice Reference timestamp of the last finalized commitment (0 before the first).
    function lastFinalizedReference() external view returns (uint64);

    /// @notice EIP-712 digest that the committee's signing keys sign.
    function digest(Report calldata report) external view returns (bytes32);

    /// @notice Whether withdrawals must wait: a commitment is disputed, or a pending one shows a lower profit than the last finalized one.
    function withdrawalsHeld() external view returns (bool);
}
