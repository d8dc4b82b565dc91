// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bls12381, G1Point, G2Point} from "../../../contracts/libraries/Bls12381.sol";

/// @title BLS12-381 keys and signatures in Solidity, by the precompiles that multiply points (EIP-2537)
library BlsKeys {
    /// @dev Order of the groups.
    uint256 internal constant ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    address private constant G2_MSM = address(0x0e);

    function secret(string memory kind, uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(kind, number))) % (ORDER - 1) + 1;
    }

    function publicKey(uint256 secretKey) internal view returns (G1Point memory) {
        G1Point[] memory points = new G1Point[](1);
        uint256[] memory scalars = new uint256[](1);
        (points[0], scalars[0]) = (Bls12381.generator(), secretKey);
        return Bls12381.multiScalarMul(points, scalars);
    }

    /// @notice secretKey · H(message). Under a sum of secret keys it is the aggregate of their signatures.
    function sign(uint256 secretKey, bytes32 message) internal view returns (G2Point memory signature) {
        (bool ok, bytes memory result) = G2_MSM.staticcall(abi.encode(Bls12381.hashToG2(message), secretKey));
        require(ok && result.length == 256, "G2 multiplication failed");
        return abi.decode(result, (G2Point));
    }
}
