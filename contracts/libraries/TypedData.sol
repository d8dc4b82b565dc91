// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title EIP-712 digests under the protocol's domain
/// @notice {name "Open Pools", version "1", this chain, the contract that judges what is signed}.
library TypedData {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Open Pools");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @notice What is signed for a struct.
    function digest(address judge, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, judge));
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }
}
