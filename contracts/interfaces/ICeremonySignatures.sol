// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What can be wrong with the signatures of a vault's members on what they did together.
/// @dev All messages of ceremonies, whichever contract judges them, are signed under the EIP-712 domain of PoolRegistry.
interface ICeremonySignatures {
    error TooFewParticipants(uint256 needed, uint256 actual);
    error ParticipationOutOfRange(uint256 vaultSize, uint256 bitfield);
    error InvalidAggregateSignature();
}
