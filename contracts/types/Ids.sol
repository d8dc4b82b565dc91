// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Id of a pool, from 1; 0 is none.
type PoolId is uint32;
/// @dev Id of a block producer, from 1; 0 is none.
type ProducerId is uint32;
/// @dev Beacon chain epoch.
type Epoch is uint64;
/// @dev Beacon chain slot.
type Slot is uint64;
/// @dev Balance in gwei.
type Gwei is uint64;

using {sameProducer as ==} for ProducerId global;

function sameProducer(ProducerId a, ProducerId b) pure returns (bool) {
    return ProducerId.unwrap(a) == ProducerId.unwrap(b);
}

/// @dev Whose ETH stands behind a pool: stakers' (seats lock bonds) or the bonds' own (seats lock nothing).
enum PoolKind {
    Staker,
    Bond
}
