// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, RandaoProof, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolId} from "../types/Ids.sol";

/// @title Liquidation: which pools go, and what happens when their vaults do not let them.
/// @dev Seed of draw n = sha256(randao_mixes[E] ‖ "liquidation" ‖ uint64 n).
interface IExits {
    struct Exit {
        uint64 drawnAt; // timestamp
        Epoch deadline; // forced from this epoch on
        uint128 feePaid; // wei, of the forced exit
        address feePayer;
        bool stallProven;
    }

    event LiquidationRequested(uint256 indexed drawId, uint32 count, Epoch seedEpoch);
    event LiquidationDrawn(uint256 indexed drawId, PoolId indexed poolId, Epoch deadline);
    event ExitForced(PoolId indexed poolId, address indexed by, uint256 fee);
    event StallProven(PoolId indexed poolId, address indexed reporter);

    error NoUnmetDemand(uint256 unmet, uint256 threshold);
    error DrawPending(uint256 drawId);
    error OutOfOrder(uint256 expectedDrawId, uint256 actual);
    error SeedNotYetKnown(Epoch seedEpoch, Epoch stateEpoch);
    error SeedOutOfVector(Epoch seedEpoch, Epoch stateEpoch);
    error NotExiting(PoolId poolId);
    error BeforeDeadline(Epoch deadline, Epoch now_);
    error ExitInitiated(PoolId poolId, uint64 exitEpoch);
    error ProofBeforeDeadline(Epoch deadline, Epoch proven);
    error StallAlreadyProven(PoolId poolId);
    error NotWithdrawn(PoolId poolId, uint64 withdrawableEpoch, uint64 balance);
    error WrongPublicKey(bytes expected, bytes actual);

    /// @notice Demand beyond unreserved ETH, ETH in the withdrawal vaults and exits under way (wei).
    function unmetDemand() external view returns (uint256);

    /// @notice Requests a draw of ⌈unmet / 32 ETH⌉ pools when unmet demand reached the threshold or waits too long. Anyone; one draw at a time.
    function requestLiquidation() external returns (uint256 drawId);

    /// @notice Carries out the pending draw: staker pools, or bond pools while there are too many. Anyone.
    function drawLiquidation(uint256 drawId, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external;

    /// @notice Past the deadline: exits the pool by EIP-7002; the sent ETH pays the fee, the rest returns. Anyone, again when the beacon chain dropped it.
    function forceExit(PoolId poolId) external payable;

    /// @notice Proof from after the deadline (and `maxLiquidationExecution` after the validator was old enough to exit) that no exit
    ///         was initiated: the vault's seats pay the stall penalty, and the fee to who paid it. Once. Anyone.
    function proveStall(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external;

    /// @notice Proof that an exiting pool's validator is withdrawable with nothing left: closes it and releases the seats after their tail. Anyone.
    function closePool(
        PoolId poolId,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external;

    function exit(PoolId poolId) external view returns (Exit memory);
}
