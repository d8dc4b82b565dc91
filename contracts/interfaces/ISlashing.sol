// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, BeaconHeader, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {AttestationData} from "../libraries/BeaconSignatures.sol";
import {G1Point, G2Point} from "../libraries/Bls12381.sol";
import {PoolId, ProducerId} from "../types/Ids.sol";
import {IStateCommitments} from "./IStateCommitments.sol";

/// @title Faults proven by evidence: a producer that says two things at once, a pool's key that does, an exit nobody asked for.
/// @dev Operators sign EIP-712 structs under PoolRegistry's domain {name "Open Pools", version "1", chain id, PoolRegistry}:
///      QbftMessage(uint32 poolId,uint64 slot,uint8 duty,uint8 messageType,uint32 round,bytes32 value,uint32 preparedRound,bytes32 preparedValue)
///      Join(uint32 poolId,uint8 kind,uint32 round,uint32 member,bytes joinKey)
///      Dealing(uint32 poolId,uint8 kind,uint32 round,uint32 dealer,bytes joinKeys,bytes commitments,bytes ciphertexts)
///
///      A pool's fault is charged by the loss that it did: 32 ETH less the validator's final balance. From the beacon chain's
///      rules (Electra): once an exit is initiated no deposit is credited before the epoch after `withdrawable_epoch`, nothing is
///      swept before `withdrawable_epoch`, and penalties end there. So the balance in the last state up to and including that
///      epoch, and before the sweep, is final; a later one says nothing.
interface ISlashing {
    struct QbftMessage {
        uint32 poolId;
        uint64 slot;
        uint8 duty;
        uint8 messageType;
        uint32 round;
        bytes32 value;
        uint32 preparedRound;
        bytes32 preparedValue;
    }

    struct Join {
        uint32 poolId;
        uint8 kind;
        uint32 round;
        uint32 member;
        bytes joinKey;
    }

    /// @notice A dealing with its lists as their keccak256.
    struct Dealing {
        uint32 poolId;
        uint8 kind;
        uint32 round;
        uint32 dealer;
        bytes32 joinKeysHash;
        bytes32 commitmentsHash;
        bytes32 ciphertextsHash;
    }

    enum FaultKind {
        None,
        Signatures, // slashable ones under the pool's key
        Exit // that nobody asked for
    }

    struct Fault {
        FaultKind kind;
        bool settled;
        uint64 provenAt; // timestamp
        uint64 withdrawableEpoch; // 0: not proven yet
        uint64 balanceEpoch; // of the balance below; 0: none yet
        uint64 balance; // gwei: the last one shown, final when it is settled
        uint128 chargedEach; // wei of each seat so far
    }

    event Equivocation(ProducerId indexed producerId, address indexed reporter);
    event PoolFault(PoolId indexed poolId, FaultKind indexed kind, address indexed reporter);
    /// @notice The pool's validator exits; without a draw, no fault either when it was ejected or the network is wound down.
    event ExitSeen(PoolId indexed poolId, uint64 withdrawableEpoch);
    event BalanceShown(PoolId indexed poolId, uint64 indexed epoch, uint64 balance);
    /// @notice `loss` in gwei, `charged` in wei (the reporter's fee included).
    event FaultSettled(PoolId indexed poolId, uint64 loss, uint256 charged);

