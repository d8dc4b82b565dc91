// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISlashing} from "../../../contracts/interfaces/ISlashing.sol";
import {IStateCommitments} from "../../../contracts/interfaces/IStateCommitments.sol";
import {IVotes} from "../../../contracts/interfaces/IVotes.sol";
import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {BeaconHeader} from "../../../contracts/libraries/BeaconProofs.sol";
import {G2Point} from "../../../contracts/libraries/Bls12381.sol";
import {Ssz} from "../../../contracts/libraries/Ssz.sol";
import {TypedData} from "../../../contracts/libraries/TypedData.sol";
import {BeaconState, ProvenState} from "./BeaconState.sol";
import {BlsKeys} from "./BlsKeys.sol";
import {Reports} from "./Reports.sol";
import {VM} from "./Vm.sol";

/// @title What is proven of producers and pools, and what false evidence comes to: nothing
abstract contract Evidence is Reports {
    bytes32 private constant QBFT_TYPEHASH = keccak256(
        "QbftMessage(uint32 poolId,uint64 slot,uint8 duty,uint8 messageType,uint32 round,bytes32 value,uint32 preparedRound,bytes32 preparedValue)"
    );

    /// @dev Two messages of one instance and round; mostly the same one, which is no fault.
    function equivocate(uint256 who, uint256 which, uint256 seed) external action {
        if (windDown.started()) return;
        uint256 id = _producer(which);
        bool isFault = seed % 16 == 7;
        ISlashing.QbftMessage memory a;
        ISlashing.QbftMessage memory b;
        (a.poolId, a.slot, a.value) = (1, uint64(seed), keccak256("a"));
        (b.poolId, b.slot, b.value) = (1, uint64(seed), isFault ? keccak256("b") : a.value);
        // Of another instance: whatever it says is no conflict.
        if (seed % 16 == 8) (b.slot, b.value) = (a.slot ^ 1, keccak256("b"));
        bytes memory data = abi.encodeCall(slashing.slashQbft, (a, _signedMessage(id, a), b, _signedMessage(id, b)));
        bool wasOut = producers.producer(_pid(id)).slashed;
        uint256[] memory before = fortunes();
        (bool ok,) = _as(_anyone(who), address(slashing), 0, data);
        if (ok) ++done["slash an equivocation"];
        if (ok != (isFault && !wasOut)) _break("a wrong judgement of what an operator said");
        if (_book(before) > 1 gwei) _break("a slashing made somebody richer than others became poorer");
        if (!ok) return;
        (bool twice,) = _as(_anyone(who), address(slashing), 0, data);
        if (twice) _break("one fault slashed twice");
    }

    /// @dev Two blocks of one slot under a pool's key; from then on its validator is slashed.
    function doubleBlock(uint256 who, uint256 which, uint256 seed) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Funded);
        if (poolId == 0 || seed % 2 != 1 || windDown.started() || !truths[poolId].activated || _epochNow() == 0) return;
        BeaconHeader memory a;
        a.slot = (_epochNow() - 1) * SLOTS_PER_EPOCH;
        BeaconHeader memory b = a;
        bytes memory same = _blocks(poolId, a, b);
        (bool isConvicted,) = _as(_anyone(who), address(slashing), 0, same);
        if (isConvicted) _break("one block is no fault");
        b = BeaconHeader({slot: a.slot, proposerIndex: 0, parentRoot: 0, stateRoot: 0, bodyRoot: keccak256("b")});
        uint256[] memory before = fortunes();
        _may("slash a pool's blocks", _anyone(who), address(slashing), 0, _blocks(poolId, a, b));
        if (_book(before) > 1 gwei) _break("a pool's fault made somebody richer than others became poorer");
        Truth storage truth = truths[poolId];
        truth.slashed = true;
        if (truth.exitEpoch == FAR) truth.exitEpoch = _epochNow() + 6;
        uint64 penalty = uint64(seed >> 8) % 2e9;
        truth.balance -= penalty < truth.balance ? penalty : truth.balance;
    }

    /// @dev Signed by t old or new members: nobody asked for it.
    function leaveAlone(uint256 which, uint256 seed) external action {
        uint32 poolId = _inState(which, IPoolRegistry.PoolState.Funded);
        if (poolId == 0 || seed % 2 != 1 || !truths[poolId].activated || truths[poolId].exitEpoch != FAR) return;
        truths[poolId].exitEpoch = _epochNow() + 6;
        ++done["leave alone"];
    }

    function reportExit(uint256 who, uint256 which) external action {
        uint32 poolId = _leavingOne(which);
        if (poolId == 0 || windDown.started()) return;
        (ProvenState memory proven, uint64 timestamp) = _stateOf(poolId);
        bytes memory data = abi.encodeCall(slashing.reportExit, (_id(poolId), timestamp, proven.state, proven.validator));
        uint256[] memory before = fortunes();
        bool wasDrawn = exits.exit(_id(poolId)).drawnAt != 0;
        bool ok = _may("report exit", _anyone(who), address(slashing), 0, data);
        if (ok && wasDrawn && slashing.fault(_id(poolId)).kind == ISlashing.FaultKind.Exit && !faulty[poolId]) {
            _break("an exit that was asked for became a fault");
        }
        faulty[poolId] = slashing.fault(_id(poolId)).kind != ISlashing.FaultKind.None;
        if (_book(before) > 1 gwei) _break("an exit made somebody richer than others became poorer");
        _may("liquidate", _anyone(who), address(slashing), 0, abi.encodeCall(slashing.liquidate, (_id(poolId))));
    }

    /// @dev Its balance as it stands, then the charge as soon as it may be.
    function settleFault(uint256 who, uint256 which) external action {
        uint32 poolId = _leavingOne(which);
        if (poolId == 0 || windDown.started()) return;
        ISlashing.Fault memory fault = slashing.fault(_id(poolId));
        if (fault.kind == ISlashing.FaultKind.None || fault.settled) return;
        (ProvenState memory proven, uint64 timestamp) = _stateOf(poolId);
        bytes memory data = abi.encodeCall(
            slashing.showBalance, (_id(poolId), timestamp, proven.state, proven.validator, proven.balance)
        );
        _may("show balance", _anyone(who), address(slashing), 0, data);
        // Past the wait for reports, when a balance was shown in time.
        _toEpoch(truths[poolId].exitEpoch + 20);
        uint256[] memory before = fortunes();
        uint256 bonds = producers.totalBondValue();
        data = abi.encodeCall(slashing.settle, (_id(poolId)));
        bool ok = _may("settle fault", _anyone(who), address(slashing), 0, data);
        uint256 charged = bonds - producers.totalBondValue();
        if (ok && charged > VAULT_SIZE * 3 * parameters.seatAllocation + 1 gwei) _break("a fault cost more than all seats");
        if (_book(before) > 1 gwei) _break("a fault's charge made somebody richer");
    }

    /// @dev After a vote that convicted: the signers are out, whoever opened it is paid, once.
    function judgeSigners(uint256 who, uint256 which) external action {
        if (windDown.started()) return;
        uint256 id = _votedOn(which, IVotes.VoteState.Convicted);
        if (id == 0) return;
        IStateCommitments.Content memory content = abi.decode(made[id].content, (IStateCommitments.Content));
        uint256[] memory before = fortunes();
        bytes memory data = abi.encodeCall(votes.slashSigners, (id, content, 1 + which % 3));
        _must("slash signers", _anyone(who), address(votes), 0, data);
        uint256 held = bondEther.balanceOf(address(votes));
        (, uint256 openers) = votes.voters(id, 0);
        for (uint256 position = 0; openers >> position != 0; ++position) {
            if ((openers >> position) & 1 == 0) continue;
            data = abi.encodeCall(votes.payOpener, (id, position));
            if (!_may("pay opener", _anyone(who), address(votes), 0, data)) continue;
            (bool twice,) = _as(_anyone(who), address(votes), 0, data);
            if (twice) _break("an opener was paid twice");
        }
        if (_book(before) > int256(held) + 1 gwei) _break("openers got more than there was for them");
    }

    function _blocks(uint32 poolId, BeaconHeader memory a, BeaconHeader memory b) private view returns (bytes memory) {
        uint256 key = _poolSecret(poolId);
        return abi.encodeCall(
            slashing.slashBlocks, (_id(poolId), BlsKeys.publicKey(key), a, _signedBlock(key, a), b, _signedBlock(key, b))
        );
    }

    /// @dev Domain type 0, as the consensus spec has it.
    function _signedBlock(uint256 key, BeaconHeader memory header) private view returns (G2Point memory) {
        bytes32 forkData = Ssz.hash(bytes32(BeaconState.FORK_VERSION), parameters.genesisValidatorsRoot);
        return BlsKeys.sign(key, Ssz.hash(BeaconState.headerRoot(header), forkData >> 32));
    }

    function _signedMessage(uint256 id, ISlashing.QbftMessage memory message) private view returns (bytes memory) {
        bytes32 digest = TypedData.digest(address(registry), keccak256(abi.encode(QBFT_TYPEHASH, message)));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(BlsKeys.secret("operator", id), digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev A pool whose validator exits, searched from a place of chance; 0 for none.
    function _leavingOne(uint256 seed) private view returns (uint32) {
        uint256 count = registry.poolCount();
        for (uint256 i = 0; i < count; ++i) {
            uint32 poolId = uint32((seed % count + i) % count + 1);
            if (truths[poolId].registered && truths[poolId].exitEpoch != FAR) return poolId;
        }
        return 0;
    }
}
