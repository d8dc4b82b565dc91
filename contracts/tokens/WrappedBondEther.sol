// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ERC4626, IERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IWrappedBondEther} from "../interfaces/IWrappedBondEther.sol";
import {SHARES_PER_WEI} from "../types/DeadShares.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title wbETH
/// @dev Holds at least `SHARES_PER_WEI` bETH shares for each wei of its supply: every path moves both together. More is here only
///      of what somebody gave away, and counts for nothing.
contract WrappedBondEther is ERC4626, ERC20Permit, IWrappedBondEther {
    using Math for uint256;

    IBondEther private immutable BOND_ETHER;
    IStakingPool private immutable STAKING_POOL;

    constructor(Addresses memory addresses)
        ERC20("Open Pools wrapped Ether", "wbETH")
        ERC20Permit("Open Pools wrapped Ether")
        ERC4626(IERC20(nonZero(addresses.bondEther)))
    {
        BOND_ETHER = IBondEther(addresses.bondEther);
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
    }

    /// @inheritdoc IWrappedBondEther
    function depositEth(address receiver) external payable returns (uint256 shares) {
        shares = STAKING_POOL.depositFor{value: msg.value}(address(this)) / SHARES_PER_WEI;
        _mint(receiver, shares);
        emit Deposit(msg.sender, receiver, msg.value, shares);
    }

    /// @inheritdoc IWrappedBondEther
    function depositWithPermit(uint256 assets, address receiver, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 shares)
    {
        // Somebody may have sent the permit before: then it fails here, and the allowance is there.
        try BOND_ETHER.permit(msg.sender, address(this), assets, deadline, v, r, s) {} catch {}
        return deposit(assets, receiver);
    }

    /// @notice Value (wei) of the bETH behind all wbETH; gifts are not counted.
    function totalAssets() public view override(ERC4626, IERC4626) returns (uint256) {
        return _convertToAssets(totalSupply(), Math.Rounding.Floor);
    }

    /// @inheritdoc IERC20Metadata
    function decimals() public view override(ERC20, ERC4626, IERC20Metadata) returns (uint8) {
        return super.decimals();
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    function _convertToShares(uint256 assets, Math.Rounding rounding) internal view override returns (uint256) {
        return assets.mulDiv(BOND_ETHER.totalShares(), BOND_ETHER.totalPooledEther() * SHARES_PER_WEI, rounding);
    }

    function _convertToAssets(uint256 shares, Math.Rounding rounding) internal view override returns (uint256) {
        return shares.mulDiv(BOND_ETHER.totalPooledEther() * SHARES_PER_WEI, BOND_ETHER.totalShares(), rounding);
    }

    /// @dev The bETH behind `shares`, exactly: its value is `assets`, or below it by less than a wei of wbETH is worth.
    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        BOND_ETHER.transferSharesFrom(caller, address(this), shares * SHARES_PER_WEI);
        _mint(receiver, shares);
        emit Deposit(caller, receiver, assets, shares);
    }

    /// @dev The bETH behind `shares`, exactly: its value is `assets`, or above it by less than a wei of wbETH is worth.
    function _withdraw(address caller, address receiver, address owner, uint256 assets, uint256 shares) internal override {
        if (caller != owner) _spendAllowance(owner, caller, shares);
        _burn(owner, shares);
        emit Withdraw(caller, receiver, owner, assets, shares);
        BOND_ETHER.transferShares(receiver, shares * SHARES_PER_WEI);
    }
}
