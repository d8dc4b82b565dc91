// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title Where producers and their lists are
abstract contract ProducerAccess {
    IPeriods internal immutable PERIODS;
    IBlockProducers internal immutable PRODUCERS;

    constructor(Addresses memory addresses) {
        PERIODS = IPeriods(nonZero(addresses.periods));
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
    }
}
