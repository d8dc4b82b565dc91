// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bls12381, G1Point} from "./Bls12381.sol";

/// @title What is proven of dealings: shared points, pads, shares against commitments
/// @dev Points in bytes are in EIP-2537's encoding, one after the other.
library DkgProofs {
    /// @notice That `shared` is the Diffie-Hellman point of two keys: log of `receiverKey` to G = log of `shared` to `dealerKey`.
    struct Statement {
        G1Point receiverKey;
        G1Point dealerKey;
        G1Point shared;
    }

    /// @notice Order of the groups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;

    bytes32 private constant SHARED_LABEL = keccak256("open-pools/dkg/shared-point");
    uint256 private constant POINT = 128;

    /// @notice H: RFC 9380 hash-to-curve of "Open Pools DKG generator H" under the tag
    ///         "OPEN_POOLS_DKG_H_V1_BLS12381G1_XMD:SHA-256_SSWU_RO_".
    function secondGenerator() internal pure returns (G1Point memory) {
        return G1Point(
            0x00000000000000000000000000000000068883f160efacfad85f9db641ff9e98,
            0x96df719bafe9fe75cb70d5770dd13c40cc1c2800688ffd72acffcc6609694602,
            0x0000000000000000000000000000000010b6229c6d497a2b2d6e5250c44eff5b,
            0x81cf5095e7ee395bc5fda7b274e194643ed6de168146f838648285d817e5e954
        );
    }

    /// @notice Verifies the Chaum-Pedersen proof (challenge c, response s): c = hash(…, G^s·R^c, D^s·S^c). `dealerKey` must be valid;
    ///         false for scalars out of range and for a malformed `receiverKey` or `shared`.
    function verifyShared(Statement memory statement, bytes memory binding, uint256 challenge, uint256 response)
        internal
        view
        returns (bool)
    {
        if (challenge >= ORDER || response >= ORDER) return false;
        if (Bls12381.isInfinity(statement.receiverKey) || Bls12381.isInfinity(statement.shared)) return false;
        G1Point memory base = Bls12381.generator();
        (bool isValid, G1Point memory a) = _combine(base, response, statement.receiverKey, challenge);
        if (!isValid) return false;
        G1Point memory b;
        (isValid, b) = _combine(statement.dealerKey, response, statement.shared, challenge);
        if (!isValid) return false;
        bytes32 hash = keccak256(
            bytes.concat(
                SHARED_LABEL,
                binding,
                abi.encode(base, statement.receiverKey, statement.dealerKey, statement.shared),
                abi.encode(a, b)
            )
        );
        return uint256(hash) % ORDER == challenge;
    }

    /// @notice One-time pad of a share, of a point that a precompile has accepted.
    function pad(G1Point memory shared, bytes memory binding) internal pure returns (bytes32) {
        return sha256(bytes.concat(Bls12381.compress(shared), binding));
    }

    /// @notice Whether base^share = Π commitmentₖ^(memberᵏ).
    /// @return areValid that every commitment is a point of the group other than infinity
    function fits(bytes calldata commitments, uint256 member, G1Point memory base, uint256 share)
        internal
        view
        returns (bool areValid, bool)
    {
        uint256 count = commitments.length / POINT;
        G1Point[] memory points = new G1Point[](count + 1);
        uint256[] memory scalars = new uint256[](count + 1);
        uint256 power = 1;
        for (uint256 k = 0; k < count; ++k) {
            (points[k], scalars[k]) = (pointAt(commitments, k), power);
            if (Bls12381.isInfinity(points[k])) return (false, false);
            power = mulmod(power, member, ORDER);
        }
        (points[count], scalars[count]) = (base, ORDER - share);
        G1Point memory difference;
        (areValid, difference) = Bls12381.tryMultiScalarMul(points, scalars);
        return (areValid, areValid && Bls12381.isInfinity(difference));
    }

    /// @notice The point at a place of a list.
    function pointAt(bytes calldata list, uint256 place) internal pure returns (G1Point memory) {
        return abi.decode(list[place * POINT:(place + 1) * POINT], (G1Point));
    }

    function _combine(G1Point memory a, uint256 scalarA, G1Point memory b, uint256 scalarB)
        private
        view
        returns (bool, G1Point memory)
    {
        G1Point[] memory points = new G1Point[](2);
        uint256[] memory scalars = new uint256[](2);
        (points[0], scalars[0]) = (a, scalarA);
        (points[1], scalars[1]) = (b, scalarB);
        return Bls12381.tryMultiScalarMul(points, scalars);
    }
}
