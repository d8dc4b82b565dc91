// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ssz} from "./Ssz.sol";

/// @notice Generalized indices within the state, valid for states of `firstEpoch` and later under `forkVersion`.
struct Layout {
    uint64 firstEpoch;
    bytes4 forkVersion;
    /// Of fork.current_version (269 in Electra and Fulu).
    uint64 forkGindex;
    /// Of the list's root with its length mixed in (75).
    uint64 validatorsGindex;
    /// Likewise (76).
    uint64 balancesGindex;
    /// Of the vector's root (77).
    uint64 randaoMixesGindex;
}

/// @notice The consensus spec's BeaconBlockHeader.
struct BeaconHeader {
    uint64 slot;
    uint64 proposerIndex;
    bytes32 parentRoot;
    bytes32 stateRoot;
    bytes32 bodyRoot;
}

/// @notice A header and the branch of `fork.current_version` up to its state root.
struct StateProof {
    BeaconHeader header;
    bytes32[] forkBranch;
}

/// @notice The consensus spec's Validator, its key as hash_tree_root (see `DepositData.pubkeyRoot`). Epochs are those of
/// the beacon chain; the balance is in gwei.
struct Validator {
    bytes32 pubkeyRoot;
    bytes32 withdrawalCredentials;
    uint64 effectiveBalance;
    bool slashed;
    uint64 activationEligibilityEpoch;
    uint64 activationEpoch;
    uint64 exitEpoch;
    uint64 withdrawableEpoch;
}

/// @notice `validators[index]` and its branch up to the state root.
struct ValidatorProof {
    uint64 index;
    Validator validator;
    bytes32[] branch;
}

/// @notice The leaf that holds `balances[index]` with three of its neighbours, and its branch up to the state root.
struct BalanceProof {
    uint64 index;
    bytes32 leaf;
    bytes32[] branch;
}

/// @notice `randao_mixes[epoch % vector length]` and its branch up to the state root.
struct RandaoProof {
    bytes32 mix;
    bytes32[] branch;
}

