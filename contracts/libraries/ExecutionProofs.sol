// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TrieProof} from "@openzeppelin/contracts/utils/cryptography/TrieProof.sol";
import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

/// @title Proofs of the execution layer's state
/// @notice From the hash of a block, through its header, to an account and a storage slot in the Merkle-Patricia tries. Every
/// function reverts when the proof does not hold. Proofs are those of `eth_getProof` (EIP-1186).
library ExecutionProofs {
    using RLP for Memory.Slice;
    using Memory for Memory.Slice;

    /// @notice The header is not that of the trusted block.
    error WrongHeader(bytes32 expected, bytes32 actual);
    /// @notice What the trie holds for the address is no account.
    error NotAnAccount(uint256 fields);

    uint256 private constant BRANCH_ITEMS = 17;
    uint256 private constant PATH_ITEMS = 2;
    uint256 private constant HASH_ITEM = 33;
    bytes1 private constant EMPTY_ITEM = 0x80;

    /// @notice State root and timestamp of the block with this hash.
    /// @param header its RLP encoding. Fields that later forks append change nothing here.
    function verifyHeader(bytes32 blockHash, bytes memory header) internal pure returns (bytes32 stateRoot, uint256 timestamp) {
        bytes32 actual = keccak256(header);
        if (actual != blockHash) revert WrongHeader(blockHash, actual);
        Memory.Slice[] memory fields = BlockHeader.parseHeader(header);
        return (BlockHeader.getStateRoot(fields), BlockHeader.getTimestamp(fields));
    }

    /// @notice Balance (wei) and storage root of an account that exists.
    function verifyAccount(bytes32 stateRoot, address account, bytes[] memory proof)
        internal
        pure
        returns (uint256 balance, bytes32 storageRoot)
    {
        bytes32 key = keccak256(abi.encodePacked(account));
        Memory.Slice[] memory fields = RLP.decodeList(TrieProof.traverse(stateRoot, abi.encodePacked(key), proof));
        if (fields.length != 4) revert NotAnAccount(fields.length);
        return (fields[1].readUint256(), fields[2].readBytes32());
    }

    /// @notice Value of a storage slot: zero when the proof shows that the trie does not have it.
    function verifySlot(bytes32 storageRoot, bytes32 slot, bytes[] memory proof) internal pure returns (uint256) {
        bytes32 key = keccak256(abi.encodePacked(slot));
        if (_isAbsent(storageRoot, key, proof)) return 0;
        return RLP.decodeUint256(TrieProof.traverse(storageRoot, abi.encodePacked(key), proof));
    }

    /// @dev Whether these nodes, each the one that its parent names by hash, lead to where the key would have to be, and it is not:
    /// a branch without a child there, or a path that goes elsewhere. False says nothing more. A node too short to be named by hash
    /// is none of a trie with hashed keys, unless it is tens of nibbles deep.
    function _isAbsent(bytes32 expected, bytes32 key, bytes[] memory proof) private pure returns (bool) {
        uint256 depth = 0;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (keccak256(proof[i]) != expected) return false;
            Memory.Slice[] memory items = RLP.decodeList(proof[i]);
            Memory.Slice child;
            if (items.length == BRANCH_ITEMS) {
                child = items[_nibble(key, depth)];
                ++depth;
                if (child.length() == 1 && bytes1(child.load(0)) == EMPTY_ITEM) return true;
            } else if (items.length == PATH_ITEMS) {
                (bool same, uint256 length) = _comparePath(key, depth, items[0].readBytes());
                if (!same) return true;
                child = items[1];
                depth += length;
            } else {
                return false;
            }
            if (depth >= 64 || child.length() != HASH_ITEM) return false;
            expected = child.readBytes32();
        }
        return false;
    }

    /// @dev Whether the key goes on with the path of a leaf or an extension: its first nibble tells which, and whether the second
    /// belongs to the path.
    function _comparePath(bytes32 key, uint256 depth, bytes memory path) private pure returns (bool same, uint256 length) {
        uint256 skipped = uint8(path[0]) & 0x10 == 0 ? 2 : 1;
        length = path.length * 2 - skipped;
        if (depth + length > 64) return (false, length);
        for (uint256 i = 0; i < length; ++i) {
            if (_nibble(key, depth + i) != _nibbleOf(path, skipped + i)) return (false, length);
        }
        return (true, length);
    }

    function _nibble(bytes32 key, uint256 index) private pure returns (uint256) {
        return uint8(key[index / 2]) >> (index % 2 == 0 ? 4 : 0) & 0x0f;
    }

    function _nibbleOf(bytes memory path, uint256 index) private pure returns (uint256) {
        return uint8(path[index / 2]) >> (index % 2 == 0 ? 4 : 0) & 0x0f;
    }
}
