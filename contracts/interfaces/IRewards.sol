// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ProducerId} from "../types/Ids.sol";

/// @title What points are worth: CDT for those who serve, debt for those who do not.
/// @dev Finalized reports are numbered from 1, in order. A producer settles them in that order, none left out, each against the point
///      pages that the commitment posted. Points are whole; CDT in wei.
interface IRewards {
    struct BookedReport {
        uint128 rate; // CDT wei a point
        uint32 producers; // entries in its point pages: those registered at its reference
        uint64 referenceTimestamp;
        bytes32 pointsHash; // keccak256 of the pages' roots
    }

    struct Account {
        uint32 settled; // the last report settled, 0 for none
        uint128 debt; // points
        bool forcedOut;
    }

    /// @notice A producer's delta in one report. Producer i is entry (i − 1) % 4096 of page ⌊(i − 1) / 4096⌋, 8 entries of 4 bytes a word.
    struct PointProof {
        bytes32 word; // the 32 bytes of the page that hold the delta
        bytes32[] branch; // from the word up, see PageTree
        bytes32[] pageRoots; // of all point pages of the report
    }

    event ReportBooked(uint32 indexed report, uint256 indexed commitmentId, uint64 referenceTimestamp, uint32 producers, uint128 rate);
    /// @notice All reports up to `report` are settled. `minted` went to the producer's owner.
    event Settled(ProducerId indexed producerId, uint32 report, uint256 minted, uint256 debt);
    event DebtRepaid(ProducerId indexed producerId, address indexed by, uint256 points, uint256 burned, uint256 debt);
    event ForcedOut(ProducerId indexed producerId, uint256 debt);

    error NotStateCommitments(address caller);
    /// @notice No report after these is booked.
    error NothingToSettle(ProducerId producerId, uint32 settled);
    /// @notice Not the point pages of this report.
    error WrongPointPages(uint32 report, bytes32 expected, bytes32 actual);
    error PointsNotProven(uint32 report, ProducerId producerId);
    /// @notice No report has given points a worth yet, or the last one gave none.
    error NoRate();

    /// @notice Fixes what the points of a finalized report are worth: the emission of the time it covers ÷ the more of its positive
    ///         points and the points of `nominalPools` perfectly served pools. StateCommitments only.
    /// @param epochsCovered since the last finalized report. @param pointsHash keccak256 of the point pages' roots.
    function bookReport(
        uint256 commitmentId,
        uint64 referenceTimestamp,
        uint64 epochsCovered,
        uint32 producers,
        uint256 positivePoints,
        bytes32 pointsHash
    ) external;

    /// @notice Settles a producer's next reports, one a proof, in order. Points repay debt first; what is left mints CDT to its owner
    ///         at that report's rate. A debt of `maxCdtDebt` a seat, at least one, forces the producer out. Anyone.
    /// @dev A producer starts with the first report that has it. With no proofs, only the debt is looked at again.
    function settle(ProducerId producerId, PointProof[] calldata proofs) external;

    /// @notice Burns the sender's CDT at the last report's rate to repay `points` of a producer's debt, or all of it when that is less.
    function repay(ProducerId producerId, uint256 points) external;

    function reportCount() external view returns (uint32);

    function report(uint32 number) external view returns (BookedReport memory);

    function account(ProducerId producerId) external view returns (Account memory);

    /// @notice The report that the next proof has to be of.
    function nextReport(ProducerId producerId) external view returns (uint32);

    /// @notice Reference timestamp of the last report that a producer settled; 0 for none.
    function settledThrough(ProducerId producerId) external view returns (uint64);

    /// @notice Points.
    function debtOf(ProducerId producerId) external view returns (uint256);

    function cdt() external view returns (address);
}
