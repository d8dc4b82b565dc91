// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolId} from "../types/Ids.sol";

/// @title The end: when no report is finalized any more, stakers get out without anybody's cooperation.
/// @notice Starts once, by anyone, when no report was finalized for `windDownAfter`; it cannot be undone. From then on there are no
///         deposits, new pools, commitments or finalizations; anyone may exit any validator; requests that were not finalized give
///         their bETH back; and bETH is redeemed for its part of all ETH that arrives, whenever it does.
/// @dev An account that redeems early or late, in one or many parts, gets the same for a share: units × ETH arrived so far / all units.
interface IWindDown {
    /// @notice The network is wound down. `since` is when the wait began, `totalUnits` by how many shares all ETH is divided.
    event WindDownStarted(uint64 since, uint256 totalUnits);
    event ExitForced(PoolId indexed poolId, address indexed caller, uint256 fee);
    /// @notice ETH of the buffer and the withdrawal vaults came here.
    event Gathered(uint256 amount);
    /// @notice An account gave shares, which are its units for ever.
    event Redeemed(address indexed account, uint256 shares);
    event Claimed(address indexed account, uint256 amount);

    error TooEarly(uint64 expectedAtLeast, uint64 actual);
    error AlreadyStarted();
    error NotStarted();
    error NoValidator(PoolId poolId);
    error FeeTooLow(uint256 needed, uint256 given);
    error PaymentFailed(address receiver, uint256 amount);

    /// @notice Whether the network is wound down.
    function started() external view returns (bool);

    /// @notice First timestamp at which it can be started, unless a report is finalized before: `windDownAfter` from the last of the
    ///         first period's start, the first deposit to the beacon chain and the last finalization.
    function startableAt() external view returns (uint64);

    /// @notice Winds the network down for ever. Anyone, from `startableAt` on.
    function start() external;

    /// @notice Exits a pool's validator by EIP-7002, without a proof and as often as asked. The caller pays the fee; what exceeds it
    ///         comes back. Anyone.
    function forceExit(PoolId poolId) external payable;

    /// @notice Brings the ETH that is in the buffer and the withdrawal vaults here. Anyone.
    function gather() external returns (uint256 amount);

    /// @notice Takes `shares` of the caller's bETH (allowance needed) and records them as units.
    function redeem(uint256 shares) external;

    /// @notice The same, with an EIP-2612 permit for an allowance of `value` wei.
    function redeemWithPermit(uint256 shares, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Pays the caller what its units are due of the ETH that arrived here and it did not get yet.
    function claim() external returns (uint256 amount);

    /// @notice What `claim` would pay now (wei).
    function claimable(address account) external view returns (uint256);

    function unitsOf(address account) external view returns (uint256);

    /// @notice Shares by which all ETH is divided: all there were at the start, less those of cover.
    function totalUnits() external view returns (uint256);

    /// @notice ETH that ever arrived here (wei).
    function arrived() external view returns (uint256);
}
