// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Locked CDT earns the fee on stakers' rewards, in bETH shares.
/// @notice A payment is shared by CDT × time locked so far: a position of `amount` CDT wei locked since `start` gets
///         amount × (now − start) / Σ of the same over all positions. What comes while nothing has been locked for any time is kept and shared with
///         the next payment.
/// @dev Positions are numbered from 1. Amounts in CDT wei, earnings in bETH shares, times in seconds.
interface ICdtStaking {
    struct Position {
        address owner;
        uint64 start; // timestamp of the lock
        uint128 amount; // CDT wei still locked
        uint64 unlockableAt; // timestamp
        uint256 earned; // bETH shares not claimed yet
    }

    event Locked(uint256 indexed positionId, address indexed owner, uint256 amount);
    event Unlocked(uint256 indexed positionId, address indexed owner, uint256 amount);
    /// @notice `shares` went to all positions; `coinSeconds` is the CDT wei × seconds that they were shared by.
    event FeeShared(uint256 shares, uint256 coinSeconds);
    /// @notice Nothing has been locked for any time: `shares` in all wait for the next payment.
    event FeeHeld(uint256 shares);
    event Claimed(uint256 indexed positionId, address indexed owner, uint256 shares);

    error NotStakingPool(address caller);
    error LockTooSmall(uint256 expectedAtLeast, uint256 actual);
    error NotPositionOwner(uint256 positionId, address expected, address actual);
    error StillLocked(uint256 positionId, uint64 until, uint64 actual);
    error AmountTooLarge(uint256 positionId, uint256 locked, uint256 actual);

    /// @notice Locks `amount` of the caller's CDT (allowance needed) as a new position.
    function lock(uint256 amount) external returns (uint256 positionId);

    /// @notice The same, with an EIP-2612 permit for the allowance.
    function lockWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external returns (uint256 positionId);

    /// @notice Gives back `amount` CDT of a position that was locked for at least `cdtMinLock`, and pays what the position earned. The
    ///         rest keeps its time, and is nothing or at least the least lock. The position's owner only.
    function unlock(uint256 positionId, uint256 amount) external;

    /// @notice Pays what a position earned so far, in bETH shares. The position's owner only.
    function claim(uint256 positionId) external returns (uint256 shares);

    /// @notice Shares what came in since the last call among all positions. StakingPool only, which has just had the fee minted.
    /// @dev By balance, so that bETH sent here by anyone goes to those who lock.
    function receiveFee() external;

    function position(uint256 positionId) external view returns (Position memory);

    function positionCount() external view returns (uint256);

    /// @notice Positions ever made by an owner, oldest first, from `first` (0 …) and at most `count` of them.
    function positionsOf(address owner, uint256 first, uint256 count) external view returns (uint256[] memory positionIds);

    /// @notice CDT wei locked now.
    function totalLocked() external view returns (uint256);

    /// @notice CDT wei × seconds locked so far, by which a payment would be shared now.
    function coinSeconds() external view returns (uint256);

    /// @notice bETH shares that wait for the next payment.
    function heldShares() external view returns (uint256);
}
