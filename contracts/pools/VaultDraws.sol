// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IVaultDraws} from "../interfaces/IVaultDraws.sol";
import {Layout, RandaoProof, StateProof} from "../libraries/BeaconProofs.sol";
import {RandaoSeeds} from "../libraries/RandaoSeeds.sol";
import {SwapOrNot} from "../libraries/SwapOrNot.sol";
import {Epoch, PoolId, PoolKind, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title Draws of vaults, strictly in the order of their requests
/// @dev Nothing that happens after a request changes its outcome, but for slashes: the list is that of the request's period,
/// bonds are those of that period's start at the value of the request, and seats are only locked here, in the same order.
/// Members found are locked all at once when the vault is full, so a draw that fails has touched nothing.
contract VaultDraws is IVaultDraws, BeaconClock {
    /// @dev Positions that one call walks at most: some 40,000 gas each.
    uint256 private constant MAX_POSITIONS = 128;

    IBeaconLayout private immutable BEACON_LAYOUT;
    IBlockProducers private immutable BLOCK_PRODUCERS;
    IPeriods private immutable PERIODS;
    IPoolRegistry private immutable POOL_REGISTRY;
    uint64 private immutable VECTOR_LENGTH;
    uint64 private immutable SEED_DELAY;
    uint256 private immutable VAULT_SIZE;

    uint256 private _count;
    uint256 private _next = 1;
    mapping(uint256 drawId => Draw) private _draws;
    mapping(PoolId poolId => uint256) private _latestOf;
    /// @dev Of the oldest draw, once its seed is proven.
    uint256 private _walked;
    ProducerId[] private _found;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        BEACON_LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        BLOCK_PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        PERIODS = IPeriods(nonZero(addresses.periods));
        POOL_REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        VECTOR_LENGTH = parameters.epochsPerHistoricalVector;
        SEED_DELAY = parameters.seedDelay;
        VAULT_SIZE = parameters.vaultSize;
    }

    /// @inheritdoc IVaultDraws
    function request(PoolId poolId, uint32 round, PoolKind kind) external returns (uint256 drawId, Epoch seedEpoch) {
        if (msg.sender != address(POOL_REGISTRY)) revert NotPoolRegistry(msg.sender);
        uint64 period = PERIODS.currentPeriod();
        seedEpoch = Epoch.wrap(_firstEpochAfter(SEED_DELAY));
        drawId = ++_count;
        _draws[drawId] = Draw({
            poolId: poolId,
            round: round,
            kind: kind,
            period: period,
            seedEpoch: seedEpoch,
            done: false,
            mix: 0,
            unitValue: BLOCK_PRODUCERS.unitValue()
        });
        _latestOf[poolId] = drawId;
        emit DrawRequested(drawId, poolId, round, period, seedEpoch);
    }

    /// @inheritdoc IVaultDraws
    function selectVault(PoolId poolId, uint64 timestamp, StateProof calldata state, RandaoProof calldata randao) external {
        uint256 drawId = _latestOf[poolId];
        if (drawId == 0 || _draws[drawId].done) revert NoDrawPending(poolId);
        if (drawId != _next) revert OutOfOrder(_next, drawId);
        Draw storage current = _draws[drawId];
        if (current.mix != 0) revert SeedAlreadyProven(drawId);
        uint64 seedEpoch = _seedEpochNow(current);
        if (seedEpoch != Epoch.unwrap(current.seedEpoch)) {
            current.seedEpoch = Epoch.wrap(seedEpoch);
            emit SeedEpochMoved(drawId, current.seedEpoch);
        }
        (bytes32 stateRoot, uint64 epoch, Layout memory row) = _stateAt(BEACON_LAYOUT, timestamp, state);
        RandaoSeeds.verify(stateRoot, epoch, row, randao, seedEpoch, VECTOR_LENGTH);
        current.mix = randao.mix;
        emit SeedProven(drawId, current.seedEpoch, randao.mix);
        _walk(drawId, MAX_POSITIONS);
    }

    /// @inheritdoc IVaultDraws
    function advance(uint256 maxPositions) external {
        uint256 drawId = _next;
        if (_draws[drawId].mix == 0) revert SeedUnproven(drawId);
        _walk(drawId, maxPositions < MAX_POSITIONS ? maxPositions : MAX_POSITIONS);
    }

    /// @inheritdoc IVaultDraws
    function nextDrawId() external view returns (uint256) {
        return _next;
    }

    /// @inheritdoc IVaultDraws
    function drawCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IVaultDraws
    function draw(uint256 drawId) external view returns (Draw memory result) {
        result = _draws[drawId];
        if (drawId > 0 && drawId <= _count && !result.done && result.mix == 0) {
            result.seedEpoch = Epoch.wrap(_seedEpochNow(_draws[drawId]));
        }
    }

    function _seedEpochNow(Draw storage current) private view returns (uint64) {
        return RandaoSeeds.epochNow(Epoch.unwrap(current.seedEpoch), _currentEpoch(), VECTOR_LENGTH);
    }

    /// @dev Walks `most` positions of the shuffled list, a vault's size at a time: few draws need more than that.
    function _walk(uint256 drawId, uint256 most) private {
        Draw storage current = _draws[drawId];
        uint256 size = PERIODS.sizeAt(current.period);
        bytes32 seed = sha256(
            abi.encodePacked(current.mix, "vault", PoolId.unwrap(current.poolId), current.round)
        );
        uint256 walked = _walked;
        uint256 end = walked + most < size ? walked + most : size;
        while (walked < end && _found.length < VAULT_SIZE) {
            uint256 to = walked + VAULT_SIZE < end ? walked + VAULT_SIZE : end;
            uint256[] memory positions = SwapOrNot.shuffledIndices(walked, to, size, seed);
            for (uint256 i = 0; i < positions.length && _found.length < VAULT_SIZE; ++i) {
                _consider(current, uint32(positions[i]));
            }
            walked = to;
        }
        if (_found.length == VAULT_SIZE) return _fill(drawId);
        if (walked == size) return _cancel(drawId);
        _walked = walked;
        emit DrawAdvanced(drawId, uint32(walked), uint32(_found.length));
    }

    function _consider(Draw storage current, uint32 position) private {
        ProducerId producerId = PERIODS.producerAt(current.period, position);
        if (BLOCK_PRODUCERS.isEligible(producerId, current.kind, current.period, current.unitValue)) _found.push(producerId);
    }

    function _fill(uint256 drawId) private {
        Draw storage current = _draws[drawId];
        ProducerId[] memory members = _found;
        _close(drawId);
        emit DrawFilled(drawId, current.poolId, members);
        BLOCK_PRODUCERS.lockSeats(current.poolId, current.kind, members);
        POOL_REGISTRY.startCeremony(current.poolId, members);
    }

    function _cancel(uint256 drawId) private {
        PoolId poolId = _draws[drawId].poolId;
        uint256 found = _found.length;
        _close(drawId);
        emit DrawCancelled(drawId, poolId, found, VAULT_SIZE);
        POOL_REGISTRY.cancel(poolId);
    }

    function _close(uint256 drawId) private {
        _draws[drawId].done = true;
        _draws[drawId].mix = 0;
        _walked = 0;
        delete _found;
        _next = drawId + 1;
    }
}
