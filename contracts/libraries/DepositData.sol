// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ssz} from "./Ssz.sol";

/// @title SSZ roots of a validator deposit
/// @notice The consensus spec's `DepositMessage` and `DepositData`: what the validator's key signs, and the root that the
/// deposit contract asks for. Amounts are in gwei; keys and signatures are compressed points (48 and 96 bytes).
library DepositData {
    /// @notice A compressed key or signature of the wrong length.
    error WrongLength(uint256 expected, uint256 actual);

    /// @dev The consensus spec's DOMAIN_DEPOSIT.
    bytes4 private constant DOMAIN_DEPOSIT = 0x03000000;

    /// @notice Withdrawal credentials (0x01) that pay `recipient` on the execution layer.
    function withdrawalCredentials(address recipient) internal pure returns (bytes32) {
        return bytes32(bytes1(0x01)) | bytes32(uint256(uint160(recipient)));
    }

    /// @notice hash_tree_root of a compressed public key: also the first leaf of its record in the beacon state.
    function pubkeyRoot(bytes memory pubkey) internal pure returns (bytes32) {
        if (pubkey.length != 48) revert WrongLength(48, pubkey.length);
        return sha256(abi.encodePacked(pubkey, bytes16(0)));
    }

    /// @notice hash_tree_root of `DepositMessage(pubkey, withdrawal_credentials, amount)`.
    function messageRoot(bytes32 keyRoot, bytes32 credentials, uint64 amountGwei) internal view returns (bytes32) {
        return Ssz.hash(Ssz.hash(keyRoot, credentials), Ssz.hash(Ssz.littleEndian(amountGwei), bytes32(0)));
    }

    /// @notice The domain of deposit signatures: a deposit is valid on every fork, so it names the genesis fork version and
    /// no genesis validators root.
    function domain(bytes4 genesisForkVersion) internal view returns (bytes32) {
        bytes32 forkDataRoot = Ssz.hash(bytes32(genesisForkVersion), bytes32(0));
        return bytes32(DOMAIN_DEPOSIT) | (forkDataRoot >> 32);
    }

    /// @notice The 32 bytes that the validator's key signs for a deposit.
    function signingRoot(bytes32 keyRoot, bytes32 credentials, uint64 amountGwei, bytes4 genesisForkVersion)
        internal
        view
        returns (bytes32)
    {
        return Ssz.hash(messageRoot(keyRoot, credentials, amountGwei), domain(genesisForkVersion));
    }

    /// @notice hash_tree_root of a compressed signature.
    function signatureRoot(bytes memory signature) internal view returns (bytes32) {
        if (signature.length != 96) revert WrongLength(96, signature.length);
        bytes32 first;
        bytes32 second;
        bytes32 third;
        assembly ("memory-safe") {
            first := mload(add(signature, 0x20))
            second := mload(add(signature, 0x40))
            third := mload(add(signature, 0x60))
        }
        return Ssz.hash(Ssz.hash(first, second), Ssz.hash(third, bytes32(0)));
    }

    /// @notice hash_tree_root of `DepositData`: the `deposit_data_root` argument of the deposit contract.
    function dataRoot(bytes32 keyRoot, bytes32 credentials, uint64 amountGwei, bytes memory signature)
        internal
        view
        returns (bytes32)
    {
        return Ssz.hash(Ssz.hash(keyRoot, credentials), Ssz.hash(Ssz.littleEndian(amountGwei), signatureRoot(signature)));
    }
}
