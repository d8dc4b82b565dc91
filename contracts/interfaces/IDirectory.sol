// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title The one address from which a client finds everything else.
interface IDirectory {
    /// @notice A parameter is outside its range (names as in `Parameters`).
    error ParameterOutOfRange(string name, uint256 value, uint256 least, uint256 most);
    error NotAPowerOfTwo(string name, uint256 value);
    /// @notice An address of the deployment is missing.
    error AddressMissing(string name);
    /// @notice An address of the deployment differs from where the contract stands.
    error WrongAddress(string name, address expected, address actual);

    function parameters() external view returns (Parameters memory);

    function addresses() external view returns (Addresses memory);

    /// @notice Block in which the deployment was made; clients read events from here.
    function deploymentBlock() external view returns (uint256);
}
