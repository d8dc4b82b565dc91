// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStateCommitments} from "../../../contracts/interfaces/IStateCommitments.sol";
import {IVotes} from "../../../contracts/interfaces/IVotes.sol";
import {Epoch, ProducerId} from "../../../contracts/types/Ids.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Handovers} from "./Handovers.sol";
import {VM} from "./Vm.sol";

/// @title Votes on commitments, by any set of producers, right or wrong
abstract contract Ballots is Handovers {
    function castBallots(uint256 who, uint256 seed) external action {
        uint256 id = commitments.nextToFinalize();
        IStateCommitments.Commitment memory made = commitments.commitment(id);
        bool isOpen = made.state == IStateCommitments.CommitmentState.Disputed;
        if (windDown.started() || (!isOpen && made.state != IStateCommitments.CommitmentState.Pending)) return;
        // Who convicts an honest committee has captured the vote: few do.
        uint256 against = _isLie(id) || (seed >> 88) % 8 == 0 ? 1 : 2;
        uint256 ballot = isOpen && seed % 3 > 0 ? 0 : against;
        uint64 period = periods.periodAt(Epoch.wrap(made.epoch));
        uint256 size = periods.sizeAt(period);
        // A quarter or a half of them; of an open vote more.
        uint256 bits = seed >> 8;
        if (isOpen) bits |= seed >> 40;
        else if ((seed >> 4) % 2 == 1) bits &= seed >> 40;
        bits &= (1 << size) - 1;
        if (bits == 0) return;
        uint256[] memory before = fortunes();
        if ((seed >> 72) % 4 == 0) {
            (bool isForged,) = _cast(who, id, ballot, bits, _secretAt(period, bits & (bits - 1)));
            if (isForged) _break("a ballot counted that nobody signed");
        }
        (bool ok,) = _cast(who, id, ballot, bits, _secretAt(period, bits));
        if (ok) ++done["cast ballots"];
        if (ok && commitments.commitment(id).state == IStateCommitments.CommitmentState.Dropped) ++done["vote down"];
        if ((seed >> 80) % 2 == 0) _openByAuxiliary(who, id);
        if (_book(before) > 1 gwei) _break("a vote made somebody richer than others became poorer");
    }

    /// @dev By two thirds of an auxiliary committee, in as many calls as there are of them.
    function openByAuxiliary(uint256 who) external action {
        if (windDown.started()) return;
        _openByAuxiliary(who, commitments.nextToFinalize());
    }

    function _openByAuxiliary(uint256 who, uint256 id) private {
        if (votes.vote(id).state != IVotes.VoteState.Collecting) return;
        uint64 period = votes.vote(id).period;
        uint256 size = periods.sizeAt(period);
        for (uint256 index = 0; index < size; ++index) {
            uint256[] memory one = new uint256[](1);
            one[0] = index;
            bytes memory data = abi.encodeCall(votes.openByAuxiliary, (id, one));
            _may("show an opener", _anyone(who), address(votes), 0, data);
        }
        if (votes.vote(id).state != IVotes.VoteState.Collecting) ++done["open by auxiliary"];
    }

    /// @dev At its deadline.
    function closeVote(uint256 who) external action {
        if (windDown.started()) return;
        _closeVote(who, commitments.nextToFinalize());
    }

    /// @dev Whoever opened a vote that failed pays, once.
    function chargeOpeners(uint256 who, uint256 which) external action {
        if (windDown.started()) return;
        uint256 id = _votedOn(which, IVotes.VoteState.Upheld);
        if (id == 0) return;
        uint256[] memory before = fortunes();
        bytes memory data = abi.encodeCall(votes.chargeOpeners, (id, 0, 1 + which % 8));
        _must("charge openers", _anyone(who), address(votes), 0, data);
        if (_book(before) > 1 gwei) _break("a failed vote made somebody richer");
    }

    /// @dev A commitment whose vote came to this, searched from a place of chance; 0 for none.
    function _votedOn(uint256 seed, IVotes.VoteState state) internal view returns (uint256) {
        uint256 count = commitments.commitmentCount();
        for (uint256 i = 0; i < count; ++i) {
            uint256 id = (seed % count + i) % count + 1;
            if (votes.vote(id).state == state) return id;
        }
        return 0;
    }

    function _closeVote(uint256 who, uint256 id) internal {
        IVotes.Vote memory vote = votes.vote(id);
        if (vote.state != IVotes.VoteState.Open) return;
        if (block.timestamp < vote.deadline) VM.warp(vote.deadline);
        _must("close vote", _anyone(who), address(votes), 0, abi.encodeCall(votes.close, (id)));
    }

    function _isLie(uint256 id) internal view virtual returns (bool);

    function _cast(uint256 who, uint256 id, uint256 ballot, uint256 bits, uint256 secret) private returns (bool ok, bytes memory answer) {
        uint256[] memory positions = new uint256[](1);
        positions[0] = bits;
        bytes32 digest = votes.digest(id, commitments.commitment(id).contentHash, IVotes.Ballot(ballot));
        bytes memory data = abi.encodeCall(votes.cast, (id, IVotes.Ballot(ballot), positions, BlsKeys.sign(secret, digest)));
        return _as(_anyone(who), address(votes), 0, data);
    }

    /// @dev The sum of the secret keys at these positions.
    function _secretAt(uint64 period, uint256 bits) private view returns (uint256 sum) {
        for (uint32 position = 0; bits >> position != 0; ++position) {
            if ((bits >> position) & 1 == 0) continue;
            sum = addmod(sum, _secretOf(ProducerId.unwrap(periods.producerAt(period, position))), BlsKeys.ORDER);
        }
    }
}
