// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ProducerId} from "../../../contracts/types/Ids.sol";

/// @notice Stands at the address of Rewards and says what a test wants of anybody's settlement.
contract SettlementHarness {
    mapping(ProducerId producerId => uint64) public settledThrough;
    mapping(ProducerId producerId => uint256) public debtOf;

    function set(ProducerId producerId, uint64 through, uint256 debt) external {
        (settledThrough[producerId], debtOf[producerId]) = (through, debt);
    }
}
