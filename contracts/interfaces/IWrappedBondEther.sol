// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title wbETH: bETH that does not rebase, for protocols that cannot hold a rebasing token. ERC-4626, 18 decimals.
/// @notice One wei of wbETH is 1000 bETH shares, for ever: so its price is the rewards index, which no one moves by wrapping,
///         unwrapping or giving bETH away. What a call takes or gives is that many bETH shares exactly; the amounts of bETH that the
///         standard speaks of are their value, rounded in favour of those who hold wbETH.
interface IWrappedBondEther is IERC4626, IERC20Permit {
    /// @notice Stakes the sent ETH (at least `minDeposit`) and wraps the bETH.
    function depositEth(address receiver) external payable returns (uint256 shares);

    /// @notice `deposit` with an EIP-2612 permit of the caller's bETH for an allowance of `assets`.
    function depositWithPermit(uint256 assets, address receiver, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 shares);
}
