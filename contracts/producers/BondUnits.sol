// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {ProducerId} from "../types/Ids.sol";
import {Accounts} from "./Accounts.sol";

/// @title Bonds as units of the bETH shares that this contract holds
/// @dev A loss of the bond pools burns shares of this contract, behind its back and for all bonds alike: hence units. bETH
/// that nobody bonded is not counted: `_accounted` is what bonds brought in less what left, and falls to what is really
/// there. So a gift moves no bond's value; at most it stands in for shares that a loss burns later.
abstract contract BondUnits is Accounts {
    using Checkpoints for Checkpoints.Trace208;
    using Math for uint256;

    struct History {
        uint256 lost; // units ever taken: these count at once, in every period
        Checkpoints.Trace208 added; // all units ever added, by the first period in which they count; empty until the second time
    }

    /// @dev `unitValue` is of so many units.
    uint256 internal constant UNIT_SCALE = 1e27;

    IBondEther internal immutable BOND_ETHER;

    mapping(ProducerId producerId => History) private _histories;
    uint256 private _units;
    uint256 private _accounted;

    constructor(address bondEther) {
        BOND_ETHER = IBondEther(bondEther);
    }

    /// @inheritdoc IBlockProducers
    function bondValue(ProducerId producerId) public view virtual returns (uint256) {
        return BOND_ETHER.getPooledEthByShares(_sharesOf(_unitsOf(producerId)));
    }

    /// @inheritdoc IBlockProducers
    function totalBondValue() external view returns (uint256) {
        return BOND_ETHER.getPooledEthByShares(_held());
    }

    /// @inheritdoc IBlockProducers
    function unitValue() public view returns (uint256) {
        return BOND_ETHER.getPooledEthByShares(_sharesOf(UNIT_SCALE));
    }

    /// @dev Turns shares that just came in, beyond `heldBefore`, into units that count from `period` on.
    /// @param first period in which the producer's first units count
    function _addUnits(ProducerId producerId, uint256 heldBefore, uint256 shares, uint256 period, uint256 first) internal {
        // The 1 on both sides: were all shares ever burned, the next bond would have a price, and the old units none. Each share is
        // then worth all units of before. An account (152 bits) holds any real bond of that; but `unitValue` has few digits left
        // (some 6,700 after 150,000 ETH of bonds), so draws see bonds up to its last digit too small, and a producer just at the
        // stake repairs that itself, by a top-up of as much. A second total loss overflows the account: registering and
        // topping up revert, what is there can leave, and nothing here mends it: the network is wound down for want of reports.
        uint256 units = shares.mulDiv(_units + 1, heldBefore + 1);
        _units += units;
        _accounted = heldBefore + shares;
        Account storage account = _accounts[producerId];
        History storage history = _histories[producerId];
        uint256 before = account.units + history.lost;
        account.units = SafeCast.toUint152(account.units + units);
        _steadyFrom(account, period);
        if (before == 0) return;
        // No sum of what accounts can hold comes near 208 bits.
        if (history.added.length() == 0) history.added.push(uint48(first), uint208(before));
        history.added.push(uint48(period), uint208(before + units));
    }

    /// @dev Takes `wei_` of a bond, or all that is there, rounded against the bond.
    /// @return shares that no longer belong to it; they are still in this contract.
    function _takeUnits(ProducerId producerId, uint256 wei_) internal returns (uint256 shares) {
        uint256 held = _held();
        uint256 units = _unitsOf(producerId);
        uint256 all = _sharesOf(units);
        // One share more than asked: what it is worth is then never below `wei_`.
        shares = BOND_ETHER.getSharesByPooledEth(wei_) + 1;
        if (shares < all) {
            units = shares.mulDiv(_units + 1, held + 1, Math.Rounding.Ceil).min(units);
        } else {
            shares = all;
        }
        _remove(producerId, units, held - shares);
    }

    function _takeAllUnits(ProducerId producerId) internal returns (uint256 shares) {
        uint256 held = _held();
        uint256 units = _unitsOf(producerId);
        shares = _sharesOf(units);
        _remove(producerId, units, held - shares);
    }

    function _unitsOf(ProducerId producerId) internal view returns (uint256) {
        return _accounts[producerId].units;
    }

    /// @dev Units that count in a period: there at its start, less all that was taken until now.
    /// @param first period in which the producer's first units count
    function _unitsAt(ProducerId producerId, uint64 period, uint256 first) internal view returns (uint256) {
        History storage history = _histories[producerId];
        if (history.added.length() == 0) return first <= period ? _unitsOf(producerId) : 0;
        return uint256(history.added.upperLookupRecent(uint48(period))).saturatingSub(history.lost);
    }

    function _sharesOf(uint256 units) internal view returns (uint256) {
        return units.mulDiv(_held() + 1, _units + 1);
    }

    function _remove(ProducerId producerId, uint256 units, uint256 accounted) private {
        _units -= units;
        _accounted = accounted;
        _accounts[producerId].units -= uint152(units);
        _histories[producerId].lost += units;
    }

    function _held() internal view returns (uint256) {
        return _accounted.min(BOND_ETHER.sharesOf(address(this)));
    }
}
