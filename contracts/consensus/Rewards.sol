// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewards} from "../interfaces/IRewards.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Points and CDT: the one contract that mints and burns it
contract Rewards is IRewards {
    /// @inheritdoc IRewards
    address public immutable cdt;

    constructor(Addresses memory addresses, Parameters memory) {
        cdt = nonZero(addresses.cdt);
    }
}
