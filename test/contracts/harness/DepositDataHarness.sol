// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DepositData} from "../../../contracts/libraries/DepositData.sol";

/// @notice Makes the library's functions callable for tests.
contract DepositDataHarness {
    function withdrawalCredentials(address recipient) external pure returns (bytes32) {
        return DepositData.withdrawalCredentials(recipient);
    }

    function pubkeyRoot(bytes calldata pubkey) external pure returns (bytes32) {
        return DepositData.pubkeyRoot(pubkey);
    }

    function domain(bytes4 genesisForkVersion) external view returns (bytes32) {
        return DepositData.domain(genesisForkVersion);
    }

    function messageRoot(bytes calldata pubkey, bytes32 credentials, uint64 amountGwei) external view returns (bytes32) {
        return DepositData.messageRoot(DepositData.pubkeyRoot(pubkey), credentials, amountGwei);
    }

    function signingRoot(bytes calldata pubkey, bytes32 credentials, uint64 amountGwei, bytes4 genesisForkVersion)
        external
        view
        returns (bytes32)
    {
        return DepositData.signingRoot(DepositData.pubkeyRoot(pubkey), credentials, amountGwei, genesisForkVersion);
    }

    function dataRoot(bytes calldata pubkey, bytes32 credentials, uint64 amountGwei, bytes calldata signature)
        external
        view
        returns (bytes32)
    {
        return DepositData.dataRoot(DepositData.pubkeyRoot(pubkey), credentials, amountGwei, signature);
    }
}
