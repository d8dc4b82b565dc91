// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Layout} from "../libraries/BeaconProofs.sol";

/// @title Where things are in the beacon state, fork by fork.
interface IBeaconLayout {
    event RowAdded(uint64 indexed firstEpoch, bytes4 forkVersion);

    error NoRow(uint64 epoch);
    error RowsOutOfOrder(uint64 previous, uint64 next);
    /// @notice A generalized index of the row is zero.
    error RowIncomplete(uint64 firstEpoch);

    /// @notice Row in force at an epoch.
    function layoutAt(uint64 epoch) external view returns (Layout memory);

    function rows() external view returns (Layout[] memory);
}
