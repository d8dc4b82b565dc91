// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

/// @dev How many seats were ever released, as the last change left it: its time (48 bits) and the count in all (32). Earlier
/// changes are in a trace beside it.
type Released is uint80;

using {time, entered, afterTime} for Released global;

function time(Released released) pure returns (uint48) {
    return uint48(Released.unwrap(released) >> 32);
}

/// @dev With `count` more from a time on. Tails need not end in the order in which they are entered: one that would end before an
/// earlier one ends with it.
function entered(Released released, Checkpoints.Trace208 storage before, uint256 count, uint48 from) returns (Released) {
    (uint48 last, uint32 counted) = (time(released), countOf(released));
    if (from > last) {
        if (last != 0) Checkpoints.push(before, last, counted);
        last = from;
    }
    return Released.wrap((uint80(last) << 32) | (counted + uint32(count)));
}

/// @dev Of what was released: what came after a time.
function afterTime(Released released, Checkpoints.Trace208 storage before, uint48 time_) view returns (uint256) {
    return time_ >= time(released) ? 0 : countOf(released) - uint256(Checkpoints.upperLookupRecent(before, time_));
}

function countOf(Released released) pure returns (uint32) {
    return uint32(Released.unwrap(released));
}
