// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What every constructor asks of its arguments
library Deployment {
    /// @notice An address of the deployment is missing; `name` as in `Addresses` or `Parameters`.
    error ZeroAddress(string name);

    /// @notice The address itself, unless it is zero.
    function required(address value, string memory name) internal pure returns (address) {
        if (value == address(0)) revert ZeroAddress(name);
        return value;
    }
}
