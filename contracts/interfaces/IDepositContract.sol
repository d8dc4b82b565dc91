// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The part of the beacon deposit contract (consensus specs, deposit-contract.md) that the protocol calls.
interface IDepositContract {
    /// @param pubkey 48 bytes. @param withdrawalCredentials 32 bytes. @param signature 96 bytes over the deposit message.
    /// @param depositDataRoot hash_tree_root of the DepositData of these and the value in gwei; another one reverts.
    function deposit(bytes calldata pubkey, bytes calldata withdrawalCredentials, bytes calldata signature, bytes32 depositDataRoot)
        external
        payable;
}
