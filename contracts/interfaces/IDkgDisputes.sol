// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point} from "../libraries/Bls12381.sol";
import {Epoch, PoolId, ProducerId} from "../types/Ids.sol";

/// @title Who is at fault when a member says that a dealing is bad: judged on what both have signed.
/// @dev Kinds of ceremonies: 0 = key generation, 1 = handover. Members of a handover are numbered: those of the new vault from 1, after
///      them those of the old one; the latter deal, the former receive. In a key generation all do both.
///      Points are in EIP-2537's encoding, lists are their concatenation; all is as the operators sign it (EIP-712, operator keys, domain
///      of PoolRegistry). A share's pad is SHA-256(compressed Diffie-Hellman point ‖ context ‖ uint32 dealer ‖ uint32 member), context =
///      uint256 chain id ‖ address of PoolRegistry ‖ uint32 pool ‖ uint8 kind ‖ uint32 round.
interface IDkgDisputes {
    enum Fault {
        None, // the complainer's: the dealing holds what it should
        Shape, // lists of other lengths than the vault's
        JoinKey, // the dealer's key is no valid point
        Commitment, // a commitment is no valid point
        ShareRange, // a share at or above the group's order
        Share, // a share that does not fit the commitments
        ConstantTerm // a handover's dealing of something else than the dealer's share
    }

    /// @notice Which ceremony, and who was in it, in vault order: hashes of these lists are what the chain keeps.
    struct Ceremony {
        PoolId poolId;
        uint8 kind;
        uint32 round;
        ProducerId[] members; // of the vault drawn for it
        ProducerId[] oldMembers; // of a handover
    }

    /// @notice Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)
    struct Dealing {
        uint32 dealer; // member index
        bytes joinKeys; // 128 bytes for each member, zeros where it did not join
        bytes commitments; // threshold × 128 bytes
        bytes ciphertexts; // 32 bytes for each receiver
        bytes signature; // of the dealer's operator key
        bytes joinSignature; // of the dealer on its own join key
    }

    /// @notice Complaint(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,uint32 member,bytes32 dealingHash,bytes sharedPoint,bytes proof)
    struct Complaint {
        uint32 member; // index of the complainer
        G1Point sharedPoint; // Diffie-Hellman point of the dealer's and the complainer's join keys
        uint256 challenge; // of the proof that it is
        uint256 response;
        bytes signature; // of the complainer's operator key; proof = challenge ‖ response
        bytes joinSignature; // of the complainer on its join key
    }

    event DealerConvicted(PoolId indexed poolId, uint8 kind, uint32 indexed round, ProducerId indexed producerId, Fault fault);
    event ComplainerCharged(PoolId indexed poolId, uint8 kind, uint32 indexed round, ProducerId indexed producerId, ProducerId dealer);

    /// @notice The chain knows no such ceremony, or other members of it.
    error UnknownCeremony(PoolId poolId, uint8 kind, uint32 round);
    /// @notice The pool is funded, or the new vault has taken over: the result stands.
    error TooLate(PoolId poolId);
    error NoSuchMember(uint32 member);
    /// @notice Not this member's signature, or on something else.
    error WrongSigner(uint32 member, ProducerId expected, ProducerId actual);
    /// @notice A producer's complaint about its own dealing.
    error OwnDealing(ProducerId producerId);
    error AlreadyJudged(ProducerId producerId);
    /// @notice There is no commitment at this place.
    error NoSuchCommitment(uint256 place);
    /// @notice The commitment is a point of the group.
    error CommitmentIsValid(uint256 place);
    /// @notice The constant term is the dealer's public share.
    error ConstantTermFits();
    /// @notice Not the public shares of the vault that hands over.
    error WrongPublicShares(bytes32 expected, bytes32 actual);
    /// @notice The pool's present vault is not the one that was to hand over.
    error VaultChanged(uint32 expected, uint32 actual);

    /// @notice Judges a complaint about a dealing: takes the seat of the dealer, or `stallPenalty` of the complainer, whoever is at
    ///         fault; the reporter has its share. A convicted dealer counts no more in a key generation under way, and a vault whose
    ///         pool has its key already is drawn anew. Anyone, until the pool is funded (or the cutover), and on rounds that failed.
    function disputeDealing(Ceremony calldata ceremony, Dealing calldata dealing, Complaint calldata complaint) external;

    /// @notice Convicts the dealer of a commitment (the one at `place`, from 0) that is infinity or no point of the group: no complaint is
    ///         needed for what everybody can see. As long as `disputeDealing`. Anyone.
    function disputeCommitment(Ceremony calldata ceremony, Dealing calldata dealing, uint256 place) external;

    /// @notice Proves that a handover's dealing does not deal the dealer's share: its first commitment is not its public share. Anyone.
    /// @param publicShares of the old vault, as published.
    function disputeConstantTerm(Ceremony calldata ceremony, Dealing calldata dealing, bytes calldata publicShares) external;
}
