// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";

/// @title Draws of vaults, strictly in the order of their requests, from the list of the period in which they were asked.
/// @dev Seed of a draw = sha256(randao_mixes[E] ‖ "vault" ‖ uint32 poolId ‖ uint32 round), E the first epoch that starts at least
///      `seedDelay` epochs after the request. All draws with the same E share one proof. While the mix of E is unproven and has left
///      the vector, the mix of the epoch that took its place counts instead, for all of them.
interface IVaultDraws {
    struct Draw {
        PoolId poolId;
        uint32 round;
        PoolKind kind;
        uint64 period;
        Epoch seedEpoch; // E, as asked
        bool done; // drawn or cancelled
        bool rotation; // of a vault that takes over from another
        uint40 requestedAt; // timestamp
        uint256 unitValue; // of the bonds, when the draw was requested
    }

    event DrawRequested(uint256 indexed drawId, PoolId indexed poolId, uint32 round, uint64 period, Epoch seedEpoch, bool rotation);
    /// @notice The mix of all draws that asked for the epoch `asked`; of epoch `seedEpoch`, which is `asked` unless that had left the vector.
    event SeedProven(Epoch indexed asked, Epoch seedEpoch, bytes32 mix);
    /// @notice The walk along the shuffled list went on to `walked` positions and has `found` members.
    event DrawAdvanced(uint256 indexed drawId, uint32 walked, uint32 found);
    event DrawFilled(uint256 indexed drawId, PoolId indexed poolId, ProducerId[] members);
    event DrawCancelled(uint256 indexed drawId, PoolId indexed poolId, uint256 found, uint256 needed);

    error NotAllowed(address caller);
    error NoDrawPending();
    error SeedAlreadyProven(Epoch asked);
    error SeedUnproven(uint256 drawId);

    /// @notice Queues a draw: PoolRegistry's are of vaults that make a key, those of Rotations of vaults that take one over. They only.
    function request(PoolId poolId, uint32 round, PoolKind kind) external returns (uint256 drawId, Epoch seedEpoch);

    /// @notice Proves the seed of the oldest pending draw (see `seedEpochOf`), then carries out draws in order as `advance` does. Anyone.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    function selectVaults(uint64 timestamp, StateProof calldata state, RandaoProof calldata randao, uint256 maxPositions) external;

    /// @notice Carries out pending draws in order, as far as their seeds are proven and at most `maxPositions` of the shuffled lists
    ///         are walked; a walk cut short goes on with the next call. Anyone.
    function advance(uint256 maxPositions) external;

    /// @notice Oldest draw not done, or one past the last. Ids count from 1.
    function nextDrawId() external view returns (uint256);

    function draw(uint256 drawId) external view returns (Draw memory);

    /// @notice The epoch whose mix is to be proven now for a draw whose seed is unproven.
    function seedEpochOf(uint256 drawId) external view returns (Epoch);

    /// @notice Proven mix of the draws that asked for an epoch; 0 while unproven.
    function mixOf(Epoch asked) external view returns (bytes32);

    function drawCount() external view returns (uint256);
}
