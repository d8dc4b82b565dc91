// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Invariants} from "./Invariants.sol";

/// @title The handlers as one contract: ten producers, period 0 begun, some ETH staked
contract Network is Invariants {
    constructor() {
        _begin();
        for (uint256 i = 0; i < 10; ++i) {
            _register(4.1 ether);
        }
        _toEpoch(FIRST_PERIOD);
        clock = block.timestamp;
        require(bytes(broken).length == 0, broken);
    }
}

contract NetworkTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Network private network;

    function setUp() public {
        network = new Network();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(network);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(network), _actions());
    }

    /// @dev What comes often is named twice.
    function _actions() private view returns (bytes4[] memory all) {
        bytes4[40] memory actions = [
            network.deposit.selector,
            network.deposit.selector,
            network.depositFor.selector,
            network.transfer.selector,
            network.wrap.selector,
            network.unwrap.selector,
            network.request.selector,
            network.requestWithPermit.selector,
            network.sellRequest.selector,
            network.claim.selector,
            network.lockCdt.selector,
            network.claimFees.selector,
            network.register.selector,
            network.addBond.selector,
            network.exit.selector,
            network.withdrawBond.selector,
            network.settle.selector,
            network.repay.selector,
            network.requestPool.selector,
            network.drawVault.selector,
            network.completeDkg.selector,
            network.failDkg.selector,
            network.fundPool.selector,
            network.activate.selector,
            network.reward.selector,
            network.penalize.selector,
            network.foreignDeposit.selector,
            network.payOut.selector,
            network.blockReward.selector,
            network.requestLiquidation.selector,
            network.drawLiquidation.selector,
            network.leavePool.selector,
            network.proveStall.selector,
            network.report.selector,
            network.postPages.selector,
            network.finalize.selector,
            network.finalizeQueue.selector,
            network.pass.selector,
            network.forceEther.selector,
            network.donate.selector
        ];
        bytes4[16] memory more = [
            network.intrude.selector,
            network.sandwich.selector,
            network.collapse.selector,
            network.redeem.selector,
            network.requestPool.selector,
            network.drawVault.selector,
            network.completeDkg.selector,
            network.fundPool.selector,
            network.activate.selector,
            network.report.selector,
            network.report.selector,
            network.finalize.selector,
            network.request.selector,
            network.requestLiquidation.selector,
            network.drawLiquidation.selector,
            network.proveStall.selector
        ];
        all = new bytes4[](56);
        for (uint256 i = 0; i < 40; ++i) {
            all[i] = actions[i];
        }
        for (uint256 i = 0; i < 16; ++i) {
            all[40 + i] = more[i];
        }
    }

    function invariant_network() public {
        network.checkAlways();
    }

    /// @dev Then everything that happened is reported and finalized, and what was promised must be there.
    function afterInvariant() public {
        network.checkAll();
        if (network.settleAll()) {
            network.checkAlways();
            network.checkAll();
            network.checkSolvency();
        }
    }

    /// @dev Random actions reach everything: shown by a run whose numbers are hashes.
    function test_everyActionHappens() public {
        bytes4[] memory actions = _actions();
        for (uint256 i = 0; i < 4_000; ++i) {
            bytes32 seed = keccak256(abi.encode(i));
            bytes32 a = keccak256(abi.encode(seed, 1));
            bytes4 chosen = actions[uint256(seed) % actions.length];
            if (chosen == network.collapse.selector) continue;
            (bool ok, bytes memory answer) = address(network).call(abi.encodePacked(chosen, a, keccak256(abi.encode(a)), uint256(seed)));
            if (!ok) {
                assembly ("memory-safe") {
                    revert(add(answer, 0x20), mload(answer))
                }
            }
            network.checkAlways();
            if (i % 50 == 0) network.checkAll();
        }
        string[49] memory names = [
            "activate",
            "add bond",
            "advance draw",
            "approve",
            "block reward",
            "claim",
            "claim fees",
            "close pool",
            "commit",
            "complete DKG",
            "deposit",
            "depositFor",
            "disprove",
            "donate",
            "draw liquidation",
            "draw vault",
            "drop",
            "exit",
            "fail DKG",
            "finalize",
            "finalize queue",
            "force ether",
            "force exit",
            "foreign deposit",
            "form committee",
            "front-run permit",
            "fund pool",
            "intrude",
            "lie",
            "lock CDT",
            "pass",
            "pay out",
            "penalize",
            "post page",
            "prove stall",
            "register",
            "repay",
            "report front-run",
            "request",
            "request liquidation",
            "request pool",
            "request with permit",
            "reward",
            "sell request",
            "settle",
            "transfer",
            "unlock CDT",
            "unwrap",
            "wrap"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            require(network.done(names[i]) > 0, names[i]);
        }
    }
}
