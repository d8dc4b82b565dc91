// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Epoch} from "../types/Ids.sol";
import {BeaconProofs, Layout, RandaoProof} from "./BeaconProofs.sol";

/// @title Seeds of draws: final RANDAO mixes
/// @notice From the first state of the next epoch until the ring comes round again, a state holds one mix of an epoch,
/// whoever proves it and whenever.
library RandaoSeeds {
    /// @notice The state is not yet past the seed's epoch: the mix may still change.
    error SeedNotYetKnown(Epoch seedEpoch, Epoch stateEpoch);
    /// @notice The state's vector no longer holds the mix of the seed's epoch.
    error SeedOutOfVector(Epoch seedEpoch, Epoch stateEpoch);

    /// @notice Proves the final mix of `seedEpoch` in a state of `stateEpoch`.
    /// @param vectorLength EPOCHS_PER_HISTORICAL_VECTOR.
    function verify(
        bytes32 stateRoot,
        uint64 stateEpoch,
        Layout memory row,
        RandaoProof calldata randao,
        uint64 seedEpoch,
        uint64 vectorLength
    ) internal view {
        if (stateEpoch <= seedEpoch) revert SeedNotYetKnown(Epoch.wrap(seedEpoch), Epoch.wrap(stateEpoch));
        if (stateEpoch - seedEpoch >= vectorLength) revert SeedOutOfVector(Epoch.wrap(seedEpoch), Epoch.wrap(stateEpoch));
        BeaconProofs.verifyRandaoMix(stateRoot, randao, seedEpoch, vectorLength, row);
    }

    /// @notice The epoch that stands in for `asked` once the vector has come round: a function of time alone, so that nobody
    /// ever has the choice between two mixes.
    function epochNow(uint64 asked, uint64 currentEpoch, uint64 vectorLength) internal pure returns (uint64) {
        if (currentEpoch < asked) return asked;
        return asked + (currentEpoch - asked) / vectorLength * vectorLength;
    }
}
