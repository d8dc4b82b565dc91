// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point} from "../libraries/Bls12381.sol";
import {RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {Epoch, ProducerId} from "../types/Ids.sol";

/// @title Frozen lists of active producers, period by period, and the commitment committees drawn from them.
/// @dev Period p covers epochs firstPeriod + p × periodLength …; its list is frozen `seedDelay` epochs before its seed epoch
///      E = start − 1 begins. Joins queue; those queued before the freeze enter, at most `maxChurn` a period (unbounded for
///      period 0). The list is positions → producer, each position a history by period, so that every past list can be read.
interface IPeriods {
    event JoinQueued(ProducerId indexed producerId);
    event LeaveQueued(ProducerId indexed producerId);
    event ListFrozen(uint64 indexed period, uint32 size);
    event Joined(uint64 indexed period, ProducerId indexed producerId, uint32 position);
    event Left(uint64 indexed period, ProducerId indexed producerId, uint32 position);
    event SeedProven(uint64 indexed period, bytes32 seed);
    event CommitteeFormed(uint64 indexed period, ProducerId[] members);

    error NotBlockProducers(address caller);
    error BeforeFirstPeriod(Epoch now_, uint64 firstPeriod);
    error NotFrozenYet(uint64 period, Epoch freezeEpoch, Epoch now_);
    error SeedAlreadyProven(uint64 period);
    error SeedUnproven(uint64 period);
    error CommitteeComplete(uint64 period);
    error CommitteeIncomplete(uint64 period, uint256 formed, uint256 size);
    error PositionOutOfRange(uint32 position, uint32 size);

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

    /// @notice First period not yet frozen.
    function nextToFreeze() external view returns (uint64);

    /// @notice Size of a frozen list.
    function sizeAt(uint64 period) external view returns (uint32);

    /// @notice Producer at a position (from 0) of a frozen list.
    function producerAt(uint64 period, uint32 position) external view returns (ProducerId);

    function listAt(uint64 period, uint32 from, uint32 count) external view returns (ProducerId[] memory);

    /// @notice Stores the period's seed. Anyone. The proof is of randao_mixes[seedEpoch], see BeaconProofs.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    function proveSeed(uint64 period, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external;

    /// @notice randao_mixes[seedEpoch]; the committee's shuffle runs under sha256(mix ‖ "committee" ‖ uint64 period).
    function seedOf(uint64 period) external view returns (bytes32);

    /// @notice Draws the commitment committee, at most `maxMembers` members a call, and sums up its signing keys. Anyone.
    function formCommittee(uint64 period, uint256 maxMembers) external;

    /// @notice Members in order of the draw, and the sum of their signing keys; reverts unless complete.
    function committee(uint64 period) external view returns (ProducerId[] memory members, G1Point memory aggregateKey);
}
