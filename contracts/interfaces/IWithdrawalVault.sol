// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Withdrawal credentials and fee recipient of one kind of pools.
interface IWithdrawalVault {
    event ExitRequested(bytes publicKey, uint256 fee);

    error NotStakingPool(address caller);
    error NotExits(address caller);
    error FeeTooLow(uint256 needed, uint256 given);
    error FeeTooHigh(uint256 needed, uint256 given);
    /// @notice The EIP-7002 contract does not answer: it is not there, or its fork is not active.
    error ExitFeeUnknown();
    error ExitRequestFailed();

    /// @notice Sends `amount` to the StakingPool. StakingPool only.
    function collect(uint256 amount) external;

    /// @notice Full exit of a validator with these credentials by EIP-7002; the call's value is exactly `exitFee()`. Exits and WindDown only.
    function requestExit(bytes calldata publicKey) external payable;

    /// @notice Fee of the next EIP-7002 request in this block (wei).
    function exitFee() external view returns (uint256);
}
