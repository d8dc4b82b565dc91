// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBondEther} from "../interfaces/IBondEther.sol";
import {DEAD_ETHER, SHARES_PER_WEI} from "../types/DeadShares.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses, Parameters} from "../types/Parameters.sol";

/// @title bETH
/// @dev The pot starts with `DEAD_ETHER` wei, which the StakingPool holds from its deployment on, against dead shares that nobody
///      can move. From then on every wei in the pot came in with shares or as recognised profit, and every rounding leaves
///      the remainder with all holders: between two calls of `recognise` the index never falls, and each mint or redemption
///      raises the value of all other shares together by less than the value of one share.
contract BondEther is ERC20Permit, IBondEther {
    using SafeCast for uint256;

    /// @dev Both halves of the index, in one slot.
    struct Pot {
        uint128 shares;
        uint128 pooledEther;
    }

    uint256 private constant INDEX_ONE = 1e27;
    address private constant DEAD = 0x000000000000000000000000000000000000dEaD;

    address private immutable STAKING_POOL;
    address private immutable BLOCK_PRODUCERS;
    address private immutable WITHDRAWAL_QUEUE;
    address private immutable CDT_STAKING;

    Pot private _pot;
    /// @dev The cover account is this contract itself: bETH sent here by mistake covers losses.
    mapping(address account => uint256 shares) private _shares;

    constructor(Addresses memory addresses, Parameters memory) ERC20("Open Pools Ether", "bETH") ERC20Permit("Open Pools Ether") {
        STAKING_POOL = nonZero(addresses.stakingPool);
        BLOCK_PRODUCERS = nonZero(addresses.blockProducers);
        WITHDRAWAL_QUEUE = nonZero(addresses.withdrawalQueue);
        CDT_STAKING = nonZero(addresses.cdtStaking);
        uint256 shares = DEAD_ETHER * SHARES_PER_WEI;
        _pot = Pot({shares: uint128(shares), pooledEther: uint128(DEAD_ETHER)});
        // One dead share lies in the queue: its balance is never zero, which spares whoever finds it empty the price of a new slot.
        _shares[WITHDRAWAL_QUEUE] = 1;
        _shares[DEAD] = shares - 1;
        emit Transfer(address(0), DEAD, DEAD_ETHER);
        emit SharesMinted(DEAD, shares, DEAD_ETHER);
        emit TransferShares(DEAD, WITHDRAWAL_QUEUE, 1);
    }

    modifier onlyStakingPool() {
        if (msg.sender != STAKING_POOL) revert NotStakingPool(msg.sender);
        _;
    }

    // Views

    /// @inheritdoc IBondEther
    function rewardsIndex() external view returns (uint256) {
        return _index(_pot);
    }

    /// @inheritdoc IBondEther
    function totalPooledEther() external view returns (uint256) {
        return _pot.pooledEther;
    }

    /// @inheritdoc IBondEther
    function totalShares() external view returns (uint256) {
        return _pot.shares;
    }

    /// @inheritdoc IBondEther
    function sharesOf(address account) external view returns (uint256) {
        return _shares[account];
    }

    /// @inheritdoc IBondEther
    function coverShares() external view returns (uint256) {
        return _shares[address(this)];
    }

    /// @inheritdoc IBondEther
    function getSharesByPooledEth(uint256 pooledEther) public view returns (uint256 shares) {
        Pot memory pot = _pot;
        return Math.mulDiv(pooledEther, pot.shares, pot.pooledEther);
    }

    /// @inheritdoc IBondEther
    function getPooledEthByShares(uint256 shares) public view returns (uint256 pooledEther) {
        return _value(_pot, shares);
    }

    /// @notice Value (wei) of an account's shares.
    function balanceOf(address account) public view override(ERC20, IERC20) returns (uint256) {
        return _value(_pot, _shares[account]);
    }

    /// @notice The whole pot (wei), like `totalPooledEther`.
    function totalSupply() public view override(ERC20, IERC20) returns (uint256) {
        return _pot.pooledEther;
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }

    // Holders

    /// @inheritdoc IBondEther
    function transferShares(address to, uint256 shares) external returns (uint256 pooledEther) {
        return _transferShares(msg.sender, to, shares);
    }

    /// @inheritdoc IBondEther
    function transferSharesFrom(address from, address to, uint256 shares) external returns (uint256 pooledEther) {
        Pot memory pot = _pot;
        _spendAllowance(from, msg.sender, Math.mulDiv(shares, pot.pooledEther, pot.shares, Math.Rounding.Ceil));
        return _transferShares(from, to, shares);
    }

    /// @inheritdoc IBondEther
    function giveToCover(uint256 shares) external {
        _cover(msg.sender, shares);
    }

    // The StakingPool

    /// @inheritdoc IBondEther
    function mint(address to, uint256 pooledEther) external onlyStakingPool returns (uint256 shares) {
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        Pot memory pot = _pot;
        shares = Math.mulDiv(pooledEther, pot.shares, pot.pooledEther);
        _pot = Pot({shares: (pot.shares + shares).toUint128(), pooledEther: (pot.pooledEther + pooledEther).toUint128()});
        _shares[to] += shares;
        emit Transfer(address(0), to, pooledEther);
        emit SharesMinted(to, shares, pooledEther);
    }

    /// @inheritdoc IBondEther
    function redeem(uint256 shares, uint256 pooledEther) external onlyStakingPool {
        Pot memory pot = _pot;
        uint256 burned = Math.mulDiv(pooledEther, pot.shares, pot.pooledEther, Math.Rounding.Ceil);
        if (burned > shares) revert InsufficientShares(WITHDRAWAL_QUEUE, burned, shares);
        _pot = Pot({shares: (pot.shares - burned).toUint128(), pooledEther: (pot.pooledEther - pooledEther).toUint128()});
        _burnShares(WITHDRAWAL_QUEUE, burned, pooledEther);
        if (shares > burned) _cover(WITHDRAWAL_QUEUE, shares - burned);
    }

    /// @inheritdoc IBondEther
    function coverLoss(uint256 loss) external onlyStakingPool returns (uint256 covered) {
        Pot memory pot = _pot;
        (, covered) = _bear(pot, address(this), loss);
        _pot = pot;
    }

    /// @inheritdoc IBondEther
    function recognise(int256 stakerProfit, int256 bondProfit) external onlyStakingPool {
        Pot memory pot = _pot;
        int256 rest = stakerProfit;
        uint256 bondBurned;
        uint256 coverBurned;
        if (bondProfit < 0) {
            uint256 paid;
            (bondBurned, paid) = _bear(pot, BLOCK_PRODUCERS, uint256(-bondProfit));
            rest += bondProfit + int256(paid);
        } else {
            rest += bondProfit;
        }
        if (rest < 0) {
            uint256 paid;
            (coverBurned, paid) = _bear(pot, address(this), uint256(-rest));
            rest += int256(paid);
        }
        pot.pooledEther = uint256(int256(uint256(pot.pooledEther)) + rest).toUint128();
        _pot = pot;
        emit ProfitRecognised(stakerProfit + bondProfit, coverBurned, bondBurned, _index(pot));
    }

    /// @inheritdoc IBondEther
    /// @dev The ETH is in the pot already: the new shares are worth `fee` of it, all others together the rest.
    function mintFee(uint256 fee) external onlyStakingPool {
        Pot memory pot = _pot;
        uint256 shares = Math.mulDiv(fee, pot.shares, pot.pooledEther - fee);
        _pot.shares = (pot.shares + shares).toUint128();
        _shares[CDT_STAKING] += shares;
        emit Transfer(address(0), CDT_STAKING, fee);
        emit SharesMinted(CDT_STAKING, shares, fee);
    }

    // Internals

    /// @dev Takes a loss out of the pot with the shares that bear it, so that the index stays (rounded in favour of all others).
    ///      `paid` is the part of the loss that the account's shares are worth.
    function _bear(Pot memory pot, address account, uint256 loss) private returns (uint256 burned, uint256 paid) {
        uint256 held = _shares[account];
        burned = Math.mulDiv(loss, pot.shares, pot.pooledEther, Math.Rounding.Ceil);
        paid = loss;
        if (burned > held) {
            burned = held;
            paid = _value(pot, held);
        }
        pot.shares -= uint128(burned);
        pot.pooledEther -= uint128(paid);
        if (burned > 0) _burnShares(account, burned, paid);
    }

    function _burnShares(address from, uint256 shares, uint256 pooledEther) private {
        _take(from, shares);
        emit Transfer(from, address(0), pooledEther);
        emit SharesBurned(from, shares, pooledEther);
    }

    function _cover(address from, uint256 shares) private {
        _transferShares(from, address(this), shares);
        emit Covered(from, shares);
    }

    function _transferShares(address from, address to, uint256 shares) private returns (uint256 pooledEther) {
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        pooledEther = _value(_pot, shares);
        _move(from, to, shares, pooledEther);
    }

    /// @dev OpenZeppelin's transfers end here, with an amount: it becomes shares, rounded down.
    function _update(address from, address to, uint256 value) internal override {
        Pot memory pot = _pot;
        uint256 balance = _value(pot, _shares[from]);
        if (value > balance) revert ERC20InsufficientBalance(from, balance, value);
        _move(from, to, Math.mulDiv(value, pot.shares, pot.pooledEther), value);
    }

    function _move(address from, address to, uint256 shares, uint256 pooledEther) private {
        _take(from, shares);
        _shares[to] += shares;
        emit Transfer(from, to, pooledEther);
        emit TransferShares(from, to, shares);
    }

    function _take(address from, uint256 shares) private {
        uint256 held = _shares[from];
        if (shares > held) revert InsufficientShares(from, shares, held);
        unchecked {
            _shares[from] = held - shares;
        }
    }

    function _value(Pot memory pot, uint256 shares) private pure returns (uint256) {
        return Math.mulDiv(shares, pot.pooledEther, pot.shares);
    }

    function _index(Pot memory pot) private pure returns (uint256) {
        return Math.mulDiv(INDEX_ONE * SHARES_PER_WEI, pot.pooledEther, pot.shares);
    }
}
