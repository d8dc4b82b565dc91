// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IBlockProducers} from "../../../contracts/interfaces/IBlockProducers.sol";
import {IBondEther} from "../../../contracts/interfaces/IBondEther.sol";
import {ICdtStaking} from "../../../contracts/interfaces/ICdtStaking.sol";
import {IDisputes} from "../../../contracts/interfaces/IDisputes.sol";
import {IExits} from "../../../contracts/interfaces/IExits.sol";
import {IPeriods} from "../../../contracts/interfaces/IPeriods.sol";
import {IPoolRegistry} from "../../../contracts/interfaces/IPoolRegistry.sol";
import {IRotations} from "../../../contracts/interfaces/IRotations.sol";
import {ISlashing} from "../../../contracts/interfaces/ISlashing.sol";
import {IDkgDisputes} from "../../../contracts/interfaces/IDkgDisputes.sol";
import {IVotes} from "../../../contracts/interfaces/IVotes.sol";
import {IRewards} from "../../../contracts/interfaces/IRewards.sol";
import {IStakingPool} from "../../../contracts/interfaces/IStakingPool.sol";
import {IStateCommitments} from "../../../contracts/interfaces/IStateCommitments.sol";
import {IVaultDraws} from "../../../contracts/interfaces/IVaultDraws.sol";
import {IWindDown} from "../../../contracts/interfaces/IWindDown.sol";
import {IWithdrawalQueue} from "../../../contracts/interfaces/IWithdrawalQueue.sol";
import {Layout} from "../../../contracts/libraries/BeaconProofs.sol";
import {WrappedBondEther} from "../../../contracts/tokens/WrappedBondEther.sol";
import {DEAD_ETHER} from "../../../contracts/types/DeadShares.sol";
import {Addresses, Parameters} from "../../../contracts/types/Parameters.sol";
import {BeaconState} from "./BeaconState.sol";
import {VM} from "./Vm.sol";

