// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title The commitments, their order and their states
/// @dev Each commitment names the newest live one before it, of an earlier epoch. So walks over them are bounded by the grid of
///      epochs, however many were dropped in between.
abstract contract CommitmentBook is IStateCommitments {
    struct Head {
        uint32 count;
        uint32 dropped;
        uint32 last; // newest commitment
        uint32 next; // oldest neither finalized nor dropped; 0 stands for 1
        uint64 lastFinalizedReference; // timestamp
        uint64 lastFinalizedEpoch;
    }

    address private immutable DISPUTES;
    address private immutable VOTES;

    Head internal _head;
    int256 internal _lastFinalizedProfit;
    mapping(uint256 id => Commitment) internal _commitments;
    /// @dev Two thirds of this period's committee signed a lie: what is left of it is too few to commit anything.
    mapping(uint64 period => bool) internal _convicted;

    constructor(Addresses memory addresses) {
        DISPUTES = nonZero(addresses.disputes);
        VOTES = nonZero(addresses.votes);
    }

    modifier onlyJudges() {
        if (msg.sender != DISPUTES && msg.sender != VOTES) revert NotAJudge(msg.sender);
        _;
    }

    /// @inheritdoc IStateCommitments
    function dropDisputed(uint256 commitmentId, bool convict) external onlyJudges {
        Commitment storage made = _commitments[commitmentId];
        CommitmentState state = made.state;
        if (state != CommitmentState.Open && state != CommitmentState.Disputed) _inState(commitmentId, CommitmentState.Pending);
        // Its signers have nothing left to lose, and could sign another.
        if (convict) _convicted[_periodOf(made.epoch)] = true;
        _drop(commitmentId, made, convict);
    }

    /// @inheritdoc IStateCommitments
    function freeze(uint256 commitmentId) external onlyJudges {
        Commitment storage made = _inState(commitmentId, CommitmentState.Pending);
        if (block.timestamp >= made.windowEnds) revert WindowOver(made.windowEnds, uint64(block.timestamp));
        made.state = CommitmentState.Disputed;
        emit CommitmentFrozen(commitmentId);
    }

    /// @inheritdoc IStateCommitments
    function unfreeze(uint256 commitmentId) external onlyJudges {
        _inState(commitmentId, CommitmentState.Disputed).state = CommitmentState.Pending;
        emit CommitmentUnfrozen(commitmentId);
    }

    /// @inheritdoc IStateCommitments
    function commitment(uint256 commitmentId) external view returns (Commitment memory) {
        return _commitments[commitmentId];
    }

    /// @inheritdoc IStateCommitments
    function commitmentCount() external view returns (uint256) {
        return _head.count;
    }

    /// @inheritdoc IStateCommitments
    function history() external view returns (uint32) {
        return _head.count + _head.dropped;
    }

    /// @inheritdoc IStateCommitments
    function nextToFinalize() public view returns (uint256) {
        uint32 next = _head.next;
        return next == 0 ? 1 : next;
    }

    /// @inheritdoc IStateCommitments
    function lastFinalizedReference() external view returns (uint64) {
        return _head.lastFinalizedReference;
    }

    /// @inheritdoc IStateCommitments
    /// @dev From the newest down: epochs fall along the way, so there is at most one commitment for each of the grid's epochs since
    ///      the last finalized one, however many were dropped.
    function withdrawalsHeld() public view returns (bool) {
        uint256 next = nextToFinalize();
        int256 finalizedProfit = _lastFinalizedProfit;
        for (uint256 id = _head.last; id >= next; id = _commitments[id].previous) {
            Commitment storage made = _commitments[id];
            CommitmentState state = made.state;
            if (state == CommitmentState.Disputed) return true;
            if (state == CommitmentState.Pending && int256(made.stakerProfit) + made.bondProfit < finalizedProfit) return true;
        }
        return false;
    }

    function _periodOf(uint64 epoch) internal view virtual returns (uint64);

    function _drop(uint256 commitmentId, Commitment storage made, bool convicted) internal {
        made.state = CommitmentState.Dropped;
        ++_head.dropped;
        _advance();
        emit CommitmentDropped(commitmentId, made.epoch, convicted);
    }

    /// @dev Each commitment is passed once.
    function _advance() internal {
        uint256 next = nextToFinalize();
        while (_isDone(_commitments[next].state)) ++next;
        _head.next = uint32(next);
    }

    /// @dev Newest commitment not dropped, 0 for none. What was dropped before a commitment was made is not looked at again.
    function _newestLive() internal view returns (uint256 id) {
        id = _head.last;
        while (_commitments[id].state == CommitmentState.Dropped) id = _commitments[id].previous;
    }

    function _inState(uint256 commitmentId, CommitmentState expected) internal view returns (Commitment storage made) {
        made = _commitments[commitmentId];
        if (made.state != expected) revert WrongCommitmentState(commitmentId, expected, made.state);
    }

    function _isDone(CommitmentState state) private pure returns (bool) {
        return state == CommitmentState.Finalized || state == CommitmentState.Dropped;
    }
}
