// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {console} from "hardhat/console.sol";
import {Network} from "./Network.sol";
import {VM} from "./Vm.sol";

/// @title A run: actions drawn from a seed, and from nothing else, so that whatever it finds is found again
/// @dev What fails is shown with all actions that led to it; where it failed is in the stack trace.
abstract contract Run {
    struct Action {
        string name;
        bytes4 selector;
        uint8 weight;
    }

    struct Step {
        uint256 action;
        uint256[3] words;
    }

    Network internal network;
    Action[] private _actions;
    /// @dev Each action as often as its weight.
    uint8[] private _wheel;

    function _may(string memory name, bytes4 selector, uint8 weight) internal {
        for (uint256 i = 0; i < weight; ++i) {
            _wheel.push(uint8(_actions.length));
        }
        _actions.push(Action(name, selector, weight));
    }

    /// @dev Every second of INVARIANT_RUNS runs of INVARIANT_DEPTH actions, their seeds counted on from INVARIANT_SEED.
    function _runs(uint256 from) internal {
        uint256 first = VM.envOr("INVARIANT_SEED", uint256(0));
        uint256 depth = VM.envOr("INVARIANT_DEPTH", uint256(100));
        uint256 end = first + VM.envOr("INVARIANT_RUNS", uint256(256));
        uint256 fresh = VM.snapshotState();
        for (uint256 seed = first + from; seed < end; seed += 2) {
            _run(seed, depth);
            VM.revertToState(fresh);
        }
    }

    /// @dev All of them, everything asserted: a little after each, the rest at the end, before and after all is recognised.
    function _run(uint256 seed, uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            _take(seed, i);
        }
        _call(seed, count, abi.encodeCall(network.checkAll, ()));
        if (!abi.decode(_call(seed, count, abi.encodeCall(network.settleAll, ())), (bool))) return;
        _call(seed, count, abi.encodeCall(network.checkAlways, ()));
        _call(seed, count, abi.encodeCall(network.checkAll, ()));
        _call(seed, count, abi.encodeCall(network.checkSolvency, ()));
    }

    function _take(uint256 seed, uint256 place) internal {
        Step memory step = _step(seed, place);
        _call(seed, place + 1, abi.encodePacked(_actions[step.action].selector, step.words));
        _call(seed, place + 1, abi.encodeCall(network.checkAlways, ()));
    }

    function _call(uint256 seed, uint256 taken, bytes memory data) internal returns (bytes memory) {
        (bool ok, bytes memory answer) = address(network).call(data);
        if (!ok) {
            _tell(seed, taken);
            console.log("called", VM.toString(data));
            console.log("answered", VM.toString(answer));
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return answer;
    }

    /// @dev One word in eight is of those at which sums overflow and loops end.
    function _step(uint256 seed, uint256 place) private view returns (Step memory step) {
        uint256 word = uint256(keccak256(abi.encode(seed, place)));
        step.action = _wheel[(word >> 128) % _wheel.length];
        for (uint256 i = 0; i < 3; ++i) {
            step.words[i] = uint256(keccak256(abi.encode(word, i)));
            if (step.words[i] % 8 == 0) step.words[i] = _edge(step.words[i] >> 3);
        }
    }

    function _edge(uint256 which) private pure returns (uint256) {
        if (which % 4 == 0) return which >> 2 & 3;
        if (which % 4 == 1) return type(uint256).max - (which >> 2 & 1);
        if (which % 4 == 2) return uint256(1) << uint8(which >> 2);
        return (uint256(1) << uint8(which >> 2)) - 1;
    }

    function _tell(uint256 seed, uint256 taken) private view {
        console.log("seed", seed);
        for (uint256 i = 0; i < taken; ++i) {
            Step memory step = _step(seed, i);
            console.log(i, _actions[step.action].name);
        }
        if (taken == 0) return;
        uint256[3] memory words = _step(seed, taken - 1).words;
        console.log("the last one's words", VM.toString(abi.encodePacked(words)));
    }
}
