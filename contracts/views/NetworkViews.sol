// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {ICdt} from "../interfaces/ICdt.sol";
import {ICdtStaking} from "../interfaces/ICdtStaking.sol";
import {IExits} from "../interfaces/IExits.sol";
import {INetworkViews} from "../interfaces/INetworkViews.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {IWrappedBondEther} from "../interfaces/IWrappedBondEther.sol";
import {G1Point} from "../libraries/Bls12381.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Positions of stakers, producers, pools and the network, read together
contract NetworkViews is INetworkViews, BeaconClock {
    IBondEther private immutable BOND_ETHER;
    IWrappedBondEther private immutable WRAPPED;
    IStakingPool private immutable STAKING_POOL;
    IWithdrawalQueue private immutable QUEUE;
    IBlockProducers private immutable PRODUCERS;
    IPeriods private immutable PERIODS;
    IPoolRegistry private immutable REGISTRY;
    IExits private immutable EXITS;
    IStateCommitments private immutable COMMITMENTS;
    IRewards private immutable REWARDS;
    ICdt private immutable CDT;
    ICdtStaking private immutable CDT_STAKING;
    IWindDown private immutable WIND_DOWN;
    uint64 private immutable REPORT_EPOCHS;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        WRAPPED = IWrappedBondEther(nonZero(addresses.wrappedBondEther));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        QUEUE = IWithdrawalQueue(nonZero(addresses.withdrawalQueue));
        PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        PERIODS = IPeriods(nonZero(addresses.periods));
        REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        EXITS = IExits(nonZero(addresses.exits));
        COMMITMENTS = IStateCommitments(nonZero(addresses.stateCommitments));
        REWARDS = IRewards(nonZero(addresses.rewards));
        CDT = ICdt(nonZero(addresses.cdt));
        CDT_STAKING = ICdtStaking(nonZero(addresses.cdtStaking));
        WIND_DOWN = IWindDown(nonZero(addresses.windDown));
        REPORT_EPOCHS = parameters.reportEpochs;
    }

    /// @inheritdoc INetworkViews
    function staker(address account) external view returns (Staker memory) {
        uint256 wrapped = WRAPPED.balanceOf(account);
        return Staker({
            ethBalance: account.balance,
            bondEther: BOND_ETHER.balanceOf(account),
            shares: BOND_ETHER.sharesOf(account),
            wrapped: wrapped,
            wrappedWorth: WRAPPED.convertToAssets(wrapped),
            openRequests: QUEUE.balanceOf(account),
            cdt: CDT.balanceOf(account),
            windDownUnits: WIND_DOWN.unitsOf(account),
            windDownClaimable: WIND_DOWN.claimable(account)
        });
    }

    /// @inheritdoc INetworkViews
    function requestsOf(address owner, uint256 from, uint256 count) external view returns (RequestItem[] memory items, uint256 next) {
        uint256 end;
        (from, end, next) = _page(from, count, QUEUE.lastRequestId());
        items = new RequestItem[](end - from);
        uint256 found = 0;
        for (uint256 id = from; id < end; ++id) {
            IWithdrawalQueue.Request memory request = QUEUE.request(id);
            if (request.owner == owner) items[found++] = RequestItem({requestId: id, request: request});
        }
        assembly ("memory-safe") {
            mstore(items, found)
        }
    }

    /// @inheritdoc INetworkViews
    function locksOf(address owner, uint256 from, uint256 count) external view returns (LockItem[] memory items) {
        uint256[] memory ids = CDT_STAKING.positionsOf(owner, from, count);
        items = new LockItem[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            items[i] = LockItem({positionId: ids[i], position: CDT_STAKING.position(ids[i])});
        }
    }

    /// @inheritdoc INetworkViews
    function producerPosition(ProducerId producerId) external view returns (ProducerPosition memory position) {
        position.producer = PRODUCERS.producer(producerId);
        position.bondValue = PRODUCERS.bondValue(producerId);
        position.seats = PRODUCERS.seatCount(producerId);
        position.isUndercollateralized = PRODUCERS.isUndercollateralized(producerId);
        position.debt = REWARDS.debtOf(producerId);
        position.settledThrough = REWARDS.settledThrough(producerId);
        position.ownerCdt = CDT.balanceOf(position.producer.owner);
        uint64 next = PERIODS.nextPeriod();
        if (next == 0) return position;
        position.period = next - 1;
        try PERIODS.committee(next - 1) returns (ProducerId[] memory members, G1Point memory) {
            position.committeePlace = _placeOf(producerId, members);
        } catch {}
    }

    /// @inheritdoc INetworkViews
    function seatsOf(ProducerId producerId, uint32 from, uint32 count) external view returns (SeatItem[] memory items, uint32 next) {
        (uint256 first, uint256 end, uint256 after_) = _page(from, count, REGISTRY.poolCount());
        next = uint32(after_);
        // Whoever comes and goes has as many entries in a pool as tails that are not over.
        uint256 found = 0;
        for (uint256 id = first; id < end; ++id) {
            IBlockProducers.Holder[] memory holders = PRODUCERS.holdersOf(PoolId.wrap(uint32(id)));
            for (uint256 i = 0; i < holders.length; ++i) {
                if (holders[i].producerId == producerId) ++found;
            }
        }
        items = new SeatItem[](found);
        found = 0;
        for (uint256 id = first; id < end; ++id) {
            PoolId poolId = PoolId.wrap(uint32(id));
            IBlockProducers.Holder[] memory holders = PRODUCERS.holdersOf(poolId);
            for (uint256 i = 0; i < holders.length; ++i) {
                if (!(holders[i].producerId == producerId)) continue;
                items[found++] = SeatItem({
                    poolId: poolId,
                    state: REGISTRY.pool(poolId).state,
                    index: holders[i].until == 0 ? _placeOf(producerId, REGISTRY.vault(poolId)) : 0,
                    until: holders[i].until
                });
            }
        }
    }

    /// @inheritdoc INetworkViews
    function poolPosition(PoolId poolId) public view returns (PoolPosition memory) {
        return PoolPosition({
            poolId: poolId,
            pool: REGISTRY.pool(poolId),
            vault: REGISTRY.vault(poolId),
            holders: PRODUCERS.holdersOf(poolId),
            exit: EXITS.exit(poolId)
        });
    }

    /// @inheritdoc INetworkViews
    function pools(uint32 from, uint32 count) external view returns (PoolPosition[] memory items, uint32 next) {
        (uint256 first, uint256 end, uint256 after_) = _page(from, count, REGISTRY.poolCount());
        next = uint32(after_);
        items = new PoolPosition[](end - first);
        for (uint256 id = first; id < end; ++id) {
            items[id - first] = poolPosition(PoolId.wrap(uint32(id)));
        }
    }

    /// @inheritdoc INetworkViews
    function network() external view returns (Network memory seen) {
        _seeStake(seen);
        _seeWithdrawals(seen);
        _seePools(seen);
        _seeReports(seen);
        seen.cdtSupply = CDT.totalSupply();
        seen.cdtLocked = CDT_STAKING.totalLocked();
        seen.heldFeeShares = CDT_STAKING.heldShares();
        seen.woundDown = WIND_DOWN.started();
        seen.windDownStartableAt = WIND_DOWN.startableAt();
    }

    function _seeStake(Network memory seen) private view {
        seen.totalPooledEther = BOND_ETHER.totalPooledEther();
        seen.totalShares = BOND_ETHER.totalShares();
        seen.rewardsIndex = BOND_ETHER.rewardsIndex();
        seen.coverShares = BOND_ETHER.coverShares();
        seen.wrappedSupply = WRAPPED.totalSupply();
        seen.buffered = STAKING_POOL.buffered();
        seen.reserved = STAKING_POOL.reserved();
    }

    function _seeWithdrawals(Network memory seen) private view {
        seen.demand = QUEUE.demand();
        // Once wound down, no pool is drawn any more.
        if (!WIND_DOWN.started()) seen.unmetDemand = EXITS.unmetDemand();
        seen.lastRequestId = QUEUE.lastRequestId();
        seen.lastFinalizedId = QUEUE.lastFinalizedId();
        seen.oldestRequestedAt = QUEUE.oldestRequestedAt();
        seen.withdrawalsHeld = COMMITMENTS.withdrawalsHeld();
    }

    function _seePools(Network memory seen) private view {
        seen.pools = REGISTRY.poolCount();
        seen.activeStakerPools = REGISTRY.activeCount(PoolKind.Staker);
        seen.activeBondPools = REGISTRY.activeCount(PoolKind.Bond);
        seen.exitingPools = REGISTRY.exitingCount();
        seen.producers = PRODUCERS.producerCount();
        seen.bonds = PRODUCERS.totalBondValue();
        (seen.seats, seen.lockedSeats) = PRODUCERS.seats();
        uint64 next = PERIODS.nextPeriod();
        if (next == 0) return;
        (seen.periodsStarted, seen.period) = (true, next - 1);
        if (PERIODS.nextToFreeze() >= next) seen.listSize = PERIODS.sizeAt(next - 1);
    }

    function _seeReports(Network memory seen) private view {
        uint64 epoch = _currentEpoch();
        seen.epoch = Epoch.wrap(epoch);
        seen.nextReportEpoch = (epoch / REPORT_EPOCHS + 1) * REPORT_EPOCHS;
        seen.commitments = COMMITMENTS.commitmentCount();
        seen.nextToFinalize = COMMITMENTS.nextToFinalize();
        seen.lastFinalizedReference = COMMITMENTS.lastFinalizedReference();
        seen.recognisedProfit = STAKING_POOL.recognised(PoolKind.Staker) + STAKING_POOL.recognised(PoolKind.Bond);
    }

    /// @dev Ids from `first` up to and without `end`, of `last` there are; and the first of the next page.
    function _page(uint256 from, uint256 count, uint256 last) private pure returns (uint256 first, uint256 end, uint256 next) {
        first = from == 0 ? 1 : from;
        if (first > last) return (first, first, 0);
        bool isLast = count > last - first;
        return (first, isLast ? last + 1 : first + count, isLast ? 0 : first + count);
    }

    /// @return place in the list, from 1; 0: not in it.
    function _placeOf(ProducerId producerId, ProducerId[] memory members) private pure returns (uint32 place) {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == producerId) return uint32(i + 1);
        }
    }
}
