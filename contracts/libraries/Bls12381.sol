// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HashToField} from "./HashToField.sol";

/// @notice A point of G1 in EIP-2537's encoding: two coordinates of 64 bytes.
struct G1Point {
    bytes32 xHi;
    bytes32 xLo;
    bytes32 yHi;
    bytes32 yLo;
}

/// @notice A point of G2 in EIP-2537's encoding: two coordinates of two 64-byte field elements.
struct G2Point {
    bytes32 xc0Hi;
    bytes32 xc0Lo;
    bytes32 xc1Hi;
    bytes32 xc1Lo;
    bytes32 yc0Hi;
    bytes32 yc0Lo;
    bytes32 yc1Hi;
    bytes32 yc1Lo;
}

/// @title BLS12-381 signatures on the EIP-2537 precompiles
/// @notice Public keys in G1, signatures in G2, the proof-of-possession suite of the consensus spec. Points are in the
/// encoding of EIP-2537: each coordinate is a 64-byte big-endian field element, in G2 as (c0, c1); infinity is all zeros.
/// @dev A precompile that refuses its input burns all gas it was given and says nothing more. So there are two kinds of
/// functions. Most revert on whatever is malformed: nothing is decided. Those that answer `false` on a malformed point
/// make the same call again on good points with no more gas, and revert unless that one succeeds: neither too little gas,
/// nor a new price, nor a chain without the precompiles can make a good point look bad.
library Bls12381 {
    /// @notice Refused by the precompile: a malformed point (not on the curve, not in the subgroup, not canonical) or too
    /// little gas.
    error PrecompileFailed(address precompile);
    /// @notice The chain does not have this precompile.
    error PrecompileMissing(address precompile);
    /// @notice A key or a signature that is the point at infinity.
    error PointAtInfinity();
    /// @notice As many scalars as points are needed, and at least one.
    error BadPairs(uint256 points, uint256 scalars);

    address private constant G1_ADD = address(0x0b);
    address private constant G1_MSM = address(0x0c);
    address private constant G2_ADD = address(0x0d);
    address private constant G2_MSM = address(0x0e);
    address private constant PAIRING = address(0x0f);
    address private constant MAP_FP2_TO_G2 = address(0x11);

    /// @dev Gas that a multiplication in G1 is given where it may fail: three times the price of EIP-2537 without discount.
    uint256 private constant MOST_A_POINT = 36_000;

    /// @dev The field's modulus p, and (p - 1) / 2.
    uint256 private constant P_HI = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LO = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;
    uint256 private constant HALF_P_HI = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_P_LO = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// @notice Whether `signature` is `publicKey`'s signature on `message`.
    /// @dev One pairing check: e(-G, signature) · e(publicKey, H(message)) = 1. The precompile checks both points' subgroups.
    /// Reverts on malformed points and on infinity; `false` means two good points that do not match.
    function verify(G1Point memory publicKey, bytes32 message, G2Point memory signature) internal view returns (bool) {
        if (isInfinity(publicKey) || isInfinity(signature)) revert PointAtInfinity();
        bytes memory pairs = new bytes(768);
        G1Point memory generatorNegated = negate(generator());
        uint256 input;
        assembly ("memory-safe") {
            input := add(pairs, 0x20)
            mcopy(input, generatorNegated, 128)
            mcopy(add(input, 128), signature, 256)
            mcopy(add(input, 384), publicKey, 128)
        }
        _hashToG2(message, input + 512);
        _call(PAIRING, input, 768, input, 0x20);
        uint256 result;
        assembly ("memory-safe") {
            result := mload(input)
        }
        return result == 1;
    }

    /// @notice RFC 9380 hash_to_curve of the suite BLS12381G2_XMD:SHA-256_SSWU_RO_ under the signatures' tag.
    function hashToG2(bytes32 message) internal view returns (G2Point memory point) {
        uint256 output;
        assembly ("memory-safe") {
            output := point
        }
        _hashToG2(message, output);
    }

    /// @notice Whether `key` may be a public key: canonical, on the curve, in the subgroup and not infinity.
    function isValidKey(G1Point memory key) internal view returns (bool valid) {
        if (isInfinity(key)) return false;
        G1Point[] memory points = new G1Point[](1);
        uint256[] memory scalars = new uint256[](1);
        (points[0], scalars[0]) = (key, 1);
        (valid,) = tryMultiScalarMul(points, scalars);
    }

    /// @notice Whether `signature` may be a signature: canonical, on the curve, in the subgroup and not infinity.
    function isValidSignature(G2Point memory signature) internal view returns (bool) {
        if (isInfinity(signature)) return false;
        uint256 allowance = gasleft() / 3;
        if (_tryG2(signature, allowance)) return true;
        if (!_tryG2(hashToG2(0), allowance)) revert PrecompileFailed(G2_MSM);
        return false;
    }

    /// @notice Σ scalarᵢ · pointᵢ, every point checked to be in the subgroup. Reverts on a malformed point.
    function multiScalarMul(G1Point[] memory points, uint256[] memory scalars) internal view returns (G1Point memory sum) {
        if (!_tryG1(_pairs(points, scalars), gasleft(), sum)) revert PrecompileFailed(G1_MSM);
    }

    /// @notice As `multiScalarMul`, but a malformed point gives `valid = false`. Needs three times the gas it uses. Gas for a malformed
    ///         point is lost: three times what a point costs today, for each.
    function tryMultiScalarMul(G1Point[] memory points, uint256[] memory scalars)
        internal
        view
        returns (bool valid, G1Point memory sum)
    {
        bytes memory pairs = _pairs(points, scalars);
        uint256 allowance = gasleft() / 3;
        uint256 most = points.length * MOST_A_POINT;
        if (allowance > most) allowance = most;
        if (_tryG1(pairs, allowance, sum)) return (true, sum);
        G1Point memory good = generator();
        for (uint256 i = 0; i < points.length; ++i) {
            assembly ("memory-safe") {
                mcopy(add(add(pairs, 0x20), mul(i, 160)), good, 128)
            }
        }
        G1Point memory ignored;
        if (!_tryG1(pairs, allowance, ignored)) revert PrecompileFailed(G1_MSM);
    }

    /// @notice a + b. Reverts on a point that is not on the curve; says nothing of the subgroup.
    function add(G1Point memory a, G1Point memory b) internal view returns (G1Point memory sum) {
        bytes memory both = abi.encode(a, b);
        uint256 input;
        uint256 output;
        assembly ("memory-safe") {
            input := add(both, 0x20)
            output := sum
        }
        _call(G1_ADD, input, 256, output, 128);
    }

    /// @notice a - b, as `add`.
    function sub(G1Point memory a, G1Point memory b) internal view returns (G1Point memory) {
        return add(a, negate(b));
    }

    /// @notice The sum of keys (their aggregate), infinity for none. As `add`, it says nothing of the subgroup: that, and
    /// the possession of each key, is checked once, when the key is registered.
    function aggregate(G1Point[] calldata keys) internal view returns (G1Point memory sum) {
        bytes memory both = new bytes(256);
        uint256 input;
        assembly ("memory-safe") {
            input := add(both, 0x20)
        }
        for (uint256 i = 0; i < keys.length; ++i) {
            G1Point calldata key = keys[i];
            assembly ("memory-safe") {
                calldatacopy(add(input, 128), key, 128)
            }
            _call(G1_ADD, input, 256, input, 128);
        }
        assembly ("memory-safe") {
            mcopy(sum, input, 128)
        }
    }

    /// @notice -point, for a point with canonical coordinates.
    function negate(G1Point memory point) internal pure returns (G1Point memory) {
        if (isInfinity(point)) return point;
        (uint256 hi, uint256 lo) = (uint256(point.yHi), uint256(point.yLo));
        unchecked {
            uint256 borrow = lo > P_LO ? 1 : 0;
            return G1Point(point.xHi, point.xLo, bytes32(P_HI - hi - borrow), bytes32(P_LO - lo));
        }
    }

    /// @notice The 48-byte form of a point that a precompile has accepted.
    function compress(G1Point memory point) internal pure returns (bytes memory) {
        if (isInfinity(point)) return abi.encodePacked(bytes1(0xc0), new bytes(47));
        uint128 flags = _isLarger(point.yHi, point.yLo) ? 0xa0 << 120 : 0x80 << 120;
        return abi.encodePacked(uint128(uint256(point.xHi)) | flags, point.xLo);
    }

    /// @notice The 96-byte form (c1 before c0) of a point that a precompile has accepted.
    function compress(G2Point memory point) internal pure returns (bytes memory) {
        if (isInfinity(point)) return abi.encodePacked(bytes1(0xc0), new bytes(95));
        bool c1IsZero = point.yc1Hi | point.yc1Lo == 0;
        bool larger = c1IsZero ? _isLarger(point.yc0Hi, point.yc0Lo) : _isLarger(point.yc1Hi, point.yc1Lo);
        uint128 flags = larger ? 0xa0 << 120 : 0x80 << 120;
        return abi.encodePacked(
            uint128(uint256(point.xc1Hi)) | flags, point.xc1Lo, uint128(uint256(point.xc0Hi)), point.xc0Lo
        );
    }

    /// @notice The standard generator of G1.
    function generator() internal pure returns (G1Point memory) {
        return G1Point(
            0x0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f,
            0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
            0x0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4,
            0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1
        );
    }

    function isInfinity(G1Point memory point) internal pure returns (bool) {
        return point.xHi | point.xLo | point.yHi | point.yLo == 0;
    }

    function isInfinity(G2Point memory point) internal pure returns (bool) {
        return (point.xc0Hi | point.xc0Lo | point.xc1Hi | point.xc1Lo) == 0
            && (point.yc0Hi | point.yc0Lo | point.yc1Hi | point.yc1Lo) == 0;
    }

    /// @dev Each pair of field elements (128 bytes) becomes a point (256 bytes); their sum goes to memory at `output`.
    function _hashToG2(bytes32 message, uint256 output) private view {
        bytes memory elements = HashToField.twoElements(message);
        bytes memory points = new bytes(512);
        uint256 input;
        uint256 pair;
        assembly ("memory-safe") {
            input := add(elements, 0x20)
            pair := add(points, 0x20)
        }
        _call(MAP_FP2_TO_G2, input, 128, pair, 256);
        _call(MAP_FP2_TO_G2, input + 128, 128, pair + 256, 256);
        _call(G2_ADD, pair, 512, output, 256);
    }

    /// @dev Whether y > (p - 1) / 2: the sign of a compressed point.
    function _isLarger(bytes32 yHi, bytes32 yLo) private pure returns (bool) {
        (uint256 hi, uint256 lo) = (uint256(yHi), uint256(yLo));
        return hi > HALF_P_HI || (hi == HALF_P_HI && lo > HALF_P_LO);
    }

    /// @dev The input of the G1 multi-scalar multiplication: 128 bytes of point and 32 of scalar each.
    function _pairs(G1Point[] memory points, uint256[] memory scalars) private pure returns (bytes memory pairs) {
        uint256 count = points.length;
        if (count == 0 || count != scalars.length) revert BadPairs(count, scalars.length);
        pairs = new bytes(count * 160);
        for (uint256 i = 0; i < count; ++i) {
            G1Point memory point = points[i];
            uint256 scalar = scalars[i];
            assembly ("memory-safe") {
                let at := add(add(pairs, 0x20), mul(i, 160))
                mcopy(at, point, 128)
                mstore(add(at, 128), scalar)
            }
        }
    }

    function _tryG1(bytes memory pairs, uint256 allowance, G1Point memory sum) private view returns (bool) {
        uint256 input;
        uint256 output;
        assembly ("memory-safe") {
            input := add(pairs, 0x20)
            output := sum
        }
        return _try(G1_MSM, allowance, input, pairs.length, output, 128);
    }

    function _tryG2(G2Point memory point, uint256 allowance) private view returns (bool) {
        bytes memory pair = abi.encode(point, uint256(1));
        uint256 input;
        assembly ("memory-safe") {
            input := add(pair, 0x20)
        }
        return _try(G2_MSM, allowance, input, pair.length, input, 256);
    }

    function _call(address precompile, uint256 input, uint256 inputSize, uint256 output, uint256 outputSize) private view {
        if (!_try(precompile, gasleft(), input, inputSize, output, outputSize)) revert PrecompileFailed(precompile);
    }

    /// @dev Where there is no precompile the call succeeds and returns nothing.
    function _try(
        address precompile,
        uint256 allowance,
        uint256 input,
        uint256 inputSize,
        uint256 output,
        uint256 outputSize
    ) private view returns (bool ok) {
        uint256 returned;
        assembly ("memory-safe") {
            ok := staticcall(allowance, precompile, input, inputSize, output, outputSize)
            returned := returndatasize()
        }
        if (ok && returned != outputSize) revert PrecompileMissing(precompile);
    }
}
