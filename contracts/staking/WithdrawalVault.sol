// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStakingPool} from "../interfaces/IStakingPool.sol";
import {IWithdrawalVault} from "../interfaces/IWithdrawalVault.sol";
import {nonZero} from "../types/NonZero.sol";
import {Addresses} from "../types/Parameters.sol";

/// @title Withdrawal credentials and fee recipient of one kind of pools
contract WithdrawalVault is IWithdrawalVault {
    /// @dev System contract of EIP-7002.
    address private constant WITHDRAWAL_REQUESTS = 0x00000961Ef480Eb55e80D19ad83579A64c007002;
    /// @dev An amount of zero asks for a full exit.
    uint64 private constant FULL_EXIT = 0;

    IStakingPool private immutable STAKING_POOL;
    address private immutable EXITS;
    address private immutable WIND_DOWN;

    constructor(Addresses memory addresses) {
        STAKING_POOL = IStakingPool(nonZero(addresses.stakingPool));
        EXITS = nonZero(addresses.exits);
        WIND_DOWN = nonZero(addresses.windDown);
    }

    /// @notice Block rewards and forced ETH. Withdrawals of the beacon chain come without a call.
    receive() external payable {}

    /// @inheritdoc IWithdrawalVault
    function collect(uint256 amount) external {
        if (msg.sender != address(STAKING_POOL)) revert NotStakingPool(msg.sender);
        STAKING_POOL.receiveCollected{value: amount}();
    }

    /// @inheritdoc IWithdrawalVault
    function requestExit(bytes calldata publicKey) external payable {
        if (msg.sender != EXITS && msg.sender != WIND_DOWN) revert NotExits(msg.sender);
        uint256 fee = exitFee();
        if (msg.value < fee) revert FeeTooLow(fee, msg.value);
        if (msg.value > fee) revert FeeTooHigh(fee, msg.value);
        (bool ok,) = WITHDRAWAL_REQUESTS.call{value: fee}(abi.encodePacked(publicKey, FULL_EXIT));
        if (!ok) revert ExitRequestFailed();
        emit ExitRequested(publicKey, fee);
    }

    /// @inheritdoc IWithdrawalVault
    function exitFee() public view returns (uint256) {
        (bool ok, bytes memory answer) = WITHDRAWAL_REQUESTS.staticcall("");
        if (!ok || answer.length != 32) revert ExitFeeUnknown();
        return abi.decode(answer, (uint256));
    }
}
