// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {ICeremonies} from "../interfaces/ICeremonies.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRotations} from "../interfaces/IRotations.sol";
import {G2Point} from "../libraries/Bls12381.sol";
import {Epoch, PoolId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {CeremonySignatures} from "./CeremonySignatures.sol";

/// @title Members that were left out of a ceremony's result
contract Ceremonies is ICeremonies, CeremonySignatures, BeaconClock {
    IPoolRegistry private immutable POOL_REGISTRY;
    IRotations private immutable ROTATIONS;

    mapping(PoolId poolId => Open) private _open;

    constructor(Addresses memory addresses, Parameters memory parameters)
        CeremonySignatures(addresses, parameters)
        BeaconClock(parameters)
    {
        POOL_REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        ROTATIONS = IRotations(nonZero(addresses.rotations));
    }

    /// @inheritdoc ICeremonies
    function open(PoolId poolId, uint32 round, Epoch deadline, bytes32 structHash, uint256 participation) external {
        if (msg.sender != address(POOL_REGISTRY) && msg.sender != address(ROTATIONS)) revert NotAllowed(msg.sender);
        Open memory earlier = _open[poolId];
        // Of a vault that is gone: nobody can be added to its result any more.
        if (earlier.structHash != 0) _emitMissing(poolId, earlier);
        _open[poolId] =
            Open({structHash: structHash, participation: uint128(participation), round: round, deadline: deadline});
    }

    /// @inheritdoc ICeremonies
    function addParticipation(PoolId poolId, uint256 bits, G2Point calldata aggregateSignature) external {
        Open memory result = _opened(poolId);
        uint64 epoch = _currentEpoch();
        if (epoch > Epoch.unwrap(result.deadline)) revert DeadlinePassed(result.deadline, Epoch.wrap(epoch));
        // The members are no longer the vault that the bits are of: whoever is missing stays so.
        uint32 current = POOL_REGISTRY.pool(poolId).round;
        if (current != result.round) revert VaultChanged(result.round, current);
        if (bits & result.participation != 0) revert AlreadyParticipating(bits & result.participation);
        // Signatures under a key that is no sum of anybody's are refused with it: an empty bitfield adds nobody.
        _checkSigned(POOL_REGISTRY.vault(poolId), bits, 1, result.structHash, aggregateSignature);
        uint256 participation = result.participation | bits;
        emit ParticipationAdded(poolId, result.round, bits);
        if (participation == (1 << VAULT_SIZE) - 1) delete _open[poolId];
        else _open[poolId].participation = uint128(participation);
    }

    /// @inheritdoc ICeremonies
    function nameMissing(PoolId poolId) external {
        Open memory result = _opened(poolId);
        uint64 epoch = _currentEpoch();
        if (epoch <= Epoch.unwrap(result.deadline)) revert DeadlineNotPassed(result.deadline, Epoch.wrap(epoch));
        delete _open[poolId];
        _emitMissing(poolId, result);
        ROTATIONS.makeDue(poolId, result.round);
    }

    /// @inheritdoc ICeremonies
    function openOf(PoolId poolId) external view returns (Open memory) {
        return _open[poolId];
    }

    function _emitMissing(PoolId poolId, Open memory result) private {
        emit MembersMissing(poolId, result.round, ((1 << VAULT_SIZE) - 1) ^ result.participation);
    }

    function _opened(PoolId poolId) private view returns (Open memory result) {
        result = _open[poolId];
        if (result.structHash == 0) revert NobodyMissing(poolId);
    }
}
