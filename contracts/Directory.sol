// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDirectory} from "./interfaces/IDirectory.sol";
import {Addresses, Parameters} from "./types/Parameters.sol";

/// @title The one address from which a client finds everything else.
/// @dev Deployed first: a deployment with a parameter out of range ends before anything else stands.
contract Directory is IDirectory {
    uint256 private constant ETH = 1 ether;
    uint256 private constant PPM = 1_000_000;
    uint256 private constant BASIS_POINTS = 10_000;

    /// @inheritdoc IDirectory
    uint256 public immutable deploymentBlock;

    Addresses private _addresses;
    Parameters private _parameters;

    constructor(Addresses memory where, Parameters memory given) {
        _checkAddresses(where);
        _checkChain(given);
        _checkProducers(given);
        _checkReports(given);
        _checkStaking(given);
        _checkPoints(given);
        _checkEnd(given);
        _addresses = where;
        _parameters = given;
        deploymentBlock = block.number;
    }

    /// @inheritdoc IDirectory
    function parameters() external view returns (Parameters memory) {
        return _parameters;
    }

    /// @inheritdoc IDirectory
    function addresses() external view returns (Addresses memory) {
        return _addresses;
    }

    function _checkAddresses(Addresses memory where) private view {
        if (where.directory != address(this)) revert WrongAddress("directory", address(this), where.directory);
        _checkAddress("beaconLayout", where.beaconLayout);
        _checkAddress("bondEther", where.bondEther);
        _checkAddress("stakingPool", where.stakingPool);
        _checkAddress("withdrawalQueue", where.withdrawalQueue);
        _checkAddress("stakerVault", where.stakerVault);
        _checkAddress("bondVault", where.bondVault);
        _checkAddress("blockProducers", where.blockProducers);
        _checkAddress("periods", where.periods);
        _checkAddress("vaultDraws", where.vaultDraws);
        _checkAddress("poolRegistry", where.poolRegistry);
        _checkAddress("exits", where.exits);
        _checkAddress("stateCommitments", where.stateCommitments);
        _checkAddress("disputes", where.disputes);
        _checkAddress("cdt", where.cdt);
        _checkAddress("rewards", where.rewards);
        _checkAddress("cdtStaking", where.cdtStaking);
        _checkAddress("slashing", where.slashing);
        _checkAddress("windDown", where.windDown);
        _checkAddress("ceremonies", where.ceremonies);
        _checkAddress("rotations", where.rotations);
        _checkAddress("dkgDisputes", where.dkgDisputes);
        _checkAddress("wrappedBondEther", where.wrappedBondEther);
        _checkAddress("views", where.views);
        _checkAddress("votes", where.votes);
    }

    function _checkChain(Parameters memory p) private view {
        _check("genesisTime", p.genesisTime, 1, block.timestamp);
        _check("secondsPerSlot", p.secondsPerSlot, 1, 60);
        _check("slotsPerEpoch", p.slotsPerEpoch, 1, 64);
        _check("epochsPerHistoricalVector", p.epochsPerHistoricalVector, 32, 2 ** 24);
        if (p.epochsPerHistoricalVector & (p.epochsPerHistoricalVector - 1) != 0) {
            revert NotAPowerOfTwo("epochsPerHistoricalVector", p.epochsPerHistoricalVector);
        }
        _check("shardCommitteePeriod", p.shardCommitteePeriod, 0, 2 ** 16);
        _check("genesisValidatorsRoot", uint256(p.genesisValidatorsRoot), 1, type(uint256).max);
        _check("ejectionBalance", p.ejectionBalance, 1, 31e9);
        _checkAddress("depositContract", p.depositContract);
    }

    function _checkProducers(Parameters memory p) private view {
        // A vault's participation is one word, its signatures are checked in one transaction.
        _check("vaultSize", p.vaultSize, 4, 128);
        _check("seatAllocation", p.seatAllocation, 0.01 ether, 32 * ETH);
        _check("effectiveStake", p.effectiveStake, p.seatAllocation, 2048 * ETH);
        _check("minProducers", p.minProducers, p.vaultSize, type(uint16).max);
        _check("periodLength", p.periodLength, uint256(p.seedDelay) + 2, 2 ** 16);
        // Its list is frozen `seedDelay` + 1 epochs before, and somebody has to have registered by then.
        uint256 now_ = (block.timestamp - p.genesisTime) / (p.slotsPerEpoch * p.secondsPerSlot);
        _check("firstPeriod", p.firstPeriod, now_ + p.seedDelay + 2, 2 ** 40);
        _check("maxChurn", p.maxChurn, 1, 1024);
        _check("committeeSize", p.committeeSize, 1, 2048);
        _check("minAuxCommitteeSize", p.minAuxCommitteeSize, 1, 2048);
        _check("seedDelay", p.seedDelay, 1, 1024);
        _check("ceremonyDeadline", p.ceremonyDeadline, 1, 2 ** 16);
        _check("seatTail", p.seatTail, 1, 2 ** 16);
        _check("rotationMargin", p.rotationMargin, 1, 1024);
        // A vault drawn anew before the last one took over would never work.
        _check("rotationPeriod", p.rotationPeriod, uint256(p.seedDelay) + p.ceremonyDeadline + p.rotationMargin + 1, 2 ** 20);
    }

    function _checkReports(Parameters memory p) private pure {
        _check("reportEpochs", p.reportEpochs, 1, 2 ** 16);
        _check("disputeDuration", p.disputeDuration, 1, 2 ** 16);
        _check("pagesDeadline", p.pagesDeadline, 1, 2 ** 16);
        _check("voteDuration", p.voteDuration, 1, 2 ** 16);
        _check("failedVotePenalty", p.failedVotePenalty, 1, p.effectiveStake);
        _check("maxReportGrowth", p.maxReportGrowth, 1, PPM);
        _check("maxReportLoss", p.maxReportLoss, 1, PPM);
    }

    function _checkStaking(Parameters memory p) private pure {
        _check("minDeposit", p.minDeposit, 1, 32 * ETH);
        _check("liquidationThreshold", p.liquidationThreshold, 1, 32_000 * ETH);
        _check("maxQueueWait", p.maxQueueWait, 1, 2 ** 16);
        _check("maxLiquidationExecution", p.maxLiquidationExecution, 1, 2 ** 16);
        _check("stallPenalty", p.stallPenalty, 1, p.seatAllocation);
        _check("reporterShare", p.reporterShare, 0, BASIS_POINTS / 2);
        _check("reporterFee", p.reporterFee, 0, p.seatAllocation);
        _check("rewardsFee", p.rewardsFee, 0, BASIS_POINTS / 2);
    }

    function _checkPoints(Parameters memory p) private pure {
        _check("baseReward", p.baseReward, 1, 2 ** 16);
        _check("dkgReward", p.dkgReward, 1, 2 ** 24);
        _check("dkgFailurePenalty", p.dkgFailurePenalty, 1, p.maxCdtDebt);
        // One report takes at most a tenth of it, and a point has to be takeable.
        _check("maxCdtDebt", p.maxCdtDebt, 10, 2 ** 31 - 1);
        _check("minPoolPerformance", p.minPoolPerformance, 0, BASIS_POINTS);
        _check("nominalPools", p.nominalPools, 1, 2 ** 20);
        _check("cdtEmission", p.cdtEmission, 1, 2 ** 96);
        _check("cdtMinLock", p.cdtMinLock, 1, 2 ** 20);
    }

    function _checkEnd(Parameters memory p) private pure {
        _check("layoutDelay", p.layoutDelay, 1, 2 ** 20);
        // Not while a report that is merely disputed can still come.
        _check("windDownAfter", p.windDownAfter, 2 * (uint256(p.reportEpochs) + p.pagesDeadline + p.disputeDuration + p.voteDuration), 2 ** 20);
    }

    function _check(string memory name, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert ParameterOutOfRange(name, value, least, most);
    }

    function _checkAddress(string memory name, address given) private pure {
        if (given == address(0)) revert AddressMissing(name);
    }
}
