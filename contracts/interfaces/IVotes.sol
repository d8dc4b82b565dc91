// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G2Point} from "../libraries/Bls12381.sol";
import {ProducerId} from "../types/Ids.sol";
import {ISignerSlashing} from "./ISignerSlashing.sol";

/// @title Votes on commitments, for what only block producers can see.
/// @dev Who may vote on a commitment: the list of the period of its epoch, less its commitment committee, less whoever was slashed,
///      leaves or fell below an effective stake by then. Producers are named by their positions in that list: bit i of word w is
///      position 256·w + i. Votes come as aggregates; one that counts already may be among them, it counts once: the first that came.
interface IVotes is ISignerSlashing {
    enum Ballot {
        Uphold,
        Wrong, // drop it, and slash out its signers
        Unavailable // drop it: its certificates can't be had
    }

    /// @dev None → Collecting → Open → one of the others. One vote for each commitment, ever.
    enum VoteState {
        None,
        Collecting, // ballots against the commitment, not enough to open a vote
        Open, // the commitment is frozen
        Upheld, // the commitment goes on; whoever opened the vote pays
        Dropped, // nobody pays
        Convicted // the commitment was a lie; whoever opened the vote is paid
    }

    struct Vote {
        VoteState state;
        uint64 period; // whose list votes
        uint64 deadline; // timestamp, once open
        uint32 eligible; // positions that may vote
        uint32 upheld; // ballots that count, of each kind
        uint32 wrong;
        uint32 unavailable;
        uint32 openers; // whose ballots counted when it opened
        uint128 rewardShares; // bETH shares for the openers, so far
    }

    /// @notice These positions' ballots count from now on.
    event BallotsCast(uint256 indexed commitmentId, Ballot indexed ballot, uint256[] positions);
    event VoteOpened(uint256 indexed commitmentId, uint64 indexed period, uint64 deadline, uint32 openers);
    event VoteClosed(uint256 indexed commitmentId, VoteState outcome, uint32 upheld, uint32 wrong, uint32 unavailable);
    /// @notice The openers among these positions (bit i: position 256·word + i) have paid for a vote that failed.
    event OpenersCharged(uint256 indexed commitmentId, uint256 word, uint256 positions);
    event OpenerPaid(uint256 indexed commitmentId, ProducerId indexed producerId, address indexed owner, uint256 shares);

    error WrongVoteState(uint256 commitmentId, VoteState expected, VoteState actual);
    /// @notice Only a commitment whose window is open can be voted down.
    error NotInWindow(uint256 commitmentId);
    /// @notice Until a vote is open only ballots against the commitment count.
    error VoteNotOpen(uint256 commitmentId);
    error VoteOver(uint64 deadline, uint64 now_);
    error VoteNotOver(uint64 deadline, uint64 now_);
    error InvalidBallots();
    error NotAnOpener(uint256 position);
    /// @notice A place of the shuffled list that is not in the auxiliary committee of the first one given.
    error OtherAuxiliary(uint256 number, uint256 shuffledIndex);
    error NothingToPay(uint256 position);

    /// @notice Casts ballots by their aggregate signature. Anyone. Those against a commitment in its window are collected; a third of
    ///         the whole list opens the vote and freezes the commitment (or `openByAuxiliary`). Two thirds of all who may vote for one
    ///         ballot decide at once.
    /// @dev Voters' signing keys sign the EIP-712 struct Vote(uint256 commitmentId,bytes32 contentHash,uint8 ballot), contentHash as
    ///      StateCommitments has it, ballot as the number of the enum.
    function cast(uint256 commitmentId, Ballot ballot, uint256[] calldata positions, G2Point calldata signature) external;

    /// @notice Shows that ballots collected are those of members of one auxiliary committee; two thirds of it open the vote, in as many
    ///         calls as it takes. Anyone.
    /// @param shuffledIndices of the members, see `IPeriods.auxiliaryOf`.
    function openByAuxiliary(uint256 commitmentId, uint256[] calldata shuffledIndices) external;

    /// @notice After the deadline: with a third of all who may vote, the majority of ballots decides; without, or with no majority, the
    ///         commitment is dropped and nobody slashed. A vote whose commitment was disproven meanwhile ends at any time. Anyone.
    function close(uint256 commitmentId) external;

    /// @notice After a vote that failed: takes `failedVotePenalty` of the bond of at most `maxOpeners` openers with positions
    ///         256·word …, for cover. Each pays once. Anyone.
    function chargeOpeners(uint256 commitmentId, uint256 word, uint256 maxOpeners) external;

    /// @notice After a conviction: pays the owner of the opener at a position an equal part of what reporting the signers slashed so far
    ///         has earned. Anyone.
    function payOpener(uint256 commitmentId, uint256 position) external;

    function vote(uint256 commitmentId) external view returns (Vote memory);

    /// @notice Positions 256·word … whose ballots count, and those of them that opened the vote.
    function voters(uint256 commitmentId, uint256 word) external view returns (uint256 all, uint256 openers);

    /// @notice EIP-712 digest of a ballot on a commitment.
    function digest(uint256 commitmentId, bytes32 contentHash, Ballot ballot) external view returns (bytes32);
}
