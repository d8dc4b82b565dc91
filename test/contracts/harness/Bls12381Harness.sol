// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bls12381} from "../../../contracts/libraries/Bls12381.sol";

/// @notice Makes the library's functions callable for tests.
contract Bls12381Harness {
    function verify(Bls12381.G1Point calldata key, bytes32 message, Bls12381.G2Point calldata signature)
        external
        view
        returns (bool)
    {
        return Bls12381.verify(key, message, signature);
    }

    function hashToG2(bytes32 message) external view returns (Bls12381.G2Point memory) {
        return Bls12381.hashToG2(message);
    }

    function isValidKey(Bls12381.G1Point calldata key) external view returns (bool) {
        return Bls12381.isValidKey(key);
    }

    function isValidSignature(Bls12381.G2Point calldata signature) external view returns (bool) {
        return Bls12381.isValidSignature(signature);
    }

    function multiScalarMul(Bls12381.G1Point[] calldata points, uint256[] calldata scalars)
        external
        view
        returns (Bls12381.G1Point memory)
    {
        return Bls12381.multiScalarMul(points, scalars);
    }

    function tryMultiScalarMul(Bls12381.G1Point[] calldata points, uint256[] calldata scalars)
        external
        view
        returns (bool, Bls12381.G1Point memory)
    {
        return Bls12381.tryMultiScalarMul(points, scalars);
    }

    function add(Bls12381.G1Point calldata a, Bls12381.G1Point calldata b)
        external
        view
        returns (Bls12381.G1Point memory)
    {
        return Bls12381.add(a, b);
    }

    function sub(Bls12381.G1Point calldata a, Bls12381.G1Point calldata b)
        external
        view
        returns (Bls12381.G1Point memory)
    {
        return Bls12381.sub(a, b);
    }

    function aggregate(Bls12381.G1Point[] calldata keys) external view returns (Bls12381.G1Point memory) {
        return Bls12381.aggregate(keys);
    }

    function negate(Bls12381.G1Point calldata point) external pure returns (Bls12381.G1Point memory) {
        return Bls12381.negate(point);
    }

    function compressG1(Bls12381.G1Point calldata point) external pure returns (bytes memory) {
        return Bls12381.compress(point);
    }

    function compressG2(Bls12381.G2Point calldata point) external pure returns (bytes memory) {
        return Bls12381.compress(point);
    }

    /// @notice Gas of one verification, without the transaction around it.
    function verifyGas(Bls12381.G1Point calldata key, bytes32 message, Bls12381.G2Point calldata signature)
        external
        view
        returns (uint256 used)
    {
        uint256 before = gasleft();
        if (Bls12381.verify(key, message, signature)) used = before - gasleft();
    }

    function aggregateGas(Bls12381.G1Point[] calldata keys) external view returns (uint256) {
        uint256 before = gasleft();
        Bls12381.aggregate(keys);
        return before - gasleft();
    }
}
