// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";

/// @title The pools, the lists they are in, and what is read of them
/// @dev The registered list of a kind only grows: a pool's place in it is its place in every report. The active list is for
/// draws, its order changes as pools leave it.
abstract contract PoolBook is IPoolRegistry {
    /// @dev Two slots of fields, one for the rest of the key, and one for the hash.
    struct Record {
        PoolKind kind;
        PoolState state;
        bool frontRun;
        bool tainted; // somebody is barred from its key generation
        uint32 round;
        uint32 ordinal;
        uint32 activePosition;
        uint64 deadline; // epoch
        uint64 closedAt;
        uint64 registeredAt;
        uint64 fundedAt;
        bytes16 keyTail;
        bytes32 keyHead;
        bytes32 publicSharesHash;
    }

    uint32 private _count;
    uint32 private _exiting;
    uint32 private _bondPools;
    /// @dev Staker pools that wait for their draw: their seats are not locked yet, but spoken for.
    uint32 internal _undrawnStakerPools;
    mapping(PoolId poolId => Record) internal _pools;
    /// @dev Those that have taken over from another, or whose seats are given back; of others BlockProducers knows who holds the live
    /// seats. Eight members a word, the first lowest, none after the last.
    mapping(PoolId poolId => mapping(uint256 word => uint256)) private _vaults;
    mapping(bytes32 keyHash => PoolId) private _byKey;
    mapping(PoolId poolId => mapping(uint32 round => bytes32)) private _vaultHashes;
    mapping(PoolId poolId => mapping(uint32 round => bytes32)) private _failedVaults;
    mapping(PoolId poolId => mapping(uint32 round => uint256)) private _barred;
    PoolId[][2] private _registered;
    PoolId[][2] private _active;

    /// @inheritdoc IPoolRegistry
    function pool(PoolId poolId) external view returns (Pool memory) {
        Record storage record = _pools[poolId];
        return Pool({
            kind: record.kind,
            state: record.state,
            round: record.round,
            ordinal: record.ordinal,
            deadline: Epoch.wrap(record.deadline),
            registeredAt: record.registeredAt,
            fundedAt: record.fundedAt,
            closedAt: record.closedAt,
            frontRun: record.frontRun,
            publicSharesHash: record.publicSharesHash,
            publicKey: record.registeredAt == 0 ? bytes("") : _publicKeyOf(record)
        });
    }

    /// @inheritdoc IPoolRegistry
    function vault(PoolId poolId) external view returns (ProducerId[] memory members) {
        return _vaultOf(poolId);
    }

    /// @inheritdoc IPoolRegistry
    function presentVaultHash(PoolId poolId) external view returns (bytes32) {
        return keccak256(abi.encodePacked(_vaultOf(poolId)));
    }

    /// @inheritdoc IPoolRegistry
    function vaultHashOf(PoolId poolId, uint32 round) external view returns (bytes32) {
        return _vaultHashes[poolId][round];
    }

    /// @inheritdoc IPoolRegistry
    function failedVaultHashOf(PoolId poolId, uint32 round) external view returns (bytes32) {
        return _failedVaults[poolId][round];
    }

    /// @inheritdoc IPoolRegistry
    function poolCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IPoolRegistry
    function poolByKey(bytes calldata publicKey) external view returns (PoolId) {
        return _byKey[keccak256(publicKey)];
    }

    /// @inheritdoc IPoolRegistry
    function registeredCount(PoolKind kind) external view returns (uint32) {
        return uint32(_registered[uint8(kind)].length);
    }

    /// @inheritdoc IPoolRegistry
    function registeredAt(PoolKind kind, uint32 ordinal) external view returns (PoolId) {
        return _at(_registered[uint8(kind)], ordinal);
    }

    /// @inheritdoc IPoolRegistry
    function registeredCountAt(PoolKind kind, uint64 timestamp) external view returns (uint32) {
        PoolId[] storage list = _registered[uint8(kind)];
        uint256 high = list.length;
        uint256 low = high;
        // Reports ask of lately: from the last one back in doubling steps, then in between. Times never fall along the list.
        for (uint256 step = 1; low > 0 && _pools[list[low - 1]].registeredAt > timestamp; step *= 2) {
            high = low - 1;
            low = low > step ? low - step : 0;
        }
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (_pools[list[middle - 1]].registeredAt > timestamp) high = middle - 1;
            else low = middle;
        }
        return uint32(low);
    }

    /// @inheritdoc IPoolRegistry
    function activeCount(PoolKind kind) external view returns (uint32) {
        return uint32(_active[uint8(kind)].length);
    }

    /// @inheritdoc IPoolRegistry
    function activeAt(PoolKind kind, uint32 position) external view returns (PoolId) {
        return _at(_active[uint8(kind)], position);
    }

    /// @inheritdoc IPoolRegistry
    function exitingCount() external view returns (uint32) {
        return _exiting;
    }

    /// @inheritdoc IPoolRegistry
    function bondPoolCount() public view returns (uint32) {
        return _bondPools;
    }

    /// @dev A new pool in state Requested.
    function _open(PoolKind kind) internal returns (PoolId poolId) {
        poolId = PoolId.wrap(++_count);
        Record storage record = _pools[poolId];
        record.kind = kind;
        record.state = PoolState.Requested;
        if (kind == PoolKind.Bond) ++_bondPools;
        else ++_undrawnStakerPools;
    }

    function _vaultOf(PoolId poolId) internal view returns (ProducerId[] memory members) {
        mapping(uint256 word => uint256) storage words = _vaults[poolId];
        if (words[0] == 0) return _unpacked(_seated(poolId));
        uint256 count = 0;
        while (words[count] != 0) ++count;
        uint256[] memory kept = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            kept[i] = words[i];
        }
        return _unpacked(kept);
    }

    /// @dev As words of a vault: the first to hold live seats of a pool, in the order in which they were drawn. Those drawn to take over
    /// come after them.
    function _seated(PoolId poolId) internal view virtual returns (uint256[] memory words);

    function _setVault(PoolId poolId, ProducerId[] memory members) internal {
        mapping(uint256 word => uint256) storage words = _vaults[poolId];
        unchecked {
            // All vaults have one size: every word that stood there is overwritten.
            uint256 i = members.length;
            for (uint256 word = 0; i > 0;) {
                word = (word << 32) | ProducerId.unwrap(members[--i]);
                if (i % 8 != 0) continue;
                words[i / 8] = word;
                word = 0;
            }
        }
    }

    /// @dev From now on these members answer for the pool's certificates under its present round.
    function _recordVault(PoolId poolId, ProducerId[] memory members) internal {
        _vaultHashes[poolId][_pools[poolId].round] = keccak256(abi.encodePacked(members));
    }

    /// @dev Members barred from the ceremony of the present round, as bits.
    function _barredOf(PoolId poolId, Record storage record) internal view returns (uint256) {
        return record.tainted ? _barred[poolId][record.round] : 0;
    }

    function _barMembers(PoolId poolId, Record storage record, uint256 bits) internal {
        _barred[poolId][record.round] = _barredOf(poolId, record) | bits;
        record.tainted = true;
    }

    /// @dev From ceremony back to requested, for the next round. @return members that it was drawn for
    function _restart(PoolId poolId, Record storage record) internal returns (ProducerId[] memory members) {
        members = _vaultOf(poolId);
        _failedVaults[poolId][record.round] = keccak256(abi.encodePacked(members));
        record.state = PoolState.Requested;
        record.tainted = false;
        ++record.round;
        if (record.kind == PoolKind.Staker) ++_undrawnStakerPools;
    }

    /// @dev Gives a pool its key, for ever. @return ordinal among the registered pools of its kind
    function _register(PoolId poolId, bytes memory publicKey, ProducerId[] memory members) internal returns (uint32 ordinal) {
        bytes32 keyHash = keccak256(publicKey);
        if (PoolId.unwrap(_byKey[keyHash]) != 0) revert KeyTaken(publicKey, _byKey[keyHash]);
        _byKey[keyHash] = poolId;
        Record storage record = _pools[poolId];
        record.state = PoolState.Registered;
        record.registeredAt = uint64(block.timestamp);
        assembly ("memory-safe") {
            // Head and tail of the 48 bytes; both are at least as long as what is read.
            keyHash := mload(add(publicKey, 0x20))
        }
        record.keyHead = keyHash;
        assembly ("memory-safe") {
            keyHash := shl(128, mload(add(publicKey, 0x30)))
        }
        record.keyTail = bytes16(keyHash);
        PoolId[] storage list = _registered[uint8(record.kind)];
        ordinal = uint32(list.length);
        record.ordinal = ordinal;
        list.push(poolId);
        _recordVault(poolId, members);
    }

    function _activate(PoolId poolId) internal {
        Record storage record = _pools[poolId];
        record.state = PoolState.Funded;
        record.fundedAt = uint64(block.timestamp);
        PoolId[] storage list = _active[uint8(record.kind)];
        record.activePosition = uint32(list.length);
        list.push(poolId);
    }

    /// @dev From registered to exiting: its validator is spent before it was funded. It was never in the active list.
    function _abandon(PoolId poolId) internal {
        Record storage record = _pools[poolId];
        record.state = PoolState.Exiting;
        record.fundedAt = uint64(block.timestamp);
        ++_exiting;
        _uncountBondPool(record.kind);
    }

    /// @dev From funded to exiting: the last of the active list takes the free place.
    function _deactivate(PoolId poolId) internal {
        Record storage record = _pools[poolId];
        record.state = PoolState.Exiting;
        ++_exiting;
        _uncountBondPool(record.kind);
        PoolId[] storage list = _active[uint8(record.kind)];
        PoolId last = list[list.length - 1];
        list[record.activePosition] = last;
        _pools[last].activePosition = record.activePosition;
        list.pop();
    }

    /// @dev From exiting to closed.
    function _finish(PoolId poolId) internal {
        --_exiting;
        _pools[poolId].state = PoolState.Closed;
        _pools[poolId].closedAt = uint64(block.timestamp);
    }

    /// @dev From registered to closed, its 1 ETH lost.
    function _loseKey(PoolId poolId) internal {
        Record storage record = _pools[poolId];
        _uncountBondPool(record.kind);
        record.state = PoolState.Closed;
        record.frontRun = true;
        record.closedAt = uint64(block.timestamp);
    }

    /// @dev From requested to cancelled.
    function _drop(PoolId poolId) internal {
        Record storage record = _pools[poolId];
        _uncountBondPool(record.kind);
        if (record.kind == PoolKind.Staker) --_undrawnStakerPools;
        record.state = PoolState.Cancelled;
    }

    function _expect(PoolId poolId, PoolState expected) internal view returns (Record storage record) {
        record = _pools[poolId];
        if (record.state != expected) revert WrongState(poolId, expected, record.state);
    }

    function _publicKeyOf(Record storage record) internal view returns (bytes memory) {
        return abi.encodePacked(record.keyHead, record.keyTail);
    }

    function _unpacked(uint256[] memory words) private pure returns (ProducerId[] memory members) {
        members = new ProducerId[](words.length * 8);
        uint256 length = 0;
        unchecked {
            for (uint256 i = 0; i < words.length; ++i) {
                for (uint256 rest = words[i]; rest != 0; rest >>= 32) {
                    members[length++] = ProducerId.wrap(uint32(rest));
                }
            }
        }
        assembly ("memory-safe") {
            // Shorter than it was allocated.
            mstore(members, length)
        }
    }

    function _uncountBondPool(PoolKind kind) private {
        if (kind == PoolKind.Bond) --_bondPools;
    }

    function _at(PoolId[] storage list, uint32 position) private view returns (PoolId) {
        if (position >= list.length) revert OrdinalOutOfRange(position, uint32(list.length));
        return list[position];
    }
}
