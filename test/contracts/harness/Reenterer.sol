// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev An account that calls whatever it is told, and once more from inside when it is paid.
contract Reenterer {
    address private _target;
    bytes private _data;
    uint256 private _value;
    /// @notice Calls made from inside, and whether the last of them went through.
    uint256 public entered;
    bool public succeeded;

    receive() external payable {
        if (_target == address(0)) return;
        address target = _target;
        _target = address(0);
        ++entered;
        (succeeded,) = target.call{value: _value}(_data);
    }

    function arm(address target, uint256 value, bytes calldata data) external {
        (_target, _value, _data) = (target, value, data);
    }

    function act(address target, uint256 value, bytes calldata data) external payable {
        (bool ok,) = target.call{value: value}(data);
        require(ok, "refused");
    }
}
