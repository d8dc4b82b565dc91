// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {ProducerBook} from "./ProducerBook.sol";

/// @title What other contracts of the protocol may do to producers: give and take seats, charge bonds
/// @dev Which may do what is fixed at deployment. Once the network is wound down nobody is charged any more: bETH's shares are then
/// fixed, and what went to cover would be nobody's.
abstract contract Penalties is ProducerBook {
    uint256 private constant RELEASE = 1; // seats
    uint256 private constant HOLD = 2; // seats
    uint256 private constant CHARGE_SEATS = 4;
    uint256 private constant CHARGE_BOND = 8;
    uint256 private constant SLASH_OUT = 16;
    uint256 internal constant FORCE_OUT = 32;
    uint256 private constant BASIS_POINTS = 10_000;

    IWindDown private immutable WIND_DOWN;
    address private immutable VAULT_DRAWS;
    uint256 private immutable REPORTER_SHARE;

    mapping(address contract_ => uint256) private _rights;

    constructor(Addresses memory addresses, Parameters memory parameters) ProducerBook(addresses, parameters) {
        WIND_DOWN = IWindDown(nonZero(addresses.windDown));
        VAULT_DRAWS = nonZero(addresses.vaultDraws);
        REPORTER_SHARE = parameters.reporterShare;
        _rights[nonZero(addresses.poolRegistry)] = RELEASE | CHARGE_SEATS;
        _rights[nonZero(addresses.exits)] = CHARGE_SEATS;
        _rights[nonZero(addresses.disputes)] = SLASH_OUT;
        _rights[nonZero(addresses.votes)] = CHARGE_BOND | SLASH_OUT;
        _rights[nonZero(addresses.rewards)] = FORCE_OUT;
        _rights[nonZero(addresses.rotations)] = RELEASE;
        _rights[nonZero(addresses.dkgDisputes)] = CHARGE_SEATS;
        _rights[nonZero(addresses.slashing)] = HOLD | CHARGE_SEATS | SLASH_OUT;
    }

    modifier only(uint256 right) {
        _check(right);
        _;
    }

    /// @inheritdoc IBlockProducers
    function lockSeats(PoolId poolId, PoolKind kind, ProducerId[] calldata members) external {
        if (msg.sender != VAULT_DRAWS) revert NotVaultDraws(msg.sender);
        _lock(poolId, kind, members);
    }

    /// @inheritdoc IBlockProducers
    function releaseSeats(PoolId poolId, PoolKind kind, ProducerId[] calldata members, uint64 tailFrom)
        external
        only(RELEASE)
    {
        _release(poolId, kind, members, tailFrom);
    }

    /// @inheritdoc IBlockProducers
    function holdSeats(PoolId poolId, PoolKind kind) external only(HOLD) {
        _hold(poolId, kind);
    }

    /// @inheritdoc IBlockProducers
    function unholdSeats(PoolId poolId, PoolKind kind) external only(HOLD) {
        _unhold(poolId, kind);
    }

    /// @inheritdoc IBlockProducers
    function slashSeats(PoolId poolId, ProducerId[] calldata members, uint256 amount, address reporter)
        external
        only(CHARGE_SEATS)
        returns (uint256 taken)
    {
        return _chargeEach(poolId, members, amount, reporter, type(uint256).max);
    }

    /// @inheritdoc IBlockProducers
    function chargeSeats(
        PoolId poolId,
        ProducerId[] calldata members,
        uint256 amount,
        address payee,
        uint256 compensation
    ) external only(CHARGE_SEATS) returns (uint256 taken) {
        uint256 owed = payee == address(0) ? 0 : BOND_ETHER.getSharesByPooledEth(compensation);
        return _chargeEach(poolId, members, amount, payee, owed);
    }

    /// @inheritdoc IBlockProducers
    function chargeBond(ProducerId producerId, uint256 amount, address payee)
        external
        only(CHARGE_BOND)
        returns (uint256 taken)
    {
        _checkKnown(producerId);
        if (_isWoundDown()) return 0;
        uint256 shares = _takeUnits(producerId, amount);
        emit BondCharged(producerId, shares, payee);
        _recount(producerId);
        return payee == address(0) ? _pay(shares, payee, 0) : _pay(0, payee, shares);
    }

    /// @inheritdoc IBlockProducers
    function slashOut(ProducerId producerId, address reporter) external only(SLASH_OUT) {
        _checkKnown(producerId);
        Account storage account = _accounts[producerId];
        if (account.slashed || _isWoundDown()) return;
        account.slashed = true;
        uint256 shares = _takeAllUnits(producerId);
        uint256 reported = _reporterShares(shares, reporter);
        _recordSlash(producerId, PoolId.wrap(0), shares, reporter, reported, true);
        _pay(shares - reported, reporter, reported);
    }

    /// @param owed shares that go to the payee as far as there are any; all ones for the reporter's share of each charge
    function _chargeEach(PoolId poolId, ProducerId[] calldata members, uint256 amount, address payee, uint256 owed)
        private
        returns (uint256 taken)
    {
        if (_isWoundDown()) return 0;
        uint256 toCover = 0;
        uint256 toPayee = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 shares = _takeUnits(members[i], amount);
            uint256 paid =
                owed == type(uint256).max ? _reporterShares(shares, payee) : Math.min(shares, owed - toPayee);
            toPayee += paid;
            toCover += shares - paid;
            _recordSlash(members[i], poolId, shares, payee, paid, false);
        }
        return _pay(toCover, payee, toPayee);
    }

    function _recordSlash(ProducerId producerId, PoolId poolId, uint256 shares, address payee, uint256 paid, bool out) private {
        emit ProducerSlashed(producerId, poolId, shares, payee, paid, out);
        _recount(producerId);
    }

    function _check(uint256 right) private view {
        if (_rights[msg.sender] & right == 0) revert NotAllowed(msg.sender);
    }

    function _isWoundDown() internal view returns (bool) {
        return WIND_DOWN.started();
    }

    function _reporterShares(uint256 shares, address reporter) private view returns (uint256) {
        return reporter == address(0) ? 0 : shares * REPORTER_SHARE / BASIS_POINTS;
    }

    /// @return taken wei that all these shares are worth
    function _pay(uint256 toCover, address payee, uint256 toPayee) private returns (uint256 taken) {
        taken = BOND_ETHER.getPooledEthByShares(toCover + toPayee);
        if (toCover > 0) BOND_ETHER.giveToCover(toCover);
        if (toPayee > 0) BOND_ETHER.transferShares(payee, toPayee);
    }
}
