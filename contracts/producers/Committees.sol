// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {SwapOrNot} from "../libraries/SwapOrNot.sol";
import {ProducerId} from "../types/Ids.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {PeriodLists} from "./PeriodLists.sol";

/// @title The committees of a period, cut from its shuffled list
/// @dev Only the commitment committee is stored: its members, where they are in the list, and the sum of their keys, so that a
/// report pays for the absent alone. Who is in an auxiliary committee follows from a place in the shuffle.
abstract contract Committees is PeriodLists {
    struct Committee {
        ProducerId[] members;
        uint32 size; // once complete
        // The sum of the members' keys, less those struck. Coordinates have 48 bytes: the first 16 of both share a slot.
        uint128 keyXHi;
        uint128 keyYHi;
        bytes32 keyXLo;
        bytes32 keyYLo;
        bytes struck; // bitfield like that of the absent; empty while nobody is
        mapping(uint256 word => uint256) positions; // bit i of word w: position 256 w + i of the list
    }

    uint256 private immutable COMMITTEE_SIZE;
    uint256 private immutable MIN_AUXILIARY_SIZE;

    mapping(uint64 period => Committee) private _committees;

    constructor(Addresses memory addresses, Parameters memory parameters) PeriodLists(addresses, parameters) {
        COMMITTEE_SIZE = parameters.committeeSize;
        MIN_AUXILIARY_SIZE = parameters.minAuxCommitteeSize;
    }

    /// @inheritdoc IPeriods
    function formCommittee(uint64 period, uint256 maxMembers) external {
        bytes32 seed = _shuffleSeed(period);
        uint256 listSize = sizeAt(period);
        uint256 size = _committeeSize(listSize);
        Committee storage body = _committees[period];
        uint256 from = body.members.length;
        if (size > 0 && from == size) revert CommitteeComplete(period);
        uint256 to = maxMembers < size - from ? from + maxMembers : size;
        if (to == from) return;

        uint256[] memory positions = SwapOrNot.shuffledIndices(from, to, listSize, seed);
        ProducerId[] memory added = new ProducerId[](positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            uint256 position = positions[i];
            added[i] = _producerAt(period, uint32(position));
            body.members.push(added[i]);
            body.positions[position / 256] |= 1 << (position % 256);
        }
        _setKey(body, Bls12381.add(_keyOf(body), IBlockProducers(BLOCK_PRODUCERS).sumOfKeys(added)));
        if (to < size) return;
        body.size = uint32(size);
        emit CommitteeFormed(period, body.members);
    }

    /// @inheritdoc IPeriods
    function strike(uint64 period, uint32 place) external {
        Committee storage body = _complete(period);
        if (place >= body.size) revert PlaceOutOfRange(place, body.size);
        ProducerId producerId = body.members[place];
        if (!IBlockProducers(BLOCK_PRODUCERS).producer(producerId).slashed) revert NotSlashed(producerId);
        bytes memory struck = body.struck.length == 0 ? new bytes((body.size + 7) / 8) : body.struck;
        uint8 octet = uint8(struck[place / 8]);
        uint8 bit = uint8(1 << (place % 8));
        if (octet & bit != 0) revert AlreadyStruck(period, place);
        struck[place / 8] = bytes1(octet | bit);
        body.struck = struck;
        _setKey(body, Bls12381.sub(_keyOf(body), IBlockProducers(BLOCK_PRODUCERS).signingKey(producerId)));
        emit MemberStruck(period, producerId, place);
    }

    /// @inheritdoc IPeriods
    function committee(uint64 period) external view returns (ProducerId[] memory members, G1Point memory aggregateKey) {
        Committee storage body = _complete(period);
        return (body.members, _keyOf(body));
    }

    /// @inheritdoc IPeriods
    function committeeWithout(uint64 period, bytes calldata absent, G1Point[] calldata absentKeys)
        external
        view
        returns (uint256 size, uint256 signers, G1Point memory key)
    {
        Committee storage body = _complete(period);
        size = body.size;
        if (absent.length != (size + 7) / 8) revert AbsentLength((size + 7) / 8, absent.length);
        bytes memory struck = body.struck;
        ProducerId[] memory missing = new ProducerId[](size);
        uint256 count = 0;
        signers = size;
        for (uint256 octet = 0; octet < absent.length; ++octet) {
            uint256 bits = uint8(absent[octet]);
            uint256 gone = struck.length == 0 ? 0 : uint8(struck[octet]);
            if (gone & ~bits != 0) revert StruckNotAbsent(period);
            for (uint256 place = octet * 8; bits != 0; ++place) {
                if (bits & 1 == 1) {
                    if (place >= size) revert AbsentBeyondCommittee(size);
                    --signers;
                    if (gone & 1 == 0) missing[count++] = body.members[place];
                }
                bits >>= 1;
                gone >>= 1;
            }
        }
        key = _keyOf(body);
        assembly ("memory-safe") {
            // Shorter than it was allocated.
            mstore(missing, count)
        }
        if (count > 0 || absentKeys.length > 0) {
            key = Bls12381.sub(key, IBlockProducers(BLOCK_PRODUCERS).sumOfGivenKeys(missing, absentKeys));
        }
    }

    /// @inheritdoc IPeriods
    function committeePositions(uint64 period, uint256 word) external view returns (uint256) {
        return _complete(period).positions[word];
    }

    /// @inheritdoc IPeriods
    function auxiliaryCount(uint64 period) public view returns (uint256) {
        uint256 listSize = sizeAt(period);
        return _auxiliaryCount(listSize - _committeeSize(listSize));
    }

    /// @inheritdoc IPeriods
    /// @dev Committee j has the places from ⌊rest × j / count⌋ to ⌊rest × (j + 1) / count⌋, as the consensus spec cuts its own.
    function auxiliaryOf(uint64 period, uint256 shuffledIndex)
        external
        view
        returns (uint256 number, uint256 start, uint256 size)
    {
        uint256 listSize = sizeAt(period);
        uint256 first = _committeeSize(listSize);
        if (shuffledIndex < first || shuffledIndex >= listSize) revert NotAuxiliary(period, shuffledIndex);
        uint256 rest = listSize - first;
        uint256 count = _auxiliaryCount(rest);
        number = ((shuffledIndex - first + 1) * count - 1) / rest;
        start = first + rest * number / count;
        size = first + rest * (number + 1) / count - start;
    }

    /// @inheritdoc IPeriods
    function positionsAtShuffled(uint64 period, uint256[] memory shuffledIndices)
        public
        view
        returns (uint256[] memory positions)
    {
        SwapOrNot.shuffle(shuffledIndices, sizeAt(period), _shuffleSeed(period));
        return shuffledIndices;
    }

    /// @inheritdoc IPeriods
    function producerAtShuffled(uint64 period, uint256 shuffledIndex) external view returns (ProducerId) {
        uint256[] memory one = new uint256[](1);
        one[0] = shuffledIndex;
        return _producerAt(period, uint32(positionsAtShuffled(period, one)[0]));
    }

    /// @inheritdoc IPeriods
    function seedOf(uint64 period) public view virtual returns (bytes32);

    function _shuffleSeed(uint64 period) private view returns (bytes32) {
        return sha256(abi.encodePacked(seedOf(period), "committee", period));
    }

    /// @dev A list too short for a committee has none, rather than one whose two thirds are nobody.
    function _complete(uint64 period) private view returns (Committee storage body) {
        body = _committees[period];
        if (body.size == 0) revert CommitteeIncomplete(period, body.members.length, _committeeSize(sizeAt(period)));
    }

    function _keyOf(Committee storage body) private view returns (G1Point memory) {
        return G1Point(bytes32(uint256(body.keyXHi)), body.keyXLo, bytes32(uint256(body.keyYHi)), body.keyYLo);
    }

    function _setKey(Committee storage body, G1Point memory key) private {
        (body.keyXHi, body.keyYHi) = (uint128(uint256(key.xHi)), uint128(uint256(key.yHi)));
        (body.keyXLo, body.keyYLo) = (key.xLo, key.yLo);
    }

    /// @dev At least half of the producers stay outside, to judge what the committee says.
    function _committeeSize(uint256 listSize) private view returns (uint256) {
        return listSize / 2 < COMMITTEE_SIZE ? listSize / 2 : COMMITTEE_SIZE;
    }

    /// @dev One, when the rest is too small to be cut.
    function _auxiliaryCount(uint256 rest) private view returns (uint256) {
        if (rest == 0) return 0;
        return rest < MIN_AUXILIARY_SIZE ? 1 : rest / MIN_AUXILIARY_SIZE;
    }
}
