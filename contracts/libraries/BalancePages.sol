// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {PoolKind} from "../types/Ids.sol";
import {PageTree} from "./PageTree.sol";

/// @title Balances in the pages of a commitment
library BalancePages {
    /// @notice The branch does not lead to the page's root.
    error WrongPageBranch();
    /// @notice The report has no such pool: it was registered later.
    error NotInReport(uint32 ordinal, uint32 count);

    uint256 private constant ENTRY_BYTES = 8;
    uint256 private constant ENTRIES_PER_WORD = 4;

    /// @notice What a commitment reports of a pool (gwei), shown to be in the page that its signers named.
    /// @param perPage balances of a full page
    /// @param ordinal place among the pools of its kind
    /// @param word of the page, which holds the entry
    function balanceIn(
        IStateCommitments.Report calldata report,
        uint32 perPage,
        PoolKind kind,
        uint32 ordinal,
        bytes32 word,
        bytes32[] calldata branch
    ) internal pure returns (uint64) {
        uint32 count = kind == PoolKind.Staker ? report.stakerPools : report.bondPools;
        if (ordinal >= count) revert NotInReport(ordinal, count);
        uint256 page = ordinal / perPage;
        uint256 inPage = ordinal % perPage;
        uint256 rest = count - page * perPage;
        if (kind == PoolKind.Bond) page += (uint256(report.stakerPools) + perPage - 1) / perPage;
        uint256 length = (rest < perPage ? rest : perPage) * ENTRY_BYTES;
        bool isIn = PageTree.verifyWord(report.pageRoots[page], length, inPage / ENTRIES_PER_WORD, word, branch);
        if (!isIn) revert WrongPageBranch();
        return PageTree.uint64At(word, inPage % ENTRIES_PER_WORD);
    }
}
