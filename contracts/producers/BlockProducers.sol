// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {Penalties} from "./Penalties.sol";

/// @title Registry of block producers: they come, and they go
contract BlockProducers is Penalties {
    bytes32 private constant POSSESSION_TYPEHASH =
        keccak256("ProofOfPossession(address owner,address operator,bytes signingKey)");
    uint256 private constant MAX_PEER_ADDRESS = 256;

    IStakingPool private immutable STAKING_POOL;
    IRewards private immutable REWARDS;

    constructor(Addresses memory addresses, Parameters memory parameters) Penalties(addresses, parameters) {
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        REWARDS = IRewards(nonZero(addresses.rewards));
    }

    /// @inheritdoc IBlockProducers
    function register(
        address operator,
        G1Point calldata signingKey_,
        G2Point calldata proofOfPossession,
        string calldata peerAddress
    ) external payable returns (ProducerId producerId) {
        if (msg.value < EFFECTIVE_STAKE) revert BondTooSmall(EFFECTIVE_STAKE, msg.value);
        if (operator == address(0)) revert ZeroOperator();
        _checkPeerAddress(peerAddress);
        bytes32 keyHash = keccak256(abi.encode(signingKey_));
        _checkFree(operator, keyHash);
        bytes32 digest = TypedData.digest(address(this), keccak256(abi.encode(POSSESSION_TYPEHASH, msg.sender, operator, keyHash)));
        if (!Bls12381.verify(signingKey_, digest, proofOfPossession)) revert InvalidProofOfPossession();

        producerId = _add(msg.sender, operator, signingKey_, keyHash);
        uint256 shares = _bond(producerId);
        emit ProducerRegistered(producerId, msg.sender, operator, signingKey_, peerAddress, shares);
        _recount(producerId);
    }

    /// @inheritdoc IBlockProducers
    function addBond(ProducerId producerId) external payable {
        _checkKnown(producerId);
        _checkStays(producerId);
        uint256 shares = _bond(producerId);
        emit BondAdded(producerId, shares);
        _recount(producerId);
    }

    /// @inheritdoc IBlockProducers
    function setPeerAddress(ProducerId producerId, string calldata peerAddress) external {
        _checkKnown(producerId);
        address owner = _records[producerId].owner;
        bool isTheirs = msg.sender == owner || producerOf(msg.sender) == producerId;
        if (!isTheirs) revert NotOwner(owner, msg.sender);
        _checkPeerAddress(peerAddress);
        emit PeerAddressChanged(producerId, peerAddress);
    }

    /// @inheritdoc IBlockProducers
    function exit(ProducerId producerId) external {
        _checkOwner(producerId);
        _checkStays(producerId);
        _leave(producerId, false);
    }

    /// @inheritdoc IBlockProducers
    function forceOut(ProducerId producerId) external only(FORCE_OUT) {
        _checkKnown(producerId);
        if (_stays(producerId)) _leave(producerId, true);
    }

    /// @inheritdoc IBlockProducers
    function withdrawBond(ProducerId producerId) external {
        _checkOwner(producerId);
        Account storage account = _accounts[producerId];
        if (!_isWoundDown()) _checkDone(producerId, account.status);
        else if (account.status == Status.Gone) revert NotLeaving(producerId, Status.Gone);
        account.status = Status.Gone;
        uint256 shares = _takeAllUnits(producerId);
        emit BondWithdrawn(producerId, msg.sender, shares);
        _recount(producerId);
        BOND_ETHER.transferShares(msg.sender, shares);
    }

    function _leave(ProducerId producerId, bool forced) private {
        _accounts[producerId].status = Status.Leaving;
        _leavingSince[producerId] = uint64(block.timestamp);
        emit ExitRequested(producerId, forced);
        _recount(producerId);
    }

    /// @dev The sent ETH becomes stake like any other; its shares are the producer's from the next period on.
    function _bond(ProducerId producerId) private returns (uint256 shares) {
        uint256 held = _held();
        shares = STAKING_POOL.depositFor{value: msg.value}(address(this));
        _addUnits(producerId, held, shares, _periodAfter(block.timestamp), _firstPeriodOf(producerId));
    }

    /// @dev Reports are finalized in order: with those settled that reach up to a time, none from before it can come any more.
    function _checkDone(ProducerId producerId, Status status) private view {
        if (status != Status.Leaving) revert NotLeaving(producerId, status);
        (bool isSeatless, uint64 since) = _seatless(producerId);
        if (!isSeatless) revert SeatsHeldStill(producerId);
        uint64 end = PERIODS.membershipEnd(producerId);
        if (end == type(uint64).max) revert ListedStill(producerId);
        uint64 unlisted = uint64(_startOf(end));
        uint64 needed = unlisted > since ? unlisted : since;
        uint64 settled = REWARDS.settledThrough(producerId);
        if (settled < needed) revert NotSettled(producerId, needed, settled);
        uint256 debt = REWARDS.debtOf(producerId);
        if (debt > 0) revert InDebt(producerId, debt);
    }

    function _checkOwner(ProducerId producerId) private view {
        _checkKnown(producerId);
        address owner = _records[producerId].owner;
        if (msg.sender != owner) revert NotOwner(owner, msg.sender);
    }

    function _checkStays(ProducerId producerId) private view {
        if (!_stays(producerId)) revert ProducerOut(producerId);
    }

    function _checkPeerAddress(string calldata peerAddress) private pure {
        uint256 length = bytes(peerAddress).length;
        if (length > MAX_PEER_ADDRESS) revert PeerAddressLength(MAX_PEER_ADDRESS, length);
    }
}
