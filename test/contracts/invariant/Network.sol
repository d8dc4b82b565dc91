// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Invariants} from "./Invariants.sol";

/// @title The handlers as one contract: ten producers, period 0 begun
contract Network is Invariants {
    constructor() {
        _begin();
        for (uint256 i = 0; i < 10; ++i) {
            _register(4.1 ether);
        }
        _toEpoch(FIRST_PERIOD);
        clock = block.timestamp;
        require(bytes(broken).length == 0, broken);
    }
}
