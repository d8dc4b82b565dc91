// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconHeader, BeaconProofs} from "./BeaconProofs.sol";
import {Ssz} from "./Ssz.sol";

/// @notice The consensus spec's Checkpoint.
struct Checkpoint {
    uint64 epoch;
    bytes32 root;
}

/// @notice The consensus spec's AttestationData.
struct AttestationData {
    uint64 slot;
    uint64 index;
    bytes32 beaconBlockRoot;
    Checkpoint source;
    Checkpoint target;
}

/// @title What a validator's key signs
/// @notice Signing roots of attestations and blocks (`compute_signing_root` of the consensus spec), and which pairs of them
/// are slashable.
library BeaconSignatures {
    /// @dev The consensus spec's DOMAIN_BEACON_PROPOSER and DOMAIN_BEACON_ATTESTER.
    bytes4 private constant DOMAIN_BEACON_PROPOSER = 0x00000000;
    bytes4 private constant DOMAIN_BEACON_ATTESTER = 0x01000000;

    /// @notice Whether two attestations of one validator may be slashed: a double vote, or one that surrounds the other
    /// (`is_slashable_attestation_data`, in either order).
    function isSlashable(AttestationData calldata a, AttestationData calldata b) internal pure returns (bool) {
        if (a.target.epoch == b.target.epoch) return keccak256(abi.encode(a)) != keccak256(abi.encode(b));
        return _surrounds(a, b) || _surrounds(b, a);
    }

    /// @notice Whether two block headers may be slashed: different ones of one proposer and slot.
    function isSlashable(BeaconHeader calldata a, BeaconHeader calldata b) internal pure returns (bool) {
        return a.slot == b.slot && a.proposerIndex == b.proposerIndex
            && keccak256(abi.encode(a)) != keccak256(abi.encode(b));
    }

    /// @notice What is signed for an attestation, under the fork of its target's epoch.
    function signingRoot(AttestationData calldata data, bytes4 forkVersion, bytes32 genesisValidatorsRoot)
        internal
        view
        returns (bytes32)
    {
        return Ssz.hash(attestationRoot(data), _domain(DOMAIN_BEACON_ATTESTER, forkVersion, genesisValidatorsRoot));
    }

    /// @notice What is signed for a block, by its header, under the fork of its slot.
    function signingRoot(BeaconHeader calldata header, bytes4 forkVersion, bytes32 genesisValidatorsRoot)
        internal
        view
        returns (bytes32)
    {
        return
            Ssz.hash(
                BeaconProofs.headerRoot(header), _domain(DOMAIN_BEACON_PROPOSER, forkVersion, genesisValidatorsRoot)
            );
    }

    /// @notice hash_tree_root of an attestation's data.
    function attestationRoot(AttestationData calldata data) internal view returns (bytes32) {
        bytes32 first = Ssz.hash(Ssz.littleEndian(data.slot), Ssz.littleEndian(data.index));
        bytes32 second = Ssz.hash(data.beaconBlockRoot, _checkpointRoot(data.source));
        bytes32 third = Ssz.hash(_checkpointRoot(data.target), bytes32(0));
        return Ssz.hash(Ssz.hash(first, second), Ssz.hash(third, Ssz.hash(bytes32(0), bytes32(0))));
    }

    function _checkpointRoot(Checkpoint calldata checkpoint) private view returns (bytes32) {
        return Ssz.hash(Ssz.littleEndian(checkpoint.epoch), checkpoint.root);
    }

    function _domain(bytes4 domainType, bytes4 forkVersion, bytes32 genesisValidatorsRoot)
        private
        view
        returns (bytes32)
    {
        bytes32 forkDataRoot = Ssz.hash(bytes32(forkVersion), genesisValidatorsRoot);
        return bytes32(domainType) | (forkDataRoot >> 32);
    }

    function _surrounds(AttestationData calldata outer, AttestationData calldata inner) private pure returns (bool) {
        return outer.source.epoch < inner.source.epoch && inner.target.epoch < outer.target.epoch;
    }
}
