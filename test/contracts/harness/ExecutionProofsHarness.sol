// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ExecutionProofs} from "../../../contracts/libraries/ExecutionProofs.sol";

/// @dev Slot 0, slots 1 to 3 zero, a mapping at slot 4.
contract ExecutionProofsHarness {
    uint256 private _first = 7;
    uint256[3] private _gap;
    mapping(uint256 key => uint256) private _values;

    constructor(uint256 values) payable {
        for (uint256 i = 1; i <= values; ++i) _values[i] = i << 200 | i;
    }

    function verifyHeader(bytes32 blockHash, bytes memory header) external pure returns (bytes32 stateRoot, uint256 timestamp) {
        return ExecutionProofs.verifyHeader(blockHash, header);
    }

    function verifyAccount(bytes32 stateRoot, address account, bytes[] memory proof) external pure returns (uint256, bytes32) {
        return ExecutionProofs.verifyAccount(stateRoot, account, proof);
    }

    function verifySlot(bytes32 storageRoot, bytes32 slot, bytes[] memory proof) external pure returns (uint256) {
        return ExecutionProofs.verifySlot(storageRoot, slot, proof);
    }
}
