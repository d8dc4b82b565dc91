// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {ISignerSlashing} from "../interfaces/ISignerSlashing.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {BalanceProof, BeaconProofs, Layout, StateProof, Validator, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {Bls12381, G1Point} from "../libraries/Bls12381.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {DepositData} from "../libraries/DepositData.sol";
import {ExecutionProofs} from "../libraries/ExecutionProofs.sol";
import {PageTree} from "../libraries/PageTree.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";
import {SignerSlashing} from "./SignerSlashing.sol";

/// @title Fraud proofs against commitments, decided at once.
/// @dev Whatever convicts is computed in full: a lack of gas, or a precompile that is missing or has a new price, reverts. Where
/// it is a failure that convicts (a malformed signature), the same call has to succeed on a good point with no more gas.
contract Disputes is IDisputes, EIP712, BeaconClock, SignerSlashing {
    using CommitmentContent for IStateCommitments.Content;

    /// @dev Signers slashed together with the verdict; the rest of a larger committee by `slashSigners`.
    uint256 private constant FIRST_SLASHED = 16;
    bytes32 private constant CERTIFICATE_TYPEHASH =
        keccak256("DutyCertificate(uint32 poolId,uint32 round,uint64 slot,uint8 dutyType,bytes32 signingRoot)");
    /// @dev StakingPool's mapping from kinds to ledgers; `collected` is the lower half of a ledger's first slot.
    uint256 private constant LEDGERS_SLOT = 1;
    uint256 private constant ENTRIES_PER_WORD = 4;
    uint64 private constant PRE_DEPOSIT_GWEI = 1e9;
    uint64 private constant TOP_UP_GWEI = 31e9;
    uint64 private constant FULL_GWEI = 32e9;

    IBeaconLayout private immutable LAYOUT;
    IPoolRegistry private immutable REGISTRY;
    IStakingPool private immutable STAKING_POOL;

    mapping(uint256 commitmentId => address) private _reporters;

    constructor(Addresses memory addresses, Parameters memory parameters)
        EIP712("Open Pools", "1")
        BeaconClock(parameters)
        SignerSlashing(addresses)
    {
        LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
    }

    /// @inheritdoc IDisputes
    function disproveBalance(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        BalanceEntry calldata entry,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external {
        _checkDisputable(commitmentId, content);
        uint64 reported = _reported(content.report, entry);
        PoolId poolId = REGISTRY.registeredAt(entry.kind, entry.ordinal);
        uint64 actual = _actual(content.report, REGISTRY.pool(poolId), state, validator, balance);
        if (reported == actual) revert NothingWrong(poolId, reported);
        emit BalanceDisproven(commitmentId, poolId, reported, actual, msg.sender);
        _convict(commitmentId, content);
    }

    /// @inheritdoc IDisputes
    function disproveArrivals(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        PoolKind kind,
        ArrivalsProof calldata proof
    ) external {
        _checkDisputable(commitmentId, content);
        IStateCommitments.Report calldata report = content.report;
        uint256 reported = kind == PoolKind.Staker ? report.stakerArrivals : report.bondArrivals;
        (bytes32 stateRoot, uint256 timestamp) = ExecutionProofs.verifyHeader(content.executionHash, proof.header);
        uint256 actual = 0;
        // Another block than the reference's is a lie whatever it shows.
        if (timestamp == _timestampOfSlot(report.referenceSlot)) {
            actual = _arrivals(stateRoot, kind, proof);
            if (reported == actual) revert ArrivalsRight(kind, reported);
        }
        emit ArrivalsDisproven(commitmentId, kind, reported, actual, msg.sender);
        _convict(commitmentId, content);
    }

    /// @inheritdoc IDisputes
    function disproveCertificate(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        Certificate calldata certificate,
        bytes32[] calldata branch,
        ProducerId[] calldata members
    ) external {
        _checkDisputable(commitmentId, content);
        bytes32 leaf = leafOf(certificate);
        bytes32 root = content.report.certificatesHash;
        if (!MerkleProof.verifyCalldata(branch, root, leaf)) revert NotInSet(root, leaf);
        if (!_isForged(certificate, members)) revert CertificateRight();
        emit CertificateDisproven(commitmentId, certificate.poolId, certificate.slot, certificate.dutyType, msg.sender);
        _convict(commitmentId, content);
    }

    /// @inheritdoc ISignerSlashing
    function slashSigners(uint256 commitmentId, IStateCommitments.Content calldata content, uint256 maxMembers) external {
        if (_reporters[commitmentId] == address(0)) revert NoVerdict(commitmentId);
        content.check(COMMITMENTS.commitment(commitmentId).contentHash);
        _slashSigners(commitmentId, content, maxMembers, _reporters[commitmentId]);
    }

    /// @inheritdoc IDisputes
    function leafOf(Certificate calldata certificate) public pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(certificate))));
    }

    /// @inheritdoc IDisputes
    function certificateDigest(Certificate calldata certificate) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    CERTIFICATE_TYPEHASH,
                    certificate.poolId,
                    certificate.round,
                    certificate.slot,
                    certificate.dutyType,
                    certificate.signingRoot
                )
            )
        );
    }

    /// @inheritdoc IDisputes
    function verdict(uint256 commitmentId) external view returns (Verdict memory) {
        return Verdict({reporter: _reporters[commitmentId], judged: uint32(_judged[commitmentId])});
    }

    /// @dev The entry of a pool, shown to be in the page that the signers named.
    function _reported(IStateCommitments.Report calldata report, BalanceEntry calldata entry) private view returns (uint64) {
        uint32 perPage = COMMITMENTS.POOLS_PER_PAGE();
        bool isStaker = entry.kind == PoolKind.Staker;
        uint32 count = isStaker ? report.stakerPools : report.bondPools;
        if (entry.ordinal >= count) revert OrdinalOutOfRange(entry.ordinal, count);
        uint256 page = entry.ordinal / perPage;
        uint256 inPage = entry.ordinal % perPage;
        uint256 rest = count - page * perPage;
        uint256 length = (rest < perPage ? rest : perPage) * 8;
        if (!isStaker) page += (uint256(report.stakerPools) + perPage - 1) / perPage;
        if (!PageTree.verifyWord(report.pageRoots[page], length, inPage / ENTRIES_PER_WORD, entry.word, entry.branch)) {
            revert WrongPageBranch();
        }
        return PageTree.uint64At(entry.word, inPage % ENTRIES_PER_WORD);
    }

    /// @dev What the balance had to be at the reference (gwei). Only of a funded pool is anything proven.
    function _actual(
        IStateCommitments.Report calldata report,
        IPoolRegistry.Pool memory pool,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) private view returns (uint64) {
        uint64 referenceTime = _timestampOfSlot(report.referenceSlot);
        if (pool.fundedAt == 0 || pool.fundedAt > referenceTime) {
            return pool.frontRun && pool.closedAt <= referenceTime ? 0 : PRE_DEPOSIT_GWEI;
        }
        Layout memory row = LAYOUT.layoutAt(_epochOfSlot(report.referenceSlot));
        bytes32 stateRoot = BeaconProofs.verifyState(report.blockRoot, state, row);
        bytes32 key = DepositData.pubkeyRoot(pool.publicKey);
        if (validator.validator.pubkeyRoot != key) revert WrongPublicKey(key, validator.validator.pubkeyRoot);
        if (balance.index != validator.index) revert WrongBalanceIndex(validator.index, balance.index);
        BeaconProofs.verifyValidator(stateRoot, validator, row);
        return _withTopUp(BeaconProofs.verifyBalance(stateRoot, balance, row), validator.validator);
    }

    /// @dev A top-up not yet credited counts: until then the validator has less than 32 ETH and is not eligible.
    function _withTopUp(uint64 balance, Validator calldata validator) private pure returns (uint64) {
        bool isQueued = validator.activationEligibilityEpoch == BeaconProofs.FAR_FUTURE_EPOCH && balance < FULL_GWEI;
        return isQueued ? balance + TOP_UP_GWEI : balance;
    }

    /// @dev The balance of the kind's vault and what was ever collected from it, in a state of the execution layer.
    function _arrivals(bytes32 stateRoot, PoolKind kind, ArrivalsProof calldata proof) private view returns (uint256) {
        (uint256 balance,) =
            ExecutionProofs.verifyAccount(stateRoot, STAKING_POOL.withdrawalVault(kind), proof.vaultAccount);
        (, bytes32 storageRoot) = ExecutionProofs.verifyAccount(stateRoot, address(STAKING_POOL), proof.poolAccount);
        bytes32 slot = keccak256(abi.encode(kind, LEDGERS_SLOT));
        return balance + uint128(ExecutionProofs.verifySlot(storageRoot, slot, proof.collected));
    }

    /// @dev Whether the certificate has a bit with no valid signature behind it.
    function _isForged(Certificate calldata certificate, ProducerId[] calldata members) private view returns (bool) {
        bytes32 expected = REGISTRY.vaultHashOf(certificate.poolId, certificate.round);
        bytes32 actual = members.length == 0 ? bytes32(0) : keccak256(abi.encodePacked(members));
        if (actual != expected) revert WrongMembers(expected, actual);
        uint256 bits = certificate.participation;
        if (bits == 0) return false;
        if (bits >> members.length != 0) return true;
        G1Point memory key;
        for (uint256 i = 0; i < members.length; ++i) {
            if ((bits >> i) & 1 == 1) key = Bls12381.add(key, PRODUCERS.signingKey(members[i]));
        }
        // Keys that cancel out each other: what their owners sign does too.
        if (Bls12381.isInfinity(key)) return !Bls12381.isInfinity(certificate.signature);
        if (!Bls12381.isValidSignature(certificate.signature)) return true;
        return !Bls12381.verify(key, certificateDigest(certificate), certificate.signature);
    }

    function _checkDisputable(uint256 commitmentId, IStateCommitments.Content calldata content) private view {
        IStateCommitments.Commitment memory made = COMMITMENTS.commitment(commitmentId);
        IStateCommitments.CommitmentState state = made.state;
        if (
            state != IStateCommitments.CommitmentState.Open && state != IStateCommitments.CommitmentState.Pending
                && state != IStateCommitments.CommitmentState.Disputed
        ) revert NotDisputable(commitmentId);
        content.check(made.contentHash);
    }

    function _convict(uint256 commitmentId, IStateCommitments.Content calldata content) private {
        _reporters[commitmentId] = msg.sender;
        COMMITMENTS.dropDisputed(commitmentId, true);
        _slashSigners(commitmentId, content, FIRST_SLASHED, msg.sender);
    }
}
