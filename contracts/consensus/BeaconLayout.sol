// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {Layout} from "../libraries/BeaconProofs.sol";

/// @title Where things are in the beacon state, fork by fork.
/// @dev The rows are those of the deployment. They never change: a state of the past is read as it was.
contract BeaconLayout is IBeaconLayout {
    Layout[] private _rows;

    /// @param initial in order of their first epochs.
    constructor(Layout[] memory initial) {
        if (initial.length == 0) revert NoRow(0);
        for (uint256 i = 0; i < initial.length; ++i) {
            Layout memory row = initial[i];
            if (i > 0 && row.firstEpoch <= initial[i - 1].firstEpoch) {
                revert RowsOutOfOrder(initial[i - 1].firstEpoch, row.firstEpoch);
            }
            if (row.forkGindex == 0 || row.validatorsGindex == 0 || row.balancesGindex == 0 || row.randaoMixesGindex == 0) {
                revert RowIncomplete(row.firstEpoch);
            }
            _rows.push(row);
            emit RowAdded(row.firstEpoch, row.forkVersion);
        }
    }

    /// @inheritdoc IBeaconLayout
    function layoutAt(uint64 epoch) external view returns (Layout memory) {
        for (uint256 i = _rows.length; i > 0; --i) {
            if (_rows[i - 1].firstEpoch <= epoch) return _rows[i - 1];
        }
        revert NoRow(epoch);
    }

    /// @inheritdoc IBeaconLayout
    function rows() external view returns (Layout[] memory) {
        return _rows;
    }
}
