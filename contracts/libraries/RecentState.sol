// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {Epoch} from "../types/Ids.sol";
import {BeaconProofs, Layout, RandaoProof, StateProof} from "./BeaconProofs.sol";
import {BeaconRoots} from "./BeaconRoots.sol";

/// @title Beacon states whose block root EIP-4788 still remembers
/// @notice Joins the ring of block roots, the layout of the state's fork and the proofs: what a caller gets is a state root
/// to prove leaves against, or the one mix that a draw must use.
library RecentState {
    /// @notice The state is not yet past the seed's epoch: the mix may still change.
    error SeedNotYetKnown(Epoch seedEpoch, Epoch stateEpoch);
    /// @notice The state's vector no longer holds the mix of the seed's epoch.
    error SeedOutOfVector(Epoch seedEpoch, Epoch stateEpoch);

    /// @notice Proves a state.
    /// @param timestamp Of an execution block; the state is that of the beacon block before it.
    /// @return stateRoot The root to prove leaves against.
    /// @return row Where those leaves are in this state.
    /// @return epoch The state's epoch.
    function open(IBeaconLayout layout, uint64 slotsPerEpoch, uint64 timestamp, StateProof calldata state)
        internal
        view
        returns (bytes32 stateRoot, Layout memory row, uint64 epoch)
    {
        epoch = state.header.slot / slotsPerEpoch;
        row = layout.layoutAt(epoch);
        stateRoot = BeaconProofs.verifyState(BeaconRoots.parentRootAt(timestamp), state, row);
    }

    /// @notice Proves the final mix of `seedEpoch`: from states of the next epoch until the ring comes round again it is one
    /// value, whoever proves it and whenever.
    /// @param vectorLength EPOCHS_PER_HISTORICAL_VECTOR.
    function randaoMix(
        IBeaconLayout layout,
        uint64 slotsPerEpoch,
        uint64 vectorLength,
        uint64 seedEpoch,
        uint64 timestamp,
        StateProof calldata state,
        RandaoProof calldata randao
    ) internal view returns (bytes32) {
        (bytes32 stateRoot, Layout memory row, uint64 epoch) = open(layout, slotsPerEpoch, timestamp, state);
        if (epoch <= seedEpoch) revert SeedNotYetKnown(Epoch.wrap(seedEpoch), Epoch.wrap(epoch));
        if (epoch - seedEpoch >= vectorLength) revert SeedOutOfVector(Epoch.wrap(seedEpoch), Epoch.wrap(epoch));
        BeaconProofs.verifyRandaoMix(stateRoot, randao, seedEpoch, vectorLength, row);
        return randao.mix;
    }
}
