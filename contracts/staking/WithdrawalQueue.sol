// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IStateCommitments} from "../interfaces/IStateCommitments.sol";
import {IWindDown} from "../interfaces/IWindDown.sol";
import {IWithdrawalQueue} from "../interfaces/IWithdrawalQueue.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";
import {Rate, Tally, WithdrawalBatches} from "./WithdrawalBatches.sol";

/// @title The withdrawal queue
/// @dev A request costs one new slot: its owner, and the sum of all amounts up to it, from which both its amount and the place where
///      ETH runs short follow. Shares are kept per batch, whose requests were made at one index: a batch ends when the index moves,
///      and a part of it, up to a boundary of the report grid or as far as ETH goes, has its part of the shares.
contract WithdrawalQueue is ERC721, IWithdrawalQueue {
    using SafeCast for uint256;
    using WithdrawalBatches for mapping(uint256 position => Rate);
    using WithdrawalBatches for Tally;

    struct Entry {
        address owner;
        uint88 amount; // wei asked by all requests up to this one, modulo 2^88
        uint8 tick; // report interval modulo SPAN (3 bits), time within it in 1/32 (5 bits)
    }

    /// @dev Where the batches are, in one slot.
    struct Cursor {
        uint32 open; // the batch that grows
        uint32 next; // the first not wholly finalized
        uint64 opened; // report interval in which the last one ended: the open one begins there or later
    }

    /// @dev Smallest request (wei): dust would be rounding and nothing else.
    uint256 private constant MIN_REQUEST = 1 gwei;
    uint256 private constant TICKS = 32;
    /// @dev Most report intervals of a batch, so that a tick tells which of them it is in.
    uint256 private constant SPAN = 8;

    IBondEther private immutable BOND_ETHER;
    IStakingPool private immutable STAKING_POOL;
    IStateCommitments private immutable STATE_COMMITMENTS;
    IWindDown private immutable WIND_DOWN;
    uint256 private immutable GENESIS_TIME;
    /// @dev Seconds from one possible reference of reports to the next.
    uint256 private immutable INTERVAL;

    mapping(uint256 id => Entry) private _entries;
    mapping(address owner => uint256) private _balances;
    /// @dev All requests.
    Tally private _last;
    /// @dev All finalized requests; `mark` counts `_rates`.
    Tally private _paid;
    Cursor private _cursor;
    /// @dev Tallies at the ends of closed batches, from 1 on.
    mapping(uint256 batch => Tally) private _batches;
    mapping(uint256 position => Rate) private _rates;

    constructor(Addresses memory addresses, Parameters memory parameters) ERC721("Open Pools withdrawal", "OPW") {
        BOND_ETHER = IBondEther(nonZero(addresses.bondEther));
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        STATE_COMMITMENTS = IStateCommitments(nonZero(addresses.stateCommitments));
        WIND_DOWN = IWindDown(nonZero(addresses.windDown));
        GENESIS_TIME = parameters.genesisTime;
        INTERVAL = uint256(parameters.reportEpochs) * parameters.slotsPerEpoch * parameters.secondsPerSlot;
        uint256 elapsed = Math.saturatingSub(block.timestamp, GENESIS_TIME);
        // Neither is ever zero, which spares the first request and the first report the price of a new slot.
        _last.mark = uint32(Math.max(elapsed, 1));
        _cursor = Cursor({open: 1, next: 1, opened: uint64(elapsed / INTERVAL)});
    }

    modifier onlyStakingPool() {
        if (msg.sender != address(STAKING_POOL)) revert NotStakingPool(msg.sender);
        _;
    }

    // Views

    /// @inheritdoc IWithdrawalQueue
    function request(uint256 requestId) external view returns (Request memory) {
        _requireKnown(requestId);
        Entry memory entry = _entries[requestId];
        uint256 batch = _batchOf(requestId);
        uint256 amount = _amountOf(requestId);
        bool finalized = requestId <= _paid.lastId;
        bool claimed = entry.owner == address(0);
        return Request({
            owner: entry.owner,
            shares: uint128(_sharesOf(requestId, batch)),
            amount: uint128(amount),
            requestedAt: _timeOf(entry.tick, _endOf(batch).mark),
            finalized: finalized,
            claimed: claimed,
            claimable: finalized && !claimed ? _payment(requestId, amount) : 0
        });
    }

    /// @inheritdoc IWithdrawalQueue
    function lastRequestId() external view returns (uint256) {
        return _last.lastId;
    }

    /// @inheritdoc IWithdrawalQueue
    function lastFinalizedId() external view returns (uint256) {
        return _paid.lastId;
    }

    /// @inheritdoc IWithdrawalQueue
    function demand() external view returns (uint256) {
        (uint256 asked, uint256 shares) = _paid.between(_last);
        return asked == 0 ? 0 : Math.min(asked, BOND_ETHER.getPooledEthByShares(shares));
    }

    /// @inheritdoc IWithdrawalQueue
    function oldestRequestedAt() external view returns (uint64) {
        uint256 oldest = uint256(_paid.lastId) + 1;
        return oldest > _last.lastId ? 0 : _timeOf(_entries[oldest].tick, _endOf(_cursor.next).mark);
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) public view override(ERC721, IERC721) returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _balances[owner];
    }

    // Requests

    /// @inheritdoc IWithdrawalQueue
    function requestWithdrawal(uint256 amount) external returns (uint256 requestId) {
        return _request(amount);
    }

    /// @inheritdoc IWithdrawalQueue
    function requestWithdrawalWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 requestId)
    {
        // Somebody may have sent the permit before: then it fails here, and the allowance is there.
        try IERC20Permit(address(BOND_ETHER)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _request(amount);
    }

    /// @inheritdoc IWithdrawalQueue
    function closeBatch() external onlyStakingPool {
        _closeBatch(_last);
    }

    // Finalization

    /// @inheritdoc IWithdrawalQueue
    function finalize(uint256 maxSteps) external returns (uint256 lastFinalized) {
        if (STATE_COMMITMENTS.withdrawalsHeld()) revert FinalizationHeld();
        uint256 covered = _intervalsBefore(STATE_COMMITMENTS.lastFinalizedReference());
        uint256 available = STAKING_POOL.unreserved();
        Tally memory from = _paid;
        uint256 firstId = uint256(from.lastId) + 1;
        uint256 rates = from.mark;
        Cursor memory cursor = _cursor;
        uint256 allShares;
        uint256 allPaid;
        for (; maxSteps > 0 && cursor.next < cursor.open; maxSteps--) {
            Tally memory end = _batches[cursor.next];
            (Tally memory to, uint256 paid) = _step(from, end, available, covered);
            if (to.lastId == from.lastId) break;
            (uint256 asked, uint256 shares) = from.between(to);
            rates = _rates.addRate(rates, to.lastId, asked, paid);
            allShares += shares;
            allPaid += paid;
            available -= paid;
            from = to;
            if (to.lastId < end.lastId) break;
            cursor.next++;
        }
        lastFinalized = from.lastId;
        if (lastFinalized < firstId) return lastFinalized;
        from.mark = uint32(rates);
        _paid = from;
        _cursor = cursor;
        emit WithdrawalsFinalized(firstId, lastFinalized, allShares, allPaid);
        STAKING_POOL.payWithdrawals(allShares, allPaid);
    }

    /// @inheritdoc IWithdrawalQueue
    function receivePaid() external payable onlyStakingPool {}

    /// @inheritdoc IWithdrawalQueue
    function claimWithdrawal(uint256 requestId) external {
        uint256 lastFinalized = _paid.lastId;
        if (requestId == 0 || requestId > lastFinalized) {
            _requireKnown(requestId);
            revert NotFinalized(requestId, lastFinalized);
        }
        _requireOwner(requestId);
        uint256 payment = _payment(requestId, _amountOf(requestId));
        _burn(requestId);
        emit WithdrawalClaimed(requestId, msg.sender, payment);
        (bool ok,) = msg.sender.call{value: payment}("");
        if (!ok) revert ClaimFailed(requestId, msg.sender);
    }

    /// @inheritdoc IWithdrawalQueue
    function takeBack(uint256 requestId) external returns (uint256 shares) {
        if (!WIND_DOWN.started()) revert NotWoundDown();
        _requireKnown(requestId);
        if (requestId <= _paid.lastId) revert AlreadyFinalized(requestId);
        _requireOwner(requestId);
        // From here on nobody joins its batch: each request's part is what it was when the first of them left.
        _closeBatch(_last);
        shares = _sharesOf(requestId, _batchOf(requestId));
        emit WithdrawalReturned(requestId, msg.sender, shares);
        _burn(requestId);
        BOND_ETHER.transferShares(msg.sender, shares);
    }

    // Internals

    function _request(uint256 amount) private returns (uint256 requestId) {
        uint256 shares = BOND_ETHER.getSharesByPooledEth(amount);
        uint256 value = BOND_ETHER.transferSharesFrom(msg.sender, address(this), shares);
        if (value < MIN_REQUEST) revert AmountTooSmall(MIN_REQUEST, value);
        Tally memory last = _last;
        uint256 elapsed = block.timestamp - GENESIS_TIME;
        uint256 interval = elapsed / INTERVAL;
        if (interval > last.mark / INTERVAL && interval - _cursor.opened >= SPAN) _closeBatch(last);
        requestId = uint256(last.lastId) + 1;
        last.lastId = requestId.toUint32();
        last.mark = elapsed.toUint32();
        unchecked {
            last.amount += value.toUint88();
            last.shares += shares.toUint104();
        }
        _last = last;
        // The owner is written by `_mint`, into the same slot.
        uint256 tick = (interval % SPAN) * TICKS + ((elapsed % INTERVAL) * TICKS) / INTERVAL;
        _entries[requestId] = Entry({owner: address(0), amount: last.amount, tick: uint8(tick)});
        _mint(msg.sender, requestId);
        emit WithdrawalRequested(requestId, msg.sender, shares, value);
    }

    function _closeBatch(Tally memory last) private {
        Cursor memory cursor = _cursor;
        if (last.lastId > _batches[cursor.open - 1].lastId) _batches[cursor.open++] = last;
        cursor.opened = uint64((block.timestamp - GENESIS_TIME) / INTERVAL);
        _cursor = cursor;
    }

    /// @dev As much of the batch that ends at `end` as was requested before interval `covered` and `available` pays: up to which
    ///      request, and for how much together.
    ///      A batch's requests were made at one index, so the least of asked and present value is one for all of them.
    function _step(Tally memory from, Tally memory end, uint256 available, uint256 covered)
        private
        view
        returns (Tally memory to, uint256 paid)
    {
        (uint256 asked, uint256 shares) = from.between(end);
        uint256 due = Math.min(asked, BOND_ETHER.getPooledEthByShares(shares));
        bool isCovered = end.mark / INTERVAL < covered;
        if (isCovered && due <= available) return (end, due);
        // The answer lies before the batch's end: that is not covered, or `available` pays less than asked.
        uint256 id = isCovered ? end.lastId - 1 : _lastBefore(from.lastId, end, covered);
        if (due > available) id = _lastWithin(from, id, Math.mulDiv(available, asked, due));
        if (id == from.lastId) return (from, 0);
        to = Tally({lastId: uint32(id), mark: 0, amount: _entries[id].amount, shares: from.shares});
        (uint256 part,) = from.between(to);
        paid = Math.mulDiv(part, due, asked);
        // Its part of the shares, but at least those that its payment burns.
        uint256 burned = BOND_ETHER.getSharesByPooledEth(paid);
        if (BOND_ETHER.getPooledEthByShares(burned) < paid) burned++;
        uint256 partShares = Math.min(Math.max(Math.mulDiv(shares, part, asked), burned), shares);
        unchecked {
            to.shares += uint104(partShares);
        }
    }

    /// @dev Last request after `low`, but not the batch's last, that was made before interval `covered`; `low` if there is none.
    function _lastBefore(uint256 low, Tally memory end, uint256 covered) private view returns (uint256) {
        uint256 high = end.lastId - 1;
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            if (_intervalOf(_entries[middle].tick, end.mark) < covered) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    /// @dev Last request after `from` and up to `high` up to which no more than `most` wei are asked; `from.lastId` if there is none.
    function _lastWithin(Tally memory from, uint256 high, uint256 most) private view returns (uint256 low) {
        low = from.lastId;
        while (low < high) {
            uint256 middle = (low + high + 1) / 2;
            uint256 asked;
            unchecked {
                asked = uint88(_entries[middle].amount - from.amount);
            }
            if (asked <= most) low = middle;
            else high = middle - 1;
        }
    }

    function _payment(uint256 requestId, uint256 amount) private view returns (uint256) {
        Rate memory rate = _rates.rateOf(_paid.mark, requestId);
        return Math.mulDiv(amount, rate.paid, rate.asked);
    }

    function _amountOf(uint256 requestId) private view returns (uint256) {
        unchecked {
            return uint88(_entries[requestId].amount - _entries[requestId - 1].amount);
        }
    }

    /// @dev Its part, by amount, of the shares of its batch; of those that still wait, when others of the batch were finalized.
    function _sharesOf(uint256 requestId, uint256 batch) private view returns (uint256) {
        Tally memory start = _batches[batch - 1];
        Tally memory paid = _paid;
        if (requestId > paid.lastId && paid.lastId > start.lastId) start = paid;
        (uint256 asked, uint256 shares) = start.between(_endOf(batch));
        return Math.mulDiv(shares, _amountOf(requestId), asked);
    }

    /// @dev Index of the batch that holds a request; one past the closed ones for the open batch.
    function _batchOf(uint256 requestId) private view returns (uint256 low) {
        uint256 high = _cursor.open;
        low = 1;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (_batches[middle].lastId < requestId) low = middle + 1;
            else high = middle;
        }
    }

    function _endOf(uint256 batch) private view returns (Tally memory) {
        return batch < _cursor.open ? _batches[batch] : _last;
    }

    /// @dev Report interval of a request, from its tick and the time of the last one of its batch.
    function _intervalOf(uint256 tick, uint256 batchTime) private view returns (uint256) {
        uint256 last = batchTime / INTERVAL;
        return last - ((last + SPAN - tick / TICKS) % SPAN);
    }

    /// @dev Timestamp likewise.
    function _timeOf(uint256 tick, uint256 batchTime) private view returns (uint64) {
        return uint64(GENESIS_TIME + _intervalOf(tick, batchTime) * INTERVAL + Math.ceilDiv((tick % TICKS) * INTERVAL, TICKS));
    }

    /// @dev Report intervals that ended with a reference: it is the block at a boundary or, where that is missing, the last before it.
    function _intervalsBefore(uint256 timestamp) private view returns (uint256) {
        return Math.ceilDiv(Math.saturatingSub(timestamp, GENESIS_TIME), INTERVAL);
    }

    function _requireKnown(uint256 requestId) private view {
        uint256 last = _last.lastId;
        if (requestId == 0 || requestId > last) revert RequestUnknown(requestId, last);
    }

    function _requireOwner(uint256 requestId) private view {
        address owner = _entries[requestId].owner;
        if (owner == address(0)) revert AlreadyClaimed(requestId);
        if (owner != msg.sender) revert NotRequestOwner(requestId, owner, msg.sender);
    }

    function _ownerOf(uint256 requestId) internal view override returns (address) {
        return _entries[requestId].owner;
    }

    /// @dev ERC-721 bookkeeping with the owner in the request's own slot.
    function _update(address to, uint256 requestId, address auth) internal override returns (address from) {
        from = _ownerOf(requestId);
        if (auth != address(0)) _checkAuthorized(from, auth, requestId);
        if (from != address(0)) {
            _approve(address(0), requestId, address(0), false);
            _balances[from] -= 1;
        }
        if (to != address(0)) _balances[to] += 1;
        _entries[requestId].owner = to;
        emit Transfer(from, to, requestId);
    }
}
