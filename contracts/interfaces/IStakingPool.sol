// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PoolId, PoolKind} from "../types/Ids.sol";

/// @title Deposits, the buffer, and the ledger between ETH here, on the beacon chain and in the withdrawal vaults.
/// @dev buffer = ETH of this contract that is owed to nobody in particular, kept as a number: forced ETH counts for nothing.
interface IStakingPool {
    event Deposited(address indexed sender, address indexed receiver, uint256 amount, uint256 shares);
    /// @notice ETH set aside for a pool under way (32 ETH) or given back (negative).
    event ReservationChanged(PoolId indexed poolId, int256 change, uint256 reserved);
    /// @notice ETH went to the beacon deposit contract. `total` is the cumulative figure of the kind.
    event BeaconDeposit(PoolId indexed poolId, PoolKind indexed kind, bytes publicKey, uint256 amount, uint256 total);
    /// @notice ETH came in from a withdrawal vault with a finalized report. `total` is the cumulative figure of the kind.
    event Collected(PoolKind indexed kind, uint256 amount, uint256 total);
    /// @notice A finalized report was booked: profit to date as reported, and how much of it is recognised by now (wei).
    event ReportBooked(PoolKind indexed kind, int256 profitToDate, int256 recognised);
    /// @notice Recognised profit of both kinds together rose above its former maximum to `maximum`; `fee` wei of what it rose by went
    ///         to CdtStaking as new shares.
    event FeeTaken(int256 maximum, uint256 fee);
    /// @notice A loss of a staker pool was proven; cover makes it good with the report that shows it.
    event LossWrittenOff(PoolId indexed poolId, uint256 amount);
    /// @notice ETH left the buffer for finalized withdrawal requests.
    event WithdrawalsPaid(uint256 amount, uint256 buffered);

    error DepositTooSmall(uint256 expectedAtLeast, uint256 actual);
    error NotPoolRegistry(address caller);
    error NotStateCommitments(address caller);
    error NotWithdrawalQueue(address caller);
    error NotAVault(address caller);
    error BufferTooSmall(uint256 needed, uint256 available);
    error ReservationTooSmall(PoolId poolId, uint256 needed, uint256 left);
    error NotWindDown(address caller);
    /// @notice The network is wound down.
    error WoundDown();
    error SweepFailed(uint256 amount);
    error WrongDeadEther(uint256 expected, uint256 actual);

    /// @notice Mints bETH 1:1 at the index of the moment. At least `minDeposit` wei. Anyone.
    function deposit() external payable returns (uint256 shares);

    function depositFor(address receiver) external payable returns (uint256 shares);

    /// @notice ETH here that is not set aside for finalized requests.
    function buffered() external view returns (uint256);

    /// @notice Part of the buffer reserved for pools under way.
    function reserved() external view returns (uint256);

    /// @notice buffered − reserved: pays withdrawals first, new pools from what they do not need.
    function unreserved() external view returns (uint256);

    /// @notice What is left of a pool's reservation.
    function reservation(PoolId poolId) external view returns (uint256);

    /// @notice Reserves 32 ETH for a pool. Reverts when unreserved ETH less the open withdrawal demand is not enough. PoolRegistry only.
    function reserve(PoolId poolId) external;

    /// @notice Gives back `amount` of what is left of a pool's reservation. PoolRegistry only.
    function release(PoolId poolId, uint256 amount) external;

    /// @notice Notes a proven loss of a staker pool, which reports with references from now on show. PoolRegistry only.
    function writeOff(PoolId poolId, uint256 amount) external;

    /// @notice Pays `amount` from a pool's reservation into the beacon deposit contract with the kind's vault as credentials. PoolRegistry only.
    /// @param publicKey 48 bytes. @param signature 96 bytes over the deposit message.
    function depositToBeacon(PoolId poolId, PoolKind kind, bytes calldata publicKey, bytes calldata signature, uint256 amount) external;

    /// @notice 0x01 credentials of the kind's withdrawal vault.
    function withdrawalCredentials(PoolKind kind) external view returns (bytes32);

    function withdrawalVault(PoolKind kind) external view returns (address);

    /// @notice Cumulative beacon deposits (wei) of a kind in blocks up to and including `timestamp`.
    function beaconDeposits(PoolKind kind, uint64 timestamp) external view returns (uint256);

    /// @notice Cumulative ETH ever collected from the kind's vault, now.
    function collected(PoolKind kind) external view returns (uint256);

    /// @notice Profit to date recognised so far (wei, may be negative).
    function recognised(PoolKind kind) external view returns (int256);

    /// @notice The most that both kinds' recognised profit ever was together (wei, at least 0): up to here the fee is taken.
    function recognisedMaximum() external view returns (int256);

    /// @notice Books a finalized report: closes the queue's batch, collects arrivals − collected from each vault into the buffer
    ///         (never more than it holds), recognises P − recognised of each kind, takes the fee where the recognised profit of both
    ///         kinds together exceeds its former maximum, and moves the index. StateCommitments only.
    /// @dev Losses written off by the report's reference are taken from cover first, as far as it goes, and from no gain.
    ///      Gains of both kinds together are clamped to `maxReportGrowth` × `epochs` of the total, each in proportion; a loss of the
    ///      other kind does not widen that. A loss is recognised whole (down to an index of 1/1000). Recognised
    ///      figures move by what was recognised, so the rest of a gain or a loss comes with later reports. Arrivals below what was
    ///      collected collect nothing.
    /// @param arrivals cumulative arrivals by kind (wei). @param profitToDate P by kind (wei). @param epochs since the last finalization.
    function bookReport(uint256[2] calldata arrivals, int256[2] calldata profitToDate, uint64 epochs) external;

    /// @notice Sends `amount` from unreserved ETH to the queue and redeems `shares`. WithdrawalQueue only.
    function payWithdrawals(uint256 shares, uint256 amount) external;

    /// @notice Time of the first deposit to the beacon chain (timestamp), 0 before it.
    function firstBeaconDepositAt() external view returns (uint64);

    /// @notice Time at which the last report was booked (timestamp), 0 before the first.
    function lastReportAt() external view returns (uint64);

    /// @notice From now on no deposits, reservations, deposits to the beacon chain, reports or payments of requests. WindDown only.
    function close() external;

    /// @notice Sends all ETH that is here or in the withdrawal vaults to WindDown, which alone may call, once closed.
    function sweep() external returns (uint256 amount);

    /// @notice Receives collected ETH. Withdrawal vaults only.
    function receiveCollected() external payable;
}
