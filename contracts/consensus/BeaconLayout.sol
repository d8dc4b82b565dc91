// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {Layout} from "../libraries/BeaconProofs.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";
import {ProducerAccess} from "./ProducerAccess.sol";
import {Voters} from "./Voters.sol";

/// @title Where things are in the beacon state, fork by fork.
/// @dev Rows are only ever appended, and only for epochs that are far enough ahead: a state of the past is read as it was, and
///      whoever dislikes a row has time to leave. A fork that is put off is met by two more rows: the old layout again, then the new.
contract BeaconLayout is IBeaconLayout, EIP712, BeaconClock, Voters {
    struct Endorsements {
        uint256 count;
        mapping(uint256 word => uint256) positions;
    }

    bytes32 private constant ROW_TYPEHASH = keccak256(
        "LayoutRow(uint64 firstEpoch,bytes4 forkVersion,uint64 forkGindex,uint64 validatorsGindex,uint64 balancesGindex,uint64 randaoMixesGindex)"
    );
    /// @dev 291 days of mainnet: a slip of the pen must not close the table for ever.
    uint64 private constant MAX_AHEAD = 2 ** 16;

    uint64 private immutable DELAY;

    Layout[] private _rows;
    mapping(bytes32 rowHash => mapping(uint64 period => Endorsements)) private _endorsements;

    /// @param initial in order of their first epochs.
    constructor(Addresses memory addresses, Parameters memory parameters, Layout[] memory initial)
        EIP712("Open Pools", "1")
        BeaconClock(parameters)
        ProducerAccess(addresses)
    {
        DELAY = parameters.layoutDelay;
        if (initial.length == 0) revert NoRow(0);
        for (uint256 i = 0; i < initial.length; ++i) {
            _checkRow(initial[i]);
            _append(initial[i]);
        }
    }

    /// @inheritdoc IBeaconLayout
    function endorse(Layout calldata row, uint64 period, uint256[] calldata endorsers, G2Point calldata signature) external {
        _checkRow(row);
        uint64 epoch = _currentEpoch();
        if (row.firstEpoch < epoch + DELAY) revert RowTooSoon(epoch + DELAY, row.firstEpoch);
        if (row.firstEpoch > epoch + DELAY + MAX_AHEAD) revert RowTooFar(epoch + DELAY + MAX_AHEAD, row.firstEpoch);
        uint64 current = PERIODS.currentPeriod();
        if (period != current) revert NotCurrentPeriod(current, period);
        bytes32 rowHash = digest(row);
        (G1Point memory key, uint256[] memory counted) = _keysOf(period, endorsers);
        if (!Bls12381.verify(key, rowHash, signature)) revert InvalidEndorsement();

        uint256 count = _count(_endorsements[rowHash][period], counted);
        emit RowEndorsed(rowHash, period, row, count);
        if (count * 3 >= uint256(PERIODS.sizeAt(period)) * 2) _append(row);
    }

    /// @inheritdoc IBeaconLayout
    function layoutAt(uint64 epoch) external view returns (Layout memory) {
        for (uint256 i = _rows.length; i > 0; --i) {
            if (_rows[i - 1].firstEpoch <= epoch) return _rows[i - 1];
        }
        revert NoRow(epoch);
    }

    /// @inheritdoc IBeaconLayout
    function rows() external view returns (Layout[] memory) {
        return _rows;
    }

    /// @inheritdoc IBeaconLayout
    function digest(Layout calldata row) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ROW_TYPEHASH, row)));
    }

    /// @inheritdoc IBeaconLayout
    function endorsements(bytes32 rowHash, uint64 period) external view returns (uint256) {
        return _endorsements[rowHash][period].count;
    }

    /// @return count of all who have endorsed by now
    function _count(Endorsements storage given, uint256[] memory positions) private returns (uint256 count) {
        count = given.count;
        for (uint256 word = 0; word < positions.length; ++word) {
            uint256 before = given.positions[word];
            uint256 fresh = positions[word] & ~before;
            if (fresh == 0) continue;
            given.positions[word] = before | fresh;
            count += _countBits(fresh);
        }
        given.count = count;
    }

    function _append(Layout memory row) private {
        _rows.push(row);
        emit RowAdded(row.firstEpoch, row);
    }

    function _checkRow(Layout memory row) private view {
        uint256 count = _rows.length;
        if (count > 0 && row.firstEpoch <= _rows[count - 1].firstEpoch) {
            revert RowsOutOfOrder(_rows[count - 1].firstEpoch, row.firstEpoch);
        }
        if (row.forkGindex == 0 || row.validatorsGindex == 0 || row.balancesGindex == 0 || row.randaoMixesGindex == 0) {
            revert RowIncomplete(row.firstEpoch);
        }
    }
}
