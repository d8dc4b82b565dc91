// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PageTree} from "../../../contracts/libraries/PageTree.sol";

/// @notice Makes the library's functions callable for tests.
contract PageTreeHarness {
    function root(bytes calldata page) external pure returns (bytes32) {
        return PageTree.root(page);
    }

    /// @notice The same where free memory was written to before, as it may have been.
    function rootAmongNoise(bytes calldata page) external pure returns (bytes32) {
        assembly ("memory-safe") {
            for { let at := mload(0x40) } lt(at, add(mload(0x40), 0x1000)) { at := add(at, 0x20) } { mstore(at, not(0)) }
        }
        return PageTree.root(page);
    }

    function verifyWord(bytes32 pageRoot, uint256 length, uint256 index, bytes32 word, bytes32[] calldata branch)
        external
        pure
        returns (bool)
    {
        return PageTree.verifyWord(pageRoot, length, index, word, branch);
    }

    function uint64At(bytes32 word, uint256 index) external pure returns (uint64) {
        return PageTree.uint64At(word, index);
    }

    function int32At(bytes32 word, uint256 index) external pure returns (int32) {
        return PageTree.int32At(word, index);
    }

    function sumUint64(bytes calldata page) external pure returns (uint256) {
        return PageTree.sumUint64(page);
    }

    function sumInt32(bytes calldata page) external pure returns (uint256, uint256) {
        return PageTree.sumInt32(page);
    }

    function gas(bytes calldata page) external view returns (uint256 ofRoot, uint256 ofSum, uint256 ofDeltas) {
        uint256 before = gasleft();
        PageTree.root(page);
        ofRoot = before - gasleft();
        before = gasleft();
        PageTree.sumUint64(page);
        ofSum = before - gasleft();
        before = gasleft();
        PageTree.sumInt32(page);
        ofDeltas = before - gasleft();
    }
}
