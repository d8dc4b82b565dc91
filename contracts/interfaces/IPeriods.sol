// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point} from "../libraries/Bls12381.sol";
import {RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {Epoch, ProducerId} from "../types/Ids.sol";

/// @title Frozen lists of active producers, period by period, and the committees drawn from them.
/// @dev Period p covers epochs firstPeriod + p × periodLength …; its list is frozen `seedDelay` epochs before its seed epoch
///      E = start − 1 begins. Joins queue; those queued before the freeze enter, at most `maxChurn` a period (unbounded for
///      period 0). The list is positions → producer, each position a history by period, so that every past list can be read.
///      The list shuffled under the period's seed: its first min(committeeSize, ⌊list / 2⌋) are the commitment committee, the rest is
///      cut into auxiliary committees of at least `minAuxCommitteeSize` (one of all, when there are fewer).
interface IPeriods {
    event JoinQueued(ProducerId indexed producerId);
    event LeaveQueued(ProducerId indexed producerId);
    event ListFrozen(uint64 indexed period, uint32 size);
    event Joined(uint64 indexed period, ProducerId indexed producerId, uint32 position);
    event Left(uint64 indexed period, ProducerId indexed producerId, uint32 position);
    event SeedProven(uint64 indexed period, bytes32 seed);
    event CommitteeFormed(uint64 indexed period, ProducerId[] members);
    /// @notice A slashed member's key is no longer in the committee's sum: it counts as absent from now on.
    event MemberStruck(uint64 indexed period, ProducerId indexed producerId, uint32 place);

    error NotBlockProducers(address caller);
    error BeforeFirstPeriod(Epoch now_, uint64 firstPeriod);
    error NotFrozenYet(uint64 period, Epoch freezeEpoch, Epoch now_);
    error SeedAlreadyProven(uint64 period);
    error SeedUnproven(uint64 period);
    error CommitteeComplete(uint64 period);
    error CommitteeIncomplete(uint64 period, uint256 formed, uint256 size);
    error PositionOutOfRange(uint32 position, uint32 size);
    error PlaceOutOfRange(uint32 place, uint32 size);
    error NotSlashed(ProducerId producerId);
    error AlreadyStruck(uint64 period, uint32 place);
    /// @notice A member struck from the committee is not among the absent.
    error StruckNotAbsent(uint64 period);
    error AbsentLength(uint256 expected, uint256 actual);
    error AbsentBeyondCommittee(uint256 size);
    /// @notice A place of the commitment committee, or beyond the list.
    error NotAuxiliary(uint64 period, uint256 shuffledIndex);

    /// @notice Queues a producer to join. BlockProducers only.
    function queueJoin(ProducerId producerId) external;

    /// @notice Queues a producer to leave (slashed). BlockProducers only.
    function queueLeave(ProducerId producerId) external;

    /// @notice Period that contains the epoch; reverts before period 0.
    function periodAt(Epoch epoch) external view returns (uint64);

    function currentPeriod() external view returns (uint64);

    /// @notice Period that starts next: 0 before period 0.
    function nextPeriod() external view returns (uint64);

    /// @notice First epoch of a period.
    function startOf(uint64 period) external view returns (Epoch);

    /// @notice Epoch whose randao mix is the period's seed.
    function seedEpochOf(uint64 period) external view returns (Epoch);

    /// @notice Freezes every list that is due, in order, at most `maxPeriods` and a bounded number of joins and leaves a call:
    ///         call again while `nextToFreeze` is due. Anyone; the outcome does not depend on when.
    function freeze(uint256 maxPeriods) external;

    /// @notice First period whose list is without a producer that has left and asked for nothing since; 2^64 - 1 while it has not.
    function membershipEnd(ProducerId producerId) external view returns (uint64);

    /// @notice First period not yet frozen.
    function nextToFreeze() external view returns (uint64);

    /// @notice Size of a frozen list.
    function sizeAt(uint64 period) external view returns (uint32);

    /// @notice Producer at a position (from 0) of a frozen list.
    function producerAt(uint64 period, uint32 position) external view returns (ProducerId);

    /// @notice Producers at these positions of a frozen list, in their order.
    function producersAt(uint64 period, uint256[] calldata positions) external view returns (ProducerId[] memory producers);

    function listAt(uint64 period, uint32 from, uint32 count) external view returns (ProducerId[] memory);

    /// @notice Stores the period's seed. Anyone. The proof is of randao_mixes[seedEpoch], see BeaconProofs.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    function proveSeed(uint64 period, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external;

    /// @notice randao_mixes[seedEpoch]; the committee's shuffle runs under sha256(mix ‖ "committee" ‖ uint64 period).
    function seedOf(uint64 period) external view returns (bytes32);

    /// @notice Draws the commitment committee, at most `maxMembers` members a call, and sums up its signing keys. Anyone.
    function formCommittee(uint64 period, uint256 maxMembers) external;

    /// @notice Takes the key of a slashed member out of a committee's sum, for good. Anyone. The quorum stays two thirds of the whole
    ///         committee: when too few are left, reports of this period are passed over, and the next period's committee goes on.
    /// @param place of the member, in order of the draw.
    function strike(uint64 period, uint32 place) external;

    /// @notice Members in order of the draw, struck ones included, and the sum of the keys of those not struck; reverts unless complete.
    function committee(uint64 period) external view returns (ProducerId[] memory members, G1Point memory aggregateKey);

    /// @notice The committee's size, how many of it are not absent, and the sum of their keys.
    /// @param absent bitfield over the committee (bit i of byte i / 8, from the least), ⌈size / 8⌉ bytes, with every struck member.
    /// @param absentKeys signing keys of the absent members that are not struck, in order of the committee.
    function committeeWithout(uint64 period, bytes calldata absent, G1Point[] calldata absentKeys)
        external
        view
        returns (uint256 size, uint256 signers, G1Point memory key);

    /// @notice Which positions 256 × `word` … of the list are in the commitment committee: bit i is position 256 × word + i.
    function committeePositions(uint64 period, uint256 word) external view returns (uint256);

    /// @notice Number of auxiliary committees of a period. It needs the list alone, not the seed.
    function auxiliaryCount(uint64 period) external view returns (uint256);

    /// @notice Auxiliary committee (from 0) that a place of the shuffled list is in, which has the places from `start` on, `size` of
    ///         them. It needs the list alone, not the seed. Reverts for the commitment committee's places.
    function auxiliaryOf(uint64 period, uint256 shuffledIndex) external view returns (uint256 number, uint256 start, uint256 size);

    /// @notice Positions in the list of places of the shuffled list: some 30,000 gas each, less when there are many.
    function positionsAtShuffled(uint64 period, uint256[] memory shuffledIndices) external view returns (uint256[] memory positions);

    /// @notice Who is at a place of the shuffled list.
    function producerAtShuffled(uint64 period, uint256 shuffledIndex) external view returns (ProducerId);
}
