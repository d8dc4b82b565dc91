// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

/// @title First in, first out: requests to turn bETH into ETH, each an ERC-721.
/// @notice A request is paid min(value when requested, value when finalized).
/// @dev Requests made between two moves of the index form a batch; a batch is finalized as one, or in part: up to the boundary of the
///      report grid that a reference belongs to, or as far as ETH goes.
interface IWithdrawalQueue is IERC721 {
    struct Request {
        address owner; // zero once claimed or taken back
        uint128 shares; // its part, by amount, of the shares of its batch
        uint128 amount; // wei, value when requested
        uint64 requestedAt; // timestamp, rounded down to 1/32 of a report interval
        bool finalized;
        bool claimed;
        uint256 claimable; // wei, once finalized and unclaimed
    }

    event WithdrawalRequested(uint256 indexed requestId, address indexed owner, uint256 shares, uint256 amount);
    /// @notice Requests from `firstId` to `lastId` are finalized; `amount` wei were set aside for them.
    event WithdrawalsFinalized(uint256 indexed firstId, uint256 indexed lastId, uint256 shares, uint256 amount);
    /// @notice The network is wound down: the shares of a request that was not finalized went back to its owner.
    event WithdrawalReturned(uint256 indexed requestId, address indexed owner, uint256 shares);
    event WithdrawalClaimed(uint256 indexed requestId, address indexed owner, uint256 amount);

    error AmountTooSmall(uint256 expectedAtLeast, uint256 actual);
    error RequestUnknown(uint256 requestId, uint256 last);
    error NotRequestOwner(uint256 requestId, address expected, address actual);
    error NotFinalized(uint256 requestId, uint256 lastFinalized);
    error AlreadyClaimed(uint256 requestId);
    error ClaimFailed(uint256 requestId, address receiver);
    /// @notice A commitment is disputed, or a later pending one shows a lower profit.
    error FinalizationHeld();
    error NotStakingPool(address caller);
    error NotWoundDown();
    /// @notice A finalized request is claimed, not taken back.
    error AlreadyFinalized(uint256 requestId);

    /// @notice Takes `amount` of the caller's bETH (allowance needed) and queues a request of it.
    function requestWithdrawal(uint256 amount) external returns (uint256 requestId);

    /// @notice The same, with an EIP-2612 permit for the allowance.
    function requestWithdrawalWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 requestId);

    /// @notice Finalizes requests made before the boundary of the last finalized report's reference, oldest first, as far as unreserved
    ///         ETH goes, at most `maxSteps` batches or checkpoints of work. Anyone; nothing to do is no error.
    function finalize(uint256 maxSteps) external returns (uint256 lastFinalized);

    /// @notice Pays a finalized request to its owner, who alone may call.
    function claimWithdrawal(uint256 requestId) external;

    /// @notice Gives the shares of a request that was not finalized back to its owner, who alone may call, once the network is wound down.
    function takeBack(uint256 requestId) external returns (uint256 shares);

    function request(uint256 requestId) external view returns (Request memory);

    function lastRequestId() external view returns (uint256);

    function lastFinalizedId() external view returns (uint256);

    /// @notice Current value of all unfinalized requests (wei), at most what they asked.
    /// @dev min(sum asked, value of all their shares): exact unless the index lies between those of two waiting batches; then more
    ///      than the sum of each batch's minimum, by at most what the later one has lost since.
    function demand() external view returns (uint256);

    /// @notice Closes the open batch: the index is about to move. StakingPool only.
    function closeBatch() external;

    /// @notice Receives the ETH of finalized requests. StakingPool only.
    function receivePaid() external payable;

    /// @notice Time of the oldest unfinalized request, or 0.
    function oldestRequestedAt() external view returns (uint64);
}
