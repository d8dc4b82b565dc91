// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bls12381, G1Point, G2Point} from "../../../contracts/libraries/Bls12381.sol";

/// @notice Makes the library's functions callable for tests.
contract Bls12381Harness {
    function verify(G1Point calldata key, bytes32 message, G2Point calldata signature)
        external
        view
        returns (bool)
    {
        return Bls12381.verify(key, message, signature);
    }

    function hashToG2(bytes32 message) external view returns (G2Point memory) {
        return Bls12381.hashToG2(message);
    }

    function isValidKey(G1Point calldata key) external view returns (bool) {
        return Bls12381.isValidKey(key);
    }

    function isValidSignature(G2Point calldata signature) external view returns (bool) {
        return Bls12381.isValidSignature(signature);
    }

    function multiScalarMul(G1Point[] calldata points, uint256[] calldata scalars)
        external
        view
        returns (G1Point memory)
    {
        return Bls12381.multiScalarMul(points, scalars);
    }

    function tryMultiScalarMul(G1Point[] calldata points, uint256[] calldata scalars)
        external
        view
        returns (bool, G1Point memory)
    {
        return Bls12381.tryMultiScalarMul(points, scalars);
    }

    function add(G1Point calldata a, G1Point calldata b)
        external
        view
        returns (G1Point memory)
    {
        return Bls12381.add(a, b);
    }

    function sub(G1Point calldata a, G1Point calldata b)
        external
        view
        returns (G1Point memory)
    {
        return Bls12381.sub(a, b);
    }

    function aggregate(G1Point[] calldata keys) external view returns (G1Point memory) {
        return Bls12381.aggregate(keys);
    }

    function negate(G1Point calldata point) external pure returns (G1Point memory) {
        return Bls12381.negate(point);
    }

    function compressG1(G1Point calldata point) external pure returns (bytes memory) {
        return Bls12381.compress(point);
    }

    function compressG2(G2Point calldata point) external pure returns (bytes memory) {
        return Bls12381.compress(point);
    }

    /// @notice Gas of one verification, without the transaction around it.
    function verifyGas(G1Point calldata key, bytes32 message, G2Point calldata signature)
        external
        view
        returns (uint256 used)
    {
        uint256 before = gasleft();
        if (Bls12381.verify(key, message, signature)) used = before - gasleft();
    }

    function aggregateGas(G1Point[] calldata keys) external view returns (uint256) {
        uint256 before = gasleft();
        Bls12381.aggregate(keys);
        return before - gasleft();
    }
}
