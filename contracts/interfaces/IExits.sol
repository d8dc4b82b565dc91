// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, RandaoProof, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolId} from "../types/Ids.sol";

/// @title Liquidation: which pools go, and what happens when their vaults do not let them.
/// @dev Seed of draw n = sha256(randao_mixes[E] ‖ "liquidation" ‖ uint64 n).
interface IExits {
    struct Exit {
        uint64 drawnAt; // timestamp
        Epoch deadline; // a stall is proven by states of this epoch on; the exit is forced from the next one on
        uint128 feePaid; // wei, of the forced exit; of several the highest
        address feePayer;
        bool stallProven;
    }

    struct Draw {
        Epoch seedEpoch; // as requested; moves on by the vector's length when it was left unproven
        uint32 stakerCount; // pools to draw
        uint32 bondCount;
        uint32 stakerPools; // active when requested: the draw is from the first so many of the active list
        uint32 bondPools;
        bool done;
    }

    event LiquidationRequested(uint256 indexed drawId, uint32 count, Epoch seedEpoch);
    /// @notice Draw 0: the pool was taken out by `drawOne`.
    event LiquidationDrawn(uint256 indexed drawId, PoolId indexed poolId, Epoch deadline);
    event ExitForced(PoolId indexed poolId, address indexed by, uint256 fee);
    event StallProven(PoolId indexed poolId, address indexed reporter);

    error NoUnmetDemand(uint256 unmet, uint256 threshold);
    error DrawPending(uint256 drawId);
    error NothingToLiquidate();
    error OutOfOrder(uint256 expectedDrawId, uint256 actual);
    error NotExiting(PoolId poolId);
    /// @notice Exiting since it was abandoned, not by a liquidation.
    error NotDrawn(PoolId poolId);
    error BeforeDeadline(Epoch deadline, Epoch now_);
    error ExitInitiated(PoolId poolId, uint64 exitEpoch);
    error ProofBeforeDeadline(Epoch deadline, Epoch proven);
    error StallAlreadyProven(PoolId poolId);
    error NotWithdrawn(PoolId poolId, uint64 withdrawableEpoch, uint64 balance);
    /// @notice hash_tree_roots of the keys.
    error WrongPublicKey(bytes32 expected, bytes32 actual);
    error WrongBalanceIndex(uint64 expected, uint64 actual);
    error NotAllowed(address caller);
    error RefundFailed(address to, uint256 amount);

    /// @notice Demand beyond unreserved ETH, ETH in the withdrawal vaults, exits under way and a draw pending (wei).
    function unmetDemand() external view returns (uint256);

    /// @notice Requests a draw of ⌈unmet / 32 ETH⌉ pools when unmet demand reached the threshold or waits too long,
    ///         at most MAX_DRAWN. Anyone; one draw at a time.
    function requestLiquidation() external returns (uint256 drawId);

    /// @notice Carries out the pending draw: bond pools as far as there were too many when it was requested, else staker pools. Anyone.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    /// @dev Bit by bit the same whoever calls, and when: counts and sizes are those of the request, pools that are funded
    ///      meanwhile come behind them in the active list, and only a draw takes pools out of it.
    function drawLiquidation(uint256 drawId, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external;

    /// @notice Liquidates a pool without a draw, for its fault or since its validator exits. Reverts while a draw is pending, as that
    ///         is from the list as it was requested. Slashing only.
    function drawOne(PoolId poolId) external;

    function isDrawPending() external view returns (bool);

    /// @notice In an epoch after the deadline: exits the pool by EIP-7002; the sent ETH pays the fee, the rest returns. Anyone, again
    ///         when the beacon chain dropped it. The epoch of the deadline itself is left for the proof of a stall.
    function forceExit(PoolId poolId) external payable;

    /// @notice Proof from the deadline's epoch or later (and from `maxLiquidationExecution` after the validator was old enough to exit)
    ///         that no exit was initiated: the vault's seats pay the stall penalty, and the fee of the forced exit, made before or
    ///         after, to who paid it; of the fee no more than of the penalty, and never more than the seats. Once. Anyone.
    function proveStall(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external;

    /// @notice Proof that an exiting pool's validator is withdrawable with nothing left: closes it and releases the seats after their tail. Anyone.
    function closePool(
        PoolId poolId,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external;

    /// @notice Most pools of one draw; what is still unmet after it is for the next.
    function MAX_DRAWN() external view returns (uint32);

    function exit(PoolId poolId) external view returns (Exit memory);

    function draw(uint256 drawId) external view returns (Draw memory);

    /// @notice Draws requested so far; the last is pending unless done.
    function drawCount() external view returns (uint256);

    /// @notice Epoch whose mix a pending draw takes now.
    function seedEpochOf(uint256 drawId) external view returns (Epoch);
}
