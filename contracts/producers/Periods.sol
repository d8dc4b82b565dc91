// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {Layout, RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {RandaoSeeds} from "../libraries/RandaoSeeds.sol";
import {Epoch} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {Committees} from "./Committees.sol";

/// @title Periods: their lists, seeds and committees
/// @dev A seed that nobody proves within the vector is lost, and with it the period's committee: the next period has its own.
contract Periods is Committees {
    IBeaconLayout private immutable BEACON_LAYOUT;
    uint64 private immutable VECTOR_LENGTH;

    mapping(uint64 period => bytes32) private _seeds;

    constructor(Addresses memory addresses, Parameters memory parameters) Committees(addresses, parameters) {
        BEACON_LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        VECTOR_LENGTH = parameters.epochsPerHistoricalVector;
    }

    /// @inheritdoc IPeriods
    function proveSeed(uint64 period, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external {
        if (_seeds[period] != 0) revert SeedAlreadyProven(period);
        uint64 seedEpoch = Epoch.unwrap(seedEpochOf(period));
        (bytes32 stateRoot, uint64 epoch, Layout memory row) = _stateAt(BEACON_LAYOUT, timestamp, state);
        RandaoSeeds.verify(stateRoot, epoch, row, randao, seedEpoch, VECTOR_LENGTH);
        _seeds[period] = randao.mix;
        emit SeedProven(period, randao.mix);
    }

    /// @inheritdoc IPeriods
    function seedOf(uint64 period) public view override returns (bytes32 seed) {
        seed = _seeds[period];
        if (seed == 0) revert SeedUnproven(period);
    }
}
