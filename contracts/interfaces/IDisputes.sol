// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {G2Point} from "../libraries/Bls12381.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {ISignerSlashing} from "./ISignerSlashing.sol";
import {IStateCommitments} from "./IStateCommitments.sol";

/// @title Fraud proofs against commitments, decided at once.
interface IDisputes is ISignerSlashing {
    struct Verdict {
        address reporter; // who proved the lie; 0 = no verdict
        uint32 judged; // members of the committee, in its order, whose part is settled
    }

    /// @notice A balance in a commitment's pages.
    struct BalanceEntry {
        PoolKind kind;
        uint32 ordinal; // among the registered pools of its kind
        bytes32 word; // the 32 bytes of the page that hold it
        bytes32[] branch; // from the word to the page's root
    }

    /// @notice From the header of the reference's execution block to what defines the arrivals, as `eth_getProof` gives it.
    struct ArrivalsProof {
        bytes header; // RLP
        bytes[] vaultAccount; // of the kind's withdrawal vault: its balance
        bytes[] poolAccount; // of StakingPool
        bytes[] collected; // of StakingPool's slot with what was ever collected
    }

    /// @notice A certificate of the published set, as in its leaf: keccak256(bytes.concat(keccak256(abi.encode(certificate)))).
    struct Certificate {
        PoolId poolId;
        uint32 round; // names the vault
        uint64 slot;
        uint8 dutyType;
        bytes32 signingRoot;
        uint128 participation; // bit i: member index i + 1 took part
        G2Point signature; // aggregate of these members' signing keys over DutyCertificate, see below
    }

    event BalanceDisproven(uint256 indexed commitmentId, PoolId indexed poolId, uint64 reported, uint64 actual, address indexed reporter);
    /// @notice With another block named than the reference's, `actual` is zero.
    event ArrivalsDisproven(uint256 indexed commitmentId, PoolKind kind, uint256 reported, uint256 actual, address indexed reporter);
    event CertificateDisproven(uint256 indexed commitmentId, PoolId indexed poolId, uint64 slot, uint8 dutyType, address indexed reporter);

    error NothingWrong(PoolId poolId, uint64 reported);
    error ArrivalsRight(PoolKind kind, uint256 arrivals);
    error CertificateRight();
    error NotInSet(bytes32 certificatesHash, bytes32 leaf);
    /// @notice Hashes of the vault that the certificate names, and of these members.
    error WrongMembers(bytes32 expected, bytes32 actual);
    error OrdinalOutOfRange(uint32 ordinal, uint32 count);
    error WrongPageBranch();
    error NotDisputable(uint256 commitmentId);
    /// @notice hash_tree_roots of the keys.
    error WrongPublicKey(bytes32 expected, bytes32 actual);
    error WrongBalanceIndex(uint64 expected, uint64 actual);

    /// @notice Shows that a posted balance is not the pool's at the reference: the commitment is dropped and its signers slashed out,
    ///         the first of them at once. While pages are missing too. Anyone. Proofs of a pool not funded are not looked at.
    /// @dev The right value: registered but not funded at the reference: 1 ETH (0 once front-run); funded: the validator's balance,
    ///      plus 31 ETH while its activation_eligibility_epoch is far-future and its balance is below 32 ETH.
    function disproveBalance(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        BalanceEntry calldata entry,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external;

    /// @notice Shows that the arrivals of a kind are not what its vault had at the reference with everything ever collected from it, or
    ///         that the execution block named is not the reference's. Otherwise as `disproveBalance`.
    function disproveArrivals(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        PoolKind kind,
        ArrivalsProof calldata proof
    ) external;

    /// @notice Shows a certificate of the published set that has a bit with no valid signature of that producer behind it: the
    ///         aggregate is not that of the vault's members in the bitfield, or there is no such member or vault. Otherwise as
    ///         `disproveBalance`. A missing bit is nobody's fault.
    /// @dev Members sign the EIP-712 struct
    ///      DutyCertificate(uint32 poolId,uint32 round,uint64 slot,uint8 dutyType,bytes32 signingRoot).
    ///      Of a certificate of nobody nothing is wrong. `certificatesHash` is the root of OpenZeppelin's MerkleProof over the leaves of
    ///      the set; zero when it is empty.
    /// @param branch from the leaf to `certificatesHash`.
    /// @param members of the vault that the pool had in the certificate's round, in order; none if there was no such vault.
    function disproveCertificate(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        Certificate calldata certificate,
        bytes32[] calldata branch,
        ProducerId[] calldata members
    ) external;

    /// @notice Leaf of a certificate in the published set.
    function leafOf(Certificate calldata certificate) external pure returns (bytes32);

    /// @notice EIP-712 digest that a certificate's participants sign.
    function certificateDigest(Certificate calldata certificate) external view returns (bytes32);

    function verdict(uint256 commitmentId) external view returns (Verdict memory);
}
