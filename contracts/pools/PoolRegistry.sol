// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {ICeremonies} from "../interfaces/ICeremonies.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRotations} from "../interfaces/IRotations.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IVaultDraws} from "../interfaces/IVaultDraws.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {BeaconProofs, Layout, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {Bls12381, G2Point} from "../libraries/Bls12381.sol";
import {DepositData} from "../libraries/DepositData.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {CeremonySignatures} from "./CeremonySignatures.sol";
import {PoolBook} from "./PoolBook.sol";

/// @title Life of a pool
contract PoolRegistry is PoolBook, CeremonySignatures, BeaconClock {
    bytes32 private constant DKG_RESULT_TYPEHASH = keccak256(
        "DkgResult(uint32 poolId,uint32 round,bytes groupKey,bytes32 publicSharesHash,bytes32 transcriptRoot)"
    );
    bytes32 private constant DKG_FAILURE_TYPEHASH = keccak256("DkgFailure(uint32 poolId,uint32 round,uint256 absent)");
    uint256 private constant POOL_SIZE = 32 ether;
    uint256 private constant PRE_DEPOSIT = 1 ether;
    uint64 private constant PRE_DEPOSIT_GWEI = 1e9;
    uint256 private constant BASIS_POINTS = 10_000;
    /// @dev What rounding may take from a charge, with room to spare.
    uint256 private constant DUST = 1 gwei;
    /// @dev Lists that `requestPool` freezes on the way, should nobody have done so.
    uint256 private constant MAX_FREEZES = 4;

    IBeaconLayout private immutable BEACON_LAYOUT;
    ICeremonies private immutable CEREMONIES;
    IPeriods private immutable PERIODS;
    IStakingPool private immutable STAKING_POOL;
    IVaultDraws private immutable VAULT_DRAWS;
    IWithdrawalQueue private immutable WITHDRAWAL_QUEUE;
    address private immutable EXITS;
    IRotations private immutable ROTATIONS;
    address private immutable DKG_DISPUTES;
    bytes4 private immutable GENESIS_FORK_VERSION;
    uint64 private immutable CEREMONY_DEADLINE;
    uint256 private immutable MIN_PRODUCERS;
    uint256 private immutable REPORTER_SHARE;

    constructor(Addresses memory addresses, Parameters memory parameters)
        BeaconClock(parameters)
        CeremonySignatures(addresses, parameters)
    {
        BEACON_LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        CEREMONIES = ICeremonies(nonZero(addresses.ceremonies));
        PERIODS = IPeriods(nonZero(addresses.periods));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        VAULT_DRAWS = IVaultDraws(nonZero(addresses.vaultDraws));
        WITHDRAWAL_QUEUE = IWithdrawalQueue(nonZero(addresses.withdrawalQueue));
        EXITS = nonZero(addresses.exits);
        ROTATIONS = IRotations(nonZero(addresses.rotations));
        DKG_DISPUTES = nonZero(addresses.dkgDisputes);
        GENESIS_FORK_VERSION = parameters.genesisForkVersion;
        CEREMONY_DEADLINE = parameters.ceremonyDeadline;
        MIN_PRODUCERS = parameters.minProducers;
        REPORTER_SHARE = parameters.reporterShare;
    }

    modifier onlyVaultDraws() {
        if (msg.sender != address(VAULT_DRAWS)) revert NotVaultDraws(msg.sender);
        _;
    }

    modifier onlyExits() {
        if (msg.sender != EXITS) revert NotExits(msg.sender);
        _;
    }

    /// @inheritdoc IPoolRegistry
    function requestPool() external returns (PoolId poolId) {
        PERIODS.freeze(MAX_FREEZES);
        uint256 active = PERIODS.sizeAt(PERIODS.currentPeriod());
        if (active < MIN_PRODUCERS) revert TooFewProducers(MIN_PRODUCERS, active);
        uint256 demand = WITHDRAWAL_QUEUE.demand();
        uint256 unreserved = STAKING_POOL.unreserved();
        if (demand > unreserved) revert WithdrawalsWaiting(demand, unreserved);

        bool bonds = POOL_SIZE * (bondPoolCount() + 1) <= BLOCK_PRODUCERS.totalBondValue();
        if (!bonds) _checkFreeSeats();
        PoolKind kind = bonds ? PoolKind.Bond : PoolKind.Staker;
        poolId = _open(kind);
        STAKING_POOL.reserve(poolId);
        (, Epoch seedEpoch) = VAULT_DRAWS.request(poolId, 0, kind);
        emit PoolRequested(poolId, kind, seedEpoch);
    }

    /// @inheritdoc IPoolRegistry
    function startCeremony(PoolId poolId, ProducerId[] calldata members) external onlyVaultDraws {
        Record storage record = _expect(poolId, PoolState.Requested);
        if (record.kind == PoolKind.Staker) --_undrawnStakerPools;
        uint64 deadline = _currentEpoch() + CEREMONY_DEADLINE;
        record.state = PoolState.Ceremony;
        record.deadline = deadline;
        emit VaultSelected(poolId, record.round, members, Epoch.wrap(deadline));
    }

    /// @inheritdoc IPoolRegistry
    function cancel(PoolId poolId) external onlyVaultDraws {
        _expect(poolId, PoolState.Requested);
        _cancel(poolId);
    }

    /// @inheritdoc IPoolRegistry
    function completeDkg(PoolId poolId, DkgResult calldata result) external {
        Record storage record = _expect(poolId, PoolState.Ceremony);
        uint64 epoch = _currentEpoch();
        if (epoch > record.deadline) revert DeadlinePassed(Epoch.wrap(record.deadline), Epoch.wrap(epoch));
        if (result.publicShares.length != VAULT_SIZE * 48) {
            revert PublicSharesLength(VAULT_SIZE * 48, result.publicShares.length);
        }
        bytes32 sharesHash = keccak256(result.publicShares);
        ProducerId[] memory members = _vaultOf(poolId);
        bytes32 structHash = _checkParticipation(poolId, members, result, sharesHash);
        bytes memory publicKey = _checkDeposit(record.kind, result);

        record.publicSharesHash = sharesHash;
        uint32 ordinal = _register(poolId, publicKey, members);
        emit DkgCompleted(
            poolId,
            record.round,
            publicKey,
            ordinal,
            result.publicShares,
            result.transcriptRoot,
            result.participation
        );
        if (result.participation != (1 << VAULT_SIZE) - 1) {
            CEREMONIES.open(poolId, record.round, Epoch.wrap(record.deadline), structHash, result.participation);
        }
        if (record.tainted) ROTATIONS.makeDue(poolId, record.round);
        bytes memory signature = Bls12381.compress(result.depositSignature);
        STAKING_POOL.depositToBeacon(poolId, record.kind, publicKey, signature, PRE_DEPOSIT);
    }

    /// @inheritdoc IPoolRegistry
    function failDkg(PoolId poolId, uint256 absent, uint256 signers, G2Point calldata aggregateSignature) external {
        Record storage record = _expect(poolId, PoolState.Ceremony);
        // Those that would be named can't be quicker than those who name them.
        uint64 after_ = record.deadline + (absent == 0 ? 1 : 0);
        uint64 epoch = _currentEpoch();
        if (epoch <= after_) revert DeadlineNotPassed(Epoch.wrap(after_), Epoch.wrap(epoch));
        uint32 round = record.round;
        if (absent != 0) {
            if (absent & signers != 0) revert MemberExcluded(absent & signers);
            if (absent >> VAULT_SIZE != 0) revert ParticipationOutOfRange(VAULT_SIZE, absent);
            bytes32 structHash = keccak256(abi.encode(DKG_FAILURE_TYPEHASH, poolId, round, absent));
            _checkSigned(_vaultOf(poolId), signers, THRESHOLD, structHash, aggregateSignature);
        }
        emit DkgFailed(poolId, round, absent | _barredOf(poolId, record));
        ProducerId[] memory members = _restart(poolId, record);
        BLOCK_PRODUCERS.releaseSeats(poolId, record.kind, members, 0);
        // As no pool is requested while withdrawals wait, none is begun again: else a pool that never gets its key would keep
        // 32 ETH from them for ever.
        if (WITHDRAWAL_QUEUE.demand() > STAKING_POOL.unreserved()) _cancel(poolId);
        else VAULT_DRAWS.request(poolId, record.round, record.kind);
    }

    /// @inheritdoc IPoolRegistry
    function bar(PoolId poolId, uint32 round, uint256 bits) external {
        if (msg.sender != DKG_DISPUTES) revert NotDkgDisputes(msg.sender);
        Record storage record = _pools[poolId];
        if (record.round != round) return;
        if (record.state != PoolState.Ceremony) return ROTATIONS.makeDue(poolId, round);
        _barMembers(poolId, record, bits);
        emit MembersBarred(poolId, round, bits);
    }

    /// @inheritdoc IPoolRegistry
    function replaceVault(PoolId poolId, uint32 round, ProducerId[] calldata members, bytes32 publicSharesHash) external {
        if (msg.sender != address(ROTATIONS)) revert NotRotations(msg.sender);
        Record storage record = _pools[poolId];
        (record.round, record.publicSharesHash) = (round, publicSharesHash);
        _setVault(poolId, members);
        _recordVault(poolId, members);
        emit VaultReplaced(poolId, round, members);
    }

    /// @inheritdoc IPoolRegistry
    function fundPool(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external {
        Record storage record = _expect(poolId, PoolState.Registered);
        bytes memory publicKey = _proveValidator(record, timestamp, state, proof);
        _checkCredentials(record.kind, proof);
        if (_isSpent(proof)) revert ValidatorNotFresh(proof.validator.slashed, proof.validator.exitEpoch);
        _activate(poolId);
        emit PoolFunded(poolId, proof.index);
        // The beacon chain does not look at the signature of a top-up: the point at infinity is a well-formed one.
        bytes memory signature = abi.encodePacked(bytes1(0xc0), new bytes(95));
        STAKING_POOL.depositToBeacon(poolId, record.kind, publicKey, signature, POOL_SIZE - PRE_DEPOSIT);
    }

    /// @inheritdoc IPoolRegistry
    function reportFrontRun(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof)
        external
    {
        Record storage record = _expect(poolId, PoolState.Registered);
        _proveValidator(record, timestamp, state, proof);
        bytes32 actual = proof.validator.withdrawalCredentials;
        if (actual == STAKING_POOL.withdrawalCredentials(record.kind)) revert CredentialsAreOurs(actual);
        _loseKey(poolId);
        emit PoolFrontRun(poolId, actual);
        emit PoolClosed(poolId);
        STAKING_POOL.release(poolId, POOL_SIZE - PRE_DEPOSIT);
        ProducerId[] memory members = _vaultOf(poolId);
        _setVault(poolId, members);
        // What cover must get, the reporter's share on top, over all seats, rounded up.
        uint256 charge = PRE_DEPOSIT * BASIS_POINTS / (BASIS_POINTS - REPORTER_SHARE) / VAULT_SIZE + DUST;
        BLOCK_PRODUCERS.slashSeats(poolId, members, charge, msg.sender);
        BLOCK_PRODUCERS.releaseSeats(poolId, record.kind, members, uint64(block.timestamp));
        if (record.kind == PoolKind.Staker) STAKING_POOL.writeOff(poolId, PRE_DEPOSIT);
    }

    /// @inheritdoc IPoolRegistry
    function abandonPool(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external {
        Record storage record = _expect(poolId, PoolState.Registered);
        _proveValidator(record, timestamp, state, proof);
        _checkCredentials(record.kind, proof);
        if (!_isSpent(proof)) revert ValidatorFresh();
        _abandon(poolId);
        emit PoolAbandoned(poolId, proof.index);
        STAKING_POOL.release(poolId, POOL_SIZE - PRE_DEPOSIT);
    }

    /// @inheritdoc IPoolRegistry
    function markExiting(PoolId poolId) external onlyExits {
        _expect(poolId, PoolState.Funded);
        _deactivate(poolId);
        emit PoolExiting(poolId);
    }

    /// @inheritdoc IPoolRegistry
    function markClosed(PoolId poolId) external onlyExits {
        Record storage record = _expect(poolId, PoolState.Exiting);
        _finish(poolId);
        emit PoolClosed(poolId);
        ProducerId[] memory members = _vaultOf(poolId);
        _setVault(poolId, members);
        BLOCK_PRODUCERS.releaseSeats(poolId, record.kind, members, uint64(block.timestamp));
    }

    function _seated(PoolId poolId) internal view override returns (uint256[] memory words) {
        return BLOCK_PRODUCERS.liveSeats(poolId, VAULT_SIZE);
    }

    function _cancel(PoolId poolId) private {
        _drop(poolId);
        emit PoolCancelled(poolId);
        STAKING_POOL.release(poolId, POOL_SIZE);
    }

    function _checkCredentials(PoolKind kind, ValidatorProof calldata proof) private view {
        bytes32 credentials = STAKING_POOL.withdrawalCredentials(kind);
        bytes32 actual = proof.validator.withdrawalCredentials;
        if (actual != credentials) revert WrongCredentials(credentials, actual);
    }

    function _isSpent(ValidatorProof calldata proof) private pure returns (bool) {
        return proof.validator.slashed || proof.validator.exitEpoch != BeaconProofs.FAR_FUTURE_EPOCH;
    }

    /// @dev A fifth of all seats must stay free once this pool and those that wait for their draw have theirs.
    function _checkFreeSeats() private view {
        (uint256 capacity, uint256 locked) = BLOCK_PRODUCERS.seats();
        uint256 spokenFor = locked + _undrawnStakerPools * VAULT_SIZE;
        if ((spokenFor + VAULT_SIZE) * 5 > capacity * 4) revert TooFewFreeSeats(capacity, spokenFor, VAULT_SIZE);
    }

    /// @dev That at least a threshold of the vault signed this very result with their signing keys, and nobody that is barred.
    function _checkParticipation(
        PoolId poolId,
        ProducerId[] memory members,
        DkgResult calldata result,
        bytes32 sharesHash
    ) private view returns (bytes32 structHash) {
        Record storage record = _pools[poolId];
        uint256 excluded = result.participation & _barredOf(poolId, record);
        if (excluded != 0) revert MemberExcluded(excluded);
        bytes32 groupKeyHash = keccak256(abi.encode(result.groupKey));
        structHash = keccak256(
            abi.encode(DKG_RESULT_TYPEHASH, poolId, record.round, groupKeyHash, sharesHash, result.transcriptRoot)
        );
        _checkSigned(members, result.participation, THRESHOLD, structHash, result.aggregateSignature);
    }

    /// @dev That the vault can sign with the key, and signed for nobody's credentials but the protocol's.
    /// @return publicKey compressed
    function _checkDeposit(PoolKind kind, DkgResult calldata result) private view returns (bytes memory publicKey) {
        publicKey = Bls12381.compress(result.groupKey);
        bytes32 message = DepositData.signingRoot(
            DepositData.pubkeyRoot(publicKey),
            STAKING_POOL.withdrawalCredentials(kind),
            PRE_DEPOSIT_GWEI,
            GENESIS_FORK_VERSION
        );
        if (!Bls12381.verify(result.groupKey, message, result.depositSignature)) revert InvalidDepositSignature();
    }

    /// @dev That a state from after the registration has this validator under the pool's key.
    function _proveValidator(
        Record storage record,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata proof
    ) private view returns (bytes memory publicKey) {
        publicKey = _publicKeyOf(record);
        bytes32 keyRoot = DepositData.pubkeyRoot(publicKey);
        if (proof.validator.pubkeyRoot != keyRoot) {
            revert WrongPublicKey(keyRoot, proof.validator.pubkeyRoot);
        }
        uint64 stateTimestamp = _timestampOfSlot(state.header.slot);
        if (stateTimestamp < record.registeredAt) revert ProofTooOld(record.registeredAt, stateTimestamp);
        (bytes32 stateRoot,, Layout memory row) = _stateAt(BEACON_LAYOUT, timestamp, state);
        BeaconProofs.verifyValidator(stateRoot, proof, row);
    }
}
