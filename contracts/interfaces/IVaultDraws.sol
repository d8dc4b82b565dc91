// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";

/// @title Draws of vaults, strictly in the order of their requests, from the list of the period in which they were asked.
/// @dev Seed of a draw = sha256(randao_mixes[E] ‖ "vault" ‖ uint32 poolId ‖ uint32 round), E the first epoch that starts at least
///      `seedDelay` epochs after the request.
interface IVaultDraws {
    struct Draw {
        PoolId poolId;
        uint32 round;
        PoolKind kind;
        uint64 period;
        Epoch seedEpoch;
        bool done; // drawn or cancelled
        bytes32 mix; // once proven, while the walk is not done
        uint256 unitValue; // of the bonds, when the draw was requested
    }

    event DrawRequested(uint256 indexed drawId, PoolId indexed poolId, uint32 round, uint64 period, Epoch seedEpoch);
    /// @notice The draw's seed epoch has left the vector unproven; it took the next one, `epochsPerHistoricalVector` later.
    event SeedEpochMoved(uint256 indexed drawId, Epoch seedEpoch);
    event SeedProven(uint256 indexed drawId, Epoch seedEpoch, bytes32 mix);
    /// @notice The walk along the shuffled list went on to `walked` positions and has `found` members.
    event DrawAdvanced(uint256 indexed drawId, uint32 walked, uint32 found);
    event DrawFilled(uint256 indexed drawId, PoolId indexed poolId, ProducerId[] members);
    event DrawCancelled(uint256 indexed drawId, PoolId indexed poolId, uint256 found, uint256 needed);

    error NotPoolRegistry(address caller);
    error OutOfOrder(uint256 expectedDrawId, uint256 actual);
    error NoDrawPending(PoolId poolId);
    error SeedAlreadyProven(uint256 drawId);
    error SeedUnproven(uint256 drawId);

    /// @notice Queues a draw. PoolRegistry only.
    function request(PoolId poolId, uint32 round, PoolKind kind) external returns (uint256 drawId, Epoch seedEpoch);

    /// @notice Carries out the oldest pending draw, which must be this pool's: proves the seed and walks the list. Anyone.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    function selectVault(PoolId poolId, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external;

    /// @notice Goes on with a draw whose seed is proven but whose walk has not come to its end, at most `maxPositions`. Anyone.
    function advance(uint256 maxPositions) external;

    /// @notice Oldest draw not done, or one past the last. Ids count from 1.
    function nextDrawId() external view returns (uint256);

    /// @notice A draw as it stands now: `seedEpoch` is the one to prove.
    function draw(uint256 drawId) external view returns (Draw memory);

    function drawCount() external view returns (uint256);
}
