// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStateCommitments} from "./IStateCommitments.sol";

/// @title What comes after a commitment was found a lie: whoever signed it is slashed out.
interface ISignerSlashing {
    /// @notice The first `judged` members of the commitment's committee are settled: signers slashed out, absent members passed over.
    event SignersJudged(uint256 indexed commitmentId, uint256 judged, uint256 size);

    /// @notice The commitment was not found a lie here.
    error NoVerdict(uint256 commitmentId);

    /// @notice After a verdict: goes on slashing out the commitment's signers, at most `maxMembers` members of its committee. Anyone.
    function slashSigners(uint256 commitmentId, IStateCommitments.Content calldata content, uint256 maxMembers) external;
}
