// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBondEther} from "../../../contracts/interfaces/IBondEther.sol";
import {IStakingPool} from "../../../contracts/interfaces/IStakingPool.sol";
import {IWithdrawalQueue} from "../../../contracts/interfaces/IWithdrawalQueue.sol";

/// @dev A staker whose account reverts on ETH, or claims again from inside of a claim.
contract HostileClaimer {
    IBondEther private immutable BOND_ETHER;
    IStakingPool private immutable STAKING_POOL;
    IWithdrawalQueue private immutable QUEUE;

    bool public refuses;
    uint256 public reenterWith;
    bool public reentryFailed;

    constructor(IBondEther bondEther, IStakingPool stakingPool, IWithdrawalQueue queue) payable {
        BOND_ETHER = bondEther;
        STAKING_POOL = stakingPool;
        QUEUE = queue;
        STAKING_POOL.deposit{value: msg.value}();
        BOND_ETHER.approve(address(queue), type(uint256).max);
    }

    receive() external payable {
        require(!refuses, "no ETH, thanks");
        if (reenterWith == 0) return;
        try QUEUE.claimWithdrawal(reenterWith) {}
        catch {
            reentryFailed = true;
        }
    }

    function behave(bool refuse, uint256 reenter) external {
        refuses = refuse;
        reenterWith = reenter;
    }

    function requestWithdrawal(uint256 amount) external returns (uint256) {
        return QUEUE.requestWithdrawal(amount);
    }

    function claim(uint256 requestId) external {
        QUEUE.claimWithdrawal(requestId);
    }
}
