// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G2Point} from "../libraries/Bls12381.sol";
import {Epoch, PoolId, ProducerId} from "../types/Ids.sol";
import {ICeremonySignatures} from "./ICeremonySignatures.sol";

/// @title Handovers of a pool's key from its vault to one drawn anew.
/// @dev idle → requested → drawn → idle: completed, failed (and requested again) or dropped.
///      Rounds count on from that of the pool's key generation, one for each draw. Members of a handover are numbered: those of the
///      new vault from 1, after them those of the old one.
interface IRotations is ICeremonySignatures {
    enum State {
        Idle,
        Requested, // waits for its draw
        Drawn // vault drawn, the handover is under way
    }

    struct Rotation {
        State state;
        uint8 failures; // in a row
        uint32 round; // of the last handover requested, 0: none ever
        uint32 oldRound; // of the vault that was to hand over in it
        uint32 dueRound; // 1 + the round of a vault that is to be drawn anew for an absence or a fault
        Epoch deadline; // of the handover under way
        Epoch since; // cutover to the present vault, 0: it made the key
        ProducerId[] members; // of the vault drawn in `round`
    }

    struct Result {
        bytes publicShares; // n × 48 bytes, compressed, in the order of the new vault
        bytes32 transcriptRoot;
        uint256 participation; // bit i: member index i + 1 of the new vault signed
        G2Point aggregateSignature; // of the participants' signing keys over RotationResult, see `completeRotation`
    }

    /// @notice Who did not take part, by a threshold of either vault.
    struct Naming {
        uint256 absentNew; // bit i: member index i + 1 of the new vault
        uint256 absentOld;
        bool byOld; // the old vault's members signed, else the new one's
        uint256 signers;
        G2Point aggregateSignature; // over RotationFailure, see `failRotation`
    }

    event RotationRequested(PoolId indexed poolId, uint32 indexed round, Epoch seedEpoch);
    event RotationDrawn(PoolId indexed poolId, uint32 indexed round, uint32 oldRound, ProducerId[] members, Epoch deadline);
    /// @notice From epoch `cutover` on, once this is final, the pool's key is the new vault's alone.
    event RotationCompleted(
        PoolId indexed poolId, uint32 indexed round, Epoch indexed cutover, bytes publicShares, bytes32 transcriptRoot, uint256 participation
    );
    event RotationFailed(PoolId indexed poolId, uint32 indexed round, uint256 absentNew, uint256 absentOld);
    /// @notice No vault could be drawn, or the pool is to have none: the old one stays.
    event RotationDropped(PoolId indexed poolId, uint32 indexed round);

    error NotAllowed(address caller);
    error NotVaultDraws(address caller);
    error WrongState(PoolId poolId, State expected, State actual);
    /// @notice The pool has nothing that could be handed over: it is not funded yet, or exits, or is closed.
    error NothingToHandOver(PoolId poolId);
    error StillWanted(PoolId poolId);
    /// @notice Nothing in the vault calls for another, and it is not old enough.
    error NoReason(PoolId poolId, uint32 place, Epoch from);
    /// @notice With another vault more would answer for the pool than a fault could charge at once. There is room from `roomAt`
    ///         (timestamp) on, when enough tails are over; 0: not while seats are held for a fault.
    error TooManyHolders(PoolId poolId, uint256 most, uint256 actual, uint64 roomAt);
    error DeadlinePassed(Epoch deadline, Epoch now_);
    error DeadlineNotPassed(Epoch deadline, Epoch now_);
    error PublicSharesLength(uint256 expected, uint256 actual);
    /// @notice Named absent by itself.
    error SignerAbsent(uint256 bitfield);

    /// @notice Asks for a new vault: its period is over, or the member at `place` (from 0) leaves, is slashed, or has too small a bond
    ///         for what is its newest seat, or one was absent from the ceremony or proven to have cheated in it. Anyone, as long as
    ///         no more than three vaults' worth of seats, tails included, answer for the pool.
    function requestRotation(PoolId poolId, uint32 place) external;

    /// @notice A vault of `round` is to be drawn anew; requested at once if that can be: idle, and room for its seats.
    ///         Ceremonies, PoolRegistry only.
    function makeDue(PoolId poolId, uint32 round) external;

    /// @notice Stores a drawn vault and starts the handover. VaultDraws only.
    function startCeremony(PoolId poolId, ProducerId[] calldata members) external;

    /// @notice The draw found too few members, or the pool needs none any more. VaultDraws only.
    function cancel(PoolId poolId) external;

    /// @notice The new vault has the key: it takes over at the cutover, the first epoch more than `rotationMargin` after this one.
    ///         Seats of those in the old vault alone go into their tail from there. Anyone, until the deadline.
    /// @dev Participants sign the EIP-712 struct
    ///      RotationResult(uint32 poolId,uint32 round,bytes32 publicSharesHash,bytes32 transcriptRoot).
    function completeRotation(PoolId poolId, Result calldata result) external;

    /// @notice Past the deadline: frees the seats of those in the new vault alone and has another drawn (if there is room for its seats), or,
    ///         after the third failure in a row, the pool liquidated. Anyone; without naming anybody an epoch later.
    /// @dev Signers sign the EIP-712 struct RotationFailure(uint32 poolId,uint32 round,uint256 absentNew,uint256 absentOld).
    function failRotation(PoolId poolId, Naming calldata naming) external;

    /// @notice The pool is to exit, or is closed: ends the handover under way. Nobody pays. Anyone.
    function dropRotation(PoolId poolId) external;

    function rotation(PoolId poolId) external view returns (Rotation memory);

    /// @notice Whether a pool is one that a new vault could take over: funded, and not called back.
    function isWanted(PoolId poolId) external view returns (bool);

    /// @notice keccak256(abi.encodePacked(members)) of the vault drawn for a handover, completed or not; 0 for none.
    function drawnHashOf(PoolId poolId, uint32 round) external view returns (bytes32);

    /// @notice Round of the vault that was to hand over in `round`.
    function oldRoundOf(PoolId poolId, uint32 round) external view returns (uint32);

    /// @notice First epoch in which the vault of `round` has the pool's key; 0: it made it, or never had it.
    function cutoverOf(PoolId poolId, uint32 round) external view returns (Epoch);

    /// @notice Round of the vault that has the pool's key in an epoch.
    function roundAt(PoolId poolId, Epoch epoch) external view returns (uint32);
}
