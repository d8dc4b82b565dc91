// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @dev Running sums of all requests up to `lastId`, in one slot. `amount` and `shares` run on modulo their size: only
///      differences of tallies are used, and what waits between two of them is below 2^88 wei (309 million ETH) and
///      2^104 shares (20 billion ETH at the index with which all began, 20 million at the least index).
struct Tally {
    uint32 lastId;
    uint32 mark; // a batch: time of request `lastId`, seconds since the beacon chain's genesis; what is finalized: its number of rates
    uint88 amount; // wei asked, cumulative
    uint104 shares; // cumulative
}

/// @dev Requests up to `lastId` (from the checkpoint before on) get `paid / asked` of their amounts.
struct Rate {
    uint32 lastId;
    uint96 asked;
    uint96 paid;
}

/// @title Arithmetic of batches of withdrawal requests
library WithdrawalBatches {
    /// @notice What lies between two tallies.
    function between(Tally memory from, Tally memory to) internal pure returns (uint256 asked, uint256 shares) {
        unchecked {
            return (uint88(to.amount - from.amount), uint104(to.shares - from.shares));
        }
    }

    /// @notice Rate at which a finalized request is paid. Nearly all are paid in full, as one checkpoint; the search starts from the
    /// newest, in steps that double, so that a claim soon after its finalization is cheap. `count` rates there are.
    function rateOf(mapping(uint256 position => Rate) storage rates, uint256 count, uint256 id) internal view returns (Rate memory) {
        uint256 high = count - 1; // its lastId is at least id, because id is finalized
        uint256 low = 0;
        for (uint256 step = 1; high > 0; step *= 2) {
            uint256 probe = Math.saturatingSub(high, step);
            if (rates[probe].lastId < id) {
                low = probe + 1;
                break;
            }
            high = probe;
        }
        // The answer lies in low … high.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (rates[middle].lastId >= id) high = middle;
            else low = middle + 1;
        }
        return rates[high];
    }

    /// @notice Adds the rate of the requests up to `lastId` to `count` others; those paid in full share the checkpoint of their predecessors.
    function addRate(mapping(uint256 position => Rate) storage rates, uint256 count, uint256 lastId, uint256 asked, uint256 paid)
        internal
        returns (uint256 newCount)
    {
        if (paid == asked && count > 0) {
            Rate storage last = rates[count - 1];
            if (last.paid == last.asked) {
                last.lastId = uint32(lastId);
                return count;
            }
        }
        rates[count] = Rate({lastId: uint32(lastId), asked: uint96(asked), paid: uint96(paid)});
        return count + 1;
    }
}
