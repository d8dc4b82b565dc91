// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G2Point} from "../libraries/Bls12381.sol";
import {BeaconHeader} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolKind, Slot} from "../types/Ids.sol";

/// @title What the commitment committees say of the network, until it is disputed or finalized.
/// @dev Reference of epoch e = the block at or before its first slot. Several commitments may be pending; they are finalized in order.
interface IStateCommitments {
    enum CommitmentState {
        None,
        Open, // pages missing
        Pending, // in its dispute window
        Finalized,
        Dropped
    }

    /// @notice What the committee signs, as EIP-712 struct
    ///         Commitment(uint64 epoch,uint64 referenceSlot,bytes32 blockRoot,uint256 stakerArrivals,uint256 bondArrivals,uint32 stakerPools,uint32 bondPools,bytes32 pagesHash).
    struct Report {
        uint64 epoch;
        uint64 referenceSlot;
        bytes32 blockRoot; // beacon block root of the reference
        uint256 stakerArrivals; // wei, cumulative: vault's balance + everything collected, at the reference
        uint256 bondArrivals;
        uint32 stakerPools; // registered at the reference
        uint32 bondPools;
        bytes32[] pageRoots; // staker pages, then bond pages; pagesHash = keccak256(abi.encodePacked(pageRoots))
    }

    struct Commitment {
        CommitmentState state;
        uint64 epoch;
        uint64 referenceSlot;
        uint64 referenceTimestamp;
        bytes32 blockRoot;
        uint64 period;
        uint64 committedAt; // timestamp
        uint64 windowEnds; // timestamp, once pending
        uint32 stakerPools;
        uint32 bondPools;
        uint32 pagesPosted;
        uint256 stakerArrivals;
        uint256 bondArrivals;
        int256 stakerProfit; // P, once pending
        int256 bondProfit;
        bytes32[] pageRoots;
        bytes absent; // bitfield over the committee
    }

    event StateCommitted(uint256 indexed commitmentId, uint64 indexed epoch, uint64 referenceSlot, bytes32 blockRoot, bytes32 digest, bytes absent);
    event PagePosted(uint256 indexed commitmentId, uint32 indexed page, bytes32 root, uint256 sum);
    event CommitmentPending(uint256 indexed commitmentId, int256 stakerProfit, int256 bondProfit, uint64 windowEnds);
    event CommitmentDropped(uint256 indexed commitmentId, uint64 indexed epoch);
    event StateFinalized(uint256 indexed commitmentId, uint64 indexed epoch, uint256 index);

    /// @notice The network is wound down.
    error WoundDown();
    error EpochOffGrid(uint64 epoch, uint64 reportEpochs);
    error EpochNotAfter(uint64 last, uint64 actual);
    error EpochInFuture(uint64 epoch, Epoch now_);
    error WrongReference(bytes32 expected, bytes32 actual);
    error WrongReferenceSlot(uint64 expected, uint64 actual);
    error WrongPoolCount(PoolKind kind, uint32 expected, uint32 actual);
    error WrongPageCount(uint256 expected, uint256 actual);
    error ArrivalsAboveReal(PoolKind kind, uint256 most, uint256 actual);
    /// @notice Reports with earlier references collected more than this one says ever arrived.
    error ArrivalsBelowCollected(PoolKind kind, uint256 least, uint256 actual);
    /// @notice A commitment of this period's committee was disproven: it makes no others.
    error CommitteeConvicted(uint64 period);
    error TooFewSigners(uint256 needed, uint256 actual);
    error AbsentLength(uint256 expected, uint256 actual);
    error AbsentBeyondCommittee(uint256 size);
    error InvalidAggregateSignature();
    error WrongCommitmentState(uint256 commitmentId, CommitmentState expected, CommitmentState actual);
    error PageUnknown(uint256 commitmentId, uint32 page);
    error PageAlreadyPosted(uint256 commitmentId, uint32 page);
    error WrongPageLength(uint256 expected, uint256 actual);
    error WrongPageRoot(bytes32 expected, bytes32 actual);
    error DeadlineNotPassed(uint64 deadline, uint64 now_);
    error WindowOpen(uint64 windowEnds, uint64 now_);
    error NotNext(uint256 expectedCommitmentId, uint256 actual);
    error NotDisputes(address caller);

    /// @notice Opens a commitment signed by at least ⌈2/3⌉ of the committee of the period that contains the reference epoch. Anyone.
    /// @param header of the reference block; its root must be `report.blockRoot`, and the EIP-4788 value right after the epoch's boundary.
    /// @param absent bitfield over the committee (bit i of byte i / 8, from the least), ⌈size / 8⌉ bytes.
    function commitState(Report calldata report, BeaconHeader calldata header, bytes calldata absent, G2Point calldata signature)
        external
        returns (uint256 commitmentId);

    /// @notice Posts one page: balances in gwei, 8 bytes big-endian each, in order of registration. Anyone.
    function postPage(uint256 commitmentId, uint32 page, bytes calldata balances) external;

    /// @notice Drops a commitment whose pages did not come in time; its epoch is free again. Anyone.
    function dropOverdue(uint256 commitmentId) external;

    /// @notice Drops a commitment proven wrong. Disputes only.
    function dropDisputed(uint256 commitmentId) external;

    /// @notice After the window: books the oldest pending commitment, moves the index, finalizes withdrawals. Anyone.
    function finalizeState(uint256 commitmentId) external;

    /// @notice Number of pools a page holds; all but the last of a kind are full.
    function POOLS_PER_PAGE() external view returns (uint32);

    function commitment(uint256 commitmentId) external view returns (Commitment memory);

    function commitmentCount() external view returns (uint256);

    /// @notice Oldest commitment neither finalized nor dropped, or one past the last.
    function nextToFinalize() external view returns (uint256);

    /// @notice Reference timestamp of the last finalized commitment (0 before the first).
    function lastFinalizedReference() external view returns (uint64);

    /// @notice EIP-712 digest that the committee's signing keys sign.
    function digest(Report calldata report) external view returns (bytes32);

    /// @notice Whether withdrawals must wait: a pending commitment shows a lower profit than the last finalized one.
    function withdrawalsHeld() external view returns (bool);
}
