// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    BalanceProof,
    BeaconHeader,
    RandaoProof,
    StateProof,
    Validator,
    ValidatorProof
} from "../../../contracts/libraries/BeaconProofs.sol";
import {Ssz} from "../../../contracts/libraries/Ssz.sol";

/// @notice What a beacon state is asked to hold. Everything else in it is zero.
struct StateLeaves {
    uint64 slot;
    uint64 mixEpoch;
    bytes32 mix;
    uint64 validatorIndex;
    Validator validator;
    uint64 balance;
}

/// @notice A block root, and the proofs of all leaves under it.
struct ProvenState {
    bytes32 blockRoot;
    StateProof state;
    RandaoProof randao;
    ValidatorProof validator;
    BalanceProof balance;
}

/// @title Sparse beacon states
/// @dev Of the 64 fields of the container, four matter: fork (67), validators (75), balances (76), randao_mixes (77). Lists are
///      2^40 long with their length mixed in; of each, one leaf is set.
library BeaconState {
    bytes4 internal constant FORK_VERSION = 0x05000001;
    uint64 internal constant VECTOR_LENGTH = 64;
    uint256 private constant FORK = 67;
    uint256 private constant VALIDATORS = 75;
    uint256 private constant BALANCES = 76;
    uint256 private constant MIXES = 77;
    uint256 private constant FIELDS = 64;

    function prove(StateLeaves memory leaves) internal view returns (ProvenState memory proven) {
        bytes32[] memory nodes = new bytes32[](2 * FIELDS);
        bytes32[] memory forkBranch;
        bytes32 leaf = bytes32(FORK_VERSION);
        (nodes[FORK], forkBranch) = _subtree(leaf, 1, 2);
        bytes32[] memory validatorBranch;
        leaf = validatorRoot(leaves.validator);
        (nodes[VALIDATORS], validatorBranch) = _subtree(leaf, leaves.validatorIndex, 41);
        bytes32[] memory balanceBranch;
        // Four balances a leaf.
        leaf = bytes32(uint256(Ssz.littleEndian(leaves.balance)) >> (64 * (leaves.validatorIndex % 4)));
        proven.balance.leaf = leaf;
        (nodes[BALANCES], balanceBranch) = _subtree(leaf, leaves.validatorIndex / 4, 39);
        bytes32[] memory mixBranch;
        (nodes[MIXES], mixBranch) = _subtree(leaves.mix, leaves.mixEpoch % VECTOR_LENGTH, 6);
        for (uint256 i = FIELDS - 1; i > 0; --i) {
            nodes[i] = Ssz.hash(nodes[2 * i], nodes[2 * i + 1]);
        }

        proven.state.forkBranch = _upwards(forkBranch, FORK, nodes);
        (proven.randao.mix, proven.randao.branch) = (leaves.mix, _upwards(mixBranch, MIXES, nodes));
        proven.validator =
            ValidatorProof(leaves.validatorIndex, leaves.validator, _upwards(validatorBranch, VALIDATORS, nodes));
        (proven.balance.index, proven.balance.branch) = (leaves.validatorIndex, _upwards(balanceBranch, BALANCES, nodes));
        proven.state.header =
            BeaconHeader({slot: leaves.slot, proposerIndex: 0, parentRoot: 0, stateRoot: nodes[1], bodyRoot: 0});
        proven.blockRoot = headerRoot(proven.state.header);
    }

    function headerRoot(BeaconHeader memory header) internal view returns (bytes32) {
        bytes32 first = Ssz.hash(Ssz.littleEndian(header.slot), Ssz.littleEndian(header.proposerIndex));
        bytes32 second = Ssz.hash(header.parentRoot, header.stateRoot);
        bytes32 third = Ssz.hash(header.bodyRoot, 0);
        return Ssz.hash(Ssz.hash(first, second), Ssz.hash(third, Ssz.hash(0, 0)));
    }

    function validatorRoot(Validator memory v) internal view returns (bytes32) {
        bytes32 first = Ssz.hash(v.pubkeyRoot, v.withdrawalCredentials);
        bytes32 second = Ssz.hash(Ssz.littleEndian(v.effectiveBalance), Ssz.littleEndian(v.slashed ? 1 : 0));
        bytes32 third = Ssz.hash(Ssz.littleEndian(v.activationEligibilityEpoch), Ssz.littleEndian(v.activationEpoch));
        bytes32 fourth = Ssz.hash(Ssz.littleEndian(v.exitEpoch), Ssz.littleEndian(v.withdrawableEpoch));
        return Ssz.hash(Ssz.hash(first, second), Ssz.hash(third, fourth));
    }

    /// @dev The root over one leaf at `place`, everything beside its way up being zero; and that way.
    function _subtree(bytes32 leaf, uint256 place, uint256 depth) private view returns (bytes32 root, bytes32[] memory branch) {
        branch = new bytes32[](depth);
        root = leaf;
        for (uint256 i = 0; i < depth; ++i) {
            root = (place >> i) & 1 == 0 ? Ssz.hash(root, 0) : Ssz.hash(0, root);
        }
    }

    /// @dev A field's branch, continued to the state's root.
    function _upwards(bytes32[] memory branch, uint256 field, bytes32[] memory nodes) private pure returns (bytes32[] memory all) {
        all = new bytes32[](branch.length + 6);
        for (uint256 i = 0; field > 1; ++i) {
            all[branch.length + i] = nodes[field ^ 1];
            field >>= 1;
        }
    }
}
