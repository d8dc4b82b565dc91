// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconRoots} from "../../../contracts/libraries/BeaconRoots.sol";

/// @notice Makes the library's functions callable for tests.
contract BeaconRootsHarness {
    function parentRootAt(uint256 timestamp) external view returns (bytes32) {
        return BeaconRoots.parentRootAt(timestamp);
    }

    function tryParentRootAt(uint256 timestamp) external view returns (bool, bytes32) {
        return BeaconRoots.tryParentRootAt(timestamp);
    }

    function firstRootAfter(uint256 boundary, uint256 secondsPerSlot, uint256 maxSlots)
        external
        view
        returns (bytes32, uint256)
    {
        return BeaconRoots.firstRootAfter(boundary, secondsPerSlot, maxSlots);
    }

    function blockHashAt(uint256 blockNumber) external view returns (bytes32) {
        return BeaconRoots.blockHashAt(blockNumber);
    }

    /// @notice The time that the look-ups see.
    function time() external view returns (uint256) {
        return block.timestamp;
    }
}
