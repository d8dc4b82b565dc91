// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {console} from "hardhat/console.sol";
import {IBlockProducers} from "../../../contracts/interfaces/IBlockProducers.sol";
import {IRotations} from "../../../contracts/interfaces/IRotations.sol";
import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {PoolKind, ProducerId} from "../../../contracts/types/Ids.sol";
import {Attackers} from "./Attackers.sol";
import {VM} from "./Vm.sol";

/// @title What holds whatever anybody does
abstract contract Invariants is Attackers {
    uint256 private constant SECONDS_PER_YEAR = 365 days;
    /// @dev Wei: what roundings may leave to somebody over a whole run.
    uint256 private constant DUST = 1 gwei;

    /// @notice After every action.
    function checkAlways() external {
        VM.warp(clock);
        require(bytes(broken).length == 0, broken);
        checkLedger();
        checkEmission();
    }

    /// @notice After every run, before and after everything is recognised.
    function checkAll() external {
        VM.warp(clock);
        checkLedger();
        checkBacking();
        checkShares();
        checkSeats();
        checkBonds();
        checkPools();
        checkRequests();
        checkLocks();
        if (!windDown.started()) checkPeople();
        else checkUnits();
    }

    /// @dev The pot is the ETH that the books name: buffer, beacon deposits less what came back, recognised profit. And the buffer
    ///      is there.
    function checkLedger() public view {
        if (windDown.started()) return;
        int256 pot = int256(stakingPool.buffered());
        for (uint8 kind = 0; kind < 2; ++kind) {
            pot += int256(stakingPool.beaconDeposits(PoolKind(kind), uint64(clock))) - int256(stakingPool.collected(PoolKind(kind)))
                + stakingPool.recognised(PoolKind(kind));
        }
        require(int256(bondEther.totalPooledEther()) == pot, "the pot is not what the books say");
        require(address(stakingPool).balance >= stakingPool.buffered(), "the buffer is not there");
        require(stakingPool.buffered() >= stakingPool.reserved(), "more is reserved than buffered");
    }

    /// @dev Minted CDT is never above the emission of the time reported.
    function checkEmission() public view {
        uint256 epochs = lastFinalizedEpoch == 0 ? 0 : lastFinalizedEpoch - FIRST_PERIOD;
        require(cdt.totalSupply() <= parameters.cdtEmission * EPOCH / SECONDS_PER_YEAR * epochs, "more CDT than the emission");
    }

    /// @dev ETH in the contracts and on the beacon chain covers bETH and finalized requests, but for losses not recognised yet.
    function checkBacking() public view {
        if (windDown.started()) return;
        uint256 arrived = where.stakerVault.balance + where.bondVault.balance;
        uint256 assets = address(stakingPool).balance + arrived + onBeaconChain();
        int256 truth = int256(onBeaconChain() + arrived);
        int256 recognised = 0;
        for (uint8 kind = 0; kind < 2; ++kind) {
            truth += int256(stakingPool.collected(PoolKind(kind))) - int256(stakingPool.beaconDeposits(PoolKind(kind), uint64(clock)));
            recognised += stakingPool.recognised(PoolKind(kind));
        }
        uint256 unseen = recognised > truth ? uint256(recognised - truth) : 0;
        require(assets + unseen >= bondEther.totalPooledEther(), "bETH without ETH behind it");
    }

    /// @dev With everything recognised, bETH is covered whole; but for stolen keys that nobody has shown yet, 1 ETH each.
    function checkSolvency() external view {
        uint256 assets = address(stakingPool).balance + where.stakerVault.balance + where.bondVault.balance + onBeaconChain();
        for (uint32 id = 1; id <= registry.poolCount(); ++id) {
            if (truths[id].stolen && !registry.pool(_id(id)).frontRun) assets += 1 ether;
        }
        require(assets >= bondEther.totalPooledEther(), "insolvent");
    }

    function checkShares() public view {
        uint256 sum = bondEther.sharesOf(0x000000000000000000000000000000000000dEaD);
        address[25] memory contracts = _contracts();
        for (uint256 i = 0; i < 25; ++i) {
            sum += bondEther.sharesOf(contracts[i]);
        }
        for (uint256 i = 0; i < people.length; ++i) {
            sum += bondEther.sharesOf(people[i]);
        }
        require(sum == bondEther.totalShares(), "shares were made or lost");
    }

    /// @dev Whoever is in a vault holds a seat there, and what seats lock adds up.
    function checkSeats() public view {
        uint256 live = 0;
        uint256 count = registry.poolCount();
        for (uint32 id = 1; id <= count; ++id) {
            IPoolRegistry.Pool memory pool = registry.pool(_id(id));
            IBlockProducers.Holder[] memory holders = producers.holdersOf(_id(id));
            uint256 here = 0;
            for (uint256 i = 0; i < holders.length; ++i) {
                if (holders[i].until == 0) ++here;
            }
            require(here == _seatsOf(id, pool), "a vault without its seats, or seats without a vault");
            if (pool.kind == PoolKind.Staker) live += holders.length;
        }
        uint256 locked = 0;
        for (uint256 id = 1; id <= producerCount; ++id) {
            locked += producers.producer(_pid(id)).lockedSeats;
        }
        (, uint256 total) = producers.seats();
        // A tail that would end before an earlier one ends with it, and one that is held counts twice until its end.
        bool isExact = done["complete rotation"] == 0 && done["report exit"] == 0 && done["slash a pool's blocks"] == 0;
        require(total >= live && locked >= live * parameters.seatAllocation, "seats that lock nothing");
        if (!isExact) return;
        require(total == live, "seats of the network and of its pools differ");
        require(locked == live * parameters.seatAllocation, "what producers have locked is not what seats lock");
    }

    /// @dev Of the vault, and of one drawn to take over: who is in both has one seat.
    function _seatsOf(uint32 id, IPoolRegistry.Pool memory pool) private view returns (uint256 count) {
        bool isSeated = pool.state >= IPoolRegistry.PoolState.Ceremony && pool.state <= IPoolRegistry.PoolState.Exiting;
        if (isSeated) count = VAULT_SIZE;
        IRotations.Rotation memory current = rotations.rotation(_id(id));
        if (current.state != IRotations.State.Drawn) return count;
        ProducerId[] memory vault = registry.vault(_id(id));
        for (uint256 i = 0; i < current.members.length; ++i) {
            bool isShared = false;
            for (uint256 j = 0; j < vault.length; ++j) {
                if (vault[j] == current.members[i]) isShared = true;
            }
            if (!isShared) ++count;
        }
    }

    function checkBonds() public view {
        uint256 sum = 0;
        for (uint256 id = 1; id <= producerCount; ++id) {
            IBlockProducers.Producer memory producer = producers.producer(_pid(id));
            sum += producer.shares;
            if (producer.slashed || producer.status == IBlockProducers.Status.Gone) {
                require(producer.shares <= DUST, "a bond of somebody who is out");
            }
        }
        require(sum <= bondEther.sharesOf(address(producers)), "bonds without shares behind them");
    }

    /// @dev Each pool got 1 ETH with its key and 31 once; the rest of what the deposit contract has is other people's.
    function checkPools() public view {
        uint256[2] memory sums;
        uint256 reserved = 0;
        for (uint32 id = 1; id <= registry.poolCount(); ++id) {
            IPoolRegistry.Pool memory pool = registry.pool(_id(id));
            uint256 reservation = stakingPool.reservation(_id(id));
            uint256 sent = 0;
            if (pool.registeredAt != 0) sent = truths[id].funded ? 32 ether : 1 ether;
            sums[uint8(pool.kind)] += sent;
            bool isOver = pool.state == IPoolRegistry.PoolState.Cancelled || pool.frontRun;
            require(reservation == (isOver ? 0 : 32 ether - sent), "a reservation that is not what is left to send");
            reserved += reservation;
        }
        if (!windDown.started()) require(reserved == stakingPool.reserved(), "reservations do not add up");
        for (uint8 kind = 0; kind < 2; ++kind) {
            require(stakingPool.beaconDeposits(PoolKind(kind), uint64(clock)) == sums[kind], "a pool was funded twice");
        }
        require(DEPOSITS.balance == sums[0] + sums[1], "the deposit contract got something else");
    }

    /// @dev Finalized requests are paid for, and nobody gets more than was asked.
    function checkRequests() public view {
        uint256 owed = 0;
        for (uint256 i = 0; i < STAKERS; ++i) {
            uint256[] storage ids = requestsOf[people[i]];
            for (uint256 j = 0; j < ids.length; ++j) {
                uint256 claimable = queue.request(ids[j]).claimable;
                require(claimable <= queue.request(ids[j]).amount, "a request is paid more than it asked");
                owed += claimable;
            }
        }
        require(address(queue).balance >= owed, "finalized requests without ETH behind them");
    }

    /// @dev What positions lock is there, all of it and no more is counted, and so is what they earned.
    function checkLocks() public view {
        uint256 locked = 0;
        uint256 earned = cdtStaking.heldShares();
        for (uint256 id = 1; id <= cdtStaking.positionCount(); ++id) {
            locked += cdtStaking.position(id).amount;
            earned += cdtStaking.position(id).earned;
        }
        require(locked == cdtStaking.totalLocked(), "locks do not add up");
        require(cdt.balanceOf(address(cdtStaking)) == locked, "locked CDT that is not there");
        require(earned <= bondEther.sharesOf(address(cdtStaking)), "fees that are not there");
    }

    /// @dev Nobody has more than it put in and what finalizations, fees and reporters' shares brought.
    function checkPeople() public view {
        for (uint256 i = 0; i < people.length; ++i) {
            uint256 fortune = fortuneOf(i);
            if (fortune <= expected[people[i]] + DUST) continue;
            console.log("person, has, expected", i, fortune, expected[people[i]]);
            revert("somebody has more than it should");
        }
    }

    /// @dev The end pays what has arrived, and not a wei more.
    function checkUnits() public view {
        uint256 sum = 0;
        uint256 units = 0;
        for (uint256 i = 0; i < people.length; ++i) {
            sum += windDown.claimable(people[i]);
            units += windDown.unitsOf(people[i]);
        }
        require(sum <= address(windDown).balance, "more can be claimed than has arrived");
        require(units <= windDown.totalUnits(), "more units than shares");
    }
}