    error NotInConflict();
    error NotSameSigner(address first, address second);
    error SignerUnknown(address signer);
    error AlreadyOut(ProducerId producerId);
    error InvalidSignature();
    /// @notice The key is not the pool's (compressed).
    error WrongKey(bytes expected, bytes actual);
    /// @notice hash_tree_roots of the keys.
    error WrongPublicKey(bytes32 expected, bytes32 actual);
    error WrongBalanceIndex(uint64 expected, uint64 actual);
    /// @notice Evidence is of past epochs: only their fork is known for good.
    error NotPast(uint64 epoch, uint64 currentEpoch);
    /// @notice The pool never had 32 ETH.
    error NotFunded(PoolId poolId);
    /// @notice Nobody's seat in the pool is live or in its tail.
    error NobodyAnswers(PoolId poolId);
    error FaultKnown(PoolId poolId);
    error NoFault(PoolId poolId);
    error NotExiting(PoolId poolId);
    /// @notice The proof tells nothing that is not known.
    error NothingNew(PoolId poolId);
    error NotLiquidatable(PoolId poolId);
    /// @notice At or after this epoch the balance may be swept or topped up: it is not what the validator ended with.
    error BalanceTooLate(uint64 withdrawableEpoch, uint64 epoch);
    error NotFinalized(uint256 commitmentId);
    error NotSettledYet(PoolId poolId, uint64 fromEpoch, uint64 currentEpoch);

    /// @notice Two conflicting QBFT messages of one instance, round and type, by one operator (65 bytes r ‖ s ‖ v each): its whole
    ///         bond, and out. Anyone; the reporter gets `reporterShare`.
    function slashQbft(QbftMessage calldata a, bytes calldata signatureA, QbftMessage calldata b, bytes calldata signatureB) external;

    /// @notice As `slashQbft`, for two join keys of one member in one ceremony.
    function slashJoin(Join calldata a, bytes calldata signatureA, Join calldata b, bytes calldata signatureB) external;

    /// @notice As `slashQbft`, for two dealings of one member in one ceremony.
    function slashDealing(Dealing calldata a, bytes calldata signatureA, Dealing calldata b, bytes calldata signatureB) external;

    /// @notice Two slashable attestations under a pool's key: the pool is liquidated, its seats, tails included, held until the loss
    ///         is known. Anyone; the reporter gets `reporterFee` at once.
    /// @param key the pool's, uncompressed.
    function slashAttestations(
        PoolId poolId,
        G1Point calldata key,
        AttestationData calldata a,
        G2Point calldata signatureA,
        AttestationData calldata b,
        G2Point calldata signatureB
    ) external;

    /// @notice As `slashAttestations`, for two blocks of one slot, by their headers.
    function slashBlocks(
        PoolId poolId,
        G1Point calldata key,
        BeaconHeader calldata a,
        G2Point calldata signatureA,
        BeaconHeader calldata b,
        G2Point calldata signatureB
    ) external;

    /// @notice Proof that a pool's validator exits. Slashed: a fault as by `slashAttestations`. Not slashed, not ejected for its
    ///         balance, and in a state from before any liquidation was drawn: an unauthorized exit, charged alike, at least the stall
    ///         penalty. Otherwise nobody is charged. In every case the pool is exiting from then on. Anyone; again when the validator
    ///         became withdrawable only later.
    /// @param timestamp of an execution block whose parent beacon block the proof is of (EIP-4788).
    function reportExit(PoolId poolId, uint64 timestamp, StateProof calldata state, ValidatorProof calldata validator) external;

    /// @notice Liquidates a pool whose fault or exit was proven while a draw was pending. Anyone.
    function liquidate(PoolId poolId) external;

    /// @notice Shows the balance of a faulty pool's exiting validator; the one of the latest epoch counts. Anyone.
    function showBalance(
        PoolId poolId,
        uint64 timestamp,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external;

    /// @notice As `showBalance`, from a finalized report of an epoch before the validator was withdrawable.
    /// @param word of the report's page, which holds the pool's balance.
    function showReportedBalance(
        PoolId poolId,
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        bytes32 word,
        bytes32[] calldata branch
    ) external;

    /// @notice Charges 1.5 times the loss over the held seats, none more than its seat, and lets them go. Anyone: at once when the
    ///         balance is of the withdrawable epoch itself; else once later balances had their time; when nobody showed one near
    ///         that epoch, `windDownAfter` epochs later, by the last one shown (none: no loss).
    function settle(PoolId poolId) external;

    function fault(PoolId poolId) external view returns (Fault memory);
}
