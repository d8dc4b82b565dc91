// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What points are worth: CDT for those who serve, debt for those who do not.
interface IRewards {
    function cdt() external view returns (address);
}
