// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ISignerSlashing} from "../interfaces/ISignerSlashing.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {CommitmentContent} from "../libraries/CommitmentContent.sol";
import {Epoch, ProducerId} from "../types/Ids.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";
import {ProducerAccess} from "./ProducerAccess.sol";

/// @title Slashing of a commitment's signers, in as many transactions as a large committee takes
abstract contract SignerSlashing is ISignerSlashing, ProducerAccess {
    using CommitmentContent for IStateCommitments.Content;

    IStateCommitments internal immutable COMMITMENTS;

    /// @dev Members of the committee, in its order, whose part is settled.
    mapping(uint256 commitmentId => uint256) internal _judged;

    constructor(Addresses memory addresses) ProducerAccess(addresses) {
        COMMITMENTS = IStateCommitments(nonZero(addresses.stateCommitments));
    }

    /// @dev The content is checked by the caller.
    function _slashSigners(
        uint256 commitmentId,
        IStateCommitments.Content calldata content,
        uint256 maxMembers,
        address reporter
    ) internal {
        (ProducerId[] memory members,) = PERIODS.committee(PERIODS.periodAt(Epoch.wrap(content.report.epoch)));
        uint256 from = _judged[commitmentId];
        uint256 rest = members.length - from;
        uint256 to = from + (rest < maxMembers ? rest : maxMembers);
        _judged[commitmentId] = to;
        for (uint256 i = from; i < to; ++i) {
            if (content.hasSigned(i)) PRODUCERS.slashOut(members[i], reporter);
        }
        emit SignersJudged(commitmentId, to, members.length);
    }
}
