// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ICdt} from "../../../contracts/interfaces/ICdt.sol";
import {IWithdrawalVault} from "../../../contracts/interfaces/IWithdrawalVault.sol";
import {PoolId, PoolKind, ProducerId} from "../../../contracts/types/Ids.sol";
import {Cheats} from "./Cheats.sol";
import {VM} from "./Vm.sol";

/// @title What strangers try, and the end that anybody may start
abstract contract Attackers is Cheats {
    /// @dev ETH that no contract asked for: a selfdestruct's, a coinbase's. Whoever sends it is poorer by it.
    function forceEther(uint256 who, uint256 target, uint256 amount) external action {
        address from = _staker(who);
        uint256 value = amount % 3 ether;
        if (from.balance < value) return;
        VM.deal(from, from.balance - value);
        expected[from] -= value;
        _give(_contracts()[target % 25], value);
        ++done["force ether"];
    }

    /// @dev bETH given to a contract of the protocol: to cover, to the bonds, to the queue, to wbETH …
    function donate(uint256 who, uint256 target, uint256 amount) external action {
        address from = _staker(who);
        uint256 shares = _part(bondEther.sharesOf(from), amount) / 8;
        address to = _contracts()[target % 25];
        uint256 value = bondEther.getPooledEthByShares(shares);
        uint256[] memory before = fortunes();
        _must("donate", from, address(bondEther), 0, abi.encodeCall(bondEther.transferShares, (to, shares)));
        if (to == address(producers)) {
            // It may make good what a loss of the bond pools has burned of the bonds: theirs is then what the giver lost.
            if (_book(before) > 1 gwei) _break("a gift made others richer than its giver poorer");
            return;
        }
        expected[from] -= value < 2 ? 0 : value - 2;
    }

    /// @dev What only contracts of the protocol may call.
    function intrude(uint256 who, uint256 which) external action {
        (address target, bytes memory data) = _guarded(which % 40, _anyone(who));
        if (target == address(0)) return;
        (bool ok,) = _as(_anyone(who), target, 0, data);
        if (ok) _break("a guarded function let a stranger in");
        else ++done["intrude"];
    }

    /// @dev Deposits just before something and asks back at once: nothing is gained by it.
    function sandwich(uint256 who, uint256 amount) external action {
        if (windDown.started()) return;
        address staker = _staker(who);
        uint256 before = worthOf(staker);
        uint256 value = 1 ether + amount % 200 ether;
        _must("deposit", staker, address(stakingPool), value, abi.encodeWithSignature("deposit()"));
        uint256 back = bondEther.balanceOf(staker);
        _must("approve", staker, address(bondEther), 0, abi.encodeCall(cdt.approve, (address(queue), type(uint256).max)));
        _must("request", staker, address(queue), 0, abi.encodeCall(queue.requestWithdrawal, (back)));
        requestsOf[staker].push(queue.lastRequestId());
        if (worthOf(staker) > before) _break("something was gained between deposit and request");
    }

    /// @dev The end, once nothing was finalized for long enough. Few runs see it.
    function collapse(uint256 who, uint256 seed) external action {
        if (seed % 32 != 5 || windDown.started()) return;
        uint64 earliest = windDown.startableAt();
        bytes memory data = abi.encodeCall(windDown.start, ());
        (bool early,) = _as(_anyone(who), address(windDown), 0, data);
        if (early && block.timestamp < earliest) _break("wound down too early");
        if (early) return;
        _toEpoch((earliest - GENESIS) / EPOCH + 1);
        _must("wind down", _anyone(who), address(windDown), 0, data);
    }

    /// @dev Shares for units, and units for what has arrived.
    function redeem(uint256 who, uint256 amount) external action {
        if (!windDown.started()) return;
        address staker = _anyone(who);
        uint256 shares = _part(bondEther.sharesOf(staker), amount);
        _must("approve", staker, address(bondEther), 0, abi.encodeCall(cdt.approve, (address(windDown), type(uint256).max)));
        _must("redeem", staker, address(windDown), 0, abi.encodeCall(windDown.redeem, (shares)));
        _must("gather", staker, address(windDown), 0, abi.encodeCall(windDown.gather, ()));
        _must("claim units", staker, address(windDown), 0, abi.encodeCall(windDown.claim, ()));
        (bool ok, bytes memory answer) = _as(staker, address(windDown), 0, abi.encodeCall(windDown.claim, ()));
        if (ok && abi.decode(answer, (uint256)) > 0) _break("units were paid twice");
    }

    function _contracts() internal view returns (address[25] memory) {
        return abi.decode(abi.encode(where), (address[25]));
    }

    function _guarded(uint256 which, address who) private view returns (address, bytes memory) {
        PoolId pool = _id(1);
        ProducerId producer = _pid(1);
        ProducerId[] memory members = new ProducerId[](1);
        members[0] = producer;
        if (which == 0) return (address(bondEther), abi.encodeCall(bondEther.mint, (who, 1 ether)));
        if (which == 1) return (address(bondEther), abi.encodeCall(bondEther.redeem, (1, 1)));
        if (which == 2) return (address(bondEther), abi.encodeCall(bondEther.coverLoss, (1 ether)));
        if (which == 3) return (address(bondEther), abi.encodeCall(bondEther.recognise, (1 ether, 0)));
        if (which == 4) return (address(bondEther), abi.encodeCall(bondEther.mintFee, (1 ether)));
        if (which == 5) return (address(stakingPool), abi.encodeCall(stakingPool.reserve, (pool)));
        if (which == 6) return (address(stakingPool), abi.encodeCall(stakingPool.release, (pool, 0)));
        if (which == 7) return (address(stakingPool), abi.encodeCall(stakingPool.writeOff, (pool, 1 ether)));
        if (which == 8) {
            return (address(stakingPool), abi.encodeCall(stakingPool.depositToBeacon, (pool, PoolKind.Staker, "", "", 0)));
        }
        if (which == 9) {
            uint256[2] memory arrivals;
            int256[2] memory profits;
            profits[0] = 1 ether;
            return (address(stakingPool), abi.encodeCall(stakingPool.bookReport, (arrivals, profits, 1)));
        }
        if (which == 10) return (address(stakingPool), abi.encodeCall(stakingPool.payWithdrawals, (0, 0)));
        if (which == 11) return (address(stakingPool), abi.encodeCall(stakingPool.receiveCollected, ()));
        if (which == 12) return (address(stakingPool), abi.encodeCall(stakingPool.close, ()));
        if (which == 13) return (address(stakingPool), abi.encodeCall(stakingPool.sweep, ()));
        if (which == 14) return (address(queue), abi.encodeCall(queue.closeBatch, ()));
        if (which == 15) return (address(queue), abi.encodeCall(queue.receivePaid, ()));
        if (which == 16) return (where.stakerVault, abi.encodeCall(IWithdrawalVault.collect, (0)));
        if (which == 17) return (where.stakerVault, abi.encodeCall(IWithdrawalVault.requestExit, ("")));
        if (which == 18) return (address(producers), abi.encodeCall(producers.forceOut, (producer)));
        if (which == 19) return (address(producers), abi.encodeCall(producers.lockSeats, (pool, PoolKind.Staker, members)));
        if (which == 20) return (address(producers), abi.encodeCall(producers.releaseSeats, (pool, PoolKind.Staker, members, 0)));
        if (which == 21) return (address(producers), abi.encodeCall(producers.holdSeats, (pool, PoolKind.Staker)));
        if (which == 22) return (address(producers), abi.encodeCall(producers.unholdSeats, (pool, PoolKind.Staker)));
        if (which == 23) return (address(producers), abi.encodeCall(producers.slashSeats, (pool, members, 1 ether, who)));
        if (which == 24) return (address(producers), abi.encodeCall(producers.chargeSeats, (pool, members, 1 ether, who, 1 ether)));
        if (which == 25) return (address(producers), abi.encodeCall(producers.chargeBond, (producer, 1 ether, who)));
        if (which == 26) return (address(producers), abi.encodeCall(producers.slashOut, (producer, who)));
        return _guardedToo(which, who, members);
    }

    function _guardedToo(uint256 which, address who, ProducerId[] memory members) private view returns (address, bytes memory) {
        PoolId pool = _id(1);
        if (which == 27) return (address(periods), abi.encodeCall(periods.queueJoin, (members[0])));
        if (which == 28) return (address(periods), abi.encodeCall(periods.queueLeave, (members[0])));
        if (which == 29) return (address(vaultDraws), abi.encodeCall(vaultDraws.request, (pool, 0, PoolKind.Staker)));
        if (which == 30) return (address(registry), abi.encodeCall(registry.startCeremony, (pool, members)));
        if (which == 31) return (address(registry), abi.encodeCall(registry.cancel, (pool)));
        if (which == 32) return (address(registry), abi.encodeCall(registry.bar, (pool, 0, 1)));
        if (which == 33) return (address(registry), abi.encodeCall(registry.replaceVault, (pool, 1, members, 0)));
        if (which == 34) return (address(registry), abi.encodeCall(registry.markExiting, (pool)));
        if (which == 35) return (address(registry), abi.encodeCall(registry.markClosed, (pool)));
        if (which == 36) return (address(exits), abi.encodeCall(exits.drawOne, (pool)));
        if (which == 37) return (address(rewards), abi.encodeCall(rewards.bookReport, (1, 1, 1, 1, 1, 0)));
        if (which == 38) return (address(cdt), abi.encodeCall(ICdt.mint, (who, 1 ether)));
        return (address(commitments), abi.encodeCall(commitments.dropDisputed, (commitments.nextToFinalize(), true)));
    }
}
