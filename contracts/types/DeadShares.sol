// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Wei that the StakingPool gets at its deployment and that nobody can take out again: the value of the dead shares with
///      which BondEther starts, so that its index is 1 and its totals are never zero.
uint256 constant DEAD_ETHER = 1000;

/// @dev Shares that one wei bought at deployment. A share is worth less than a wei as long as the index is below this, so
///      whatever the index, what a transfer of shares moves falls short of the asked amount by one wei at most.
uint256 constant SHARES_PER_WEI = 1000;
