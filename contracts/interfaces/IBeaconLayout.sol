// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Layout} from "../libraries/BeaconProofs.sol";
import {G2Point} from "../libraries/Bls12381.sol";

/// @title Where things are in the beacon state, fork by fork.
interface IBeaconLayout {
    event RowAdded(uint64 indexed firstEpoch, Layout row);
    /// @notice So many of the period's list have endorsed the row by now.
    event RowEndorsed(bytes32 indexed rowHash, uint64 indexed period, Layout row, uint256 endorsers);

    error NoRow(uint64 epoch);
    error RowsOutOfOrder(uint64 previous, uint64 next);
    /// @notice A generalized index of the row is zero.
    error RowIncomplete(uint64 firstEpoch);
    /// @notice The row would apply before `layoutDelay` is over.
    error RowTooSoon(uint64 earliest, uint64 firstEpoch);
    error RowTooFar(uint64 latest, uint64 firstEpoch);
    /// @notice Endorsements are collected from the list of the current period.
    error NotCurrentPeriod(uint64 current, uint64 given);
    error InvalidEndorsement();

    /// @notice Endorses a row that would be the last, with the aggregate signature of some producers of the current period's list; once
    ///         two thirds of that list have endorsed it, in as many calls as it takes, it is added. Anyone.
    /// @dev They sign the EIP-712 struct
    ///      LayoutRow(uint64 firstEpoch,bytes4 forkVersion,uint64 forkGindex,uint64 validatorsGindex,uint64 balancesGindex,uint64 randaoMixesGindex),
    ///      which binds no period: when it ends before there are enough, the same signatures are given again for the next.
    ///      Those who endorsed before may be among the endorsers; they count once. Those slashed or leaving don't count.
    /// @param period the current one.
    /// @param endorsers positions in its list: bit i of word w is position 256·w + i.
    function endorse(Layout calldata row, uint64 period, uint256[] calldata endorsers, G2Point calldata signature) external;

    /// @notice Row in force at an epoch.
    function layoutAt(uint64 epoch) external view returns (Layout memory);

    function rows() external view returns (Layout[] memory);

    /// @notice EIP-712 digest that endorsers' signing keys sign.
    function digest(Layout calldata row) external view returns (bytes32);

    /// @notice How many of a period's list have endorsed the row with this digest.
    function endorsements(bytes32 rowHash, uint64 period) external view returns (uint256);
}
