// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IWithdrawalQueue} from "../../../contracts/interfaces/IWithdrawalQueue.sol";

/// @title A staker that tries to be paid again while it is being paid
contract HostileReceiver {
    IWithdrawalQueue private immutable QUEUE;
    bool private _inside;

    constructor(IWithdrawalQueue queue) {
        QUEUE = queue;
    }

    receive() external payable {
        if (_inside) return;
        _inside = true;
        uint256 last = QUEUE.lastFinalizedId();
        for (uint256 id = last > 3 ? last - 3 : 1; id <= last; ++id) {
            (bool ok,) = address(QUEUE).call(abi.encodeCall(QUEUE.claimWithdrawal, (id)));
            // Others of its own it may claim: that is one claim each.
            ok;
        }
        (bool again,) = address(QUEUE).call(abi.encodeCall(QUEUE.finalize, (1)));
        again;
        _inside = false;
    }
}
