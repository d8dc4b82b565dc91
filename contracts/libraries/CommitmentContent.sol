// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStateCommitments} from "../interfaces/IStateCommitments.sol";

/// @title What stands behind a commitment, brought along by whoever acts on it
library CommitmentContent {
    function hashOf(IStateCommitments.Content memory content) internal pure returns (bytes32) {
        return keccak256(abi.encode(content));
    }

    /// @notice Reverts unless the content is the one with that hash.
    function check(IStateCommitments.Content calldata content, bytes32 expected) internal pure {
        bytes32 actual = keccak256(abi.encode(content));
        if (actual != expected) revert IStateCommitments.WrongContent(expected, actual);
    }

    /// @notice Whether the committee member at `place` signed.
    function hasSigned(IStateCommitments.Content calldata content, uint256 place) internal pure returns (bool) {
        return (uint8(content.absent[place / 8]) >> (place % 8)) & 1 == 0;
    }
}
