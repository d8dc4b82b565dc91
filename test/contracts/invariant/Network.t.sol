// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Network} from "./Network.sol";
import {Run} from "./Run.sol";

contract NetworkTest is Run {
    function setUp() public {
        network = new Network();
        _may("deposit", network.deposit.selector, 2);
        _may("depositFor", network.depositFor.selector, 1);
        _may("transfer", network.transfer.selector, 1);
        _may("wrap", network.wrap.selector, 1);
        _may("unwrap", network.unwrap.selector, 1);
        _may("request", network.request.selector, 2);
        _may("requestWithPermit", network.requestWithPermit.selector, 1);
        _may("sellRequest", network.sellRequest.selector, 1);
        _may("claim", network.claim.selector, 1);
        _may("lockCdt", network.lockCdt.selector, 1);
        _may("claimFees", network.claimFees.selector, 3);
        _may("rotate", network.rotate.selector, 3);
        _may("completeRotation", network.completeRotation.selector, 5);
        _may("failRotation", network.failRotation.selector, 2);
        _may("castBallots", network.castBallots.selector, 5);
        _may("openByAuxiliary", network.openByAuxiliary.selector, 1);
        _may("closeVote", network.closeVote.selector, 2);
        _may("chargeOpeners", network.chargeOpeners.selector, 3);
        _may("judgeSigners", network.judgeSigners.selector, 2);
        _may("equivocate", network.equivocate.selector, 1);
        _may("doubleBlock", network.doubleBlock.selector, 1);
        _may("leaveAlone", network.leaveAlone.selector, 1);
        _may("reportExit", network.reportExit.selector, 2);
        _may("settleFault", network.settleFault.selector, 3);
        _may("disputeCommitment", network.disputeCommitment.selector, 1);
        _may("complainFalsely", network.complainFalsely.selector, 1);
        _may("register", network.register.selector, 1);
        _may("addBond", network.addBond.selector, 1);
        _may("exit", network.exit.selector, 1);
        _may("withdrawBond", network.withdrawBond.selector, 1);
        _may("settle", network.settle.selector, 1);
        _may("repay", network.repay.selector, 1);
        _may("requestPool", network.requestPool.selector, 2);
        _may("drawVault", network.drawVault.selector, 2);
        _may("completeDkg", network.completeDkg.selector, 2);
        _may("failDkg", network.failDkg.selector, 1);
        _may("fundPool", network.fundPool.selector, 2);
        _may("activate", network.activate.selector, 3);
        _may("reward", network.reward.selector, 1);
        _may("penalize", network.penalize.selector, 1);
        _may("foreignDeposit", network.foreignDeposit.selector, 1);
        _may("payOut", network.payOut.selector, 1);
        _may("blockReward", network.blockReward.selector, 1);
        _may("requestLiquidation", network.requestLiquidation.selector, 3);
        _may("drawLiquidation", network.drawLiquidation.selector, 3);
        _may("leavePool", network.leavePool.selector, 3);
        _may("proveStall", network.proveStall.selector, 4);
        _may("report", network.report.selector, 5);
        _may("postPages", network.postPages.selector, 1);
        _may("finalize", network.finalize.selector, 5);
        _may("finalizeQueue", network.finalizeQueue.selector, 1);
        _may("pass", network.pass.selector, 1);
        _may("forceEther", network.forceEther.selector, 1);
        _may("donate", network.donate.selector, 1);
        _may("intrude", network.intrude.selector, 1);
        _may("sandwich", network.sandwich.selector, 1);
        _may("collapse", network.collapse.selector, 1);
        _may("redeem", network.redeem.selector, 1);
    }

    function test_evenRuns() public {
        _runs(0);
    }

    /// @dev A test of its own: tests run side by side.
    function test_oddRuns() public {
        _runs(1);
    }

    /// @dev Random actions reach everything.
    function test_everyActionHappens() public {
        Network[12] memory networks;
        for (uint256 seed = 0; seed < networks.length; ++seed) {
            networks[seed] = network = new Network();
            for (uint256 i = 0; i < 450; ++i) {
                _take(seed, i);
                if (i % 50 == 0) _call(seed, i + 1, abi.encodeCall(network.checkAll, ()));
            }
        }
        string[64] memory names = [
            "activate",
            "add bond",
            "advance draw",
            "approve",
            "block reward",
            "cast ballots",
            "charge a complainer",
            "claim fees",
            "claim",
            "close pool",
            "close vote",
            "commit",
            "complete DKG",
            "complete rotation",
            "convict a dealer",
            "deposit",
            "depositFor",
            "disprove",
            "donate",
            "draw liquidation",
            "draw vault",
            "drop",
            "exit",
            "fail DKG",
            "fail rotation",
            "finalize queue",
            "finalize",
            "force ether",
            "force exit",
            "foreign deposit",
            "form committee",
            "front-run permit",
            "fund pool",
            "intrude",
            "leave alone",
            "lie",
            "lock CDT",
            "open by auxiliary",
            "pass",
            "pay opener",
            "pay out",
            "penalize",
            "post page",
            "prove stall",
            "register",
            "repay",
            "report exit",
            "report front-run",
            "request liquidation",
            "request pool",
            "request rotation",
            "request with permit",
            "request",
            "reward",
            "sell request",
            "settle",
            "slash a pool's blocks",
            "slash an equivocation",
            "slash signers",
            "transfer",
            "unlock CDT",
            "unwrap",
            "vote down",
            "wrap"
        ];
        string memory missing;
        for (uint256 i = 0; i < names.length; ++i) {
            uint256 count = 0;
            for (uint256 j = 0; j < networks.length; ++j) {
                count += networks[j].done(names[i]);
            }
            if (count == 0) missing = string.concat(missing, names[i], ". ");
        }
        require(bytes(missing).length == 0, missing);
    }

    /// @dev And everything of the end, where every action still finds its way.
    function test_everyActionOfTheEnd() public {
        for (uint256 i = 0; i < 300; ++i) {
            _take(0, i);
        }
        network.collapse(0, 5);
        for (uint256 i = 300; i < 900; ++i) {
            _take(0, i);
            if (i % 50 == 0) _call(0, i + 1, abi.encodeCall(network.checkAll, ()));
        }
        string[4] memory names = ["claim units", "gather", "redeem", "wind down"];
        for (uint256 i = 0; i < names.length; ++i) {
            require(network.done(names[i]) > 0, names[i]);
        }
    }
}