/// @title A whole deployment, made as deploy/plan.ts does: every address known before the first contract stands
abstract contract Deployment {
    address internal constant DEPOSITS = 0x4242424242424242424242424242424242424242;
    address internal constant BEACON_ROOTS = 0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02;
    address internal constant BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;
    address internal constant WITHDRAWAL_REQUESTS = 0x00000961Ef480Eb55e80D19ad83579A64c007002;
    string private constant SYSTEM_CONTRACTS = "devnet/chain/execution/system-contracts.json";

    Addresses internal where;
    Parameters internal parameters;
    IBondEther public bondEther;
    IStakingPool public stakingPool;
    IWithdrawalQueue public queue;
    IBlockProducers public producers;
    IPeriods public periods;
    IVaultDraws public vaultDraws;
    IPoolRegistry public registry;
    IExits public exits;
    IStateCommitments public commitments;
    IDisputes public disputes;
    IERC20 public cdt;
    IRewards public rewards;
    ICdtStaking public cdtStaking;
    IRotations public rotations;
    IDkgDisputes public dkgDisputes;
    ISlashing public slashing;
    IVotes public votes;
    IWindDown public windDown;
    WrappedBondEther public wrapped;

    function _deploy(Parameters memory given) internal {
        string memory system = VM.readFile(SYSTEM_CONTRACTS);
        VM.etch(DEPOSITS, VM.parseJsonBytes(system, ".depositContract.code"));
        // Another network's, within one test.
        VM.deal(DEPOSITS, 0);
        VM.etch(BEACON_ROOTS, VM.parseJsonBytes(system, ".beaconRoots.code"));
        VM.etch(BLOCK_HASHES, VM.parseJsonBytes(system, ".history.code"));
        VM.etch(WITHDRAWAL_REQUESTS, VM.parseJsonBytes(system, ".withdrawalRequests.code"));
        given.depositContract = DEPOSITS;
        parameters = given;
        Addresses memory a = _predict();
        where = a;
        _check(a.directory, _create("Directory", abi.encode(a, given), 0));
        _check(a.beaconLayout, _create("BeaconLayout", abi.encode(a, given, _rows()), 0));
        _check(a.bondEther, _create("BondEther", abi.encode(a, given), 0));
        _check(a.stakingPool, _create("StakingPool", abi.encode(a, given), DEAD_ETHER));
        _check(a.withdrawalQueue, _create("WithdrawalQueue", abi.encode(a, given), 0));
        _check(a.stakerVault, _create("WithdrawalVault", abi.encode(a), 0));
        _check(a.bondVault, _create("WithdrawalVault", abi.encode(a), 0));
        _check(a.blockProducers, _create("BlockProducers", abi.encode(a, given), 0));
        _check(a.periods, _create("Periods", abi.encode(a, given), 0));
        _check(a.vaultDraws, _create("VaultDraws", abi.encode(a, given), 0));
        _check(a.poolRegistry, _create("PoolRegistry", abi.encode(a, given), 0));
        _check(a.exits, _create("Exits", abi.encode(a, given), 0));
        _check(a.stateCommitments, _create("StateCommitments", abi.encode(a, given), 0));
        _check(a.disputes, _create("Disputes", abi.encode(a, given), 0));
        _check(a.cdt, _create("Cdt", abi.encode(a), 0));
        _check(a.rewards, _create("Rewards", abi.encode(a, given), 0));
        _check(a.cdtStaking, _create("CdtStaking", abi.encode(a, given), 0));
        _check(a.slashing, _create("Slashing", abi.encode(a, given), 0));
        _check(a.windDown, _create("WindDown", abi.encode(a, given), 0));
        _check(a.ceremonies, _create("Ceremonies", abi.encode(a, given), 0));
        _check(a.rotations, _create("Rotations", abi.encode(a, given), 0));
        _check(a.dkgDisputes, _create("DkgDisputes", abi.encode(a, given), 0));
        _check(a.wrappedBondEther, _create("WrappedBondEther", abi.encode(a), 0));
        _check(a.views, _create("NetworkViews", abi.encode(a, given), 0));
        _check(a.votes, _create("Votes", abi.encode(a, given), 0));
        _name(a);
    }

    function _name(Addresses memory a) private {
        bondEther = IBondEther(a.bondEther);
        stakingPool = IStakingPool(a.stakingPool);
        queue = IWithdrawalQueue(a.withdrawalQueue);
        producers = IBlockProducers(a.blockProducers);
        periods = IPeriods(a.periods);
        vaultDraws = IVaultDraws(a.vaultDraws);
        registry = IPoolRegistry(a.poolRegistry);
        exits = IExits(a.exits);
        commitments = IStateCommitments(a.stateCommitments);
        disputes = IDisputes(a.disputes);
        cdt = IERC20(a.cdt);
        rewards = IRewards(a.rewards);
        cdtStaking = ICdtStaking(a.cdtStaking);
        rotations = IRotations(a.rotations);
        dkgDisputes = IDkgDisputes(a.dkgDisputes);
        slashing = ISlashing(a.slashing);
        votes = IVotes(a.votes);
        windDown = IWindDown(a.windDown);
        wrapped = WrappedBondEther(a.wrappedBondEther);
    }

    /// @dev The struct's fields are in the order of their nonces.
    function _predict() private view returns (Addresses memory a) {
        uint256 nonce = VM.getNonce(address(this));
        address[] memory predicted = new address[](25);
        for (uint256 i = 0; i < 25; ++i) {
            predicted[i] = VM.computeCreateAddress(address(this), nonce + i);
        }
        bytes memory encoded;
        for (uint256 i = 0; i < 25; ++i) {
            encoded = bytes.concat(encoded, abi.encode(predicted[i]));
        }
        return abi.decode(encoded, (Addresses));
    }

    function _rows() private pure returns (Layout[] memory rows) {
        rows = new Layout[](1);
        rows[0] = Layout({
            firstEpoch: 0,
            forkVersion: BeaconState.FORK_VERSION,
            forkGindex: 269,
            validatorsGindex: 75,
            balancesGindex: 76,
            randaoMixesGindex: 77
        });
    }

    function _create(string memory name, bytes memory arguments, uint256 value) private returns (address created) {
        bytes memory code = bytes.concat(VM.getCode(name), arguments);
        assembly ("memory-safe") {
            created := create(value, add(code, 0x20), mload(code))
        }
        require(created != address(0), name);
    }

    function _check(address expected, address actual) private pure {
        require(expected == actual, "a contract stands at another address than predicted");
    }
}
