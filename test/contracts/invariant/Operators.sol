// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRewards} from "../../../contracts/interfaces/IRewards.sol";
import {ProducerId} from "../../../contracts/types/Ids.sol";
import {Stakers} from "./Stakers.sol";

/// @title What owners of block producers do, and what is done for them
abstract contract Operators is Stakers {
    /// @dev Point pages of the finalized reports, by the number that Rewards gives them.
    bytes[] internal pointPages;

    function register(uint256 bond) external action {
        if (producerCount >= MOST_PRODUCERS || windDown.started()) return;
        _register(4 ether + bond % 4 ether);
    }

    function addBond(uint256 who, uint256 amount) external action {
        if (windDown.started()) return;
        uint256 id = _producer(who);
        bytes memory data = abi.encodeCall(producers.addBond, (_pid(id)));
        _may("add bond", _ownerOf(id), address(producers), 0.01 ether + amount % 2 ether, data);
    }

    /// @dev Rarely: there are few of them.
    function exit(uint256 who) external action {
        if ((who >> 128) % 4 != 0) return;
        uint256 id = _producer(who);
        _may("exit", _ownerOf(id), address(producers), 0, abi.encodeCall(producers.exit, (_pid(id))));
    }

    function withdrawBond(uint256 who) external action {
        uint256 id = _producer(who);
        _may("withdraw bond", _ownerOf(id), address(producers), 0, abi.encodeCall(producers.withdrawBond, (_pid(id))));
    }

    /// @dev One report, by anybody.
    function settle(uint256 who) external action {
        uint256 id = _producer(who);
        uint256 number = rewards.nextReport(_pid(id));
        if (number > rewards.reportCount()) return;
        bytes memory page = pointPages[number - 1];
        IRewards.PointProof[] memory proofs = new IRewards.PointProof[](1);
        proofs[0].pageRoots = new bytes32[](1);
        proofs[0].pageRoots[0] = rootOfPage(page);
        uint256 index = (id - 1) / 8;
        proofs[0].word = _wordOf(page, index);
        if (page.length > 32) {
            proofs[0].branch = new bytes32[](1);
            proofs[0].branch[0] = _wordOf(page, index ^ 1);
        }
        _must("settle", _anyone(who), address(rewards), 0, abi.encodeCall(rewards.settle, (_pid(id), proofs)));
    }

    function repay(uint256 who, uint256 points) external action {
        uint256 id = _producer(who);
        _may("repay", _ownerOf(id), address(rewards), 0, abi.encodeCall(rewards.repay, (_pid(id), points % 500)));
    }

    function _producer(uint256 seed) internal view returns (uint256) {
        return seed % producerCount + 1;
    }

    function _pid(uint256 id) internal pure returns (ProducerId) {
        return ProducerId.wrap(uint32(id));
    }

    /// @dev Of a page of at most two words, as PageTree has it.
    function rootOfPage(bytes memory page) internal pure returns (bytes32 node) {
        require(page.length <= 64, "a page of more than two words");
        node = _wordOf(page, 0);
        if (page.length > 32) node = keccak256(abi.encode(node, _wordOf(page, 1)));
        return keccak256(abi.encode(page.length, node));
    }

    function _wordOf(bytes memory page, uint256 index) internal pure returns (bytes32 word) {
        for (uint256 i = 32 * index; i < 32 * index + 32 && i < page.length; ++i) {
            word |= bytes32(page[i]) >> (8 * (i % 32));
        }
    }
}
