// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconClock} from "../consensus/BeaconClock.sol";
import {IBlockProducers} from "../interfaces/IBlockProducers.sol";
import {ICeremonies} from "../interfaces/ICeremonies.sol";
import {IExits} from "../interfaces/IExits.sol";
import {IPoolRegistry} from "../interfaces/IPoolRegistry.sol";
import {IRotations} from "../interfaces/IRotations.sol";
import {IVaultDraws} from "../interfaces/IVaultDraws.sol";
import {Epoch, PoolId, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {CeremonySignatures} from "./CeremonySignatures.sol";

/// @title Handovers of a pool's key from its vault to one drawn anew
contract Rotations is IRotations, CeremonySignatures, BeaconClock {
    struct Term {
        uint32 round;
        uint64 from; // epoch
    }

    bytes32 private constant RESULT_TYPEHASH =
        keccak256("RotationResult(uint32 poolId,uint32 round,bytes32 publicSharesHash,bytes32 transcriptRoot)");
    bytes32 private constant FAILURE_TYPEHASH =
        keccak256("RotationFailure(uint32 poolId,uint32 round,uint256 absentNew,uint256 absentOld)");
    uint256 private constant MAX_FAILURES = 3;
    /// @dev Vaults whose members may answer for one pool: a fault charges all holders in one transaction, some 60,000 gas each, and
    /// has to fit into it however many handovers there were.
    uint256 private constant MAX_VAULTS = 4;

    IPoolRegistry private immutable POOL_REGISTRY;
    IVaultDraws private immutable VAULT_DRAWS;
    IExits private immutable EXITS;
    ICeremonies private immutable CEREMONIES;
    uint64 private immutable CEREMONY_DEADLINE;
    uint64 private immutable ROTATION_PERIOD;
    uint64 private immutable ROTATION_MARGIN;

    mapping(PoolId poolId => Rotation) private _rotations;
    mapping(PoolId poolId => mapping(uint32 round => bytes32)) private _drawn;
    mapping(PoolId poolId => mapping(uint32 round => uint32)) private _oldRounds;
    /// @dev Of the vaults that took over, in order.
    mapping(PoolId poolId => Term[]) private _terms;

    constructor(Addresses memory addresses, Parameters memory parameters)
        CeremonySignatures(addresses, parameters)
        BeaconClock(parameters)
    {
        POOL_REGISTRY = IPoolRegistry(nonZero(addresses.poolRegistry));
        VAULT_DRAWS = IVaultDraws(nonZero(addresses.vaultDraws));
        EXITS = IExits(nonZero(addresses.exits));
        CEREMONIES = ICeremonies(nonZero(addresses.ceremonies));
        CEREMONY_DEADLINE = parameters.ceremonyDeadline;
        ROTATION_PERIOD = parameters.rotationPeriod;
        ROTATION_MARGIN = parameters.rotationMargin;
    }

    modifier onlyVaultDraws() {
        if (msg.sender != address(VAULT_DRAWS)) revert NotVaultDraws(msg.sender);
        _;
    }

    /// @inheritdoc IRotations
    function requestRotation(PoolId poolId, uint32 place) external {
        Rotation storage current = _expect(poolId, State.Idle);
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(poolId);
        if (!_isFunded(pool)) revert NothingToHandOver(poolId);
        uint64 from = _since(current, pool) + ROTATION_PERIOD;
        bool hasReason = current.dueRound == pool.round + 1 || _currentEpoch() >= from || _isOut(poolId, place);
        if (!hasReason) revert NoReason(poolId, place, Epoch.wrap(from));
        (uint256 holders, uint256 excess, uint64 roomAt) = _crowd(poolId);
        if (excess != 0) revert TooManyHolders(poolId, (MAX_VAULTS - 1) * VAULT_SIZE, holders, roomAt);
        _request(poolId, current, pool);
    }

    /// @inheritdoc IRotations
    function makeDue(PoolId poolId, uint32 round) external {
        if (msg.sender != address(CEREMONIES) && msg.sender != address(POOL_REGISTRY)) revert NotAllowed(msg.sender);
        Rotation storage current = _rotations[poolId];
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(poolId);
        // Another vault has taken over from the one meant.
        if (pool.round != round) return;
        current.dueRound = round + 1;
        if (current.state == State.Idle && _isFunded(pool)) _requestIfRoom(poolId, current, pool);
    }

    /// @inheritdoc IRotations
    function startCeremony(PoolId poolId, ProducerId[] calldata members) external onlyVaultDraws {
        Rotation storage current = _expect(poolId, State.Requested);
        uint64 deadline = _currentEpoch() + CEREMONY_DEADLINE;
        current.state = State.Drawn;
        current.deadline = Epoch.wrap(deadline);
        current.members = members;
        _drawn[poolId][current.round] = keccak256(abi.encodePacked(members));
        emit RotationDrawn(poolId, current.round, current.oldRound, members, Epoch.wrap(deadline));
    }

    /// @inheritdoc IRotations
    function cancel(PoolId poolId) external onlyVaultDraws {
        Rotation storage current = _expect(poolId, State.Requested);
        current.state = State.Idle;
        // Whatever called for it still does: anyone may ask again.
        current.dueRound = current.oldRound + 1;
        emit RotationDropped(poolId, current.round);
    }

    /// @inheritdoc IRotations
    function completeRotation(PoolId poolId, Result calldata result) external {
        Rotation storage current = _expect(poolId, State.Drawn);
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(poolId);
        if (!_isFunded(pool)) revert NothingToHandOver(poolId);
        uint64 epoch = _currentEpoch();
        if (epoch > Epoch.unwrap(current.deadline)) revert DeadlinePassed(current.deadline, Epoch.wrap(epoch));
        if (result.publicShares.length != VAULT_SIZE * 48) {
            revert PublicSharesLength(VAULT_SIZE * 48, result.publicShares.length);
        }
        uint32 round = current.round;
        bytes32 sharesHash = keccak256(result.publicShares);
        bytes32 structHash = keccak256(abi.encode(RESULT_TYPEHASH, poolId, round, sharesHash, result.transcriptRoot));
        ProducerId[] memory members = current.members;
        _checkSigned(members, result.participation, THRESHOLD, structHash, result.aggregateSignature);

        uint64 cutover = epoch + ROTATION_MARGIN + 1;
        _terms[poolId].push(Term(round, cutover));
        current.since = Epoch.wrap(cutover);
        (current.state, current.failures) = (State.Idle, 0);
        emit RotationCompleted(
            poolId, round, Epoch.wrap(cutover), result.publicShares, result.transcriptRoot, result.participation
        );
        ProducerId[] memory leaving = _without(POOL_REGISTRY.vault(poolId), members);
        POOL_REGISTRY.replaceVault(poolId, round, members, sharesHash);
        BLOCK_PRODUCERS.releaseSeats(poolId, pool.kind, leaving, _timestampOfSlot(cutover * SLOTS_PER_EPOCH));
        if (result.participation != (1 << VAULT_SIZE) - 1) {
            CEREMONIES.open(poolId, round, current.deadline, structHash, result.participation);
        }
    }

    /// @inheritdoc IRotations
    function failRotation(PoolId poolId, Naming calldata naming) external {
        Rotation storage current = _expect(poolId, State.Drawn);
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(poolId);
        if (!_isFunded(pool)) revert NothingToHandOver(poolId);
        uint32 round = current.round;
        bool isNamed = naming.absentNew | naming.absentOld != 0;
        // Those that would be named can't be quicker than those who name them.
        uint64 after_ = Epoch.unwrap(current.deadline) + (isNamed ? 0 : 1);
        uint64 epoch = _currentEpoch();
        if (epoch <= after_) revert DeadlineNotPassed(Epoch.wrap(after_), Epoch.wrap(epoch));
        if (isNamed) _checkNaming(poolId, round, current.members, naming);
        _release(poolId, current, pool);
        emit RotationFailed(poolId, round, naming.absentNew, naming.absentOld);
        if (++current.failures >= MAX_FAILURES) EXITS.drawOne(poolId);
        else _requestIfRoom(poolId, current, pool);
    }

    /// @inheritdoc IRotations
    function dropRotation(PoolId poolId) external {
        Rotation storage current = _expect(poolId, State.Drawn);
        IPoolRegistry.Pool memory pool = POOL_REGISTRY.pool(poolId);
        if (_isFunded(pool)) revert StillWanted(poolId);
        _release(poolId, current, pool);
        emit RotationDropped(poolId, current.round);
    }

    /// @inheritdoc IRotations
    function rotation(PoolId poolId) external view returns (Rotation memory) {
        return _rotations[poolId];
    }

    /// @inheritdoc IRotations
    function isWanted(PoolId poolId) external view returns (bool) {
        return _isFunded(POOL_REGISTRY.pool(poolId));
    }

    /// @inheritdoc IRotations
    function drawnHashOf(PoolId poolId, uint32 round) external view returns (bytes32) {
        return _drawn[poolId][round];
    }

    /// @inheritdoc IRotations
    function oldRoundOf(PoolId poolId, uint32 round) external view returns (uint32) {
        return _oldRounds[poolId][round];
    }

    /// @inheritdoc IRotations
    function cutoverOf(PoolId poolId, uint32 round) external view returns (Epoch) {
        Term[] storage terms = _terms[poolId];
        for (uint256 i = terms.length; i > 0; --i) {
            if (terms[i - 1].round == round) return Epoch.wrap(terms[i - 1].from);
        }
        return Epoch.wrap(0);
    }

    /// @inheritdoc IRotations
    function roundAt(PoolId poolId, Epoch epoch) external view returns (uint32) {
        Term[] storage terms = _terms[poolId];
        uint256 i = terms.length;
        if (i == 0) return POOL_REGISTRY.pool(poolId).round;
        for (; i > 0; --i) {
            if (terms[i - 1].from <= Epoch.unwrap(epoch)) return terms[i - 1].round;
        }
        // Before the first handover.
        return _oldRounds[poolId][terms[0].round];
    }

    function _request(PoolId poolId, Rotation storage current, IPoolRegistry.Pool memory pool) private {
        uint32 round = (current.round > pool.round ? current.round : pool.round) + 1;
        current.state = State.Requested;
        (current.round, current.oldRound) = (round, pool.round);
        _oldRounds[poolId][round] = pool.round;
        (, Epoch seedEpoch) = VAULT_DRAWS.request(poolId, round, pool.kind);
        emit RotationRequested(poolId, round, seedEpoch);
    }

    /// @dev Without room the vault stays, and anyone may ask as soon as there is some.
    function _requestIfRoom(PoolId poolId, Rotation storage current, IPoolRegistry.Pool memory pool) private {
        (, uint256 excess,) = _crowd(poolId);
        if (excess == 0) return _request(poolId, current, pool);
        current.dueRound = pool.round + 1;
    }

    /// @dev Ends a handover that came to nothing: who is in the new vault alone has its seat back.
    function _release(PoolId poolId, Rotation storage current, IPoolRegistry.Pool memory pool) private {
        current.state = State.Idle;
        ProducerId[] memory newOnly = _without(current.members, POOL_REGISTRY.vault(poolId));
        BLOCK_PRODUCERS.releaseSeats(poolId, pool.kind, newOnly, 0);
    }

    /// @dev How many answer for a pool, how many too many for another vault to be drawn, and when enough tails are over (timestamp; 0:
    /// not while seats are held for a fault).
    function _crowd(PoolId poolId) private view returns (uint256 count, uint256 excess, uint64 roomAt) {
        IBlockProducers.Holder[] memory holders = BLOCK_PRODUCERS.holdersOf(poolId);
        count = holders.length;
        uint256 room = (MAX_VAULTS - 1) * VAULT_SIZE;
        if (count <= room) return (count, 0, 0);
        excess = count - room;
        for (uint256 i = 0; i < count; ++i) {
            uint64 until = holders[i].until;
            if (until == 0 || holders[i].held || (roomAt != 0 && until >= roomAt)) continue;
            uint256 over = 0;
            for (uint256 j = 0; j < count; ++j) {
                if (holders[j].until != 0 && !holders[j].held && holders[j].until <= until) ++over;
            }
            if (over >= excess) roomAt = until;
        }
    }

    function _checkNaming(PoolId poolId, uint32 round, ProducerId[] memory members, Naming calldata naming) private view {
        uint256 own = naming.byOld ? naming.absentOld : naming.absentNew;
        if (own & naming.signers != 0) revert SignerAbsent(own & naming.signers);
        if ((naming.absentNew | naming.absentOld) >> VAULT_SIZE != 0) {
            revert ParticipationOutOfRange(VAULT_SIZE, naming.absentNew | naming.absentOld);
        }
        bytes32 structHash =
            keccak256(abi.encode(FAILURE_TYPEHASH, poolId, round, naming.absentNew, naming.absentOld));
        ProducerId[] memory signers = naming.byOld ? POOL_REGISTRY.vault(poolId) : members;
        _checkSigned(signers, naming.signers, THRESHOLD, structHash, naming.aggregateSignature);
    }

    /// @dev Whether the member at a place leaves, is out, or can't pay for what is its newest seat.
    function _isOut(PoolId poolId, uint32 place) private view returns (bool) {
        ProducerId[] memory members = POOL_REGISTRY.vault(poolId);
        if (place >= members.length) return false;
        IBlockProducers.Producer memory member = BLOCK_PRODUCERS.producer(members[place]);
        if (member.slashed || member.status != IBlockProducers.Status.Active) return true;
        if (!BLOCK_PRODUCERS.isUndercollateralized(members[place])) return false;
        uint32 newest = PoolId.unwrap(BLOCK_PRODUCERS.newestSeat(members[place]));
        return newest == 0 || newest == PoolId.unwrap(poolId);
    }

    function _since(Rotation storage current, IPoolRegistry.Pool memory pool) private view returns (uint64) {
        uint64 since = Epoch.unwrap(current.since);
        return since == 0 ? (pool.registeredAt - GENESIS_TIME) / _secondsOf(1) : since;
    }

    function _expect(PoolId poolId, State expected) private view returns (Rotation storage current) {
        current = _rotations[poolId];
        if (current.state != expected) revert WrongState(poolId, expected, current.state);
    }

    /// @dev Not before its key is proven to be on the beacon chain with our credentials: who made a key answers for it.
    function _isFunded(IPoolRegistry.Pool memory pool) private pure returns (bool) {
        return pool.state == IPoolRegistry.PoolState.Funded;
    }

    /// @dev Those of `from` that are not among `others`.
    function _without(ProducerId[] memory from, ProducerId[] memory others) private pure returns (ProducerId[] memory rest) {
        rest = new ProducerId[](from.length);
        uint256 count = 0;
        for (uint256 i = 0; i < from.length; ++i) {
            bool isShared = false;
            for (uint256 j = 0; j < others.length && !isShared; ++j) {
                isShared = from[i] == others[j];
            }
            if (!isShared) rest[count++] = from[i];
        }
        assembly ("memory-safe") {
            mstore(rest, count)
        }
    }
}
