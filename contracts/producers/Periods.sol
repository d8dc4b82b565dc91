// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {Layout, RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {RandaoSeeds} from "../libraries/RandaoSeeds.sol";
import {SwapOrNot} from "../libraries/SwapOrNot.sol";
import {Epoch, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {PeriodLists} from "./PeriodLists.sol";

/// @title Periods: their lists, seeds and commitment committees
/// @dev A seed that nobody proves within the vector is lost, and with it the period's committee: the next period has its own.
contract Periods is PeriodLists {
    struct Committee {
        ProducerId[] members;
        G1Point aggregateKey;
    }

    IBeaconLayout private immutable BEACON_LAYOUT;
    uint64 private immutable VECTOR_LENGTH;
    uint256 private immutable COMMITTEE_SIZE;

    mapping(uint64 period => bytes32) private _seeds;
    mapping(uint64 period => Committee) private _committees;

    constructor(Addresses memory addresses, Parameters memory parameters) PeriodLists(addresses, parameters) {
        BEACON_LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        VECTOR_LENGTH = parameters.epochsPerHistoricalVector;
        COMMITTEE_SIZE = parameters.committeeSize;
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
    function seedOf(uint64 period) public view returns (bytes32 seed) {
        seed = _seeds[period];
        if (seed == 0) revert SeedUnproven(period);
    }

    /// @inheritdoc IPeriods
    function formCommittee(uint64 period, uint256 maxMembers) external {
        bytes32 seed = sha256(abi.encodePacked(seedOf(period), "committee", period));
        uint256 listSize = sizeAt(period);
        uint256 size = _committeeSize(listSize);
        Committee storage body = _committees[period];
        uint256 from = body.members.length;
        if (size > 0 && from == size) revert CommitteeComplete(period);
        uint256 to = maxMembers < size - from ? from + maxMembers : size;
        if (to == from) return;

        uint256[] memory positions = SwapOrNot.shuffledIndices(from, to, listSize, seed);
        G1Point memory sum = body.aggregateKey;
        for (uint256 i = 0; i < positions.length; ++i) {
            ProducerId producerId = _producerAt(period, uint32(positions[i]));
            body.members.push(producerId);
            sum = Bls12381.add(sum, IBlockProducers(BLOCK_PRODUCERS).signingKey(producerId));
        }
        body.aggregateKey = sum;
        if (to == size) emit CommitteeFormed(period, body.members);
    }

    /// @inheritdoc IPeriods
    function committee(uint64 period) external view returns (ProducerId[] memory members, G1Point memory aggregateKey) {
        Committee storage body = _committees[period];
        uint256 formed = body.members.length;
        uint256 size = _committeeSize(sizeAt(period));
        // A list too short for a committee has none, rather than one whose two thirds are nobody.
        if (formed == 0 || formed < size) revert CommitteeIncomplete(period, formed, size);
        return (body.members, body.aggregateKey);
    }

    /// @dev At least half of the producers stay outside, to judge what the committee says.
    function _committeeSize(uint256 listSize) private view returns (uint256) {
        return listSize / 2 < COMMITTEE_SIZE ? listSize / 2 : COMMITTEE_SIZE;
    }
}
