// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {ICeremonySignatures} from "../interfaces/ICeremonySignatures.sol";
import {Bls12381, G1Point, G2Point} from "../libraries/Bls12381.sol";
import {ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Aggregate signatures of vaults' members, by their signing keys, under one EIP-712 domain for all ceremonies
abstract contract CeremonySignatures is ICeremonySignatures {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Open Pools");
    bytes32 private constant VERSION_HASH = keccak256("1");

    IBlockProducers internal immutable BLOCK_PRODUCERS;
    uint256 internal immutable VAULT_SIZE;
    uint256 internal immutable THRESHOLD;
    /// @dev PoolRegistry.
    address internal immutable CEREMONY_CONTRACT;

    constructor(Addresses memory addresses, Parameters memory parameters) {
        BLOCK_PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        CEREMONY_CONTRACT = nonZero(addresses.poolRegistry);
        VAULT_SIZE = parameters.vaultSize;
        THRESHOLD = (2 * uint256(parameters.vaultSize) + 2) / 3;
    }

    function _ceremonyDigest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, CEREMONY_CONTRACT));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    /// @dev That at least `needed` members, those whose bits are set, signed the struct.
    function _checkSigned(
        ProducerId[] memory members,
        uint256 bits,
        uint256 needed,
        bytes32 structHash,
        G2Point calldata signature
    ) internal view {
        if (bits >> members.length != 0) revert ParticipationOutOfRange(members.length, bits);
        G1Point memory key;
        uint256 signers = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            if ((bits >> i) & 1 == 0) continue;
            ++signers;
            key = Bls12381.add(key, BLOCK_PRODUCERS.signingKey(members[i]));
        }
        if (signers < needed) revert TooFewParticipants(needed, signers);
        if (!Bls12381.verify(key, _ceremonyDigest(structHash), signature)) revert InvalidAggregateSignature();
    }
}
