// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ICdt} from "../interfaces/ICdt.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title CDT, the incentive token
contract Cdt is ERC20Permit, ICdt {
    address private immutable REWARDS;

    constructor(Addresses memory addresses) ERC20("Open Pools CDT", "CDT") ERC20Permit("Open Pools CDT") {
        REWARDS = nonZero(addresses.rewards);
    }

    modifier onlyRewards() {
        if (msg.sender != REWARDS) revert NotRewards(msg.sender);
        _;
    }

    /// @inheritdoc ICdt
    function mint(address to, uint256 amount) external onlyRewards {
        _mint(to, amount);
    }

    /// @inheritdoc ICdt
    function burn(address from, uint256 amount) external onlyRewards {
        _burn(from, amount);
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }
}
