// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Swap-or-not shuffle
/// @notice The consensus spec's `compute_shuffled_index`, bit for bit, with 90 rounds whatever the chain's preset.
/// @dev Each round needs two kinds of hashes: one for the pivot and one for every 256 positions. Both are shared by all
/// the indices of a batch, which is why the rounds are the outer loop.
library SwapOrNot {
    /// @notice The index (or the end of the range) is not inside a list of `count`.
    error IndexOutOfRange(uint256 index, uint256 count);
    /// @notice More elements than the eight lanes of a word can tell apart, or none.
    error UnsupportedCount(uint256 count);
    /// @notice The sha256 precompile ran out of gas.
    error HashFailed();

    uint256 private constant ROUNDS = 90;
    uint256 private constant MAX_COUNT = 2 ** 31;
    /// @dev The source hashes of a round are kept for lists of up to 32 of them; in longer ones few indices share one.
    uint256 private constant CACHED_COUNT = 32 * 256;
    /// @dev Positions that one source hash has bits for.
    uint256 private constant SHORT_COUNT = 256;
    /// @dev 1 in each of eight lanes of 32 bits.
    uint256 private constant EACH_OF_EIGHT = 0x0000000100000001000000010000000100000001000000010000000100000001;
    /// @dev 1 in each of sixteen lanes of 16 bits.
    uint256 private constant EACH_OF_SIXTEEN = 0x0001000100010001000100010001000100010001000100010001000100010001;

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
        unchecked {
            for (uint256 i = 0; i < indices.length; ++i) {
                indices[i] = from + i;
            }
        }
        _runRounds(indices, count, seed);
    }

    /// @notice Puts in the place of each of `indices`, which may be any and in any order, where it goes.
    function shuffle(uint256[] memory indices, uint256 count, bytes32 seed) internal view {
        if (count == 0 || count > MAX_COUNT) revert UnsupportedCount(count);
        for (uint256 i = 0; i < indices.length; ++i) {
            if (indices[i] >= count) revert IndexOutOfRange(indices[i], count);
        }
        _runRounds(indices, count, seed);
    }

    function _runRounds(uint256[] memory indices, uint256 count, bytes32 seed) private view {
        bool ok = count > SHORT_COUNT ? _runLong(indices, count, seed) : _runShort(indices, count, seed);
        if (!ok) revert HashFailed();
    }

    /// @dev Runs all rounds over `indices` in place; false when a hash failed. All that a round does to an index but look up its
    /// bit is done to the sixteen that share a word at once; of a lane's 16 bits the top one is free to tell which of two is larger.
    function _runShort(uint256[] memory indices, uint256 count, bytes32 seed) private view returns (bool ok) {
        assembly ("memory-safe") {
            // Beyond the free pointer: seed (32) | round (1) | the one source's number, 0 (4); the lanes.
            let input := mload(0x40)
            let first := add(input, 0x40)
            let end := add(first, shl(5, shr(4, add(mload(indices), 15))))
            calldatacopy(input, calldatasize(), sub(end, input))
            mstore(input, seed)
            for { let i := mload(indices) } i {} {
                i := sub(i, 1)
                let lanes := add(first, shl(5, shr(4, i)))
                mstore(lanes, or(shl(16, mload(lanes)), mload(add(add(indices, 0x20), shl(5, i)))))
            }
            ok := 1

            // Scratch space: cheaper there than as a constant.
            mstore(0x20, EACH_OF_SIXTEEN)
            for { let round := 0 } xor(round, ROUNDS) { round := add(round, 1) } {
                mstore8(add(input, 0x20), round)
                ok := and(ok, staticcall(gas(), 2, input, 33, 0x00, 0x20))
                // The first 8 bytes, little-endian, modulo the count; in every lane, with the top bit set.
                let pivot := shr(192, mload(0x00))
                pivot := or(shr(8, and(pivot, 0xff00ff00ff00ff00)), shl(8, and(pivot, 0x00ff00ff00ff00ff)))
                pivot := or(shr(16, and(pivot, 0xffff0000ffff0000)), shl(16, and(pivot, 0x0000ffff0000ffff)))
                pivot := mod(or(shr(32, pivot), shl(32, and(pivot, 0xffffffff))), count)
                pivot := mul(or(pivot, 0x8000), mload(0x20))
                ok := and(ok, staticcall(gas(), 2, input, 37, 0x00, 0x20))
                seed := mload(0x00)

                for { let at := first } xor(at, end) { at := add(at, 0x20) } {
                    let index := mload(at)
                    // Where each index may go, top bit set: pivot - index, plus the count where that borrowed.
                    let other := sub(pivot, index)
                    other := add(other, mul(and(shr(15, not(other)), mload(0x20)), count))
                    let larger := mul(and(shr(15, sub(other, index)), mload(0x20)), 0xffff)
                    other := xor(other, index)
                    // The larger of both, but for the top bit, with bytes counted from the right: the shuffle counts from the left.
                    larger := xor(xor(index, and(other, larger)), mul(0xf8, mload(0x20)))
                    // Their bits of the source, lowest in every lane.
                    mstore8(0x1f, shr(byte(0x1f, larger), seed))
                    mstore8(0x1d, shr(byte(0x1d, larger), seed))
                    mstore8(0x1b, shr(byte(0x1b, larger), seed))
                    mstore8(0x19, shr(byte(0x19, larger), seed))
                    let left := sub(mload(indices), shr(1, sub(at, first)))
                    if gt(left, 4) {
                        mstore8(0x17, shr(byte(0x17, larger), seed))
                        mstore8(0x15, shr(byte(0x15, larger), seed))
                        mstore8(0x13, shr(byte(0x13, larger), seed))
                        mstore8(0x11, shr(byte(0x11, larger), seed))
                        if gt(left, 8) {
                            mstore8(0x0f, shr(byte(0x0f, larger), seed))
                            mstore8(0x0d, shr(byte(0x0d, larger), seed))
                            mstore8(0x0b, shr(byte(0x0b, larger), seed))
                            mstore8(0x09, shr(byte(0x09, larger), seed))
                            mstore8(0x07, shr(byte(0x07, larger), seed))
                            mstore8(0x05, shr(byte(0x05, larger), seed))
                            mstore8(0x03, shr(byte(0x03, larger), seed))
                            mstore8(0x01, shr(byte(0x01, larger), seed))
                        }
                    }
                    mstore(at, xor(index, and(other, mul(and(mload(0x00), mload(0x20)), 0x7fff))))
                }
            }

            for { let i := mload(indices) } i {} {
                i := sub(i, 1)
                let lanes := mload(add(first, shl(5, shr(4, i))))
                mstore(add(add(indices, 0x20), shl(5, i)), and(shr(shl(4, and(i, 15)), lanes), 0xffff))
            }
        }
    }

    /// @dev As `_runShort`, for lists of more than one source: eight indices share a word, in lanes of 32 bits.
    function _runLong(uint256[] memory indices, uint256 count, bytes32 seed) private view returns (bool ok) {
        assembly ("memory-safe") {
            // Beyond the free pointer: seed (32) | round (1) | position / 256, little-endian (4); the lanes; the round's sources.
            let input := mload(0x40)
            let end := add(add(input, 0x40), shl(5, shr(3, add(mload(indices), 7))))
            calldatacopy(input, calldatasize(), add(sub(end, input), 0x400))
            mstore(input, seed)
            for { let i := mload(indices) } i {} {
                i := sub(i, 1)
                let lanes := add(add(input, 0x40), shl(5, shr(3, i)))
                mstore(lanes, or(shl(32, mload(lanes)), mload(add(add(indices, 0x20), shl(5, i)))))
            }
            ok := 1

            // Scratch space: cheaper there than as a constant.
            mstore(0x20, EACH_OF_EIGHT)

            // Of eight indices: their differences from those that each may be swapped with, top bit set; and the larger of both,
            // but for the top bit, and with bytes counted from the right: the shuffle counts those of a source from the left.
            function compare(pivot, index, size) -> difference, position {
                // pivot - index, plus the count where that borrowed.
                difference := sub(pivot, index)
                difference := add(difference, mul(and(shr(31, not(difference)), mload(0x20)), size))
                position := and(shr(31, sub(difference, index)), mload(0x20))
                difference := xor(difference, index)
                position := xor(index, and(difference, mul(position, 0xffffffff)))
                position := xor(position, mul(0xf8, mload(0x20)))
            }

            for { let round := 0 } xor(round, ROUNDS) { round := add(round, 1) } {
                mstore8(add(input, 0x20), round)
                ok := and(ok, staticcall(gas(), 2, input, 33, 0x00, 0x20))
                // The first 8 bytes, little-endian, modulo the count; in every lane, with the top bit set.
                let pivot := shr(192, mload(0x00))
                pivot := or(shr(8, and(pivot, 0xff00ff00ff00ff00)), shl(8, and(pivot, 0x00ff00ff00ff00ff)))
                pivot := or(shr(16, and(pivot, 0xffff0000ffff0000)), shl(16, and(pivot, 0x0000ffff0000ffff)))
                pivot := mod(or(shr(32, pivot), shl(32, and(pivot, 0xffffffff))), count)
                pivot := mul(or(pivot, 0x80000000), mload(0x20))

                // Without the sources of the round before. In a list too long for the cache none was kept.
                if iszero(gt(count, CACHED_COUNT)) { calldatacopy(end, calldatasize(), shl(5, shr(8, add(count, 255)))) }
                for { let at := add(input, 0x40) } xor(at, end) { at := add(at, 0x20) } {
                    let index := mload(at)
                    let difference, position := compare(pivot, index, count)
                    let bits := 0
                    // The lanes in use: an index has four bytes here.
                    let lane := sub(shl(5, mload(indices)), shl(3, sub(sub(at, input), 0x40)))
                    if gt(lane, 256) { lane := 256 }
                    for {} lane {} {
                        lane := sub(lane, 32)
                        let place := shr(lane, position)
                        // Entry `place / 256 % 32`.
                        seed := mload(add(end, and(shr(3, place), 0x3e0)))
                        if iszero(seed) {
                            mstore8(add(input, 0x21), shr(8, place))
                            if gt(count, CACHED_COUNT) {
                                mstore8(add(input, 0x22), shr(16, place))
                                mstore8(add(input, 0x23), and(shr(24, place), 0x7f))
                            }
                            ok := and(ok, staticcall(gas(), 2, input, 37, 0x00, 0x20))
                            seed := mload(0x00)
                            if iszero(gt(count, CACHED_COUNT)) { mstore(add(end, and(shr(3, place), 0x3e0)), seed) }
                        }
                        bits := or(bits, shl(lane, and(shr(and(place, 0xff), seed), 1)))
                    }
                    mstore(at, xor(index, and(difference, mul(bits, 0x7fffffff))))
                }
            }

            for { let i := mload(indices) } i {} {
                i := sub(i, 1)
                let lanes := mload(add(add(input, 0x40), shl(5, shr(3, i))))
                mstore(add(add(indices, 0x20), shl(5, i)), and(shr(shl(5, and(i, 7)), lanes), 0xffffffff))
            }
        }
    }
}
