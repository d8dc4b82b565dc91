// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconProofs, Validator} from "../../../contracts/libraries/BeaconProofs.sol";
import {G1Point} from "../../../contracts/libraries/Bls12381.sol";
import {DepositData} from "../../../contracts/libraries/DepositData.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";
import {PoolId, PoolKind, ProducerId} from "../../../contracts/types/Ids.sol";
import {Parameters} from "../../../contracts/types/Parameters.sol";
import {BeaconState, ProvenState, StateLeaves} from "./BeaconState.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Deployment} from "./Deployment.sol";
import {HostileReceiver} from "./HostileReceiver.sol";
import {VM} from "./Vm.sol";

/// @title What the handlers share: the clock, the actors, the beacon chain as it really is, and the books kept beside the contracts
abstract contract World is Deployment {
    /// @dev A validator of ours as the beacon chain has it.
    struct Truth {
        PoolKind kind;
        bool registered;
        bool stolen; // somebody deposited under its key first
        bool funded; // 31 ETH were sent
        bool activated; // and arrived
        uint64 balance; // gwei
        uint64 exitEpoch;
        bool slashed;
    }

    uint64 internal constant GENESIS = 1_000_000;
    uint64 internal constant SECONDS_PER_SLOT = 60;
    uint64 internal constant SLOTS_PER_EPOCH = 8;
    uint64 internal constant EPOCH = SECONDS_PER_SLOT * SLOTS_PER_EPOCH;
    uint64 internal constant FIRST_PERIOD = 5;
    uint64 internal constant REPORT_EPOCHS = 4;
    uint256 internal constant VAULT_SIZE = 4;
    uint256 internal constant STAKERS = 6;
    uint256 internal constant MOST_PRODUCERS = 16;
    uint256 internal constant RICHES = 10_000 ether;
    uint64 internal constant FAR = BeaconProofs.FAR_FUTURE_EPOCH;
    bytes32 private constant POSSESSION_TYPEHASH =
        keccak256("ProofOfPossession(address owner,address operator,bytes signingKey)");

    uint256 public clock;
    uint256 private _height;
    uint256 private _coverBefore;
    /// @notice The first thing that went wrong within an action; empty while all is well.
    string public broken;
    mapping(string action => uint256) public done;

    /// @dev Stakers (the last one is a contract that calls back), then owners of producers as they come.
    address[] internal people;
    uint256 internal producerCount;
    mapping(address account => uint256) internal expected; // what each may be worth
    mapping(address account => uint256[]) internal requestsOf;
    mapping(uint32 poolId => Truth) internal truths;
    mapping(uint32 poolId => bool) internal faulty; // as far as the contracts know
    uint256 public strangersEther; // beacon deposits of strangers and thieves, and gifts to vaults

    /// @dev Time moves to where it was: every action sees the same clock. Whatever it does, the index stays.
    modifier action() {
        VM.warp(clock);
        VM.roll(_height);
        (uint256 pooled, uint256 shares) = (bondEther.totalPooledEther(), bondEther.totalShares());
        _coverBefore = bondEther.coverShares();
        _;
        _checkIndex(pooled, shares);
        // Cover burns against a loss that is written off with it, and goes nowhere else.
        if (bondEther.coverShares() < _coverBefore && bondEther.totalPooledEther() >= pooled) _break("cover went without a loss");
        (clock, _height) = (block.timestamp, block.number + 1);
    }

    /// @dev Likewise, for the one action that may move the index.
    modifier finalization() {
        VM.warp(clock);
        VM.roll(_height);
        _;
        (clock, _height) = (block.timestamp, block.number + 1);
    }

    function _begin() internal {
        VM.warp(GENESIS);
        VM.deal(address(this), RICHES);
        _deploy(_parameters());
        (clock, _height) = (GENESIS, 10);
        for (uint256 i = 0; i + 1 < STAKERS; ++i) {
            people.push(VM.addr(BlsKeys.secret("staker", i)));
        }
        people.push(address(new HostileReceiver(queue)));
        for (uint256 i = 0; i < STAKERS; ++i) {
            _endow(people[i]);
        }
    }

    function _parameters() private pure returns (Parameters memory p) {
        (p.genesisTime, p.secondsPerSlot, p.slotsPerEpoch) = (GENESIS, SECONDS_PER_SLOT, SLOTS_PER_EPOCH);
        (p.epochsPerHistoricalVector, p.shardCommitteePeriod) = (BeaconState.VECTOR_LENGTH, 4);
        (p.genesisForkVersion, p.genesisValidatorsRoot, p.ejectionBalance) = (bytes4(0x00000001), bytes32(uint256(1)), 16e9);
        (p.vaultSize, p.seatAllocation, p.effectiveStake, p.minProducers) = (uint16(VAULT_SIZE), 1 ether, 4 ether, 7);
        (p.firstPeriod, p.periodLength, p.maxChurn) = (FIRST_PERIOD, 12, 6);
        (p.committeeSize, p.minAuxCommitteeSize, p.seedDelay, p.ceremonyDeadline) = (3, 3, 1, 8);
        (p.seatTail, p.rotationPeriod, p.rotationMargin) = (12, 32, 4);
        (p.reportEpochs, p.disputeDuration, p.pagesDeadline, p.voteDuration) = (REPORT_EPOCHS, 3, 2, 3);
        (p.failedVotePenalty, p.maxReportGrowth, p.maxReportLoss) = (0.1 ether, 400, 50_000);
        (p.minDeposit, p.liquidationThreshold, p.maxQueueWait) = (0.01 ether, 1 ether, 4);
        (p.maxLiquidationExecution, p.stallPenalty) = (8, 0.1 ether);
        (p.reporterShare, p.reporterFee, p.rewardsFee) = (500, 0.1 ether, 1_000);
        (p.baseReward, p.dkgReward, p.dkgFailurePenalty, p.maxCdtDebt) = (100, 1_000, 1_000, 2_000);
        (p.minPoolPerformance, p.nominalPools, p.cdtEmission, p.cdtMinLock) = (9_000, 2, 150_000_000 ether, 8);
        (p.layoutDelay, p.windDownAfter) = (64, 1_024);
    }

    // Time

    function _timeOf(uint64 slot) internal pure returns (uint64) {
        return GENESIS + slot * SECONDS_PER_SLOT;
    }

    function _epochNow() internal view returns (uint64) {
        return (uint64(block.timestamp) - GENESIS) / EPOCH;
    }

    function _toEpoch(uint64 epoch) internal {
        uint256 time = _timeOf(epoch * SLOTS_PER_EPOCH);
        if (block.timestamp < time) VM.warp(time);
    }

    // People

    function _endow(address account) internal {
        VM.deal(account, RICHES);
        expected[account] = RICHES;
    }

    function _staker(uint256 seed) internal view returns (address) {
        return people[seed % STAKERS];
    }

    function _anyone(uint256 seed) internal view returns (address) {
        return people[seed % people.length];
    }

    function _ownerOf(uint256 producerId) internal view returns (address) {
        return people[STAKERS + producerId - 1];
    }

    /// @dev A call as somebody. What it answers is left to the caller.
    function _as(address who, address target, uint256 value, bytes memory data) internal returns (bool ok, bytes memory answer) {
        VM.prank(who);
        (ok, answer) = target.call{value: value}(data);
    }

    /// @dev A call that nothing may stop: when it fails, the network has stopped working.
    function _must(string memory name, address who, address target, uint256 value, bytes memory data) internal returns (bytes memory) {
        (bool ok, bytes memory answer) = _as(who, target, value, data);
        if (ok) ++done[name];
        else _break(string.concat("refused: ", name, " ", _hex(answer)));
        return answer;
    }

    /// @dev A call that its own rules may refuse.
    function _may(string memory name, address who, address target, uint256 value, bytes memory data) internal returns (bool ok) {
        (ok,) = _as(who, target, value, data);
        if (ok) ++done[name];
    }

    function _break(string memory what) internal {
        if (bytes(broken).length == 0) broken = what;
    }

    // Producers

    function _secretOf(uint256 producerId) internal pure returns (uint256) {
        return BlsKeys.secret("producer", producerId);
    }

    function _register(uint256 bond) internal {
        uint256 id = producerCount + 1;
        address owner = VM.addr(BlsKeys.secret("owner", id));
        address operator = VM.addr(BlsKeys.secret("operator", id));
        people.push(owner);
        _endow(owner);
        G1Point memory key = BlsKeys.publicKey(_secretOf(id));
        bytes32 structHash = keccak256(abi.encode(POSSESSION_TYPEHASH, owner, operator, keccak256(abi.encode(key))));
        bytes32 digest = TypedData.digest(address(producers), structHash);
        bytes memory data = abi.encodeCall(producers.register, (operator, key, BlsKeys.sign(_secretOf(id), digest), "/ip4/127.0.0.1"));
        _must("register", owner, address(producers), bond, data);
        producerCount = id;
    }

    /// @dev The sum of the secret keys of those whose bit is set.
    function _secretsOf(ProducerId[] memory members, uint256 bits) internal pure returns (uint256 sum) {
        for (uint256 i = 0; i < members.length; ++i) {
            if ((bits >> i) & 1 == 1) sum = addmod(sum, _secretOf(ProducerId.unwrap(members[i])), BlsKeys.ORDER);
        }
    }

    // The beacon chain

    function _id(uint32 poolId) internal pure returns (PoolId) {
        return PoolId.wrap(poolId);
    }

    function _poolSecret(uint32 poolId) internal pure returns (uint256) {
        return BlsKeys.secret("pool", poolId);
    }

    function _validatorOf(uint32 poolId) internal view returns (Validator memory v) {
        Truth storage truth = truths[poolId];
        v.pubkeyRoot = DepositData.pubkeyRoot(registry.pool(_id(poolId)).publicKey);
        v.withdrawalCredentials = truth.stolen ? bytes32(uint256(7)) : stakingPool.withdrawalCredentials(truth.kind);
        v.effectiveBalance = truth.balance / 1e9 * 1e9;
        (v.activationEligibilityEpoch, v.activationEpoch) = truth.activated ? (uint64(1), uint64(2)) : (FAR, FAR);
        v.slashed = truth.slashed;
        (v.exitEpoch, v.withdrawableEpoch) = (truth.exitEpoch, truth.exitEpoch);
    }

    /// @dev A state of the slot before now with a pool's validator in it, known to EIP-4788. @return timestamp to ask it by
    function _stateOf(uint32 poolId) internal returns (ProvenState memory proven, uint64 timestamp) {
        uint64 slot = (uint64(block.timestamp) - GENESIS + SECONDS_PER_SLOT - 1) / SECONDS_PER_SLOT;
        VM.warp(_timeOf(slot + 1));
        proven = BeaconState.prove(
            StateLeaves(slot, 0, 0, poolId, _validatorOf(poolId), truths[poolId].balance)
        );
        timestamp = _timeOf(slot + 1);
        _anchor(timestamp, proven.blockRoot);
    }

    /// @dev A state with the final mix of an epoch. Time moves to where there can be one.
    function _seedOf(uint64 epoch) internal returns (ProvenState memory proven, uint64 timestamp) {
        StateLeaves memory leaves;
        leaves.slot = (epoch + 1) * SLOTS_PER_EPOCH;
        (leaves.mixEpoch, leaves.mix) = (epoch, keccak256(abi.encode("mix", epoch)));
        proven = BeaconState.prove(leaves);
        timestamp = _timeOf(leaves.slot + 1);
        if (block.timestamp < timestamp) VM.warp(timestamp);
        _anchor(timestamp, proven.blockRoot);
    }

    function _anchor(uint64 timestamp, bytes32 root) internal {
        VM.store(BEACON_ROOTS, bytes32(uint256(timestamp % 8191)), bytes32(uint256(timestamp)));
        VM.store(BEACON_ROOTS, bytes32(uint256(timestamp % 8191) + 8191), root);
    }

    function _give(address account, uint256 amount) internal {
        VM.deal(account, account.balance + amount);
    }

    /// @dev Wei that stand on the beacon chain for us, on their way included.
    function onBeaconChain() public view returns (uint256 total) {
        for (uint32 id = 1; id <= registry.poolCount(); ++id) {
            total += _onBeaconChain(id);
        }
    }

    function _onBeaconChain(uint32 poolId) internal view returns (uint256) {
        Truth storage truth = truths[poolId];
        if (!truth.registered || truth.stolen) return 0;
        return uint256(truth.balance) * 1 gwei + (truth.funded && !truth.activated ? 31 ether : 0);
    }

    // What people are worth

    function worthOf(address account) public view returns (uint256 worth) {
        worth = account.balance + bondEther.balanceOf(account) + wrapped.convertToAssets(wrapped.balanceOf(account));
        uint256[] storage ids = requestsOf[account];
        for (uint256 i = 0; i < ids.length; ++i) {
            if (queue.request(ids[i]).claimed) continue;
            worth += queue.request(ids[i]).finalized ? queue.request(ids[i]).claimable : queue.request(ids[i]).amount;
        }
    }

    /// @dev With the bonds of those who own producers.
    function fortuneOf(uint256 person) public view returns (uint256 fortune) {
        fortune = worthOf(people[person]);
        if (person >= STAKERS) fortune += producers.bondValue(ProducerId.wrap(uint32(person - STAKERS + 1)));
    }

    function fortunes() public view returns (uint256[] memory all) {
        all = new uint256[](people.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = fortuneOf(i);
        }
    }

    /// @dev Books what somebody gained or lost since `before` as rightly so. @return sum of the changes
    function _book(uint256[] memory before) internal returns (int256 sum) {
        for (uint256 i = 0; i < before.length; ++i) {
            uint256 now_ = fortuneOf(i);
            expected[people[i]] = expected[people[i]] + now_ - before[i];
            sum += int256(now_) - int256(before[i]);
        }
    }

    function _checkIndex(uint256 pooled, uint256 shares) private {
        (uint256 pooledNow, uint256 sharesNow) = (bondEther.totalPooledEther(), bondEther.totalShares());
        if (pooledNow * shares < pooled * sharesNow) _break("the index fell without a finalization");
        // What roundings leave: less than the value of a share for each mint or redemption.
        if (pooledNow * shares > (pooled + 10) * sharesNow) _break("the index rose without a finalization");
    }

    function _hex(bytes memory data) private pure returns (string memory) {
        bytes memory digits = "0123456789abcdef";
        bytes memory text = new bytes(2 * (data.length < 68 ? data.length : 68));
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] = digits[(uint8(data[i / 2]) >> (i % 2 == 0 ? 4 : 0)) & 15];
        }
        return string(text);
    }
}
