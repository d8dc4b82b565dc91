// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, StateProof, ValidatorProof} from "../../../contracts/libraries/BeaconProofs.sol";
import {IDisputes} from "../../../contracts/interfaces/IDisputes.sol";
import {IStateCommitments} from "../../../contracts/interfaces/IStateCommitments.sol";
import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {G1Point} from "../../../contracts/libraries/Bls12381.sol";
import {PoolId, PoolKind, ProducerId} from "../../../contracts/types/Ids.sol";
import {BeaconState, ProvenState, StateLeaves} from "./BeaconState.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Ballots} from "./Ballots.sol";
import {VM} from "./Vm.sol";

/// @title What committees report, honest or lying, and those who watch them
abstract contract Reports is Ballots {
    /// @dev A commitment as its makers know it.
    struct Made {
        bytes content; // abi.encode(Content)
        bytes[] pages;
        uint32 liedAbout; // pool; 0 = honest
        bytes proof; // abi.encode(BalanceEntry, StateProof, ValidatorProof, BalanceProof) against a lie
        int256[2] profits; // at the reference, by kind
        uint64 epoch;
    }

    struct Plan {
        uint256 who;
        uint256 seed;
        bool lies;
        uint64 epoch;
        uint64 period;
        uint64 slot; // of the reference
        uint64 stands; // timestamp of the first block after the boundary
    }

    mapping(uint256 commitmentId => Made) internal made;
    uint64 internal lastEpoch; // committed
    uint64 public lastFinalizedEpoch;

    /// @dev The next of the grid, with up to two empty slots before and after the boundary. One in 16 has a lie about a pool.
    function report(uint256 who, uint256 seed) external action {
        if (windDown.started()) return;
        bool lies = (seed >> 32) % 16 == 0;
        _report(who, seed, lies);
    }

    function postPages(uint256 who) external action {
        if (windDown.started()) return;
        uint256 id = commitments.nextToFinalize();
        if (commitments.commitment(id).state != IStateCommitments.CommitmentState.Open) return;
        _postPages(who, id);
    }

    /// @dev The oldest commitment: a lie is disproven, a whole one finalized after its window, another dropped when overdue.
    function finalize(uint256 who) external finalization {
        if (windDown.started()) return;
        uint256 id = commitments.nextToFinalize();
        IStateCommitments.Commitment memory commitment = commitments.commitment(id);
        if (commitment.state == IStateCommitments.CommitmentState.None) return;
        if (made[id].liedAbout != 0) {
            _disprove(who, id);
        } else if (commitment.state == IStateCommitments.CommitmentState.Disputed) {
            _closeVote(who, id);
        } else if (commitment.state == IStateCommitments.CommitmentState.Open) {
            _drop(who, id, commitment.committedAt);
        } else {
            if (block.timestamp < commitment.windowEnds) VM.warp(commitment.windowEnds);
            _finalize(who, id);
        }
    }

    /// @dev Whoever likes may go on with the queue.
    function finalizeQueue(uint256 who, uint256 steps) external action {
        _may("finalize queue", _anyone(who), address(queue), 0, abi.encodeCall(queue.finalize, (steps % 8)));
    }

    /// @dev Reports the present and finalizes everything, so that whatever happened is recognised. False when nobody can report.
    function settleAll() external finalization returns (bool) {
        if (windDown.started()) return false;
        uint64 before = lastEpoch;
        _report(0, 0, false);
        if (lastEpoch == before) return false;
        for (uint256 i = 0; i < 40; ++i) {
            uint256 id = commitments.nextToFinalize();
            IStateCommitments.Commitment memory commitment = commitments.commitment(id);
            if (commitment.state == IStateCommitments.CommitmentState.None) return lastFinalizedEpoch == lastEpoch;
            if (made[id].liedAbout != 0) {
                _disprove(0, id);
                continue;
            }
            if (commitment.state == IStateCommitments.CommitmentState.Disputed) {
                _closeVote(0, id);
                continue;
            }
            if (commitment.state == IStateCommitments.CommitmentState.Open) _postPages(0, id);
            VM.warp(block.timestamp + 20 * EPOCH);
            _finalize(0, id);
        }
        return false;
    }

    function _isLie(uint256 id) internal view override returns (bool) {
        return made[id].liedAbout != 0;
    }

    function _report(uint256 who, uint256 seed, bool lies) private {
        Plan memory plan = _plan(who, seed, lies);
        _toEpoch(plan.epoch);
        if (!_formCommittee(plan.period)) return;
        if (block.timestamp < plan.stands) VM.warp(plan.stands);
        uint64 boundary = _timeOf(plan.epoch * SLOTS_PER_EPOCH);
        for (uint64 empty = boundary + SECONDS_PER_SLOT; empty < plan.stands; empty += SECONDS_PER_SLOT) {
            VM.store(BEACON_ROOTS, bytes32(uint256(empty % 8191)), 0);
        }

        Made memory draft;
        draft.epoch = plan.epoch;
        IStateCommitments.Content memory content;
        ProvenState memory proven;
        (content.report, proven) = _draft(draft, plan);
        _anchor(plan.stands, proven.blockRoot);
        content.report.executionBlock = uint64(block.number - 1);
        content.executionHash = keccak256(abi.encode("execution block", block.number));
        VM.store(BLOCK_HASHES, bytes32((block.number - 1) % 8191), content.executionHash);
        _commit(plan, draft, content, proven);
        // Pages mostly come at once.
        uint256 id = commitments.commitmentCount();
        if ((seed >> 24) % 8 != 1 && made[id].epoch == plan.epoch) _postPages(who, id);
    }

    /// @dev The block before the boundary is up to two slots earlier, the one after up to two later.
    function _plan(uint256 who, uint256 seed, bool lies) private view returns (Plan memory plan) {
        uint64 grid = REPORT_EPOCHS * EPOCH;
        (plan.who, plan.seed, plan.lies) = (who, seed, lies);
        plan.epoch = ((uint64(block.timestamp) + 3 * SECONDS_PER_SLOT - GENESIS) / grid + 1) * REPORT_EPOCHS;
        plan.period = (plan.epoch - FIRST_PERIOD) / 12;
        uint64 boundary = plan.epoch * SLOTS_PER_EPOCH;
        plan.slot = boundary - uint64(seed % 3);
        plan.stands = _timeOf(boundary + 1 + uint64((seed >> 8) % 3));
    }

    function _commit(Plan memory plan, Made memory draft, IStateCommitments.Content memory content, ProvenState memory proven)
        private
    {
        (ProducerId[] memory members,) = periods.committee(plan.period);
        uint256 all = (1 << members.length) - 1;
        // Which of three does not sign, or none.
        uint256 missing = ((plan.seed >> 16) % 4 < members.length) ? 1 << ((plan.seed >> 16) % 4) : 0;
        content.absent = abi.encodePacked(bytes1(uint8(missing)));
        bytes memory forged = _commitCall(members, 1 << (plan.who % members.length), content, proven);
        (bool isForged,) = _as(_anyone(plan.who), address(commitments), 0, forged);
        if (isForged && (all ^ missing) != 1 << (plan.who % members.length)) _break("one of a committee signed for all");
        bytes memory data = _commitCall(members, all ^ missing, content, proven);
        // A committee of one has committed already; one found lying may make no others.
        if (!isForged && !_may("commit", _anyone(plan.who), address(commitments), 0, data)) return;
        lastEpoch = draft.epoch;
        Made storage kept = made[commitments.commitmentCount()];
        kept.content = abi.encode(content);
        kept.pages = draft.pages;
        kept.liedAbout = draft.liedAbout;
        kept.profits = draft.profits;
        kept.epoch = draft.epoch;
        if (draft.liedAbout == 0) return;
        ++done["lie"];
        kept.proof = abi.encode(_entryOf(draft, content.report), proven.state, proven.validator, proven.balance);
    }

    /// @dev What says that all but the absent signed; those with their bits set really did.
    function _commitCall(
        ProducerId[] memory members,
        uint256 signers,
        IStateCommitments.Content memory content,
        ProvenState memory proven
    ) private view returns (bytes memory) {
        G1Point[] memory absentKeys = new G1Point[](content.absent[0] == 0 ? 0 : 1);
        for (uint256 i = 0; i < members.length; ++i) {
            if ((uint8(content.absent[0]) >> i) & 1 == 1) absentKeys[0] = producers.signingKey(members[i]);
        }
        bytes32 digest = commitments.digest(content.report);
        return abi.encodeCall(
            commitments.commitState,
            (content.report, proven.state.header, content.absent, absentKeys, BlsKeys.sign(_secretsOf(members, signers), digest))
        );
    }

    function _draft(Made memory draft, Plan memory plan)
        private
        view
        returns (IStateCommitments.Report memory r, ProvenState memory proven)
    {
        StateLeaves memory leaves;
        leaves.slot = plan.slot;
        uint64 timestamp = _timeOf(plan.slot);
        if (plan.lies) draft.liedAbout = _someRegistered(plan.seed >> 40, timestamp);
        if (draft.liedAbout != 0) {
            leaves.validatorIndex = draft.liedAbout;
            leaves.validator = _validatorOf(draft.liedAbout);
            leaves.balance = truths[draft.liedAbout].balance;
        }
        proven = BeaconState.prove(leaves);
        (r.epoch, r.referenceSlot) = (plan.epoch, plan.slot);
        r.blockRoot = proven.blockRoot;
        r.history = commitments.history();
        (r.stakerArrivals, r.bondArrivals) = (_arrivals(PoolKind.Staker), _arrivals(PoolKind.Bond));
        bytes[3] memory all;
        all[0] = _balances(draft, PoolKind.Staker, timestamp, plan.seed);
        all[1] = _balances(draft, PoolKind.Bond, timestamp, plan.seed);
        (r.stakerPools, r.bondPools) = (uint32(all[0].length / 8), uint32(all[1].length / 8));
        r.producers = producers.countAt(timestamp);
        for (uint256 i = 0; i < r.producers; ++i) {
            all[2] = abi.encodePacked(all[2], int32(int256(uint256(keccak256(abi.encode(plan.seed, i))) % 2_200) - 200));
        }
        uint256 count = 0;
        for (uint256 i = 0; i < 3; ++i) {
            if (all[i].length > 0) ++count;
        }
        (draft.pages, r.pageRoots) = (new bytes[](count), new bytes32[](count));
        for (uint256 i = 3; i > 0; --i) {
            if (all[i - 1].length == 0) continue;
            draft.pages[--count] = all[i - 1];
            r.pageRoots[count] = rootOfPage(all[i - 1]);
        }
    }

    /// @dev A kind's balances as they are, but for the lie: as the protocol says they are reported.
    function _balances(Made memory draft, PoolKind kind, uint64 timestamp, uint256 seed) private view returns (bytes memory page) {
        uint256 count = registry.registeredCountAt(kind, timestamp);
        int256 profit = int256(_arrivals(kind)) - int256(stakingPool.beaconDeposits(kind, timestamp));
        for (uint32 i = 0; i < count; ++i) {
            uint32 poolId = PoolId.unwrap(registry.registeredAt(kind, i));
            uint64 balance = _reportable(poolId, timestamp);
            profit += int256(uint256(balance)) * 1 gwei;
            if (poolId == draft.liedAbout) balance = (seed >> 48) % 2 == 0 || balance < 2 ? balance + 5e9 : balance / 2;
            page = abi.encodePacked(page, balance);
        }
        draft.profits[uint8(kind)] = profit;
    }

    function _reportable(uint32 poolId, uint64 timestamp) private view returns (uint64) {
        IPoolRegistry.Pool memory pool = registry.pool(_id(poolId));
        if (pool.frontRun && pool.closedAt <= timestamp) return 0;
        if (pool.fundedAt == 0 || pool.fundedAt > timestamp) return 1e9;
        Truth storage truth = truths[poolId];
        return !truth.activated && truth.balance < 32e9 ? truth.balance + 31e9 : truth.balance;
    }

    function _entryOf(Made memory draft, IStateCommitments.Report memory r) private view returns (IDisputes.BalanceEntry memory entry) {
        IPoolRegistry.Pool memory pool = registry.pool(_id(draft.liedAbout));
        entry.kind = pool.kind;
        entry.ordinal = pool.ordinal;
        bytes memory page = draft.pages[pool.kind == PoolKind.Bond && r.stakerPools > 0 ? 1 : 0];
        entry.word = _wordOf(page, pool.ordinal / 4);
        if (page.length > 32) {
            entry.branch = new bytes32[](1);
            entry.branch[0] = _wordOf(page, (pool.ordinal / 4) ^ 1);
        }
    }

    function _postPages(uint256 who, uint256 id) private {
        IStateCommitments.Content memory content = abi.decode(made[id].content, (IStateCommitments.Content));
        for (uint32 page = 0; page < made[id].pages.length; ++page) {
            bytes memory data = abi.encodeCall(commitments.postPage, (id, content, page, made[id].pages[page]));
            _must("post page", _anyone(who), address(commitments), 0, data);
        }
    }

    function _drop(uint256 who, uint256 id, uint64 committedAt) private {
        uint256 after_ = committedAt + 2 * EPOCH + 1;
        if (block.timestamp < after_) VM.warp(after_);
        _must("drop", _anyone(who), address(commitments), 0, abi.encodeCall(commitments.dropOverdue, (id)));
    }

    function _disprove(uint256 who, uint256 id) private {
        IStateCommitments.Content memory content = abi.decode(made[id].content, (IStateCommitments.Content));
        (IDisputes.BalanceEntry memory entry, StateProof memory state, ValidatorProof memory validator, BalanceProof memory balance) =
            abi.decode(made[id].proof, (IDisputes.BalanceEntry, StateProof, ValidatorProof, BalanceProof));
        bytes memory data = abi.encodeCall(disputes.disproveBalance, (id, content, entry, state, validator, balance));
        uint256[] memory before = fortunes();
        (uint256 pooled, uint256 shares) = (bondEther.totalPooledEther(), bondEther.totalShares());
        _must("disprove", _anyone(who), address(disputes), 0, data);
        if (bondEther.totalPooledEther() * shares > (pooled + 10) * bondEther.totalShares()) _break("a slashing lifted the index");
        if (_book(before) > 1 gwei) _break("a slashing made somebody richer than others became poorer");
    }

    function _finalize(uint256 who, uint256 id) private {
        uint256[] memory before = fortunes();
        int256[2] memory recognised = [stakingPool.recognised(PoolKind.Staker), stakingPool.recognised(PoolKind.Bond)];
        // A stolen key's loss that cover bears leaves the stakers the gains of the same report.
        int256 cover = int256(bondEther.getPooledEthByShares(bondEther.coverShares()));
        _must("finalize", _anyone(who), address(commitments), 0, abi.encodeCall(commitments.finalizeState, (id)));
        if (commitments.commitment(id).state != IStateCommitments.CommitmentState.Finalized) return;
        pointPages.push(made[id].pages[made[id].pages.length - 1]);
        lastFinalizedEpoch = made[id].epoch;
        int256 most = 1 gwei;
        for (uint8 kind = 0; kind < 2; ++kind) {
            int256 now_ = stakingPool.recognised(PoolKind(kind));
            if (now_ > made[id].profits[kind] && now_ > recognised[kind]) _break("more was recognised than there was");
            int256 gain = now_ - recognised[kind] + (kind == 0 ? cover : int256(0));
            if (gain > 0) most += gain;
        }
        if (_book(before) > most) _break("a finalization gave more than it recognised");
    }

    /// @dev False when the list is too short for one.
    function _formCommittee(uint64 period) private returns (bool) {
        periods.freeze(100);
        try periods.committee(period) {
            return true;
        } catch {}
        if (periods.sizeAt(period) < 2) return false;
        (ProvenState memory proven, uint64 timestamp) = _seedOf(FIRST_PERIOD + period * 12 - 1);
        periods.proveSeed(period, timestamp, proven.state, proven.randao);
        periods.formCommittee(period, 100);
        ++done["form committee"];
        return true;
    }

    function _someRegistered(uint256 seed, uint64 timestamp) private view returns (uint32) {
        PoolKind kind = PoolKind(seed % 2);
        uint32 count = registry.registeredCountAt(kind, timestamp);
        return count == 0 ? 0 : PoolId.unwrap(registry.registeredAt(kind, uint32((seed >> 8) % count)));
    }

    function _arrivals(PoolKind kind) internal view returns (uint256) {
        return stakingPool.withdrawalVault(kind).balance + stakingPool.collected(kind);
    }
}