/// @title Proofs of the beacon state
/// @notice A proof goes from a beacon block root that EIP-4788 vouches for, through the block's header, to the state root;
/// first the state's fork version is proven against the row in use, then the leaf itself. Every function reverts when
/// the proof does not hold.
/// @dev Indices cannot wander into another field: each is checked against the capacity of its list or vector before it
/// becomes part of a generalized index, and a branch has exactly the depth of that index.
library BeaconProofs {
    /// @notice The header is not that of the trusted block.
    error HeaderMismatch(bytes32 expected, bytes32 actual);
    /// @notice The state is of another fork than the row, or the branch is wrong.
    error ForkVersionNotProven(bytes4 expected);
    /// @notice The branch of a leaf does not lead to the state root.
    error LeafNotProven(uint256 gindex);
    /// @notice An index beyond the list's capacity (2^40).
    error IndexTooLarge(uint64 index);
    /// @notice The vector's length is not a power of two.
    error BadVectorLength(uint64 length);

    /// @notice An epoch that will not come: the consensus spec's FAR_FUTURE_EPOCH.
    uint64 internal constant FAR_FUTURE_EPOCH = type(uint64).max;
    /// @dev VALIDATOR_REGISTRY_LIMIT is 2^40 under every preset.
    uint64 private constant REGISTRY_LIMIT = 2 ** 40;
    /// @dev sha256 of two zero words: the root of an empty pair of leaves.
    bytes32 private constant EMPTY_PAIR = 0xf5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b;

    /// @notice Proves that the block with root `blockRoot` has this header, and that its state is of the layout's fork.
    /// @dev Which layout belongs to the header's slot is for the caller to know.
    /// @return stateRoot The root to prove leaves against.
    function verifyState(bytes32 blockRoot, StateProof calldata proof, Layout memory row)
        internal
        view
        returns (bytes32 stateRoot)
    {
        bytes32 actual = headerRoot(proof.header);
        if (actual != blockRoot) revert HeaderMismatch(blockRoot, actual);
        stateRoot = proof.header.stateRoot;
        if (Ssz.branchRoot(bytes32(row.forkVersion), row.forkGindex, proof.forkBranch) != stateRoot) {
            revert ForkVersionNotProven(row.forkVersion);
        }
    }

    /// @notice Proves a validator's record.
    function verifyValidator(bytes32 stateRoot, ValidatorProof calldata proof, Layout memory row) internal view {
        uint256 gindex = validatorGindex(row.validatorsGindex, proof.index);
        _verifyLeaf(stateRoot, validatorRoot(proof.validator), gindex, proof.branch);
    }

    /// @notice Proves a validator's balance in gwei.
    /// @dev The state has a balance of zero for every index that it does not have yet: where that matters, prove the
    /// validator's record in the same state.
    function verifyBalance(bytes32 stateRoot, BalanceProof calldata proof, Layout memory row)
        internal
        view
        returns (uint64)
    {
        _verifyLeaf(stateRoot, proof.leaf, balanceGindex(row.balancesGindex, proof.index), proof.branch);
        return Ssz.uint64At(proof.leaf, proof.index % 4);
    }

    /// @notice Proves the RANDAO mix that the state keeps for `epoch`.
    /// @dev The vector is a ring: that the state is of an epoch in which the place still (and already) holds the mix of
    /// `epoch` is for the caller to check.
    /// @param vectorLength EPOCHS_PER_HISTORICAL_VECTOR of the chain's preset.
    function verifyRandaoMix(
        bytes32 stateRoot,
        RandaoProof calldata proof,
        uint64 epoch,
        uint64 vectorLength,
        Layout memory row
    ) internal view {
        uint256 gindex = randaoMixGindex(row.randaoMixesGindex, epoch, vectorLength);
        _verifyLeaf(stateRoot, proof.mix, gindex, proof.branch);
    }

    /// @notice Generalized index of `validators[index]`; `listGindex` is that of the list with its length mixed in.
    function validatorGindex(uint64 listGindex, uint64 index) internal pure returns (uint256) {
        if (index >= REGISTRY_LIMIT) revert IndexTooLarge(index);
        return (uint256(listGindex) * 2 * REGISTRY_LIMIT) | index;
    }

    /// @notice Generalized index of the leaf that holds `balances[index]`: four balances share one.
    function balanceGindex(uint64 listGindex, uint64 index) internal pure returns (uint256) {
        if (index >= REGISTRY_LIMIT) revert IndexTooLarge(index);
        return (uint256(listGindex) * 2 * (REGISTRY_LIMIT / 4)) | (index / 4);
    }

    /// @notice Generalized index of the place of `epoch` in a vector of `length` mixes.
    function randaoMixGindex(uint64 vectorGindex, uint64 epoch, uint64 length) internal pure returns (uint256) {
        if (length == 0 || length & (length - 1) != 0) revert BadVectorLength(length);
        return (uint256(vectorGindex) * length) | (epoch % length);
    }

    /// @notice hash_tree_root of a block header: the block's root.
    function headerRoot(BeaconHeader calldata header) internal view returns (bytes32) {
        bytes32 first = Ssz.hash(Ssz.littleEndian(header.slot), Ssz.littleEndian(header.proposerIndex));
        bytes32 second = Ssz.hash(header.parentRoot, header.stateRoot);
        bytes32 third = Ssz.hash(header.bodyRoot, bytes32(0));
        return Ssz.hash(Ssz.hash(first, second), Ssz.hash(third, EMPTY_PAIR));
    }

    /// @notice hash_tree_root of a validator's record.
    function validatorRoot(Validator calldata validator) internal view returns (bytes32) {
        bytes32 first = Ssz.hash(validator.pubkeyRoot, validator.withdrawalCredentials);
        bytes32 second =
            Ssz.hash(Ssz.littleEndian(validator.effectiveBalance), Ssz.littleEndian(validator.slashed ? 1 : 0));
        bytes32 third = Ssz.hash(
            Ssz.littleEndian(validator.activationEligibilityEpoch), Ssz.littleEndian(validator.activationEpoch)
        );
        bytes32 fourth =
            Ssz.hash(Ssz.littleEndian(validator.exitEpoch), Ssz.littleEndian(validator.withdrawableEpoch));
        return Ssz.hash(Ssz.hash(first, second), Ssz.hash(third, fourth));
    }

    function _verifyLeaf(bytes32 stateRoot, bytes32 leaf, uint256 gindex, bytes32[] calldata branch) private view {
        if (Ssz.branchRoot(leaf, gindex, branch) != stateRoot) revert LeafNotProven(gindex);
    }
}
