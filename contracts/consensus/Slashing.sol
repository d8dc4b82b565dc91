// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {BeaconHeader} from "../libraries/BeaconProofs.sol";
import {AttestationData, BeaconSignatures} from "../libraries/BeaconSignatures.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {PoolId} from "../types/Ids.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {PoolFaults} from "./PoolFaults.sol";

/// @title Faults proven by evidence
contract Slashing is PoolFaults {
    bytes32 private immutable GENESIS_VALIDATORS_ROOT;

    constructor(Addresses memory addresses, Parameters memory parameters) PoolFaults(addresses, parameters) {
        GENESIS_VALIDATORS_ROOT = parameters.genesisValidatorsRoot;
    }

    /// @inheritdoc ISlashing
    function slashAttestations(
        PoolId poolId,
        G1Point calldata key,
        AttestationData calldata a,
        G2Point calldata signatureA,
        AttestationData calldata b,
        G2Point calldata signatureB
    ) external {
        if (!BeaconSignatures.isSlashable(a, b)) revert NotInConflict();
        IPoolRegistry.Pool memory pool = _charged(poolId);
        _checkSignature(key, _signingRoot(a), signatureA);
        _checkSignature(key, _signingRoot(b), signatureB);
        _checkKey(key, pool.publicKey);
        _openSignatures(poolId, pool);
    }

    /// @inheritdoc ISlashing
    function slashBlocks(
        PoolId poolId,
        G1Point calldata key,
        BeaconHeader calldata a,
        G2Point calldata signatureA,
        BeaconHeader calldata b,
        G2Point calldata signatureB
    ) external {
        if (!BeaconSignatures.isSlashable(a, b)) revert NotInConflict();
        IPoolRegistry.Pool memory pool = _charged(poolId);
        bytes4 version = _pastFork(_epochOfSlot(a.slot));
        _checkSignature(key, BeaconSignatures.signingRoot(a, version, GENESIS_VALIDATORS_ROOT), signatureA);
        _checkSignature(key, BeaconSignatures.signingRoot(b, version, GENESIS_VALIDATORS_ROOT), signatureB);
        _checkKey(key, pool.publicKey);
        _openSignatures(poolId, pool);
    }

    function _signingRoot(AttestationData calldata data) private view returns (bytes32) {
        return BeaconSignatures.signingRoot(data, _pastFork(data.target.epoch), GENESIS_VALIDATORS_ROOT);
    }

    function _pastFork(uint64 epoch) private view returns (bytes4) {
        uint64 current = _currentEpoch();
        if (epoch >= current) revert NotPast(epoch, current);
        return LAYOUT.layoutAt(epoch).forkVersion;
    }

    function _checkSignature(G1Point calldata key, bytes32 root, G2Point calldata signature) private view {
        if (!Bls12381.verify(key, root, signature)) revert InvalidSignature();
    }

    /// @dev After a signature: the precompile has seen the point then.
    function _checkKey(G1Point calldata key, bytes memory expected) private pure {
        bytes memory actual = Bls12381.compress(key);
        if (keccak256(actual) != keccak256(expected)) revert WrongKey(expected, actual);
    }
}
