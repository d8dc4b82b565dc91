// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BalanceProof, StateProof, ValidatorProof} from "../libraries/BeaconProofs.sol";
import {PoolId, PoolKind} from "../types/Ids.sol";

/// @title Fraud proofs against commitments, decided at once.
interface IDisputes {
    event BalanceDisproven(uint256 indexed commitmentId, PoolId indexed poolId, uint64 reported, uint64 actual, address indexed reporter);

    error NothingWrong(PoolId poolId, uint64 reported);
    error OrdinalOutOfRange(uint32 ordinal, uint32 count);
    error WrongPageBranch();
    error NotDisputable(uint256 commitmentId);
    error WrongPublicKey(bytes expected, bytes actual);

    /// @notice Shows that a posted balance is not the pool's at the reference: the commitment is dropped and its signers slashed out. Anyone.
    /// @param word the 32-byte word of the page that holds the balance. @param branch from it to the page's root.
    /// @dev The right value: registered but not funded at the reference: 1 ETH (0 once front-run); funded: the validator's balance,
    ///      plus 31 ETH while its activation_eligibility_epoch is far-future and its balance is below 32 ETH.
    function disproveBalance(
        uint256 commitmentId,
        PoolKind kind,
        uint32 ordinal,
        bytes32 word,
        bytes32[] calldata branch,
        StateProof calldata state,
        ValidatorProof calldata validator,
        BalanceProof calldata balance
    ) external;
}
