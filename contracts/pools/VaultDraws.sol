// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBeaconLayout} from "../interfaces/IBeaconLayout.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {IPeriods} from "../interfaces/IPeriods.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRotations} from "../interfaces/IRotations.sol";
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
    /// @dev Along one draw's shuffled list.
    struct Walk {
        uint256 walked; // positions
        uint256 count; // members found
        ProducerId[] found; // with room for a whole vault
    }

    /// @dev Positions that one call walks at most, some 40,000 gas each; what a draw costs besides counts as so many more.
    uint256 private constant MAX_POSITIONS = 128;
    uint256 private constant POSITIONS_A_DRAW = 4;

    IBeaconLayout private immutable BEACON_LAYOUT;
    IBlockProducers private immutable BLOCK_PRODUCERS;
    IPeriods private immutable PERIODS;
    IPoolRegistry private immutable POOL_REGISTRY;
    IRotations private immutable ROTATIONS;
    uint64 private immutable VECTOR_LENGTH;
    uint64 private immutable SEED_DELAY;
    uint256 private immutable VAULT_SIZE;

    uint64 private _count;
    uint64 private _next = 1;
    /// @dev Along the list of the oldest draw, when its walk was cut short.
    uint64 private _walked;
    mapping(uint256 drawId => Draw) private _draws;
    mapping(uint64 asked => bytes32) private _mixes;
    /// @dev By that walk.
    ProducerId[] private _found;

    constructor(Addresses memory addresses, Parameters memory parameters) BeaconClock(parameters) {
        BEACON_LAYOUT = IBeaconLayout(nonZero(addresses.beaconLayout));
        BLOCK_PRODUCERS = IBlockProducers(nonZero(addresses.blockProducers));
        PERIODS = IPeriods(nonZero(addresses.periods));
        POOL_REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        ROTATIONS = IRotations(nonZero(addresses.rotations));
        VECTOR_LENGTH = parameters.epochsPerHistoricalVector;
        SEED_DELAY = parameters.seedDelay;
        VAULT_SIZE = parameters.vaultSize;
    }

    /// @inheritdoc IVaultDraws
    function request(PoolId poolId, uint32 round, PoolKind kind) external returns (uint256 drawId, Epoch seedEpoch) {
        bool isRotation = msg.sender == address(ROTATIONS);
        if (!isRotation && msg.sender != address(POOL_REGISTRY)) revert NotAllowed(msg.sender);
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
            rotation: isRotation,
            requestedAt: uint40(block.timestamp),
            unitValue: BLOCK_PRODUCERS.unitValue()
        });
        emit DrawRequested(drawId, poolId, round, period, seedEpoch, isRotation);
    }

    /// @inheritdoc IVaultDraws
    function selectVaults(
        uint64 timestamp,
        StateProof calldata state,
        RandaoProof calldata randao,
        uint256 maxPositions
    ) external {
        uint256 drawId = _next;
        if (drawId > _count) revert NoDrawPending();
        Epoch asked = _draws[drawId].seedEpoch;
        if (mixOf(asked) != 0) revert SeedAlreadyProven(asked);
        uint64 seedEpoch = _epochNow(asked);
        (bytes32 stateRoot, uint64 epoch, Layout memory row) = _stateAt(BEACON_LAYOUT, timestamp, state);
        RandaoSeeds.verify(stateRoot, epoch, row, randao, seedEpoch, VECTOR_LENGTH);
        // Once for all draws that asked for this epoch, whenever they are carried out: nobody ever has the choice of another mix.
        _mixes[Epoch.unwrap(asked)] = randao.mix;
        emit SeedProven(asked, Epoch.wrap(seedEpoch), randao.mix);
        _advance(maxPositions);
    }

    /// @inheritdoc IVaultDraws
    function advance(uint256 maxPositions) external {
        uint256 drawId = _next;
        if (drawId > _count) revert NoDrawPending();
        if (mixOf(_draws[drawId].seedEpoch) == 0) revert SeedUnproven(drawId);
        _advance(maxPositions);
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
    function draw(uint256 drawId) external view returns (Draw memory) {
        Draw memory asked = _draws[drawId];
        // All before the next one are: that need not be stored.
        asked.done = drawId < _next;
        return asked;
    }

    /// @inheritdoc IVaultDraws
    function seedEpochOf(uint256 drawId) external view returns (Epoch) {
        return Epoch.wrap(_epochNow(_draws[drawId].seedEpoch));
    }

    /// @inheritdoc IVaultDraws
    function mixOf(Epoch asked) public view returns (bytes32) {
        return _mixes[Epoch.unwrap(asked)];
    }

    function _epochNow(Epoch asked) private view returns (uint64) {
        return RandaoSeeds.epochNow(Epoch.unwrap(asked), _currentEpoch(), VECTOR_LENGTH);
    }

    function _advance(uint256 maxPositions) private {
        uint256 left = maxPositions < MAX_POSITIONS ? maxPositions : MAX_POSITIONS;
        uint256 last = _count;
        for (uint256 drawId = _next; drawId <= last && left > 0; ++drawId) {
            Draw memory current = _draws[drawId];
            bytes32 mix = mixOf(current.seedEpoch);
            if (mix == 0) return;
            uint256 used = _walk(drawId, current, mix, left);
            if (_next == drawId) return;
            used += POSITIONS_A_DRAW;
            left = left > used ? left - used : 0;
        }
    }

    /// @dev Walks up to `most` positions of the shuffled list, a vault's size at a time: few draws need more than that.
    /// @return used positions walked now
    function _walk(uint256 drawId, Draw memory current, bytes32 mix, uint256 most) private returns (uint256 used) {
        uint256 size = PERIODS.sizeAt(current.period);
        bytes32 seed = sha256(abi.encodePacked(mix, "vault", PoolId.unwrap(current.poolId), current.round));
        Walk memory walk = _resumed();
        uint256 start = walk.walked;
        uint256 end = start + most < size ? start + most : size;
        while (walk.walked < end && walk.count < VAULT_SIZE) {
            uint256 to = walk.walked + VAULT_SIZE < end ? walk.walked + VAULT_SIZE : end;
            _consider(current, walk, SwapOrNot.shuffledIndices(walk.walked, to, size, seed));
            walk.walked = to;
        }
        if (walk.count == VAULT_SIZE) _fill(drawId, current, walk.found);
        else if (walk.walked == size) _cancel(drawId, current, walk.count);
        else _pause(drawId, walk);
        return walk.walked - start;
    }

    function _consider(Draw memory current, Walk memory walk, uint256[] memory positions) private view {
        ProducerId[] memory found = BLOCK_PRODUCERS.firstEligible(
            PERIODS.producersAt(current.period, positions),
            current.kind,
            current.period,
            current.unitValue,
            current.requestedAt,
            VAULT_SIZE - walk.count
        );
        if (found.length == VAULT_SIZE) {
            (walk.found, walk.count) = (found, found.length);
            return;
        }
        for (uint256 i = 0; i < found.length; ++i) {
            walk.found[walk.count++] = found[i];
        }
    }

    /// @dev The oldest draw's walk as an earlier call left it, or a new one.
    function _resumed() private view returns (Walk memory walk) {
        walk.found = new ProducerId[](VAULT_SIZE);
        walk.walked = _walked;
        if (walk.walked == 0) return walk;
        ProducerId[] memory before = _found;
        for (; walk.count < before.length; ++walk.count) {
            walk.found[walk.count] = before[walk.count];
        }
    }

    function _pause(uint256 drawId, Walk memory walk) private {
        _walked = uint64(walk.walked);
        for (uint256 i = _found.length; i < walk.count; ++i) {
            _found.push(walk.found[i]);
        }
        emit DrawAdvanced(drawId, uint32(walk.walked), uint32(walk.count));
    }

    function _fill(uint256 drawId, Draw memory current, ProducerId[] memory members) private {
        if (current.rotation && !ROTATIONS.isWanted(current.poolId)) return _cancel(drawId, current, VAULT_SIZE);
        _close(drawId);
        emit DrawFilled(drawId, current.poolId, members);
        BLOCK_PRODUCERS.lockSeats(current.poolId, current.kind, members);
        if (current.rotation) ROTATIONS.startCeremony(current.poolId, members);
        else POOL_REGISTRY.startCeremony(current.poolId, members);
    }

    function _cancel(uint256 drawId, Draw memory current, uint256 found) private {
        _close(drawId);
        emit DrawCancelled(drawId, current.poolId, found, VAULT_SIZE);
        if (current.rotation) ROTATIONS.cancel(current.poolId);
        else POOL_REGISTRY.cancel(current.poolId);
    }

    function _close(uint256 drawId) private {
        _next = uint64(drawId) + 1;
        if (_walked == 0) return;
        _walked = 0;
        delete _found;
    }
}
