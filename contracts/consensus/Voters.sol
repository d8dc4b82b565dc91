// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {PoolKind, ProducerId} from "../types/Ids.sol";
import {ProducerAccess} from "./ProducerAccess.sol";

/// @title Producers who speak together, named by their positions in a period's list
/// @dev A set of positions is a bitmap in words of 256: bit i of word w is position 256·w + i. Every head weighs the same: nobody
/// is in the list with less than an effective stake, and nobody counts who has less by now, was slashed or leaves. Their signatures
/// do no harm either, so nobody can spoil an aggregate that others made by leaving, or by giving his own signature first.
abstract contract Voters is ProducerAccess {
    /// @dev The sum of the signing keys at these positions, and those of the positions that count. Reverts on one beyond the list.
    function _keysOf(uint64 period, uint256[] calldata positions)
        internal
        view
        returns (G1Point memory sum, uint256[] memory counted)
    {
        uint256 unitValue = PRODUCERS.unitValue();
        counted = positions;
        for (uint256 word = 0; word < positions.length; ++word) {
            for (uint256 rest = positions[word]; rest != 0; rest &= rest - 1) {
                uint256 bit = Math.log2(rest & (~rest + 1));
                ProducerId producerId = PERIODS.producerAt(period, uint32(word * 256 + bit));
                sum = Bls12381.add(sum, PRODUCERS.signingKey(producerId));
                // As a draw requested from now on would judge them: who leaves has no say any more.
                bool counts = PRODUCERS.isEligible(producerId, PoolKind.Bond, period, unitValue, type(uint64).max);
                if (!counts) counted[word] ^= 1 << bit;
            }
        }
    }

    function _countBits(uint256 word) internal pure returns (uint256 count) {
        for (; word != 0; word &= word - 1) ++count;
    }
}
