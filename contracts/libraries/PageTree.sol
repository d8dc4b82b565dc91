// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Pages of a report
/// @notice A page is posted calldata: packed big-endian entries (balances: 8 bytes of gwei each; point deltas: 4 bytes,
/// signed). Its root is a keccak Merkle root over 32-byte words, the last one padded with zeros, hashed together with the
/// page's length in bytes. The length fixes the depth of the tree, so no inner node can pass for a word, and no padding for
/// an entry.
library PageTree {
    /// @notice An empty page, or one whose length is not a whole number of entries.
    error BadPageLength(uint256 length);
    /// @notice A word beyond the end of the page.
    error WordOutOfRange(uint256 index, uint256 words);
    /// @notice A Merkle branch longer or shorter than the page's length demands.
    error BadBranchLength(uint256 expected, uint256 actual);

    /// @notice The root of a page: keccak256(length ‖ Merkle root). A level of odd width is completed by a zero node.
    function root(bytes calldata page) internal pure returns (bytes32 result) {
        if (page.length == 0) revert BadPageLength(0);
        assembly ("memory-safe") {
            let nodes := mload(0x40)
            let width := shr(5, add(page.length, 31))
            mstore(add(nodes, shl(5, sub(width, 1))), 0)
            calldatacopy(nodes, page.offset, page.length)
            for {} gt(width, 1) {} {
                if and(width, 1) {
                    mstore(add(nodes, shl(5, width)), 0)
                    width := add(width, 1)
                }
                let end := add(nodes, shl(5, width))
                let parent := nodes
                for { let child := nodes } lt(child, end) { child := add(child, 0x40) } {
                    mstore(parent, keccak256(child, 0x40))
                    parent := add(parent, 0x20)
                }
                width := shr(1, width)
            }
            mstore(0x20, mload(nodes))
            mstore(0x00, page.length)
            result := keccak256(0x00, 0x40)
        }
    }

    /// @notice Whether word `index` of the page of `length` bytes with root `pageRoot` is `word`.
    /// @param branch The sibling of each level, from the words up.
    function verifyWord(bytes32 pageRoot, uint256 length, uint256 index, bytes32 word, bytes32[] calldata branch)
        internal
        pure
        returns (bool)
    {
        uint256 words = (length + 31) / 32;
        if (index >= words) revert WordOutOfRange(index, words);
        uint256 depth = 0;
        while (1 << depth < words) ++depth;
        if (branch.length != depth) revert BadBranchLength(depth, branch.length);
        bytes32 node = word;
        for (uint256 level = 0; level < depth; ++level) {
            bytes32 sibling = branch[level];
            node = (index >> level) & 1 == 0 ? _hash(node, sibling) : _hash(sibling, node);
        }
        return _hash(bytes32(length), node) == pageRoot;
    }

    /// @notice Entry `index` (0 … 3) of a word of four balances.
    function uint64At(bytes32 word, uint256 index) internal pure returns (uint64) {
        if (index > 3) revert WordOutOfRange(index, 4);
        return uint64(uint256(word) >> (192 - 64 * index));
    }

    /// @notice Entry `index` (0 … 7) of a word of eight point deltas.
    function int32At(bytes32 word, uint256 index) internal pure returns (int32) {
        if (index > 7) revert WordOutOfRange(index, 8);
        return int32(uint32(uint256(word) >> (224 - 32 * index)));
    }

    /// @notice The sum of a page of 8-byte balances.
    function sumUint64(bytes calldata page) internal pure returns (uint256 sum) {
        if (page.length == 0 || page.length % 8 != 0) revert BadPageLength(page.length);
        assembly ("memory-safe") {
            let low := 0xffffffffffffffff
            let end := add(page.offset, page.length)
            // What calldataload reads past the page belongs to others: only whole words are read here.
            let whole := add(page.offset, and(page.length, not(31)))
            let at := page.offset
            for {} lt(at, whole) { at := add(at, 0x20) } {
                let word := calldataload(at)
                sum := add(sum, add(add(shr(192, word), and(shr(128, word), low)), add(and(shr(64, word), low), and(word, low))))
            }
            for {} lt(at, end) { at := add(at, 8) } { sum := add(sum, shr(192, calldataload(at))) }
        }
    }

    /// @notice Of a page of 4-byte signed deltas: the sum of the positive ones, and the largest loss (as a positive number).
    function sumInt32(bytes calldata page) internal pure returns (uint256 gained, uint256 worstLoss) {
        if (page.length == 0 || page.length % 4 != 0) revert BadPageLength(page.length);
        assembly ("memory-safe") {
            let end := add(page.offset, page.length)
            for { let at := page.offset } xor(at, end) { at := add(at, 4) } {
                let delta := sar(224, calldataload(at))
                switch slt(delta, 0)
                case 0 { gained := add(gained, delta) }
                default { if slt(delta, worstLoss) { worstLoss := delta } }
            }
            worstLoss := sub(0, worstLoss)
        }
    }

    function _hash(bytes32 left, bytes32 right) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            digest := keccak256(0x00, 0x40)
        }
    }
}
