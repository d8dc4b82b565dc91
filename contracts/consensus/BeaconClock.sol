// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconProofs, Layout, StateProof} from "../libraries/BeaconProofs.sol";
import {BeaconRoots} from "../libraries/BeaconRoots.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title The beacon chain's time, and its states at a time.
abstract contract BeaconClock {
    uint64 internal immutable GENESIS_TIME;
    uint64 internal immutable SECONDS_PER_SLOT;
    uint64 internal immutable SLOTS_PER_EPOCH;

    constructor(Parameters memory parameters) {
        GENESIS_TIME = parameters.genesisTime;
        SECONDS_PER_SLOT = parameters.secondsPerSlot;
        SLOTS_PER_EPOCH = parameters.slotsPerEpoch;
    }

    function _secondsOf(uint64 epochs) internal view returns (uint64) {
        return epochs * SLOTS_PER_EPOCH * SECONDS_PER_SLOT;
    }

    function _timestampOfSlot(uint64 slot) internal view returns (uint64) {
        return GENESIS_TIME + slot * SECONDS_PER_SLOT;
    }

    function _epochOfSlot(uint64 slot) internal view returns (uint64) {
        return slot / SLOTS_PER_EPOCH;
    }

    function _currentEpoch() internal view returns (uint64) {
        return (uint64(block.timestamp) - GENESIS_TIME) / _secondsOf(1);
    }

    /// @dev First epoch that starts at least `epochs` after this block.
    function _firstEpochAfter(uint64 epochs) internal view returns (uint64) {
        return (uint64(block.timestamp) - GENESIS_TIME + _secondsOf(1) - 1) / _secondsOf(1) + epochs;
    }

    /// @dev State of the beacon block that is the parent of the one with `timestamp`, by EIP-4788 and the layout of its epoch.
    /// @return stateRoot to prove leaves against. @return epoch of the block. @return row its layout.
    function _stateAt(IBeaconLayout beaconLayout, uint64 timestamp, StateProof calldata state)
        internal
        view
        returns (bytes32 stateRoot, uint64 epoch, Layout memory row)
    {
        epoch = _epochOfSlot(state.header.slot);
        row = beaconLayout.layoutAt(epoch);
        stateRoot = BeaconProofs.verifyState(BeaconRoots.parentRootAt(timestamp), state, row);
    }
}
