// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {ICdt} from "../interfaces/ICdt.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {PageTree} from "../libraries/PageTree.sol";
import {ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Points and CDT: the one contract that mints and burns it
/// @dev A report can mint no more than its emission: rate × positive points is at most that, and each delta is settled once.
contract Rewards is IRewards {
    using SafeCast for uint256;

    /// @dev Those of StateCommitments.
    uint256 private constant POINTS_PER_PAGE = 4096;
    uint256 private constant POINT_BYTES = 4;
    uint256 private constant POINTS_PER_WORD = 8;

    /// @inheritdoc IRewards
    address public immutable cdt;
    IBlockProducers private immutable PRODUCERS;
    address private immutable STATE_COMMITMENTS;
    uint256 private immutable EMISSION_PER_EPOCH;
    uint256 private immutable NOMINAL_POINTS_PER_EPOCH;
    uint256 private immutable MAX_DEBT;

    /// @inheritdoc IRewards
    uint32 public reportCount;
    mapping(uint32 number => BookedReport) private _reports;
    mapping(ProducerId producerId => Account) private _accounts;

    constructor(Addresses memory addresses, Parameters memory parameters) {
        cdt = nonZero(addresses.cdt);
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        STATE_COMMITMENTS = nonZero(addresses.stateCommitments);
        uint256 epochSeconds = uint256(parameters.slotsPerEpoch) * parameters.secondsPerSlot;
        EMISSION_PER_EPOCH = parameters.cdtEmission * epochSeconds / 365 days;
        NOMINAL_POINTS_PER_EPOCH = uint256(parameters.nominalPools) * parameters.vaultSize * parameters.baseReward;
        MAX_DEBT = parameters.maxCdtDebt;
    }

    /// @inheritdoc IRewards
    function bookReport(
        uint256 commitmentId,
        uint64 referenceTimestamp,
        uint64 epochsCovered,
        uint32 producers,
        uint256 positivePoints,
        bytes32 pointsHash
    ) external {
        if (msg.sender != STATE_COMMITMENTS) revert NotStateCommitments(msg.sender);
        // The 1: a report at the very start covers no time and has no emission.
        uint256 shared = Math.max(Math.max(positivePoints, NOMINAL_POINTS_PER_EPOCH * epochsCovered), 1);
        uint128 rate = (EMISSION_PER_EPOCH * epochsCovered / shared).toUint128();
        uint32 number = ++reportCount;
        _reports[number] = BookedReport(rate, producers, referenceTimestamp, pointsHash);
        emit ReportBooked(number, commitmentId, referenceTimestamp, producers, rate);
    }

    /// @inheritdoc IRewards
    function settle(ProducerId producerId, PointProof[] calldata proofs) external {
        Account memory held = _accounts[producerId];
        uint32 number = _next(producerId, held.settled);
        uint256 last = reportCount;
        uint256 minted = 0;
        for (uint256 i = 0; i < proofs.length; ++i) {
            if (number > last) revert NothingToSettle(producerId, held.settled);
            BookedReport memory booked = _reports[number];
            int256 delta = _delta(number, booked, producerId, proofs[i]);
            if (delta < 0) {
                held.debt += uint128(uint256(-delta));
            } else {
                uint256 repaid = Math.min(uint256(delta), held.debt);
                held.debt -= uint128(repaid);
                minted += (uint256(delta) - repaid) * booked.rate;
            }
            held.settled = number++;
        }
        bool isForced = !held.forcedOut && _isTooMuch(producerId, held.debt);
        if (isForced) held.forcedOut = true;
        _accounts[producerId] = held;
        emit Settled(producerId, held.settled, minted, held.debt);
        if (isForced) {
            emit ForcedOut(producerId, held.debt);
            PRODUCERS.forceOut(producerId);
        }
        if (minted > 0) ICdt(cdt).mint(PRODUCERS.ownerOf(producerId), minted);
    }

    /// @inheritdoc IRewards
    function repay(ProducerId producerId, uint256 points) external {
        uint256 rate = _reports[reportCount].rate;
        if (rate == 0) revert NoRate();
        uint256 debt = _accounts[producerId].debt;
        uint256 repaid = Math.min(points, debt);
        _accounts[producerId].debt = uint128(debt - repaid);
        emit DebtRepaid(producerId, msg.sender, repaid, repaid * rate, debt - repaid);
        ICdt(cdt).burn(msg.sender, repaid * rate);
    }

    /// @inheritdoc IRewards
    function report(uint32 number) external view returns (BookedReport memory) {
        return _reports[number];
    }

    /// @inheritdoc IRewards
    function account(ProducerId producerId) external view returns (Account memory) {
        return _accounts[producerId];
    }

    /// @inheritdoc IRewards
    function nextReport(ProducerId producerId) external view returns (uint32) {
        return _next(producerId, _accounts[producerId].settled);
    }

    /// @inheritdoc IRewards
    function settledThrough(ProducerId producerId) external view returns (uint64) {
        return _reports[_accounts[producerId].settled].referenceTimestamp;
    }

    /// @inheritdoc IRewards
    function debtOf(ProducerId producerId) external view returns (uint256) {
        return _accounts[producerId].debt;
    }

    /// @dev The first report that has a producer is searched for: who comes late does not pay for all that went before.
    function _next(ProducerId producerId, uint32 settled) private view returns (uint32 low) {
        if (settled > 0) return settled + 1;
        low = 1;
        uint32 high = reportCount + 1;
        // References follow each other, so the number of producers never falls along the reports.
        while (low < high) {
            uint32 middle = (low + high) / 2;
            if (_reports[middle].producers < ProducerId.unwrap(producerId)) low = middle + 1;
            else high = middle;
        }
    }

    /// @dev Seats are asked for only where they can matter.
    function _isTooMuch(ProducerId producerId, uint256 debt) private view returns (bool) {
        return debt >= MAX_DEBT && debt >= MAX_DEBT * Math.max(1, PRODUCERS.seatCount(producerId));
    }

    function _delta(uint32 number, BookedReport memory booked, ProducerId producerId, PointProof calldata proof)
        private
        pure
        returns (int256)
    {
        bytes32 pages = keccak256(abi.encodePacked(proof.pageRoots));
        if (pages != booked.pointsHash) revert WrongPointPages(number, booked.pointsHash, pages);
        uint256 place = ProducerId.unwrap(producerId) - 1;
        uint256 page = place / POINTS_PER_PAGE;
        uint256 inPage = place % POINTS_PER_PAGE;
        uint256 length = Math.min(booked.producers - page * POINTS_PER_PAGE, POINTS_PER_PAGE) * POINT_BYTES;
        if (!PageTree.verifyWord(proof.pageRoots[page], length, inPage / POINTS_PER_WORD, proof.word, proof.branch)) {
            revert PointsNotProven(number, producerId);
        }
        return PageTree.int32At(proof.word, inPage % POINTS_PER_WORD);
    }
}
