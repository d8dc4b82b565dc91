// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title SSZ Merkleization
/// @notice The pieces of the consensus spec's simple-serialize that the contracts need: sha256 nodes, little-endian
/// leaves, and branches named by generalized index.
library Ssz {
    /// @notice A branch longer or shorter than the generalized index is deep; or the index is 0, which names no node.
    error BadBranchLength(uint256 gindex, uint256 length);
    /// @notice The sha256 precompile failed: out of gas.
    error HashFailed();

    /// @notice sha256(left ‖ right).
    function hash(bytes32 left, bytes32 right) internal view returns (bytes32 digest) {
        bool ok;
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            ok := staticcall(gas(), 2, 0x00, 0x40, 0x00, 0x20)
            digest := mload(0x00)
        }
        if (!ok) revert HashFailed();
    }

    /// @notice The leaf of a uint64: little-endian, padded on the right.
    function littleEndian(uint64 value) internal pure returns (bytes32) {
        return bytes32(uint256(_swap(value)) << 192);
    }

    /// @notice The `position`-th (0 … 3) of four uint64 that are packed in one leaf.
    function uint64At(bytes32 leaf, uint256 position) internal pure returns (uint64) {
        return _swap(uint64(uint256(leaf) >> (192 - 64 * position)));
    }

    /// @notice The root that `leaf` at `gindex` has under `branch` (siblings from the leaf up).
    function branchRoot(bytes32 leaf, uint256 gindex, bytes32[] calldata branch) internal view returns (bytes32 root) {
        // The depth is the place of the highest bit.
        if (gindex >> branch.length != 1) revert BadBranchLength(gindex, branch.length);
        bool ok = true;
        assembly ("memory-safe") {
            root := leaf
            let at := branch.offset
            for {} gt(gindex, 1) { gindex := shr(1, gindex) } {
                // An odd node is a right child.
                let side := shl(5, and(gindex, 1))
                mstore(side, root)
                mstore(xor(side, 0x20), calldataload(at))
                ok := and(ok, staticcall(gas(), 2, 0x00, 0x40, 0x00, 0x20))
                root := mload(0x00)
                at := add(at, 0x20)
            }
        }
        if (!ok) revert HashFailed();
    }

    function _swap(uint64 value) private pure returns (uint64) {
        uint64 v = ((value & 0xff00ff00ff00ff00) >> 8) | ((value & 0x00ff00ff00ff00ff) << 8);
        v = ((v & 0xffff0000ffff0000) >> 16) | ((v & 0x0000ffff0000ffff) << 16);
        return (v >> 32) | (v << 32);
    }
}
