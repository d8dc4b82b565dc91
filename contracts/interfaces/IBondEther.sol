// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title bETH: stakers' reward-bearing ETH, kept as shares of one pot.
/// @notice `balanceOf = shares × totalPooledEther / totalShares`, rounded down. The pot changes only through the StakingPool.
interface IBondEther is IERC20, IERC20Permit {
    event SharesMinted(address indexed to, uint256 shares, uint256 pooledEther);
    event SharesBurned(address indexed from, uint256 shares, uint256 pooledEther);
    event TransferShares(address indexed from, address indexed to, uint256 shares);
    /// @notice The pot moved with a finalized report. `index` is the rewards index right after, before the fee, 1e27.
    event ProfitRecognised(int256 profit, uint256 coverSharesBurned, uint256 bondSharesBurned, uint256 index);
    /// @notice Shares went to the cover account (slashing, or what a withdrawal did not get).
    event Covered(address indexed from, uint256 shares);

    error NotStakingPool(address caller);
    error NotBlockProducers(address caller);
    error NotWithdrawalQueue(address caller);
    error InsufficientShares(address account, uint256 needed, uint256 held);

    /// @notice Rewards index: totalPooledEther / totalShares × 1000 in 1e27 fixed point; starts at exactly 1e27.
    /// @dev One wei bought 1000 shares at deployment (`SHARES_PER_WEI`), so that a share is worth less than a wei and a transfer
    ///      moves at most 1 wei less than asked, whatever the index. Between reports the index never falls; a mint or a redemption
    ///      may raise it by dust: all other shares together gain less than the value of one share.
    function rewardsIndex() external view returns (uint256);

    function totalPooledEther() external view returns (uint256);

    function totalShares() external view returns (uint256);

    function sharesOf(address account) external view returns (uint256);

    /// @notice Shares of the cover account; counted in `totalShares`, burned only against losses.
    function coverShares() external view returns (uint256);

    function getSharesByPooledEth(uint256 pooledEther) external view returns (uint256 shares);

    function getPooledEthByShares(uint256 shares) external view returns (uint256 pooledEther);

    function transferShares(address to, uint256 shares) external returns (uint256 pooledEther);

    function transferSharesFrom(address from, address to, uint256 shares) external returns (uint256 pooledEther);

    /// @notice Mints shares for ETH that has just come into the StakingPool. StakingPool only.
    function mint(address to, uint256 pooledEther) external returns (uint256 shares);

    /// @notice Takes finalized requests out of the pot: burns the shares worth `pooledEther` (rounded up) of the queue's
    ///         `shares` and gives the rest of them to cover, so that the index does not move. StakingPool only.
    function redeem(uint256 shares, uint256 pooledEther) external;

    /// @notice Moves the pot by recognised profit, in this order: a loss of bond pools burns shares of BlockProducers, as far as they
    ///         go; what they do not bear, the staker pools' profit or loss and a gain of bond pools are added up; if that is a loss,
    ///         it burns cover, as far as it goes; what is then left moves the index. StakingPool only.
    /// @dev Shares that bear a loss are rounded up, so that the index of all others does not fall.
    /// @param stakerProfit wei, of staker pools, already clamped.
    /// @param bondProfit wei, of bond pools, already clamped. Together they leave something in the pot.
    function recognise(int256 stakerProfit, int256 bondProfit) external;

    /// @notice Mints shares worth `fee` to CdtStaking, right after the gain was recognised of which it is a part: all others give it.
    ///         StakingPool only.
    /// @dev Rounded down, in favour of all others.
    function mintFee(uint256 fee) external;

    /// @notice Takes a proven loss out of the pot with cover shares, as far as they go, so that no gain has to. StakingPool only.
    /// @return covered wei of the loss that cover bore.
    function coverLoss(uint256 loss) external returns (uint256 covered);

    /// @notice Moves shares of the caller's own to the cover account.
    function giveToCover(uint256 shares) external;
}
