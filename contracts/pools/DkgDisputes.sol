// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IDkgDisputes} from "../interfaces/IDkgDisputes.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRotations} from "../interfaces/IRotations.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {DkgProofs} from "../libraries/DkgProofs.sol";
import {Epoch, PoolId, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {CeremonySignatures} from "./CeremonySignatures.sol";

/// @title Who is at fault when a member says that a dealing is bad
contract DkgDisputes is IDkgDisputes, CeremonySignatures, BeaconClock {
    bytes32 private constant JOIN_TYPEHASH =
        keccak256("Join(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes joinKey)");
    bytes32 private constant DEALING_TYPEHASH = keccak256(
        "Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)"
    );
    bytes32 private constant COMPLAINT_TYPEHASH = keccak256(
        "Complaint(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,uint32 member,bytes32 dealingHash,bytes sharedPoint,bytes proof)"
    );
    uint8 private constant HANDOVER = 1;
    uint256 private constant POINT = 128;

    IPoolRegistry private immutable POOL_REGISTRY;
    IRotations private immutable ROTATIONS;
    uint256 private immutable SEAT_ALLOCATION;
    uint256 private immutable FALSE_COMPLAINT;

    mapping(bytes32 judgement => bool) private _judged;

    constructor(Addresses memory addresses, Parameters memory parameters)
        CeremonySignatures(addresses, parameters)
        BeaconClock(parameters)
    {
        POOL_REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        ROTATIONS = IRotations(nonZero(addresses.rotations));
        SEAT_ALLOCATION = parameters.seatAllocation;
        FALSE_COMPLAINT = parameters.stallPenalty;
    }

    /// @inheritdoc IDkgDisputes
    function disputeDealing(Ceremony calldata ceremony, Dealing calldata dealing, Complaint calldata complaint) external {
        _checkCeremony(ceremony);
        bytes32 dealingHash = _checkDealer(ceremony, dealing);
        if (!_hasShape(ceremony, dealing)) return _convict(ceremony, dealing.dealer, Fault.Shape);
        if (complaint.member == 0 || complaint.member > ceremony.members.length) revert NoSuchMember(complaint.member);
        // Nobody accuses itself, not even as a member of both vaults: a charge on demand would take its bond out of draws whose
        // seed it knows.
        ProducerId complainer = _producerOf(ceremony, complaint.member);
        if (complainer == _producerOf(ceremony, dealing.dealer)) revert OwnDealing(complainer);
        G1Point memory receiverKey = _joinKey(ceremony, dealing, complaint.member, complaint.joinSignature);
        G1Point memory dealerKey = _joinKey(ceremony, dealing, dealing.dealer, dealing.joinSignature);
        _checkComplaint(ceremony, dealing.dealer, dealingHash, complaint);

        if (!Bls12381.isValidKey(dealerKey)) return _convict(ceremony, dealing.dealer, Fault.JoinKey);
        bytes memory binding = _binding(ceremony, dealing.dealer, complaint.member);
        DkgProofs.Statement memory statement = DkgProofs.Statement(receiverKey, dealerKey, complaint.sharedPoint);
        if (!DkgProofs.verifyShared(statement, binding, complaint.challenge, complaint.response)) {
            return _charge(ceremony, dealing.dealer, complaint.member);
        }
        Fault fault = _faultOf(ceremony, dealing, complaint.member, DkgProofs.pad(complaint.sharedPoint, binding));
        if (fault == Fault.None) _charge(ceremony, dealing.dealer, complaint.member);
        else _convict(ceremony, dealing.dealer, fault);
    }

    /// @inheritdoc IDkgDisputes
    function disputeCommitment(Ceremony calldata ceremony, Dealing calldata dealing, uint256 place) external {
        _checkCeremony(ceremony);
        _checkDealer(ceremony, dealing);
        if (!_hasShape(ceremony, dealing)) return _convict(ceremony, dealing.dealer, Fault.Shape);
        if (place >= THRESHOLD) revert NoSuchCommitment(place);
        if (Bls12381.isValidKey(DkgProofs.pointAt(dealing.commitments, place))) revert CommitmentIsValid(place);
        _convict(ceremony, dealing.dealer, Fault.Commitment);
    }

    /// @inheritdoc IDkgDisputes
    function disputeConstantTerm(Ceremony calldata ceremony, Dealing calldata dealing, bytes calldata publicShares) external {
        if (ceremony.kind != HANDOVER) revert UnknownCeremony(ceremony.poolId, ceremony.kind, ceremony.round);
        _checkCeremony(ceremony);
        _checkDealer(ceremony, dealing);
        if (!_hasShape(ceremony, dealing)) return _convict(ceremony, dealing.dealer, Fault.Shape);
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(ceremony.poolId);
        uint32 oldRound = ROTATIONS.oldRoundOf(ceremony.poolId, ceremony.round);
        if (pool.round != oldRound) revert VaultChanged(oldRound, pool.round);
        bytes32 sharesHash = keccak256(publicShares);
        if (sharesHash != pool.publicSharesHash) revert WrongPublicShares(pool.publicSharesHash, sharesHash);
        G1Point memory constantTerm = DkgProofs.pointAt(dealing.commitments, 0);
        uint256 place = dealing.dealer - ceremony.members.length - 1;
        if (!Bls12381.isValidKey(constantTerm)) return _convict(ceremony, dealing.dealer, Fault.Commitment);
        if (keccak256(Bls12381.compress(constantTerm)) == keccak256(publicShares[place * 48:(place + 1) * 48])) {
            revert ConstantTermFits();
        }
        _convict(ceremony, dealing.dealer, Fault.ConstantTerm);
    }

    /// @dev What the chain keeps of the ceremony, and that its result does not stand yet.
    function _checkCeremony(Ceremony calldata ceremony) private view {
        (PoolId poolId, uint32 round) = (ceremony.poolId, ceremony.round);
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(poolId);
        bytes32 hash = keccak256(abi.encodePacked(ceremony.members));
        bool isKnown = false;
        if (ceremony.kind == HANDOVER) {
            bytes32 oldHash = keccak256(abi.encodePacked(ceremony.oldMembers));
            isKnown = hash == ROTATIONS.drawnHashOf(poolId, round)
                && oldHash == POOL_REGISTRY.vaultHashOf(poolId, ROTATIONS.oldRoundOf(poolId, round));
            uint64 cutover = Epoch.unwrap(ROTATIONS.cutoverOf(poolId, round));
            if (cutover != 0 && _currentEpoch() >= cutover) revert TooLate(poolId);
        } else if (ceremony.kind == 0) {
            isKnown = hash == POOL_REGISTRY.failedVaultHashOf(poolId, round);
            if (!isKnown && round == pool.round) {
                isKnown = hash == POOL_REGISTRY.presentVaultHash(poolId)
                    && Epoch.unwrap(ROTATIONS.cutoverOf(poolId, round)) == 0;
                if (pool.fundedAt != 0) revert TooLate(poolId);
            }
        }
        if (!isKnown || ceremony.members.length == 0) revert UnknownCeremony(poolId, ceremony.kind, round);
    }

    function _checkDealer(Ceremony calldata ceremony, Dealing calldata dealing) private view returns (bytes32 dealingHash) {
        bool isOld = dealing.dealer > ceremony.members.length;
        if (isOld != (ceremony.kind == HANDOVER)) revert NoSuchMember(dealing.dealer);
        dealingHash = keccak256(
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
        _checkSigner(ceremony, dealing.dealer, dealingHash, dealing.signature);
    }

    function _checkComplaint(
        Ceremony calldata ceremony,
        uint32 dealer,
        bytes32 dealingHash,
        Complaint calldata complaint
    ) private view {
        bytes32 structHash = keccak256(
            abi.encode(
                COMPLAINT_TYPEHASH,
                ceremony.poolId,
                ceremony.kind,
                ceremony.round,
                dealer,
                complaint.member,
                dealingHash,
                keccak256(abi.encode(complaint.sharedPoint)),
                keccak256(abi.encodePacked(complaint.challenge, complaint.response))
            )
        );
        _checkSigner(ceremony, complaint.member, structHash, complaint.signature);
    }

    /// @dev A member's key as the dealing names it, signed by that member.
    function _joinKey(Ceremony calldata ceremony, Dealing calldata dealing, uint32 member, bytes calldata signature)
        private
        view
        returns (G1Point memory key)
    {
        uint256 from = (member - 1) * POINT;
        bytes32 keyHash = keccak256(dealing.joinKeys[from:from + POINT]);
        bytes32 structHash = keccak256(
            abi.encode(JOIN_TYPEHASH, ceremony.poolId, ceremony.kind, ceremony.round, member, keyHash)
        );
        _checkSigner(ceremony, member, structHash, signature);
        return DkgProofs.pointAt(dealing.joinKeys, member - 1);
    }

    function _checkSigner(Ceremony calldata ceremony, uint32 member, bytes32 structHash, bytes calldata signature) private view {
        ProducerId expected = _producerOf(ceremony, member);
        (address signer,,) = ECDSA.tryRecover(_ceremonyDigest(structHash), signature);
        ProducerId actual = BLOCK_PRODUCERS.producerOf(signer);
        if (!(actual == expected)) revert WrongSigner(member, expected, actual);
    }

    function _producerOf(Ceremony calldata ceremony, uint32 member) private pure returns (ProducerId) {
        uint256 size = ceremony.members.length;
        if (member == 0 || member > size + ceremony.oldMembers.length) revert NoSuchMember(member);
        return member <= size ? ceremony.members[member - 1] : ceremony.oldMembers[member - 1 - size];
    }

    function _hasShape(Ceremony calldata ceremony, Dealing calldata dealing) private view returns (bool) {
        uint256 size = ceremony.members.length;
        uint256 keys = ceremony.kind == HANDOVER ? size + ceremony.oldMembers.length : size;
        return dealing.joinKeys.length == keys * POINT && dealing.commitments.length == THRESHOLD * POINT
            && dealing.ciphertexts.length == size * 32;
    }

    /// @dev base^share = Π commitmentₖ^(memberᵏ)? Base H in a key generation, G in a handover.
    function _faultOf(Ceremony calldata ceremony, Dealing calldata dealing, uint32 member, bytes32 pad)
        private
        view
        returns (Fault)
    {
        uint256 from = (member - 1) * 32;
        uint256 share = uint256(bytes32(dealing.ciphertexts[from:from + 32]) ^ pad);
        if (share >= DkgProofs.ORDER) return Fault.ShareRange;
        G1Point memory base = ceremony.kind == HANDOVER ? Bls12381.generator() : DkgProofs.secondGenerator();
        (bool areValid, bool fits) = DkgProofs.fits(dealing.commitments, member, base, share);
        if (!areValid) return Fault.Commitment;
        return fits ? Fault.None : Fault.Share;
    }

    /// @dev What pads and proofs bind.
    function _binding(Ceremony calldata ceremony, uint32 dealer, uint32 member) private view returns (bytes memory) {
        return abi.encodePacked(
            block.chainid, CEREMONY_CONTRACT, ceremony.poolId, ceremony.kind, ceremony.round, dealer, member
        );
    }

    function _convict(Ceremony calldata ceremony, uint32 dealer, Fault fault) private {
        (PoolId poolId, uint32 round) = (ceremony.poolId, ceremony.round);
        ProducerId producerId = _producerOf(ceremony, dealer);
        _judgeOnce(ceremony, dealer, 0, producerId);
        emit DealerConvicted(poolId, ceremony.kind, round, producerId, fault);
        _slash(poolId, producerId, SEAT_ALLOCATION);
        if (ceremony.kind != HANDOVER) POOL_REGISTRY.bar(poolId, round, 1 << (dealer - 1));
    }

    function _charge(Ceremony calldata ceremony, uint32 dealer, uint32 member) private {
        ProducerId producerId = _producerOf(ceremony, member);
        _judgeOnce(ceremony, dealer, member, producerId);
        emit ComplainerCharged(
            ceremony.poolId, ceremony.kind, ceremony.round, producerId, _producerOf(ceremony, dealer)
        );
        _slash(ceremony.poolId, producerId, FALSE_COMPLAINT);
    }

    function _slash(PoolId poolId, ProducerId producerId, uint256 amount) private {
        ProducerId[] memory members = new ProducerId[](1);
        members[0] = producerId;
        BLOCK_PRODUCERS.slashSeats(poolId, members, amount, msg.sender);
    }

    /// @param member who complained, 0 for the dealer itself
    function _judgeOnce(Ceremony calldata ceremony, uint32 dealer, uint32 member, ProducerId producerId) private {
        bytes32 judgement = keccak256(abi.encode(ceremony.poolId, ceremony.kind, ceremony.round, dealer, member));
        if (_judged[judgement]) revert AlreadyJudged(producerId);
        _judged[judgement] = true;
    }
}
