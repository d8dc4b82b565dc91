// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BeaconProofs, Layout, BeaconHeader, StateProof, Validator, ValidatorProof, BalanceProof, RandaoProof} from "../../../contracts/libraries/BeaconProofs.sol";

/// @notice Makes the library's functions callable for tests; each answers with the gas that it used.
contract BeaconProofsHarness {
    function verifyState(bytes32 blockRoot, StateProof calldata proof, Layout calldata row)
        external
        view
        returns (bytes32 stateRoot, uint256 used)
    {
        uint256 before = gasleft();
        stateRoot = BeaconProofs.verifyState(blockRoot, proof, row);
        used = before - gasleft();
    }

    function verifyValidator(
        bytes32 stateRoot,
        ValidatorProof calldata proof,
        Layout calldata row
    ) external view returns (uint256) {
        uint256 before = gasleft();
        BeaconProofs.verifyValidator(stateRoot, proof, row);
        return before - gasleft();
    }

    function verifyBalance(
        bytes32 stateRoot,
        BalanceProof calldata proof,
        Layout calldata row
    ) external view returns (uint64 balance, uint256 used) {
        uint256 before = gasleft();
        balance = BeaconProofs.verifyBalance(stateRoot, proof, row);
        used = before - gasleft();
    }

    function verifyRandaoMix(
        bytes32 stateRoot,
        RandaoProof calldata proof,
        uint64 epoch,
        uint64 vectorLength,
        Layout calldata row
    ) external view returns (uint256) {
        uint256 before = gasleft();
        BeaconProofs.verifyRandaoMix(stateRoot, proof, epoch, vectorLength, row);
        return before - gasleft();
    }

    function validatorGindex(uint64 listGindex, uint64 index) external pure returns (uint256) {
        return BeaconProofs.validatorGindex(listGindex, index);
    }

    function balanceGindex(uint64 listGindex, uint64 index) external pure returns (uint256) {
        return BeaconProofs.balanceGindex(listGindex, index);
    }

    function randaoMixGindex(uint64 vectorGindex, uint64 epoch, uint64 length) external pure returns (uint256) {
        return BeaconProofs.randaoMixGindex(vectorGindex, epoch, length);
    }

    function validatorRoot(Validator calldata validator) external view returns (bytes32) {
        return BeaconProofs.validatorRoot(validator);
    }

    function headerRoot(BeaconHeader calldata header) external view returns (bytes32) {
        return BeaconProofs.headerRoot(header);
    }
}
