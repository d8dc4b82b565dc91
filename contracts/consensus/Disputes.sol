// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {BalanceProof, BeaconProofs, Layout, StateProof, Validator, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {DepositData} from "../libraries/DepositData.sol";
import {PageTree} from "../libraries/PageTree.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {BeaconClock} from "./BeaconClock.sol";

/// @title Fraud proofs against commitments, decided at once.
contract Disputes is IDisputes, BeaconClock {
    using CommitmentContent for IStateCommitments.Content;

    /// @dev Signers slashed together with the verdict; the rest of a larger committee by `slashSigners`.
    uint256 private constant FIRST_SLASHED = 16;
    uint256 private constant ENTRIES_PER_WORD = 4;
    uint64 private constant PRE_DEPOSIT_GWEI = 1e9;
    uint64 private constant TOP_UP_GWEI = 31e9;
    uint64 private constant FULL_GWEI = 32e9;

    IBeaconLayout private immutable LAYOUT;
    IBlockProducers private immutable PRODUCERS;
    IPeriods private immutable PERIODS;
    IPoolRegistry private immutable REGISTRY;
    IStateCommitments private immutable COMMITMENTS;

    mapping(uint256 commitmentId => Verdict) private _verdicts;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        PERIODS = IPeriods(nonZero(addresses.periods));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        COMMITMENTS = IStateCommitments(nonZero(addresses.stateCommitments));
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
        IStateCommitments.Commitment memory made = COMMITMENTS.commitment(commitmentId);
        _checkDisputable(commitmentId, made.state);
        content.check(made.contentHash);
        uint64 reported = _reported(content.report, entry);
        PoolId poolId = REGISTRY.registeredAt(entry.kind, entry.ordinal);
        uint64 actual = _actual(content.report, REGISTRY.pool(poolId), state, validator, balance);
        if (reported == actual) revert NothingWrong(poolId, reported);

        _verdicts[commitmentId].reporter = msg.sender;
        emit BalanceDisproven(commitmentId, poolId, reported, actual, msg.sender);
        COMMITMENTS.dropDisputed(commitmentId, true);
        _slash(commitmentId, made.epoch, content, FIRST_SLASHED);
    }

    /// @inheritdoc IDisputes
    function slashSigners(uint256 commitmentId, IStateCommitments.Content calldata content, uint256 maxMembers) external {
        if (_verdicts[commitmentId].reporter == address(0)) revert NoVerdict(commitmentId);
        content.check(COMMITMENTS.commitment(commitmentId).contentHash);
        _slash(commitmentId, content.report.epoch, content, maxMembers);
    }

    /// @inheritdoc IDisputes
    function verdict(uint256 commitmentId) external view returns (Verdict memory) {
        return _verdicts[commitmentId];
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

    function _checkDisputable(uint256 commitmentId, IStateCommitments.CommitmentState state) private pure {
        if (
            state != IStateCommitments.CommitmentState.Open && state != IStateCommitments.CommitmentState.Pending
                && state != IStateCommitments.CommitmentState.Disputed
        ) revert NotDisputable(commitmentId);
    }

    function _slash(uint256 commitmentId, uint64 epoch, IStateCommitments.Content calldata content, uint256 maxMembers)
        private
    {
        (ProducerId[] memory members,) = PERIODS.committee(PERIODS.periodAt(Epoch.wrap(epoch)));
        Verdict storage found = _verdicts[commitmentId];
        uint256 from = found.judged;
        uint256 rest = members.length - from;
        uint256 to = from + (rest < maxMembers ? rest : maxMembers);
        found.judged = uint32(to);
        for (uint256 i = from; i < to; ++i) {
            if (content.hasSigned(i)) PRODUCERS.slashOut(members[i], found.reporter);
        }
        emit SignersJudged(commitmentId, to, members.length);
    }
}
