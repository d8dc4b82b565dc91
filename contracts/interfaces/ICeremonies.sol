// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G2Point} from "../libraries/Bls12381.sol";
import {Epoch, PoolId} from "../types/Ids.sol";
import {ICeremonySignatures} from "./ICeremonySignatures.sol";

/// @title Members that were left out of a ceremony's result: until the deadline they may still sign it, then they are named and
///        their vault is drawn anew, so that no vault lives at its threshold.
/// @dev The same for the results of key generations and of handovers. While nobody is missing nothing is stored.
interface ICeremonies is ICeremonySignatures {
    struct Open {
        bytes32 structHash; // EIP-712, of the result
        uint128 participation; // bit i: member index i + 1 signed
        uint32 round;
        Epoch deadline;
    }

    event ParticipationAdded(PoolId indexed poolId, uint32 indexed round, uint256 participation);
    /// @notice These members (bit i: member index i + 1) never signed the result of their ceremony.
    event MembersMissing(PoolId indexed poolId, uint32 indexed round, uint256 missing);

    error NotAllowed(address caller);
    /// @notice Nobody is missing from the pool's last result.
    error NobodyMissing(PoolId poolId);
    error AlreadyParticipating(uint256 bitfield);
    /// @notice Another vault has taken over from the one whose members are missing.
    error VaultChanged(uint32 expected, uint32 actual);
    error DeadlinePassed(Epoch deadline, Epoch now_);
    error DeadlineNotPassed(Epoch deadline, Epoch now_);

    /// @notice A result stands that not all members signed. Whoever is missing from the one before is named. PoolRegistry, Rotations
    ///         only.
    function open(PoolId poolId, uint32 round, Epoch deadline, bytes32 structHash, uint256 participation) external;

    /// @notice Adds members to those who signed the result, by their signatures on it. Anyone, until the ceremony's deadline,
    ///         and while no other vault has taken over.
    function addParticipation(PoolId poolId, uint256 bits, G2Point calldata aggregateSignature) external;

    /// @notice Past the deadline: names who is missing and has the vault drawn anew, if it is still the pool's. Anyone.
    function nameMissing(PoolId poolId) external;

    /// @notice The pool's last result while somebody is missing from it; `deadline` 0 when nobody is.
    function openOf(PoolId poolId) external view returns (Open memory);
}
