// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Epoch, PoolId, ProducerId} from "../types/Ids.sol";
import {IBlockProducers} from "./IBlockProducers.sol";
import {ICdtStaking} from "./ICdtStaking.sol";
import {IExits} from "./IExits.sol";
import {IPoolRegistry} from "./IPoolRegistry.sol";
import {IWithdrawalQueue} from "./IWithdrawalQueue.sol";

/// @title What a page or an operator wants to know, in one call each.
/// @notice Keeps nothing and may do nothing: it reads the other contracts' interfaces. Lists that grow are paged by ids; each page looks
///         at `count` ids from `from` on, whatever it finds there, and `next` is the `from` of the page after it (0: there is none).
interface INetworkViews {
    struct Staker {
        uint256 ethBalance; // wei
        uint256 bondEther; // wei that the bETH is worth
        uint256 shares; // of bETH
        uint256 wrapped; // wbETH wei
        uint256 wrappedWorth; // wei of bETH behind it
        uint256 openRequests; // withdrawal requests not claimed
        uint256 cdt; // CDT wei, not locked
        uint256 windDownUnits;
        uint256 windDownClaimable; // wei
    }

    struct RequestItem {
        uint256 requestId;
        IWithdrawalQueue.Request request;
    }

    struct LockItem {
        uint256 positionId;
        ICdtStaking.Position position;
    }

    struct ProducerPosition {
        IBlockProducers.Producer producer;
        uint256 bondValue; // wei
        uint256 seats; // live ones
        bool isUndercollateralized;
        uint256 debt; // points
        uint64 settledThrough; // reference timestamp of the last report it settled
        uint256 ownerCdt; // CDT wei, not locked
        uint64 period; // the current one
        uint32 committeePlace; // in this period's commitment committee, from 1; 0: not in it, or not formed
    }

    struct SeatItem {
        PoolId poolId;
        IPoolRegistry.PoolState state;
        uint32 index; // in the vault, from 1; 0: its seat is in its tail
        uint64 until; // timestamp at which the tail ends; 0: the seat is live
    }

    struct PoolPosition {
        PoolId poolId;
        IPoolRegistry.Pool pool;
        ProducerId[] vault;
        IBlockProducers.Holder[] holders; // who answers for it
        IExits.Exit exit;
    }

    struct Network {
        // bETH
        uint256 totalPooledEther;
        uint256 totalShares;
        uint256 rewardsIndex;
        uint256 coverShares;
        uint256 wrappedSupply;
        uint256 buffered;
        uint256 reserved;
        // withdrawals
        uint256 demand;
        uint256 unmetDemand;
        uint256 lastRequestId;
        uint256 lastFinalizedId;
        uint64 oldestRequestedAt;
        bool withdrawalsHeld;
        // pools and producers
        uint32 pools; // ever requested
        uint32 activeStakerPools;
        uint32 activeBondPools;
        uint32 exitingPools;
        uint32 producers; // ever registered
        uint256 bonds; // wei
        uint256 seats;
        uint256 lockedSeats;
        bool periodsStarted;
        uint64 period; // the current one
        uint32 listSize; // of the current period, 0 before it is frozen
        // reports
        Epoch epoch; // now
        uint64 nextReportEpoch; // next one on the grid
        uint256 commitments;
        uint256 nextToFinalize;
        uint64 lastFinalizedReference; // timestamp
        int256 recognisedProfit; // wei, of both kinds
        // CDT
        uint256 cdtSupply;
        uint256 cdtLocked;
        uint256 heldFeeShares; // wait for somebody who has locked
        // the end
        bool woundDown;
        uint64 windDownStartableAt;
    }

    function staker(address account) external view returns (Staker memory);

    /// @notice Requests that an account owns, among the `count` ids from `from` (1 …) on.
    function requestsOf(address owner, uint256 from, uint256 count) external view returns (RequestItem[] memory items, uint256 next);

    /// @notice CDT positions that an account ever made, from its `from`-th (0 …) on; closed ones have an amount of 0.
    function locksOf(address owner, uint256 from, uint256 count) external view returns (LockItem[] memory items);

    function producerPosition(ProducerId producerId) external view returns (ProducerPosition memory);

    /// @notice Seats of a producer, live and in their tail, in the `count` pools from `from` (1 …) on.
    function seatsOf(ProducerId producerId, uint32 from, uint32 count) external view returns (SeatItem[] memory items, uint32 next);

    function poolPosition(PoolId poolId) external view returns (PoolPosition memory);

    /// @notice The `count` pools from `from` (1 …) on.
    function pools(uint32 from, uint32 count) external view returns (PoolPosition[] memory items, uint32 next);

    function network() external view returns (Network memory);
}
