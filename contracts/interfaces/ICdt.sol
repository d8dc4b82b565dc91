// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title CDT: what block producers earn for their points.
/// @notice 18 decimals. The emission and what a point is worth are the business of Rewards, the only one that mints and burns.
interface ICdt is IERC20, IERC20Permit {
    error NotRewards(address caller);

    /// @notice Mints what a settlement earned. Rewards only.
    /// @param amount CDT wei.
    function mint(address to, uint256 amount) external;

    /// @notice Burns CDT that repays debt. Rewards only, and only for `from`'s own call to it: that call is the consent, no
    ///         allowance is needed.
    /// @param amount CDT wei; reverts with `ERC20InsufficientBalance` when `from` has less.
    function burn(address from, uint256 amount) external;
}
