// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Swap-or-not shuffle
/// @notice The consensus spec's `compute_shuffled_index`, bit for bit, with 90 rounds whatever the chain's preset.
/// @dev Each round needs two kinds of hashes: one for the pivot and one for every 256 positions. Both are shared by all
/// the indices of a batch, which is why the rounds are the outer loop.
library SwapOrNot {
    /// @notice The index (or the end of the range) is not inside a list of `count`.
    error IndexOutOfRange(uint256 index, uint256 count);
    /// @notice More elements than the shuffle's 32-bit position words can address, or none.
    error UnsupportedCount(uint256 count);
    /// @notice The sha256 precompile ran out of gas.
    error HashFailed();

    uint256 private constant ROUNDS = 90;
    uint256 private constant MAX_COUNT = 2 ** 40;
    /// @dev Source hashes of a round are kept in a direct-mapped cache: 32 entries of (tag, hash) serve lists of up to
    /// 8,192 without a collision; a collision costs a hash, never a wrong answer.
    uint256 private constant CACHE_BYTES = 32 * 64;

    /// @notice Where `index` of a list of `count` goes under `seed`.
    function shuffledIndex(uint256 index, uint256 count, bytes32 seed) internal view returns (uint256) {
        if (index >= count) revert IndexOutOfRange(index, count);
        return shuffledIndices(index, index + 1, count, seed)[0];
    }

    /// @notice `shuffledIndex` of `from`, `from + 1`, … `to - 1`.
    /// @dev A long walk is resumed by asking for the next range: results do not depend on how it is cut.
    function shuffledIndices(uint256 from, uint256 to, uint256 count, bytes32 seed)
        internal
        view
        returns (uint256[] memory indices)
    {
        if (count == 0 || count > MAX_COUNT) revert UnsupportedCount(count);
        if (to > count) revert IndexOutOfRange(to, count);
        if (from > to) revert IndexOutOfRange(from, to);
        indices = new uint256[](to - from);
        for (uint256 i = 0; i < indices.length; ++i) {
            indices[i] = from + i;
        }
        if (!_runRounds(indices, count, seed)) revert HashFailed();
    }

    /// @dev Runs all rounds over `indices` in place; false when a hash failed.
    function _runRounds(uint256[] memory indices, uint256 count, bytes32 seed) private view returns (bool ok) {
        assembly ("memory-safe") {
            function hash(input, size) -> digest, success {
                success := staticcall(gas(), 2, input, size, 0x00, 0x20)
                digest := mload(0x00)
            }

            // Beyond the free pointer: seed (32) | round (1) | position / 256, little-endian (4); then the cache.
            let input := mload(0x40)
            let cache := add(input, 0x40)
            calldatacopy(cache, calldatasize(), CACHE_BYTES)
            mstore(input, seed)
            let end := add(add(indices, 0x20), shl(5, mload(indices)))
            ok := 1

            for { let round := 0 } lt(round, ROUNDS) { round := add(round, 1) } {
                mstore8(add(input, 0x20), round)
                let pivot, success := hash(input, 33)
                ok := and(ok, success)
                // The first 8 bytes, little-endian, modulo the count.
                pivot := shr(192, pivot)
                pivot := or(shr(8, and(pivot, 0xff00ff00ff00ff00)), shl(8, and(pivot, 0x00ff00ff00ff00ff)))
                pivot := or(shr(16, and(pivot, 0xffff0000ffff0000)), shl(16, and(pivot, 0x0000ffff0000ffff)))
                pivot := mod(or(shr(32, pivot), shl(32, and(pivot, 0xffffffff))), count)

                for { let at := add(indices, 0x20) } lt(at, end) { at := add(at, 0x20) } {
                    let index := mload(at)
                    let flip := addmod(pivot, sub(count, index), count)
                    let difference := xor(index, flip)
                    let position := xor(index, mul(difference, gt(flip, index)))

                    let chunk := shr(8, position)
                    let tag := or(shl(8, chunk), add(round, 1))
                    let slot := add(cache, shl(6, and(chunk, 31)))
                    if xor(mload(slot), tag) {
                        mstore8(add(input, 0x21), chunk)
                        mstore8(add(input, 0x22), shr(8, chunk))
                        mstore8(add(input, 0x23), shr(16, chunk))
                        mstore8(add(input, 0x24), shr(24, chunk))
                        let source
                        source, success := hash(input, 37)
                        ok := and(ok, success)
                        mstore(slot, tag)
                        mstore(add(slot, 0x20), source)
                    }
                    // Bit `position % 8` of byte `position % 256 / 8`.
                    let octet := byte(and(shr(3, position), 31), mload(add(slot, 0x20)))
                    mstore(at, xor(index, mul(difference, and(shr(and(position, 7), octet), 1))))
                }
            }
        }
    }
}
