// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point, G2Point} from "../libraries/Bls12381.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";

/// @title Registry of block producers: keys, bonds held as bETH shares, seats.
interface IBlockProducers {
    struct Producer {
        address owner; // cold: bond
        address operator; // hot secp256k1: transactions, messages; bound to its producer for ever
        uint128 shares; // bETH shares of the bond
        uint128 lockedSeats; // wei locked by seats now, tails included
        bool slashed; // out for ever
        string peerAddress; // libp2p multiaddr with peer id
    }

    event ProducerRegistered(
        ProducerId indexed producerId, address indexed owner, address indexed operator, G1Point signingKey, string peerAddress, uint256 shares
    );
    event PeerAddressChanged(ProducerId indexed producerId, string peerAddress);
    event BondAdded(ProducerId indexed producerId, uint256 shares);
    event SeatLocked(ProducerId indexed producerId, PoolId indexed poolId, uint256 amount);
    /// @notice The seat answers no more from `from` (timestamp) on: at once, or after its tail.
    event SeatReleased(ProducerId indexed producerId, PoolId indexed poolId, uint256 amount, uint64 from);
    event ProducerSlashed(ProducerId indexed producerId, PoolId indexed poolId, uint256 shares, address indexed reporter, uint256 reporterShares, bool out);

    error BondTooSmall(uint256 expectedAtLeast, uint256 actual);
    error OperatorTaken(address operator, ProducerId by);
    error SigningKeyTaken(bytes32 keyHash, ProducerId by);
    error InvalidProofOfPossession();
    error ProducerUnknown(ProducerId producerId);
    error NotOwner(address expected, address actual);
    error NotVaultDraws(address caller);
    error NotPoolRegistry(address caller);
    error NotSlasher(address caller);
    error PeerAddressLength(uint256 atMost, uint256 actual);
    error SeatNotLocked(ProducerId producerId, PoolId poolId);
    error SeatAlreadyLocked(ProducerId producerId, PoolId poolId);
    error ZeroOperator();
    /// @notice The producer was slashed out: it takes no bond any more.
    error ProducerOut(ProducerId producerId);

    /// @notice Registers the caller as owner of a new producer with the sent ETH as its bond (at least `effectiveStake`).
    /// @param proofOfPossession signature of `signingKey` over the EIP-712 struct
    ///        ProofOfPossession(address owner,address operator,bytes signingKey).
    function register(address operator, G1Point calldata signingKey, G2Point calldata proofOfPossession, string calldata peerAddress)
        external
        payable
        returns (ProducerId producerId);

    /// @notice Adds the sent ETH to a bond; counts in draws from the next period on. Anyone.
    function addBond(ProducerId producerId) external payable;

    /// @notice New multiaddr, by the owner or the operator.
    function setPeerAddress(ProducerId producerId, string calldata peerAddress) external;

    function producerCount() external view returns (uint32);

    function producer(ProducerId producerId) external view returns (Producer memory);

    function signingKey(ProducerId producerId) external view returns (G1Point memory);

    function producerOf(address operator) external view returns (ProducerId);

    /// @notice Value (wei) of a producer's bond now.
    function bondValue(ProducerId producerId) external view returns (uint256);

    /// @notice Value (wei) of all bonds: the bETH of this contract.
    function totalBondValue() external view returns (uint256);

    /// @notice Seats of staker pools: how many all unslashed bonds could hold together, and how many are locked (tails included).
    function seats() external view returns (uint256 capacity, uint256 locked);

    /// @notice Value (wei) of 1e27 units of the bonds now. A draw is judged at the value that its request saw.
    function unitValue() external view returns (uint256);

    /// @notice Whether a draw requested in `period`, when 1e27 units were worth `unitValue_`, may still take the producer: not
    ///         slashed, and its bond at the period's start (less what it lost since) is an effective stake and, for a staker
    ///         pool, covers what it had locked then, was locked since, and one more seat.
    function isEligible(ProducerId producerId, PoolKind kind, uint64 period, uint256 unitValue_) external view returns (bool);

    /// @notice Locks `seatAllocation` of each member of a staker pool's vault. VaultDraws only.
    function lockSeats(PoolId poolId, ProducerId[] calldata members) external;

    /// @notice Releases seats of a pool: at once (its ceremony failed) or after `seatTail`. PoolRegistry only.
    function releaseSeats(PoolId poolId, ProducerId[] calldata members, bool afterTail) external;

    /// @notice Takes up to `amount` wei of each member's bond (at most what it has) to cover, `reporterShare` of it to the
    ///         reporter when one is named. PoolRegistry, Exits only.
    /// @return taken wei
    function slashSeats(PoolId poolId, ProducerId[] calldata members, uint256 amount, address reporter) external returns (uint256 taken);

    /// @notice Like `slashSeats`, but pays `compensation` wei of what it takes to `payee` as bETH and only the rest to cover. Exits only.
    /// @return taken wei
    function chargeSeats(PoolId poolId, ProducerId[] calldata members, uint256 amount, address payee, uint256 compensation)
        external
        returns (uint256 taken);

    /// @notice The whole bond to cover, `reporterShare` of it to the reporter; out for ever. Disputes only. A second time takes nothing.
    function slashOut(ProducerId producerId, address reporter) external;
}
