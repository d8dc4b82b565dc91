// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point, G2Point} from "../libraries/Bls12381.sol";
import {StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {ICeremonySignatures} from "./ICeremonySignatures.sol";

/// @title Life of a pool: requested → drawn → key made → registered (1 ETH) → funded (31 ETH) → exiting → closed.
interface IPoolRegistry is ICeremonySignatures {
    enum PoolState {
        None,
        Requested, // waits for its draw
        Ceremony, // vault drawn, DKG under way
        Registered, // key registered, 1 ETH deposited
        Funded, // 32 ETH deposited
        Exiting, // drawn for liquidation
        Closed, // ETH came back, or the key was front-run
        Cancelled // no vault could be drawn, or withdrawals waited when a ceremony failed; never had a key
    }

    struct Pool {
        PoolKind kind;
        PoolState state;
        uint32 round;
        uint32 ordinal; // place among the registered pools of its kind, from 0
        Epoch deadline; // of the ceremony
        uint64 registeredAt; // timestamps; 0 = not yet
        uint64 fundedAt; // or abandoned
        uint64 closedAt;
        bool frontRun;
        bytes32 publicSharesHash;
        bytes publicKey; // 48 bytes, once registered
    }

    struct DkgResult {
        G1Point groupKey;
        G2Point depositSignature; // under groupKey, over the 1 ETH deposit message with the protocol's credentials
        bytes publicShares; // n × 48 bytes, compressed, in vault order
        bytes32 transcriptRoot;
        uint256 participation; // bit i: member index i + 1 signed
        G2Point aggregateSignature; // of the participants' signing keys over DkgResult, see below
    }

    event PoolRequested(PoolId indexed poolId, PoolKind indexed kind, Epoch seedEpoch);
    event VaultSelected(PoolId indexed poolId, uint32 indexed round, ProducerId[] members, Epoch deadline);
    event DkgCompleted(
        PoolId indexed poolId, uint32 indexed round, bytes publicKey, uint32 ordinal, bytes publicShares, bytes32 transcriptRoot, uint256 participation
    );
    /// @notice Those named (bit i: member index i + 1), absent by a threshold of the vault or proven bad, answer for it; else all.
    event DkgFailed(PoolId indexed poolId, uint32 indexed round, uint256 named);
    /// @notice The members with these bits dealt badly in the key generation of this round: it counts none of them.
    event MembersBarred(PoolId indexed poolId, uint32 indexed round, uint256 bits);
    /// @notice The pool has another vault, by a handover.
    event VaultReplaced(PoolId indexed poolId, uint32 indexed round, ProducerId[] members);
    event PoolFunded(PoolId indexed poolId, uint64 validatorIndex);
    event PoolFrontRun(PoolId indexed poolId, bytes32 credentials);
    /// @notice From here on what its validator has is the pool's balance; it waits for `closePool`.
    event PoolAbandoned(PoolId indexed poolId, uint64 validatorIndex);
    event PoolExiting(PoolId indexed poolId);
    event PoolClosed(PoolId indexed poolId);
    event PoolCancelled(PoolId indexed poolId);

    error WrongState(PoolId poolId, PoolState expected, PoolState actual);
    error TooFewProducers(uint256 needed, uint256 active);
    error TooFewFreeSeats(uint256 capacity, uint256 locked, uint256 needed);
    error WithdrawalsWaiting(uint256 demand, uint256 unreserved);
    error DeadlinePassed(Epoch deadline, Epoch now_);
    error DeadlineNotPassed(Epoch deadline, Epoch now_);
    error InvalidDepositSignature();
    error PublicSharesLength(uint256 expected, uint256 actual);
    error KeyTaken(bytes publicKey, PoolId by);
    /// @notice hash_tree_roots of the pool's key and of the validator's.
    error WrongPublicKey(bytes32 expected, bytes32 actual);
    error WrongCredentials(bytes32 expected, bytes32 actual);
    error CredentialsAreOurs(bytes32 credentials);
    error ValidatorNotFresh(bool slashed, uint64 exitEpoch);
    error ValidatorFresh();
    /// @notice The proven state is from before the registration (timestamps).
    error ProofTooOld(uint64 registeredAt, uint64 stateTimestamp);
    error OrdinalOutOfRange(uint32 ordinal, uint32 count);
    error NotVaultDraws(address caller);
    error NotRotations(address caller);
    error NotDkgDisputes(address caller);
    /// @notice Proven to have dealt badly in this round, or named absent by itself.
    error MemberExcluded(uint256 bitfield);
    error NotExits(address caller);

    /// @notice Requests a pool when 32 ETH are unreserved beyond open withdrawals and, for a staker pool, a fifth of all
    ///         seats stays free. Anyone.
    function requestPool() external returns (PoolId poolId);

    /// @notice Starts the ceremony of a drawn vault, whose seats are locked already. VaultDraws only.
    function startCeremony(PoolId poolId, ProducerId[] calldata members) external;

    /// @notice The draw found too few members. VaultDraws only.
    function cancel(PoolId poolId) external;

    /// @notice Registers the key that the vault made and deposits 1 ETH. Anyone, until the deadline.
    /// @dev Participants sign the EIP-712 struct
    ///      DkgResult(uint32 poolId,uint32 round,bytes groupKey,bytes32 publicSharesHash,bytes32 transcriptRoot).
    function completeDkg(PoolId poolId, DkgResult calldata result) external;

    /// @notice Past the deadline: releases the seats and requests a new draw for the next round; while withdrawals wait for more than
    ///         is unreserved, cancels the pool instead. Anyone; without naming anybody (`absent` 0) an epoch later.
    /// @dev Signers (at least a threshold of the vault) sign the EIP-712 struct DkgFailure(uint32 poolId,uint32 round,uint256 absent).
    /// @param absent bit i: member index i + 1 did not take part. @param signers of `aggregateSignature`, as bits too.
    function failDkg(PoolId poolId, uint256 absent, uint256 signers, G2Point calldata aggregateSignature) external;

    /// @notice A member of a vault dealt badly in its key generation: while that is under way it counts in it no more, and the vault is
    ///         drawn anew as soon as it has a key. DkgDisputes only.
    function bar(PoolId poolId, uint32 round, uint256 bits) external;

    /// @notice Another vault has taken over the pool's key. Rotations only.
    function replaceVault(PoolId poolId, uint32 round, ProducerId[] calldata members, bytes32 publicSharesHash) external;

    /// @notice Proves the validator with the protocol's credentials and deposits the other 31 ETH. Anyone.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    function fundPool(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external;

    /// @notice Proves the validator with foreign credentials: closes the pool, frees the 31 ETH and slashes the vault for the 1 ETH lost. Anyone.
    function reportFrontRun(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external;

    /// @notice Proves that a validator with the protocol's credentials is slashed or exits before the pool was funded (strangers made it
    ///         active): frees the 31 ETH; the pool is exiting, and reported with its validator's balance. Nobody is charged. Anyone.
    function abandonPool(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata proof) external;

    /// @notice A liquidation draw took the pool. Exits only.
    function markExiting(PoolId poolId) external;

    /// @notice The pool's ETH came back. Exits only.
    function markClosed(PoolId poolId) external;

    function pool(PoolId poolId) external view returns (Pool memory);

    function vault(PoolId poolId) external view returns (ProducerId[] memory members);

    /// @notice keccak256 of the members of `vault`, as `vaultHashOf`.
    function presentVaultHash(PoolId poolId) external view returns (bytes32);

    /// @notice keccak256(abi.encodePacked(members)) of the vault that a pool got in `round`, 0 for none: recorded once the vault has the
    ///         pool's key, and kept when it has handed over to another.
    function vaultHashOf(PoolId poolId, uint32 round) external view returns (bytes32);

    /// @notice keccak256(abi.encodePacked(members)) of the vault drawn for a key generation that failed; 0 for none.
    function failedVaultHashOf(PoolId poolId, uint32 round) external view returns (bytes32);

    function poolCount() external view returns (uint32);

    function poolByKey(bytes calldata publicKey) external view returns (PoolId);

    /// @notice Registered pools of a kind, in order of registration: how many, and which.
    function registeredCount(PoolKind kind) external view returns (uint32);

    function registeredAt(PoolKind kind, uint32 ordinal) external view returns (PoolId);

    /// @notice How many pools of a kind were registered in blocks up to and including `timestamp`.
    function registeredCountAt(PoolKind kind, uint64 timestamp) external view returns (uint32);

    /// @notice Funded pools of a kind (not exiting): how many, and which (order changes with every exit).
    function activeCount(PoolKind kind) external view returns (uint32);

    function activeAt(PoolKind kind, uint32 position) external view returns (PoolId);

    /// @notice Exiting pools whose ETH is not proven back.
    function exitingCount() external view returns (uint32);

    /// @notice Bond pools that are under way or funded and not exiting, which `requestPool` weighs against the bonds.
    function bondPoolCount() external view returns (uint32);
}
