// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title hash_to_field of the consensus spec's signature suite
/// @notice RFC 9380 section 5.2 for BLS12-381's Fp2, under the tag of proof-of-possession signatures.
library HashToField {
    /// @notice The sha256 or the modexp precompile failed: out of gas.
    error HashToFieldFailed();

    /// @dev The suite's domain separation tag, followed by its length (43).
    bytes private constant DST_PRIME = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_\x2b";

    /// @dev The field's modulus p, in two words.
    uint256 private constant P_HI = 0x1a0111ea397fe69a4b1ba7b6434bacd7;
    uint256 private constant P_LO = 0x64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab;

    /// @notice The two elements of Fp2, each as c0 ‖ c1 in 64-byte field elements: 256 bytes.
    function twoElements(bytes32 message) internal view returns (bytes memory elements) {
        elements = _expandMessage(message);
        // modexp(length of base, exponent and modulus | base | 1 | p)
        bytes memory reduction = abi.encodePacked(uint256(64), uint256(1), uint256(64), new bytes(64), uint8(1), P_HI, P_LO);
        uint256 input;
        uint256 element;
        assembly ("memory-safe") {
            input := add(reduction, 0x20)
            element := add(elements, 0x20)
        }
        for (uint256 i = 0; i < 4; ++i) {
            assembly ("memory-safe") {
                mcopy(add(input, 0x60), element, 64)
            }
            _reduce(input, reduction.length, element);
            element += 64;
        }
    }

    /// @dev RFC 9380 expand_message_xmd with sha256, to 256 bytes.
    function _expandMessage(bytes32 message) private view returns (bytes memory uniform) {
        bytes memory dst = DST_PRIME;
        uniform = new bytes(256);
        bool ok;
        assembly ("memory-safe") {
            // b_0 = H(one block of zeros | message | 256 in two bytes | 0 | tag)
            let input := mload(0x40)
            mstore(input, 0)
            mstore(add(input, 32), 0)
            mstore(add(input, 64), message)
            mstore(add(input, 96), shl(232, 0x010000))
            mcopy(add(input, 99), add(dst, 0x20), 44)
            ok := staticcall(gas(), 2, input, 143, 0x00, 0x20)
            let b0 := mload(0x00)
            // b_i = H((b_0 xor b_(i-1)) | i | tag), the first without the xor
            mcopy(add(input, 33), add(dst, 0x20), 44)
            let last := 0
            let output := uniform
            for { let i := 1 } lt(i, 9) { i := add(i, 1) } {
                output := add(output, 0x20)
                mstore(input, xor(b0, last))
                mstore8(add(input, 32), i)
                ok := and(ok, staticcall(gas(), 2, input, 77, output, 0x20))
                last := mload(output)
            }
        }
        if (!ok) revert HashToFieldFailed();
    }

    function _reduce(uint256 input, uint256 size, uint256 output) private view {
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 5, input, size, output, 64)
        }
        if (!ok) revert HashToFieldFailed();
    }
}
