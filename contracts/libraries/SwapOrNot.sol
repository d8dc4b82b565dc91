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
    /// @dev The source hashes of a round are kept for lists of up to 32 of them; in longer ones few indices share one.
    uint256 private constant CACHED_COUNT = 32 * 256;

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

    /// @notice Puts in the place of each of `indices`, which may be any and in any order, where it goes.
    function shuffle(uint256[] memory indices, uint256 count, bytes32 seed) internal view {
        if (count == 0 || count > MAX_COUNT) revert UnsupportedCount(count);
        for (uint256 i = 0; i < indices.length; ++i) {
            if (indices[i] >= count) revert IndexOutOfRange(indices[i], count);
        }
        if (!_runRounds(indices, count, seed)) revert HashFailed();
    }

    /// @dev Runs all rounds over `indices` in place; false when a hash failed.
    function _runRounds(uint256[] memory indices, uint256 count, bytes32 seed) private view returns (bool ok) {
        // Zero for a list too long for the cache: then nothing is ever kept, and every look-up misses.
        uint256 cacheBytes = count > CACHED_COUNT ? 0 : (count + 255) / 256 * 32;
        assembly ("memory-safe") {
            // Beyond the free pointer: seed (32) | round (1) | position / 256, little-endian (4); then the cache.
            let input := mload(0x40)
            let cache := add(input, 0x40)
            calldatacopy(input, calldatasize(), 0x440)
            mstore(input, seed)
            let end := add(add(indices, 0x20), shl(5, mload(indices)))
            ok := 1

            for { let round := 0 } xor(round, ROUNDS) { round := add(round, 1) } {
                calldatacopy(cache, calldatasize(), cacheBytes)
                mstore8(add(input, 0x20), round)
                ok := and(ok, staticcall(gas(), 2, input, 33, 0x00, 0x20))
                // The first 8 bytes, little-endian, modulo the count.
                let pivot := shr(192, mload(0x00))
                pivot := or(shr(8, and(pivot, 0xff00ff00ff00ff00)), shl(8, and(pivot, 0x00ff00ff00ff00ff)))
                pivot := or(shr(16, and(pivot, 0xffff0000ffff0000)), shl(16, and(pivot, 0x0000ffff0000ffff)))
                pivot := add(count, mod(or(shr(32, pivot), shl(32, and(pivot, 0xffffffff))), count))

                for { let at := add(indices, 0x20) } xor(at, end) { at := add(at, 0x20) } {
                    let index := mload(at)
                    let flip := mod(sub(pivot, index), count)
                    let difference := xor(index, flip)
                    let position := xor(index, mul(difference, gt(flip, index)))

                    // Entry `position / 256 % 32`.
                    let source := mload(add(cache, and(shr(3, position), 0x3e0)))
                    if iszero(source) {
                        let chunk := shr(8, position)
                        mstore8(add(input, 0x21), chunk)
                        if iszero(cacheBytes) {
                            mstore8(add(input, 0x22), shr(8, chunk))
                            mstore8(add(input, 0x23), shr(16, chunk))
                            mstore8(add(input, 0x24), shr(24, chunk))
                        }
                        ok := and(ok, staticcall(gas(), 2, input, 37, 0x00, 0x20))
                        source := mload(0x00)
                        if cacheBytes { mstore(add(cache, shl(5, chunk)), source) }
                    }
                    // Bit `position % 8` of byte `position % 256 / 8`, counted from the left.
                    let bit := and(shr(and(xor(position, 0xf8), 0xff), source), 1)
                    mstore(at, xor(index, mul(difference, bit)))
                }
            }
        }
    }
}
