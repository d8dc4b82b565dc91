// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {Bls12381, G2Point} from "../../../contracts/libraries/Bls12381.sol";
import {DepositData} from "../../../contracts/libraries/DepositData.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";
import {Epoch, PoolKind, ProducerId} from "../../../contracts/types/Ids.sol";
import {ProvenState} from "./BeaconState.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Operators} from "./Operators.sol";

/// @title Pools' lives, and what the beacon chain does to them
abstract contract Pools is Operators {
    bytes32 private constant RESULT_TYPEHASH = keccak256(
        "DkgResult(uint32 poolId,uint32 round,bytes groupKey,bytes32 publicSharesHash,bytes32 transcriptRoot)"
    );
    bytes32 private constant FAILURE_TYPEHASH = keccak256("DkgFailure(uint32 poolId,uint32 round,uint256 absent)");

    function requestPool(uint256 who) external action {
        _may("request pool", _anyone(who), address(registry), 0, abi.encodeCall(registry.requestPool, ()));
    }

    /// @dev The oldest draw: with its seed proven, or on from where it stopped.
    function drawVault(uint256 who, uint256 positions) external action {
        if (windDown.started()) return;
        uint256 drawId = vaultDraws.nextDrawId();
        if (drawId > vaultDraws.drawCount()) return;
        uint256 most = 4 + positions % 12;
        if (vaultDraws.mixOf(vaultDraws.draw(drawId).seedEpoch) != 0) {
            _must("advance draw", _anyone(who), address(vaultDraws), 0, abi.encodeCall(vaultDraws.advance, (most)));
            return;
        }
        (ProvenState memory proven, uint64 timestamp) = _seedOf(Epoch.unwrap(vaultDraws.seedEpochOf(drawId)));
        bytes memory data = abi.encodeCall(vaultDraws.selectVaults, (timestamp, proven.state, proven.randao, most));
        _may("draw vault", _anyone(who), address(vaultDraws), 0, data);
    }

    /// @dev By the whole vault or just enough of it. A thief may have been quicker with a deposit of its own.
    function completeDkg(uint256 who, uint256 which) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Ceremony);
        if (poolId == 0 || windDown.started()) return;
        IPoolRegistry.Pool memory pool = registry.pool(_id(poolId));
        if (_epochNow() > Epoch.unwrap(pool.deadline)) return;
        uint256 bits = which % 2 == 0 ? 15 : 15 ^ (1 << (which % 4));
        bytes memory data = abi.encodeCall(registry.completeDkg, (_id(poolId), _result(poolId, pool, bits)));
        // A convicted dealer's part does not count.
        bool isBarred = done["convict a dealer"] > 0;
        if (!isBarred) _must("complete DKG", _anyone(who), address(registry), 0, data);
        else if (!_may("complete DKG", _anyone(who), address(registry), 0, data)) return;
        truths[poolId] = Truth({
            kind: pool.kind,
            registered: true,
            stolen: (which >> 16) % 8 == 0,
            funded: false,
            activated: false,
            balance: 1e9,
            exitEpoch: FAR,
            slashed: false
        });
    }

    function failDkg(uint256 who, uint256 which) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Ceremony);
        if (poolId == 0 || windDown.started()) return;
        IPoolRegistry.Pool memory pool = registry.pool(_id(poolId));
        _toEpoch(Epoch.unwrap(pool.deadline) + 2);
        uint256 absent = which % 2 == 0 ? 0 : 1 << (which % 4);
        uint256 signers = absent == 0 ? 0 : 15 ^ absent;
        bytes32 structHash = keccak256(abi.encode(FAILURE_TYPEHASH, poolId, pool.round, absent));
        G2Point memory signature;
        if (absent != 0) signature = _vaultSignature(poolId, signers, structHash);
        bytes memory data = abi.encodeCall(registry.failDkg, (_id(poolId), absent, signers, signature));
        _must("fail DKG", _anyone(who), address(registry), 0, data);
    }

    /// @dev With the truth about its key; whoever stole it is reported.
    function fundPool(uint256 who, uint256 which) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Registered);
        if (poolId == 0 || windDown.started()) return;
        (ProvenState memory proven, uint64 timestamp) = _stateOf(poolId);
        bytes memory fund = abi.encodeCall(registry.fundPool, (_id(poolId), timestamp, proven.state, proven.validator));
        bytes memory report =
            abi.encodeCall(registry.reportFrontRun, (_id(poolId), timestamp, proven.state, proven.validator));
        bool stolen = truths[poolId].stolen;
        (bool wrong,) = _as(_anyone(who), address(registry), 0, stolen ? fund : report);
        if (wrong) _break("a pool was funded with a stolen key, or reported with its own");
        if (!stolen) {
            _must("fund pool", _anyone(who), address(registry), 0, fund);
            truths[poolId].funded = true;
            (bool twice,) = _as(_anyone(who), address(registry), 0, fund);
            if (twice) _break("a pool was funded twice");
            return;
        }
        uint256[] memory before = fortunes();
        _must("report front-run", _anyone(who), address(registry), 0, report);
        if (_book(before) > 1 gwei) _break("a front-run made somebody richer than others became poorer");
    }

    /// @dev The top-up arrives and the validator starts.
    function activate(uint256 which) external action {
        Truth storage truth = truths[_someValidator(which)];
        if (!truth.funded || truth.activated) return;
        truth.balance += 31e9;
        truth.activated = true;
        ++done["activate"];
    }

    function reward(uint256 which, uint256 amount) external action {
        Truth storage truth = truths[_someValidator(which)];
        if (!truth.activated || truth.balance == 0) return;
        truth.balance += uint64(amount % 0.05e9);
        ++done["reward"];
    }

    /// @dev Mostly little; at times a slashing.
    function penalize(uint256 which, uint256 amount) external action {
        Truth storage truth = truths[_someValidator(which)];
        if (!truth.activated) return;
        uint64 loss = uint64((amount >> 64) % 16 == 0 ? amount % 16e9 : amount % 0.1e9);
        truth.balance -= loss < truth.balance ? loss : truth.balance;
        ++done["penalize"];
    }

    /// @dev A stranger deposits for one of our validators.
    function foreignDeposit(uint256 which, uint256 amount) external action {
        Truth storage truth = truths[_someValidator(which)];
        if (!truth.registered || truth.balance == 0) return;
        truth.balance += uint64(amount % 33e9);
        ++done["foreign deposit"];
    }

    /// @dev The beacon chain pays out what is above 32 ETH, and everything once a validator has left.
    function payOut(uint256 which) external action {
        uint32 poolId = _someValidator(which);
        Truth storage truth = truths[poolId];
        if (!truth.activated || truth.stolen) return;
        bool hasLeft = truth.exitEpoch <= _epochNow();
        if (!hasLeft && truth.balance <= 32e9) return;
        uint64 paid = hasLeft ? truth.balance : truth.balance - 32e9;
        truth.balance -= paid;
        _give(stakingPool.withdrawalVault(truth.kind), uint256(paid) * 1 gwei);
        ++done["pay out"];
    }

    function blockReward(uint256 which, uint256 amount) external action {
        _give(stakingPool.withdrawalVault(PoolKind(which % 2)), amount % 0.1 ether);
        ++done["block reward"];
    }

    function requestLiquidation(uint256 who) external action {
        if (windDown.started()) return;
        _may("request liquidation", _anyone(who), address(exits), 0, abi.encodeCall(exits.requestLiquidation, ()));
    }

    function drawLiquidation(uint256 who) external action {
        if (!exits.isDrawPending() || windDown.started()) return;
        uint256 drawId = exits.drawCount();
        (ProvenState memory proven, uint64 timestamp) = _seedOf(Epoch.unwrap(exits.seedEpochOf(drawId)));
        bytes memory data = abi.encodeCall(exits.drawLiquidation, (drawId, timestamp, proven.state, proven.randao));
        _must("draw liquidation", _anyone(who), address(exits), 0, data);
    }

    /// @dev A pool that was drawn leaves: its validator exits, is paid out, and the pool is closed.
    function leavePool(uint256 who, uint256 which) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Exiting);
        if (poolId == 0 || windDown.started()) return;
        Truth storage truth = truths[poolId];
        if (!truth.activated) return;
        if (truth.exitEpoch == FAR) {
            truth.exitEpoch = _epochNow() + 1;
            return;
        }
        _toEpoch(truth.exitEpoch + 1);
        (ProvenState memory proven, uint64 timestamp) = _stateOf(poolId);
        bytes memory data = abi.encodeCall(
            exits.closePool, (_id(poolId), timestamp, proven.state, proven.validator, proven.balance)
        );
        if (truth.balance == 0) {
            _must("close pool", _anyone(who), address(exits), 0, data);
        } else {
            (bool early,) = _as(_anyone(who), address(exits), 0, data);
            if (early) _break("a pool was closed with its ETH still on the beacon chain");
        }
    }

    /// @dev A vault that does not let its validator go pays for it.
    function proveStall(uint256 who, uint256 which) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Exiting);
        if (poolId == 0 || windDown.started() || truths[poolId].exitEpoch != FAR || !truths[poolId].activated) return;
        _toEpoch(Epoch.unwrap(exits.exit(_id(poolId)).deadline) + 2);
        uint256[] memory before = fortunes();
        _may("force exit", _anyone(who), address(exits), 1 ether, abi.encodeCall(exits.forceExit, (_id(poolId))));
        (ProvenState memory proven, uint64 timestamp) = _stateOf(poolId);
        bytes memory data = abi.encodeCall(exits.proveStall, (_id(poolId), timestamp, proven.state, proven.validator));
        _may("prove stall", _anyone(who), address(exits), 0, data);
        if (_book(before) > 1 gwei) _break("a stall made somebody richer than others became poorer");
    }

    function pass(uint256 time) external action {
        _toEpoch(_epochNow() + 1 + uint64(time % 3));
        ++done["pass"];
    }

    function _result(uint32 poolId, IPoolRegistry.Pool memory pool, uint256 bits)
        private
        view
        returns (IPoolRegistry.DkgResult memory result)
    {
        uint256 key = _poolSecret(poolId);
        result.groupKey = BlsKeys.publicKey(key);
        bytes32 message = DepositData.signingRoot(
            DepositData.pubkeyRoot(Bls12381.compress(result.groupKey)),
            stakingPool.withdrawalCredentials(pool.kind),
            1e9,
            parameters.genesisForkVersion
        );
        result.depositSignature = BlsKeys.sign(key, message);
        result.publicShares = new bytes(VAULT_SIZE * 48);
        result.transcriptRoot = keccak256(abi.encode("transcript", poolId, pool.round));
        result.participation = bits;
        bytes32 groupKeyHash = keccak256(abi.encode(result.groupKey));
        bytes32 sharesHash = keccak256(result.publicShares);
        bytes32 structHash =
            keccak256(abi.encode(RESULT_TYPEHASH, poolId, pool.round, groupKeyHash, sharesHash, result.transcriptRoot));
        result.aggregateSignature = _vaultSignature(poolId, bits, structHash);
    }

    function _vaultSignature(uint32 poolId, uint256 bits, bytes32 structHash) private view returns (G2Point memory) {
        ProducerId[] memory members = registry.vault(_id(poolId));
        return BlsKeys.sign(_secretsOf(members, bits), TypedData.digest(address(registry), structHash));
    }

    /// @dev The first pool in this state, searched from a place of chance; 0 for none.
    function _inState(uint256 seed, IPoolRegistry.PoolState state) internal view returns (uint32) {
        uint256 count = registry.poolCount();
        for (uint256 i = 0; i < count; ++i) {
            uint32 poolId = uint32((seed % count + i) % count + 1);
            if (registry.pool(_id(poolId)).state == state) return poolId;
        }
        return 0;
    }

    function _someValidator(uint256 seed) private view returns (uint32) {
        uint256 count = registry.poolCount();
        return count == 0 ? 0 : uint32(seed % count + 1);
    }
}
