// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {ISignerSlashing} from "../interfaces/ISignerSlashing.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {IVotes} from "../interfaces/IVotes.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {Epoch, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";
import {SignerSlashing} from "./SignerSlashing.sol";
import {Voters} from "./Voters.sol";

/// @title Votes on commitments
/// @dev Ballots that come before the vote is open are kept apart: whose they are opens the vote, and answers for it.
contract Votes is IVotes, EIP712, BeaconClock, Voters, SignerSlashing {
    using CommitmentContent for IStateCommitments.Content;
    using SafeCast for uint256;

    struct Roll {
        mapping(uint256 word => uint256) openers; // positions, from before the vote was open
        mapping(uint256 word => uint256) others; // positions, from then on
        mapping(uint256 word => uint256) charged; // of the openers
        mapping(uint256 position => uint256) paid; // shares
        mapping(uint256 word => uint256) shown; // shuffled indices
        mapping(uint256 auxiliary => uint256) shownCount;
    }

    bytes32 private constant VOTE_TYPEHASH = keccak256("Vote(uint256 commitmentId,bytes32 contentHash,uint8 ballot)");

    IBondEther private immutable BOND_ETHER;
    uint256 private immutable COMMITTEE_SIZE;
    uint256 private immutable FAILED_VOTE_PENALTY;
    uint64 private immutable VOTE_SECONDS;

    mapping(uint256 commitmentId => Vote) private _votes;
    mapping(uint256 commitmentId => Roll) private _rolls;

    constructor(Addresses memory addresses, Parameters memory parameters)
        EIP712("Open Pools", "1")
        BeaconClock(parameters)
        SignerSlashing(addresses)
    {
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        COMMITTEE_SIZE = parameters.committeeSize;
        FAILED_VOTE_PENALTY = parameters.failedVotePenalty;
        VOTE_SECONDS = _secondsOf(parameters.voteDuration);
    }

    /// @inheritdoc IVotes
    function cast(uint256 commitmentId, Ballot ballot, uint256[] calldata positions, G2Point calldata signature) external {
        Vote storage vote_ = _votes[commitmentId];
        IStateCommitments.Commitment memory made = COMMITMENTS.commitment(commitmentId);
        bool isOpen = vote_.state == VoteState.Open;
        if (isOpen) {
            if (block.timestamp >= vote_.deadline) revert VoteOver(vote_.deadline, uint64(block.timestamp));
            // Dropped by a fraud proof meanwhile.
            if (made.state != IStateCommitments.CommitmentState.Disputed) revert NotInWindow(commitmentId);
        } else {
            _checkWindow(commitmentId, made);
            if (ballot == Ballot.Uphold) revert VoteNotOpen(commitmentId);
            if (vote_.state == VoteState.None) _begin(vote_, made);
            else _expect(commitmentId, VoteState.Collecting);
        }
        (G1Point memory key, uint256[] memory counted) = _keysOf(vote_.period, positions);
        if (!Bls12381.verify(key, digest(commitmentId, made.contentHash, ballot), signature)) revert InvalidBallots();

        _count(vote_, ballot, _record(commitmentId, vote_.period, counted, isOpen));
        emit BallotsCast(commitmentId, ballot, counted);
        if (isOpen) {
            VoteState outcome = _decidedEarly(vote_);
            if (outcome != VoteState.Open) _close(commitmentId, vote_, outcome);
        } else if (_against(vote_) * 3 >= PERIODS.sizeAt(vote_.period)) {
            _open(commitmentId, vote_);
        }
    }

    /// @inheritdoc IVotes
    function openByAuxiliary(uint256 commitmentId, uint256[] calldata shuffledIndices) external {
        Vote storage vote_ = _expect(commitmentId, VoteState.Collecting);
        Roll storage roll = _rolls[commitmentId];
        uint256[] memory positions = PERIODS.positionsAtShuffled(vote_.period, shuffledIndices);
        (uint256 number, uint256 start, uint256 size) = PERIODS.auxiliaryOf(vote_.period, shuffledIndices[0]);
        uint256 count = roll.shownCount[number];
        for (uint256 i = 0; i < positions.length; ++i) {
            (uint256 index, uint256 position) = (shuffledIndices[i], positions[i]);
            if (index < start || index >= start + size) revert OtherAuxiliary(number, index);
            if (!_has(roll.openers, position)) revert NotAnOpener(position);
            if (_has(roll.shown, index)) continue;
            roll.shown[index / 256] |= 1 << (index % 256);
            ++count;
        }
        roll.shownCount[number] = count;
        if (count * 3 >= size * 2) _open(commitmentId, vote_);
    }

    /// @inheritdoc IVotes
    function close(uint256 commitmentId) external {
        Vote storage vote_ = _expect(commitmentId, VoteState.Open);
        bool isMoot = COMMITMENTS.commitment(commitmentId).state != IStateCommitments.CommitmentState.Disputed;
        if (!isMoot && block.timestamp < vote_.deadline) revert VoteNotOver(vote_.deadline, uint64(block.timestamp));
        if (isMoot) _end(commitmentId, vote_, VoteState.Dropped);
        else _close(commitmentId, vote_, _decidedAtDeadline(vote_));
    }

    /// @inheritdoc ISignerSlashing
    function slashSigners(uint256 commitmentId, IStateCommitments.Content calldata content, uint256 maxMembers) external {
        Vote storage vote_ = _votes[commitmentId];
        if (vote_.state != VoteState.Convicted) revert NoVerdict(commitmentId);
        content.check(COMMITMENTS.commitment(commitmentId).contentHash);
        uint256 held = BOND_ETHER.sharesOf(address(this));
        _slashSigners(commitmentId, content, maxMembers, address(this));
        vote_.rewardShares += (BOND_ETHER.sharesOf(address(this)) - held).toUint128();
    }

    /// @inheritdoc IVotes
    function chargeOpeners(uint256 commitmentId, uint256 word, uint256 maxOpeners) external {
        Vote storage vote_ = _expect(commitmentId, VoteState.Upheld);
        Roll storage roll = _rolls[commitmentId];
        uint256 rest = roll.openers[word] & ~roll.charged[word];
        uint256 charged = 0;
        for (uint256 i = 0; i < maxOpeners && rest != 0; ++i) {
            uint256 lowest = rest & (~rest + 1);
            rest ^= lowest;
            charged |= lowest;
        }
        roll.charged[word] |= charged;
        emit OpenersCharged(commitmentId, word, charged);
        for (; charged != 0; charged &= charged - 1) {
            uint256 position = word * 256 + Math.log2(charged & (~charged + 1));
            PRODUCERS.chargeBond(PERIODS.producerAt(vote_.period, uint32(position)), FAILED_VOTE_PENALTY, address(0));
        }
    }

    /// @inheritdoc IVotes
    function payOpener(uint256 commitmentId, uint256 position) external {
        Vote storage vote_ = _expect(commitmentId, VoteState.Convicted);
        Roll storage roll = _rolls[commitmentId];
        if (!_has(roll.openers, position)) revert NotAnOpener(position);
        uint256 due = vote_.rewardShares / vote_.openers;
        uint256 shares = due - roll.paid[position];
        if (shares == 0) revert NothingToPay(position);
        roll.paid[position] = due;
        ProducerId producerId = PERIODS.producerAt(vote_.period, uint32(position));
        address owner = PRODUCERS.producer(producerId).owner;
        emit OpenerPaid(commitmentId, producerId, owner, shares);
        BOND_ETHER.transferShares(owner, shares);
    }

    /// @inheritdoc IVotes
    function vote(uint256 commitmentId) external view returns (Vote memory) {
        return _votes[commitmentId];
    }

    /// @inheritdoc IVotes
    function voters(uint256 commitmentId, uint256 word) external view returns (uint256 all, uint256 openers) {
        Roll storage roll = _rolls[commitmentId];
        openers = roll.openers[word];
        all = openers | roll.others[word];
    }

    /// @inheritdoc IVotes
    function digest(uint256 commitmentId, bytes32 contentHash, Ballot ballot) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOTE_TYPEHASH, commitmentId, contentHash, ballot)));
    }

    function _begin(Vote storage vote_, IStateCommitments.Commitment memory made) private {
        uint64 period = PERIODS.periodAt(Epoch.wrap(made.epoch));
        uint256 size = PERIODS.sizeAt(period);
        vote_.state = VoteState.Collecting;
        vote_.period = period;
        vote_.eligible = uint32(size - (size / 2 < COMMITTEE_SIZE ? size / 2 : COMMITTEE_SIZE));
    }

    /// @dev Enters those of the positions that have not voted yet. Who is in the commitment committee has no vote.
    /// @return count of those entered. @custom:changes `positions` to those entered.
    function _record(uint256 commitmentId, uint64 period, uint256[] memory positions, bool isOpen)
        private
        returns (uint256 count)
    {
        Roll storage roll = _rolls[commitmentId];
        mapping(uint256 word => uint256) storage set = isOpen ? roll.others : roll.openers;
        for (uint256 word = 0; word < positions.length; ++word) {
            if (positions[word] == 0) continue;
            uint256 voted = roll.openers[word] | roll.others[word];
            uint256 fresh = positions[word] & ~voted & ~PERIODS.committeePositions(period, word);
            positions[word] = fresh;
            if (fresh == 0) continue;
            set[word] |= fresh;
            count += _countBits(fresh);
        }
    }

    function _count(Vote storage vote_, Ballot ballot, uint256 count) private {
        if (ballot == Ballot.Uphold) vote_.upheld += uint32(count);
        else if (ballot == Ballot.Wrong) vote_.wrong += uint32(count);
        else vote_.unavailable += uint32(count);
    }

    function _open(uint256 commitmentId, Vote storage vote_) private {
        uint64 deadline = uint64(block.timestamp) + VOTE_SECONDS;
        vote_.state = VoteState.Open;
        vote_.deadline = deadline;
        vote_.openers = uint32(_against(vote_));
        emit VoteOpened(commitmentId, vote_.period, deadline, vote_.openers);
        COMMITMENTS.freeze(commitmentId);
        // With few producers those who open it may be enough to decide it.
        VoteState outcome = _decidedEarly(vote_);
        if (outcome != VoteState.Open) _close(commitmentId, vote_, outcome);
    }

    function _close(uint256 commitmentId, Vote storage vote_, VoteState outcome) private {
        _end(commitmentId, vote_, outcome);
        if (outcome == VoteState.Upheld) COMMITMENTS.unfreeze(commitmentId);
        else COMMITMENTS.dropDisputed(commitmentId, outcome == VoteState.Convicted);
    }

    function _end(uint256 commitmentId, Vote storage vote_, VoteState outcome) private {
        vote_.state = outcome;
        emit VoteClosed(commitmentId, outcome, vote_.upheld, vote_.wrong, vote_.unavailable);
    }

    /// @dev By two thirds of all who may vote.
    function _decidedEarly(Vote storage vote_) private view returns (VoteState) {
        uint256 needed = uint256(vote_.eligible) * 2;
        if (uint256(vote_.wrong) * 3 >= needed) return VoteState.Convicted;
        if (uint256(vote_.upheld) * 3 >= needed) return VoteState.Upheld;
        if (uint256(vote_.unavailable) * 3 >= needed) return VoteState.Dropped;
        return VoteState.Open;
    }

    /// @dev By more than half of the ballots, if these are a third of all that may be. Conviction needs a majority of its own: ballots
    /// for another reason do not slash.
    function _decidedAtDeadline(Vote storage vote_) private view returns (VoteState) {
        uint256 all = _against(vote_) + vote_.upheld;
        if (all * 3 < vote_.eligible) return VoteState.Dropped;
        if (uint256(vote_.wrong) * 2 > all) return VoteState.Convicted;
        return uint256(vote_.upheld) * 2 > all ? VoteState.Upheld : VoteState.Dropped;
    }

    function _against(Vote storage vote_) private view returns (uint256) {
        return uint256(vote_.wrong) + vote_.unavailable;
    }

    function _checkWindow(uint256 commitmentId, IStateCommitments.Commitment memory made) private view {
        bool isPending = made.state == IStateCommitments.CommitmentState.Pending;
        if (!isPending || block.timestamp >= made.windowEnds) revert NotInWindow(commitmentId);
    }

    function _expect(uint256 commitmentId, VoteState expected) private view returns (Vote storage vote_) {
        vote_ = _votes[commitmentId];
        if (vote_.state != expected) revert WrongVoteState(commitmentId, expected, vote_.state);
    }

    function _has(mapping(uint256 word => uint256) storage set, uint256 index) private view returns (bool) {
        return (set[index / 256] >> (index % 256)) & 1 == 1;
    }
}
