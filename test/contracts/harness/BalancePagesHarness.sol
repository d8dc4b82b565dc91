// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStateCommitments} from "../../../contracts/interfaces/IStateCommitments.sol";
import {BalancePages} from "../../../contracts/libraries/BalancePages.sol";
import {PoolKind} from "../../../contracts/types/Ids.sol";

/// @notice Makes the library's function callable for tests.
contract BalancePagesHarness {
    function balanceIn(
        IStateCommitments.Report calldata report,
        uint32 perPage,
        PoolKind kind,
        uint32 ordinal,
        bytes32 word,
        bytes32[] calldata branch
    ) external pure returns (uint64) {
        return BalancePages.balanceIn(report, perPage, kind, ordinal, word, branch);
    }
}
