// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {VM} from "./Vm.sol";
import {World} from "./World.sol";

/// @title What stakers do
abstract contract Stakers is World {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function deposit(uint256 who, uint256 amount) external action {
        if (windDown.started()) return;
        address staker = _staker(who);
        _must("deposit", staker, address(stakingPool), 0.01 ether + amount % 40 ether, abi.encodeWithSignature("deposit()"));
    }

    function depositFor(uint256 who, uint256 whom, uint256 amount) external action {
        if (windDown.started()) return;
        (address from, address to) = (_staker(who), _staker(whom));
        uint256 value = 0.01 ether + amount % 4 ether;
        _must("depositFor", from, address(stakingPool), value, abi.encodeCall(stakingPool.depositFor, (to)));
        _moveExpected(from, to, value);
    }

    function transfer(uint256 who, uint256 whom, uint256 amount) external action {
        (address from, address to) = (_staker(who), _staker(whom));
        uint256 value = _part(bondEther.balanceOf(from), amount);
        _must("transfer", from, address(bondEther), 0, abi.encodeCall(IERC20.transfer, (to, value)));
        _moveExpected(from, to, value);
    }

    function wrap(uint256 who, uint256 amount) external action {
        address staker = _staker(who);
        uint256 value = _part(bondEther.balanceOf(staker), amount);
        if (value < 1 gwei) return;
        _must("approve", staker, address(bondEther), 0, abi.encodeCall(IERC20.approve, (address(wrapped), type(uint256).max)));
        _must("wrap", staker, address(wrapped), 0, abi.encodeCall(wrapped.deposit, (value, staker)));
    }

    function unwrap(uint256 who, uint256 amount) external action {
        address staker = _staker(who);
        uint256 value = _part(wrapped.balanceOf(staker), amount);
        if (value < 1 gwei) return;
        _must("unwrap", staker, address(wrapped), 0, abi.encodeCall(wrapped.redeem, (value, staker, staker)));
    }

    function request(uint256 who, uint256 amount) external action {
        address staker = _staker(who);
        uint256 value = _part(bondEther.balanceOf(staker), amount);
        if (value < 2 gwei || windDown.started()) return;
        _must("approve", staker, address(bondEther), 0, abi.encodeCall(IERC20.approve, (address(queue), type(uint256).max)));
        _must("request", staker, address(queue), 0, abi.encodeCall(queue.requestWithdrawal, (value)));
        requestsOf[staker].push(queue.lastRequestId());
    }

    /// @dev With a signed permit; half the time somebody else sends it first.
    function requestWithPermit(uint256 who, uint256 amount) external action {
        uint256 key = BlsKeys.secret("staker", who % (STAKERS - 1));
        address staker = VM.addr(key);
        uint256 value = _part(bondEther.balanceOf(staker), amount);
        if (value < 2 gwei || windDown.started()) return;
        bytes memory signature = _permit(key, staker, value);
        if (amount % 2 == 0) {
            bytes memory head = abi.encode(staker, address(queue), value, type(uint256).max);
            _must("front-run permit", _staker(who ^ 1), address(bondEther), 0, bytes.concat(IERC20Permit.permit.selector, head, signature));
        }
        bytes memory data = abi.encode(value, type(uint256).max);
        data = bytes.concat(queue.requestWithdrawalWithPermit.selector, data, signature);
        _must("request with permit", staker, address(queue), 0, data);
        requestsOf[staker].push(queue.lastRequestId());
    }

    /// @dev A request is a token: it can be sold.
    function sellRequest(uint256 who, uint256 whom) external action {
        (address from, address to) = (_staker(who), _staker(whom));
        uint256[] storage ids = requestsOf[from];
        if (ids.length == 0 || from == to) return;
        uint256 id = ids[ids.length - 1];
        if (queue.request(id).claimed) return;
        uint256 value = queue.request(id).finalized ? queue.request(id).claimable : queue.request(id).amount;
        _must("sell request", from, address(queue), 0, abi.encodeCall(queue.transferFrom, (from, to, id)));
        ids.pop();
        requestsOf[to].push(id);
        _moveExpected(from, to, value);
    }

    /// @dev Once, and not twice.
    function claim(uint256 who, uint256 which) external action {
        address staker = _staker(who);
        uint256[] storage ids = requestsOf[staker];
        if (ids.length == 0) return;
        uint256 id = ids[which % ids.length];
        bytes memory data = abi.encodeCall(queue.claimWithdrawal, (id));
        if (queue.request(id).finalized && !queue.request(id).claimed) _must("claim", staker, address(queue), 0, data);
        (bool ok,) = _as(staker, address(queue), 0, data);
        if (ok) _break("a request was claimed twice, or before it was finalized");
    }

    function lockCdt(uint256 who, uint256 amount) external action {
        address owner = _anyone(who);
        uint256 value = _part(cdt.balanceOf(owner), amount);
        if (value < 1 ether) return;
        _must("approve", owner, address(cdt), 0, abi.encodeCall(cdt.approve, (address(cdtStaking), type(uint256).max)));
        _must("lock CDT", owner, address(cdtStaking), 0, abi.encodeCall(cdtStaking.lock, (value)));
    }

    /// @dev What is claimed was taken from rewards.
    function claimFees(uint256 which, uint256 unlock) external action {
        uint256 count = cdtStaking.positionCount();
        if (count == 0) return;
        uint256 id = which % count + 1;
        address owner = cdtStaking.position(id).owner;
        uint256[] memory before = fortunes();
        _must("claim fees", owner, address(cdtStaking), 0, abi.encodeCall(cdtStaking.claim, (id)));
        if (unlock % 2 == 0) {
            uint256 amount = cdtStaking.position(id).amount;
            _may("unlock CDT", owner, address(cdtStaking), 0, abi.encodeCall(cdtStaking.unlock, (id, amount)));
        }
        _book(before);
    }

    /// @dev The queue's allowance of `value`: v, r and s as words.
    function _permit(uint256 key, address staker, uint256 value) private view returns (bytes memory) {
        IERC20Permit token = IERC20Permit(address(bondEther));
        uint256 nonce = token.nonces(staker);
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, staker, address(queue), value, nonce, type(uint256).max));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
        return abi.encode(v, r, s);
    }

    function _moveExpected(address from, address to, uint256 value) internal {
        // What a buyer pays is no concern here: the value changes hands, and nobody has more for it.
        expected[from] -= value;
        expected[to] += value;
    }

    function _part(uint256 whole, uint256 seed) internal pure returns (uint256) {
        return whole == 0 ? 0 : seed % (whole + 1);
    }
}
