// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {IRotations} from "../../../contracts/interfaces/IRotations.sol";
import {Epoch, ProducerId} from "../../../contracts/types/Ids.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Pools} from "./Pools.sol";

/// @title Vaults that hand their keys over, or fail to
abstract contract Handovers is Pools {
    bytes32 private constant RESULT_TYPEHASH =
        keccak256("RotationResult(uint32 poolId,uint32 round,bytes32 publicSharesHash,bytes32 transcriptRoot)");
    bytes32 private constant FAILURE_TYPEHASH =
        keccak256("RotationFailure(uint32 poolId,uint32 round,uint256 absentNew,uint256 absentOld)");

    /// @dev For a member that leaves or is out, or because the vault's time is over.
    function rotate(uint256 who, uint256 which) external action {
        if (windDown.started()) return;
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Funded);
        if (poolId == 0 || rotations.rotation(_id(poolId)).state != IRotations.State.Idle) return;
        for (uint32 place = 0; place < VAULT_SIZE; ++place) {
            bytes memory data = abi.encodeCall(rotations.requestRotation, (_id(poolId), place));
            if (_may("request rotation", _anyone(who), address(rotations), 0, data)) return;
        }
    }

    function completeRotation(uint256 who, uint256 which) external action {
        uint32 poolId = _drawnOne(which);
        if (poolId == 0 || windDown.started() || _dropped(who, poolId)) return;
        IRotations.Rotation memory current = rotations.rotation(_id(poolId));
        if (_epochNow() > Epoch.unwrap(current.deadline)) return;
        uint256 bits = which % 2 == 0 ? 15 : 15 ^ (1 << (which % 4));
        IRotations.Result memory result;
        result.publicShares = new bytes(VAULT_SIZE * 48);
        result.participation = bits;
        bytes32 sharesHash = keccak256(result.publicShares);
        bytes32 structHash = keccak256(abi.encode(RESULT_TYPEHASH, poolId, current.round, sharesHash, bytes32(0)));
        bytes32 digest = TypedData.digest(address(registry), structHash);
        // Two of four are not enough.
        result.participation = 3;
        result.aggregateSignature = BlsKeys.sign(_secretsOf(current.members, 3), digest);
        bytes memory data = abi.encodeCall(rotations.completeRotation, (_id(poolId), result));
        (bool isCaptured,) = _as(_anyone(who), address(rotations), 0, data);
        if (isCaptured) _break("half a vault took a key over");
        result.participation = bits;
        result.aggregateSignature = BlsKeys.sign(_secretsOf(current.members, bits), digest);
        data = abi.encodeCall(rotations.completeRotation, (_id(poolId), result));
        _must("complete rotation", _anyone(who), address(rotations), 0, data);
    }

    /// @dev The third failure in a row waits while a liquidation is being drawn.
    function failRotation(uint256 who, uint256 which) external action {
        uint32 poolId = _drawnOne(which);
        if (poolId == 0 || windDown.started() || _dropped(who, poolId)) return;
        IRotations.Rotation memory current = rotations.rotation(_id(poolId));
        _toEpoch(Epoch.unwrap(current.deadline) + 2);
        IRotations.Naming memory naming;
        if (which % 2 == 0) {
            naming.byOld = (which >> 8) % 2 == 0;
            uint256 absent = 1 << (which >> 16) % 4;
            (naming.absentNew, naming.absentOld) = naming.byOld ? (uint256(0), absent) : (absent, uint256(0));
            naming.signers = 15 ^ absent;
            ProducerId[] memory signers = naming.byOld ? registry.vault(_id(poolId)) : current.members;
            bytes32 structHash =
                keccak256(abi.encode(FAILURE_TYPEHASH, poolId, current.round, naming.absentNew, naming.absentOld));
            bytes32 digest = TypedData.digest(address(registry), structHash);
            naming.aggregateSignature = BlsKeys.sign(_secretsOf(signers, naming.signers), digest);
        }
        bytes memory data = abi.encodeCall(rotations.failRotation, (_id(poolId), naming));
        if (exits.isDrawPending()) _may("fail rotation", _anyone(who), address(rotations), 0, data);
        else _must("fail rotation", _anyone(who), address(rotations), 0, data);
    }

    /// @dev The pool is to have no vault any more.
    function _dropped(uint256 who, uint32 poolId) private returns (bool) {
        if (rotations.isWanted(_id(poolId))) return false;
        bytes memory data = abi.encodeCall(rotations.dropRotation, (_id(poolId)));
        _must("drop rotation", _anyone(who), address(rotations), 0, data);
        return true;
    }

    function _drawnOne(uint256 seed) private view returns (uint32) {
        uint256 count = registry.poolCount();
        for (uint256 i = 0; i < count; ++i) {
            uint32 poolId = uint32((seed % count + i) % count + 1);
            if (rotations.rotation(_id(poolId)).state == IRotations.State.Drawn) return poolId;
        }
        return 0;
    }
}
