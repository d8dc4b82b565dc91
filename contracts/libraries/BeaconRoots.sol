// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What the chain remembers of itself
/// @notice Beacon block roots by timestamp (EIP-4788) and execution block hashes by number (EIP-2935). Both are rings of
/// 8,191 entries: about 27 hours at 12-second slots.
library BeaconRoots {
    /// @notice No block has this timestamp, or the ring has lost it.
    error RootUnavailable(uint256 timestamp);
    /// @notice No block within `maxSlots` after the boundary.
    error NoBlockAfter(uint256 boundary, uint256 maxSlots);
    /// @notice The ring may have overwritten slots after the boundary, so the first one can't be told any more.
    error BoundaryTooOld(uint256 boundary, uint256 oldest);
    /// @notice The block's hash is not in the ring.
    error BlockHashUnavailable(uint256 blockNumber);

    address internal constant BEACON_ROOTS = 0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02;
    address internal constant BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;
    /// @dev HISTORY_BUFFER_LENGTH of EIP-4788. It is prime, so the slots of a ring have different places.
    uint256 internal constant RING = 8191;

    /// @notice The root of the parent of the beacon block whose execution payload has `timestamp`.
    function parentRootAt(uint256 timestamp) internal view returns (bytes32) {
        (bool found, bytes32 root) = tryParentRootAt(timestamp);
        if (!found) revert RootUnavailable(timestamp);
        return root;
    }

    /// @notice As `parentRootAt`, but says when there is none.
    function tryParentRootAt(uint256 timestamp) internal view returns (bool found, bytes32 root) {
        return _lookUp(BEACON_ROOTS, timestamp);
    }

    /// @notice The root of the last beacon block at or before `boundary`: the parent of the first block after it.
    /// @dev A slot without a block must not be mistaken for one whose root was overwritten, or whoever proves could choose
    /// among several references: so everything searched has to be inside the ring. Nor can a lack of gas look like an empty
    /// slot: it leaves 1/64 of what a look-up takes, and the next look-up fails for good.
    /// @param boundary Timestamp of a slot.
    /// @return root The reference root.
    /// @return timestamp That of the first block after the boundary.
    function firstRootAfter(uint256 boundary, uint256 secondsPerSlot, uint256 maxSlots)
        internal
        view
        returns (bytes32 root, uint256 timestamp)
    {
        uint256 span = RING * secondsPerSlot;
        if (boundary + secondsPerSlot + span <= block.timestamp) revert BoundaryTooOld(boundary, block.timestamp - span);
        timestamp = boundary;
        for (uint256 i = 0; i < maxSlots; ++i) {
            timestamp += secondsPerSlot;
            if (timestamp > block.timestamp) break;
            bool found;
            (found, root) = tryParentRootAt(timestamp);
            if (found) return (root, timestamp);
        }
        revert NoBlockAfter(boundary, maxSlots);
    }

    /// @notice The hash of execution block `blockNumber`.
    function blockHashAt(uint256 blockNumber) internal view returns (bytes32) {
        (bool found, bytes32 hash) = _lookUp(BLOCK_HASHES, blockNumber);
        if (!found) revert BlockHashUnavailable(blockNumber);
        return hash;
    }

    /// @dev Both system contracts take one word, answer with one word, and revert when they have no answer. A zero word is
    /// an entry never written.
    function _lookUp(address ring, uint256 key) private view returns (bool found, bytes32 value) {
        assembly ("memory-safe") {
            mstore(0x00, key)
            found := staticcall(gas(), ring, 0x00, 0x20, 0x00, 0x20)
            found := and(found, eq(returndatasize(), 0x20))
            if found { value := mload(0x00) }
            found := iszero(iszero(value))
        }
    }
}
