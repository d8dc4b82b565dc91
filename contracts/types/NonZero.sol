// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A constructor was given no address where it needs one.
error ZeroAddress();

/// @dev The address itself, unless it is zero.
function nonZero(address given) pure returns (address) {
    if (given == address(0)) revert ZeroAddress();
    return given;
}
