// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title Producers who speak together, named by their places in a period's list
/// @dev A set of places is a bitmap in words of 256: bit i of word w is place 256·w + i. Every head weighs the same: nobody is in
/// the list with less than an effective stake, and nobody speaks who has less by now.
abstract contract Voters {
    /// @notice Slashed, gone, or with a bond below an effective stake: speaks no more.
    error NotAVoter(ProducerId producerId);

    IPeriods internal immutable PERIODS;
    IBlockProducers internal immutable PRODUCERS;

    constructor(Addresses memory addresses) {
        PERIODS = IPeriods(nonZero(addresses.periods));
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
    }

    /// @dev The sum of the signing keys of these places. Reverts on a place beyond the list, or of somebody who may not speak.
    function _sumOfKeys(uint64 period, uint256[] calldata places) internal view returns (G1Point memory sum) {
        uint256 unitValue = PRODUCERS.unitValue();
        for (uint256 word = 0; word < places.length; ++word) {
            uint256 rest = places[word];
            while (rest != 0) {
                uint256 place = word * 256 + _lowestBit(rest);
                rest &= rest - 1;
                ProducerId producerId = PERIODS.producerAt(period, uint32(place));
                if (!PRODUCERS.isEligible(producerId, PoolKind.Bond, period, unitValue)) revert NotAVoter(producerId);
                sum = Bls12381.add(sum, PRODUCERS.signingKey(producerId));
            }
        }
    }

    /// @dev Adds places to a set. @return added how many of them were not in it
    function _merge(mapping(uint256 word => uint256) storage set, uint256[] calldata places) internal returns (uint256 added) {
        for (uint256 word = 0; word < places.length; ++word) {
            uint256 before = set[word];
            uint256 fresh = places[word] & ~before;
            if (fresh == 0) continue;
            set[word] = before | fresh;
            added += _countBits(fresh);
        }
    }

    function _countBits(uint256 word) internal pure returns (uint256 count) {
        for (; word != 0; word &= word - 1) ++count;
    }

    function _lowestBit(uint256 word) private pure returns (uint256 index) {
        // Isolated, the bit is a power of two.
        return Math.log2(word & (~word + 1));
    }
}
