// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDkgDisputes} from "../../../contracts/interfaces/IDkgDisputes.sol";
import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {Bls12381} from "../../../contracts/libraries/Bls12381.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";
import {ProducerId} from "../../../contracts/types/Ids.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Evidence} from "./Evidence.sol";
import {VM} from "./Vm.sol";

/// @title Bad dealings of key generations, good ones that are accused, and false complaints
abstract contract Cheats is Evidence {
    bytes32 private constant JOIN_TYPEHASH =
        keccak256("Join(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes joinKey)");
    bytes32 private constant DEALING_TYPEHASH = keccak256(
        "Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)"
    );
    bytes32 private constant COMPLAINT_TYPEHASH = keccak256(
        "Complaint(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,uint32 member,bytes32 dealingHash,bytes sharedPoint,bytes proof)"
    );

    /// @dev A commitment that is the point at infinity convicts its dealer; a good one nobody.
    function disputeCommitment(uint256 who, uint256 which, uint256 seed) external action {
        IDkgDisputes.Ceremony memory ceremony = _ceremonyOf(which);
        if (ceremony.members.length == 0 || windDown.started()) return;
        bool isBad = seed % 4 == 1;
        IDkgDisputes.Dealing memory dealing = _dealing(ceremony, 1 + uint32(seed >> 8) % 4, isBad);
        bytes memory data = abi.encodeCall(dkgDisputes.disputeCommitment, (ceremony, dealing, 2));
        uint256[] memory before = fortunes();
        bool ok = _may("convict a dealer", _anyone(who), address(dkgDisputes), 0, data);
        if (ok && !isBad) _break("an honest dealer was convicted");
        if (_book(before) > 1 gwei) _break("a dealing made somebody richer than others became poorer");
        (bool twice,) = _as(_anyone(who), address(dkgDisputes), 0, data);
        if (twice) _break("a dealer was convicted twice of one dealing");
    }

    /// @dev With a shared point that is none: the complainer pays, the dealer nothing.
    function complainFalsely(uint256 who, uint256 which, uint256 seed) external action {
        IDkgDisputes.Ceremony memory ceremony = _ceremonyOf(which);
        if (ceremony.members.length == 0 || windDown.started()) return;
        uint32 dealer = 1 + uint32(seed >> 8) % 4;
        IDkgDisputes.Dealing memory dealing = _dealing(ceremony, dealer, false);
        IDkgDisputes.Complaint memory complaint = _complaint(ceremony, dealing, dealer % 4 + 1);
        uint256 bond = producers.bondValue(ceremony.members[dealer - 1]);
        uint256[] memory before = fortunes();
        bytes memory data = abi.encodeCall(dkgDisputes.disputeDealing, (ceremony, dealing, complaint));
        _may("charge a complainer", _anyone(who), address(dkgDisputes), 0, data);
        if (_book(before) > 1 gwei) _break("a complaint made somebody richer than others became poorer");
        if (producers.bondValue(ceremony.members[dealer - 1]) + 10 < bond) _break("a false complaint cost the dealer");
    }

    function _ceremonyOf(uint256 seed) private view returns (IDkgDisputes.Ceremony memory ceremony) {
        uint32 poolId = _inState(seed, seed % 2 == 0 ? IPoolRegistry.PoolState.Ceremony : IPoolRegistry.PoolState.Registered);
        if (poolId == 0 || registry.pool(_id(poolId)).fundedAt != 0) return ceremony;
        (ceremony.poolId, ceremony.round) = (_id(poolId), registry.pool(_id(poolId)).round);
        ceremony.members = registry.vault(_id(poolId));
    }

    function _dealing(IDkgDisputes.Ceremony memory ceremony, uint32 dealer, bool isBad)
        private
        view
        returns (IDkgDisputes.Dealing memory dealing)
    {
        bytes memory point = abi.encode(Bls12381.generator());
        dealing.dealer = dealer;
        dealing.joinKeys = bytes.concat(point, point, point, point);
        dealing.commitments = bytes.concat(point, point, isBad ? new bytes(128) : point);
        dealing.ciphertexts = new bytes(VAULT_SIZE * 32);
        dealing.signature = _signed(ceremony, dealer, _hashOf(ceremony, dealing));
        dealing.joinSignature = _signed(ceremony, dealer, _joinHash(ceremony, dealer));
    }

    function _complaint(IDkgDisputes.Ceremony memory ceremony, IDkgDisputes.Dealing memory dealing, uint32 member)
        private
        view
        returns (IDkgDisputes.Complaint memory complaint)
    {
        complaint.member = member;
        complaint.sharedPoint = Bls12381.generator();
        (complaint.challenge, complaint.response) = (1, 2);
        complaint.joinSignature = _signed(ceremony, member, _joinHash(ceremony, member));
        bytes32 point = keccak256(abi.encode(complaint.sharedPoint));
        bytes32 proof = keccak256(abi.encodePacked(complaint.challenge, complaint.response));
        bytes32 structHash = keccak256(
            abi.encode(
                COMPLAINT_TYPEHASH,
                ceremony.poolId,
                ceremony.kind,
                ceremony.round,
                dealing.dealer,
                member,
                _hashOf(ceremony, dealing),
                point,
                proof
            )
        );
        complaint.signature = _signed(ceremony, member, structHash);
    }

    function _hashOf(IDkgDisputes.Ceremony memory ceremony, IDkgDisputes.Dealing memory dealing) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                DEALING_TYPEHASH,
                ceremony.poolId,
                ceremony.kind,
                ceremony.round,
                dealing.dealer,
                keccak256(dealing.joinKeys),
                keccak256(dealing.commitments),
                keccak256(dealing.ciphertexts)
            )
        );
    }

    function _joinHash(IDkgDisputes.Ceremony memory ceremony, uint32 member) private pure returns (bytes32) {
        bytes32 keyHash = keccak256(abi.encode(Bls12381.generator()));
        return keccak256(abi.encode(JOIN_TYPEHASH, ceremony.poolId, ceremony.kind, ceremony.round, member, keyHash));
    }

    function _signed(IDkgDisputes.Ceremony memory ceremony, uint32 member, bytes32 structHash) private view returns (bytes memory) {
        uint256 id = ProducerId.unwrap(ceremony.members[member - 1]);
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(BlsKeys.secret("operator", id), TypedData.digest(address(registry), structHash));
        return abi.encodePacked(r, s, v);
    }
}
