// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SwapOrNot} from "../../../contracts/libraries/SwapOrNot.sol";

/// @notice Makes the library's functions callable for tests.
contract SwapOrNotHarness {
    struct Case {
        bytes32 seed;
        uint256 count;
        uint256 from;
        uint256 to;
    }

    struct Scattered {
        bytes32 seed;
        uint256 count;
        uint256[] indices;
    }

    function shuffledIndex(uint256 index, uint256 count, bytes32 seed) external view returns (uint256) {
        return SwapOrNot.shuffledIndex(index, count, seed);
    }

    function shuffledIndices(uint256 from, uint256 to, uint256 count, bytes32 seed)
        external
        view
        returns (uint256[] memory)
    {
        return SwapOrNot.shuffledIndices(from, to, count, seed);
    }

    function shuffledIndicesGas(uint256 from, uint256 to, uint256 count, bytes32 seed) external view returns (uint256) {
        uint256 before = gasleft();
        SwapOrNot.shuffledIndices(from, to, count, seed);
        return before - gasleft();
    }

    /// @notice Many walks in one call.
    function shuffleMany(Case[] calldata cases) external view returns (uint256[][] memory results) {
        results = new uint256[][](cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            Case calldata one = cases[i];
            results[i] = SwapOrNot.shuffledIndices(one.from, one.to, one.count, one.seed);
        }
    }

    /// @notice Many lists in one call, each index on its own.
    function shuffleEach(Scattered[] calldata cases) external view returns (uint256[][] memory results) {
        results = new uint256[][](cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            Scattered calldata one = cases[i];
            results[i] = new uint256[](one.indices.length);
            for (uint256 k = 0; k < one.indices.length; ++k) {
                results[i][k] = SwapOrNot.shuffledIndex(one.indices[k], one.count, one.seed);
            }
        }
    }
}
