// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {TypedData} from "../libraries/TypedData.sol";
import {ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title Two things said at once by one operator
/// @dev What an honest operator says once, its durable gate names by instance, round and type. Only messages that agree in all
/// of these are in conflict; the same message twice is none.
abstract contract Equivocations is ISlashing {
    bytes32 private constant QBFT_TYPEHASH = keccak256(
        "QbftMessage(uint32 poolId,uint64 slot,uint8 duty,uint8 messageType,uint32 round,bytes32 value,uint32 preparedRound,bytes32 preparedValue)"
    );
    bytes32 private constant JOIN_TYPEHASH =
        keccak256("Join(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes joinKey)");
    bytes32 private constant DEALING_TYPEHASH = keccak256(
        "Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)"
    );

    IBlockProducers internal immutable PRODUCERS;
    /// @dev Under whose domain operators sign.
    address private immutable DOMAIN_CONTRACT;

    constructor(Addresses memory addresses) {
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        DOMAIN_CONTRACT = nonZero(addresses.poolRegistry);
    }

    /// @inheritdoc ISlashing
    function slashQbft(QbftMessage calldata a, bytes calldata signatureA, QbftMessage calldata b, bytes calldata signatureB)
        external
    {
        bool sameInstance = a.poolId == b.poolId && a.slot == b.slot && a.duty == b.duty;
        bool samePlace = sameInstance && a.messageType == b.messageType && a.round == b.round;
        bytes32 first = keccak256(abi.encode(QBFT_TYPEHASH, a));
        bytes32 second = keccak256(abi.encode(QBFT_TYPEHASH, b));
        _judge(samePlace, first, signatureA, second, signatureB);
    }

    /// @inheritdoc ISlashing
    function slashJoin(Join calldata a, bytes calldata signatureA, Join calldata b, bytes calldata signatureB) external {
        bool samePlace = a.poolId == b.poolId && a.kind == b.kind && a.round == b.round && a.member == b.member;
        _judge(samePlace, _hash(a), signatureA, _hash(b), signatureB);
    }

    /// @inheritdoc ISlashing
    function slashDealing(Dealing calldata a, bytes calldata signatureA, Dealing calldata b, bytes calldata signatureB)
        external
    {
        bool samePlace = a.poolId == b.poolId && a.kind == b.kind && a.round == b.round && a.dealer == b.dealer;
        bytes32 first = keccak256(abi.encode(DEALING_TYPEHASH, a));
        bytes32 second = keccak256(abi.encode(DEALING_TYPEHASH, b));
        _judge(samePlace, first, signatureA, second, signatureB);
    }

    function _judge(bool samePlace, bytes32 first, bytes calldata signatureA, bytes32 second, bytes calldata signatureB)
        private
    {
        if (!samePlace || first == second) revert NotInConflict();
        address signer = ECDSA.recover(TypedData.digest(DOMAIN_CONTRACT, first), signatureA);
        address other = ECDSA.recover(TypedData.digest(DOMAIN_CONTRACT, second), signatureB);
        if (signer != other) revert NotSameSigner(signer, other);
        ProducerId producerId = PRODUCERS.producerOf(signer);
        if (ProducerId.unwrap(producerId) == 0) revert SignerUnknown(signer);
        if (PRODUCERS.producer(producerId).slashed) revert AlreadyOut(producerId);
        emit Equivocation(producerId, msg.sender);
        PRODUCERS.slashOut(producerId, msg.sender);
    }

    function _hash(Join calldata message) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                JOIN_TYPEHASH, message.poolId, message.kind, message.round, message.member, keccak256(message.joinKey)
            )
        );
    }
}
