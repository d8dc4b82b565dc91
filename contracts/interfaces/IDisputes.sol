// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {PoolId, PoolKind} from "../types/Ids.sol";
import {IStateCommitments} from "./IStateCommitments.sol";

/// @title Fraud proofs against commitments, decided at once.
interface IDisputes {
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

    event BalanceDisproven(uint256 indexed commitmentId, PoolId indexed poolId, uint64 reported, uint64 actual, address indexed reporter);
    /// @notice The first `judged` members of the commitment's committee are settled: signers slashed out, absent members passed over.
    event SignersJudged(uint256 indexed commitmentId, uint256 judged, uint256 size);

    error NothingWrong(PoolId poolId, uint64 reported);
    error OrdinalOutOfRange(uint32 ordinal, uint32 count);
    error WrongPageBranch();
    error NotDisputable(uint256 commitmentId);
    /// @notice hash_tree_roots of the keys.
    error WrongPublicKey(bytes32 expected, bytes32 actual);
    error WrongBalanceIndex(uint64 expected, uint64 actual);
    error NoVerdict(uint256 commitmentId);

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

    /// @notice After a verdict on a large committee: goes on slashing out its signers, at most `maxMembers` members. Anyone.
    function slashSigners(uint256 commitmentId, IStateCommitments.Content calldata content, uint256 maxMembers) external;

    function verdict(uint256 commitmentId) external view returns (Verdict memory);
}
