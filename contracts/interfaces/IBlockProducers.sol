// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {G1Point, G2Point} from "../libraries/Bls12381.sol";
import {PoolId, PoolKind, ProducerId} from "../types/Ids.sol";

/// @title Registry of block producers: keys, bonds held as bETH shares, seats.
interface IBlockProducers {
    enum Status {
        None,
        Active,
        Leaving, // takes no new seat; its seats are rotated away
        Gone // its bond is withdrawn
    }

    struct Producer {
        address owner; // cold: bond
        uint128 shares; // bETH shares of the bond
        uint128 lockedSeats; // wei locked by seats now, tails included
        Status status;
        bool slashed; // out for ever
        uint64 registeredAt; // timestamp
    }

    /// @notice Who answers for a pool.
    struct Holder {
        ProducerId producerId;
        uint64 until; // timestamp at which its tail ends; 0: the seat is live; 2^48 - 1: until a fault is settled
        bool held; // answers for a fault of the pool that is not settled
    }

    event ProducerRegistered(
        ProducerId indexed producerId, address indexed owner, address indexed operator, G1Point signingKey, string peerAddress, uint256 shares
    );
    event PeerAddressChanged(ProducerId indexed producerId, string peerAddress);
    event BondAdded(ProducerId indexed producerId, uint256 shares);
    /// @notice Each of these has a seat in the pool from now on, which locks `amount` of its bond.
    event SeatsLocked(PoolId indexed poolId, ProducerId[] producers, uint256 amount);
    /// @notice The seat answers no more from `from` (timestamp) on: at once, after its tail, or (2^64 - 1) once a fault is settled.
    event SeatReleased(ProducerId indexed producerId, PoolId indexed poolId, uint256 amount, uint64 from);
    /// @notice A fault of the pool is proven: whoever answers for it now does so until it is settled.
    event SeatsHeld(PoolId indexed poolId);
    event SeatsUnheld(PoolId indexed poolId);
    /// @notice No new seat from now on: by the owner's wish, or `forced` by CDT debt. The seats it has are to be rotated away.
    event ExitRequested(ProducerId indexed producerId, bool forced);
    event BondWithdrawn(ProducerId indexed producerId, address indexed owner, uint256 shares);
    /// @notice Of a fault that no pool is charged for.
    event BondCharged(ProducerId indexed producerId, uint256 shares, address indexed payee);
    event ProducerSlashed(ProducerId indexed producerId, PoolId indexed poolId, uint256 shares, address indexed reporter, uint256 reporterShares, bool out);

    error BondTooSmall(uint256 expectedAtLeast, uint256 actual);
    error OperatorTaken(address operator, ProducerId by);
    error SigningKeyTaken(bytes32 keyHash, ProducerId by);
    error InvalidProofOfPossession();
    error ProducerUnknown(ProducerId producerId);
    error NotOwner(address expected, address actual);
    error NotVaultDraws(address caller);
    /// @notice Not a contract of the protocol that may do this.
    error NotAllowed(address caller);
    error PeerAddressLength(uint256 atMost, uint256 actual);
    error SeatNotLocked(ProducerId producerId, PoolId poolId);
    error SeatAlreadyLocked(ProducerId producerId, PoolId poolId);
    error ZeroOperator();
    error KeyCount(uint256 expected, uint256 actual);
    /// @notice The key is another producer's, or (0) nobody's.
    error NotTheKeyOf(ProducerId producerId, ProducerId holder);
    error SeatsAlreadyHeld(PoolId poolId);
    /// @notice The producer was slashed out or leaves: it takes no bond any more.
    error ProducerOut(ProducerId producerId);
    error NotLeaving(ProducerId producerId, Status status);
    /// @notice A seat is live, in its tail, or answers for a fault that is not settled.
    error SeatsHeldStill(ProducerId producerId);
    /// @notice It is in a list of this period or may come into one.
    error ListedStill(ProducerId producerId);
    /// @notice Timestamps of references: of the last report it settled, and what that has to reach.
    error NotSettled(ProducerId producerId, uint64 needed, uint64 settledThrough);
    error InDebt(ProducerId producerId, uint256 points);

    /// @notice Registers the caller as owner of a new producer with the sent ETH as its bond (at least `effectiveStake`).
    /// @param proofOfPossession signature of `signingKey_` over the EIP-712 struct
    ///        ProofOfPossession(address owner,address operator,bytes signingKey).
    function register(address operator, G1Point calldata signingKey_, G2Point calldata proofOfPossession, string calldata peerAddress)
        external
        payable
        returns (ProducerId producerId);

    /// @notice Asks to leave, by the owner: no new seat from now on, out of the list from a later period on.
    function exit(ProducerId producerId) external;

    /// @notice As `exit`, for one whose CDT debt is too large. Rewards only. A second time, or when it leaves anyway, does nothing.
    function forceOut(ProducerId producerId) external;

    /// @notice Hands the bond of a producer that left to its owner, as bETH: once no seat is live or in its tail, and the last of
    ///         them and its time in the lists are settled (`Rewards.settledThrough`), without CDT debt. So everything that it could
    ///         have signed is final. When the network is wound down, at once. By the owner.
    function withdrawBond(ProducerId producerId) external;

    /// @notice Adds the sent ETH to a bond; counts in draws from the next period on. Anyone.
    function addBond(ProducerId producerId) external payable;

    /// @notice New multiaddr, by the owner or the operator.
    function setPeerAddress(ProducerId producerId, string calldata peerAddress) external;

    function producerCount() external view returns (uint32);

    /// @notice Timestamp of the block in which a producer registered.
    function registeredAt(ProducerId producerId) external view returns (uint64);

    /// @notice How many producers were registered in blocks up to and including `timestamp`: they have the ids from 1 to this.
    function countAt(uint64 timestamp) external view returns (uint32);

    function producer(ProducerId producerId) external view returns (Producer memory);

    /// @notice Owner of a producer: what it earned goes there.
    function ownerOf(ProducerId producerId) external view returns (address);

    function signingKey(ProducerId producerId) external view returns (G1Point memory);

    /// @notice Sum of the signing keys of these producers.
    function sumOfKeys(ProducerId[] calldata producers) external view returns (G1Point memory);

    /// @notice As `sumOfKeys`, of keys that the caller brings: looking each up by its hash costs less than reading it.
    function sumOfGivenKeys(ProducerId[] calldata producers, G1Point[] calldata keys) external view returns (G1Point memory);

    /// @notice Whose operator this is: a hot secp256k1 key for transactions and messages, bound to its producer for ever.
    function producerOf(address operator) external view returns (ProducerId);

    /// @notice Value (wei) of a producer's bond now.
    function bondValue(ProducerId producerId) external view returns (uint256);

    /// @notice Value (wei) of all bonds: the bETH of this contract.
    function totalBondValue() external view returns (uint256);

    /// @notice Seats of staker pools: how many all unslashed bonds could hold together, and how many are locked (tails included).
    function seats() external view returns (uint256 capacity, uint256 locked);

    /// @notice Value (wei) of 1e27 units of the bonds now. A draw is judged at the value that its request saw.
    function unitValue() external view returns (uint256);

    /// @notice Whether a draw requested in `period` at `requestedAt` (timestamp), when 1e27 units were worth `unitValue_`, may still
    ///         take the producer: not slashed, not leaving since before the request, and its bond at the period's start (less what
    ///         it lost since) is an effective stake and, for a staker pool, covers what it had locked then, was locked since, and
    ///         one more seat.
    function isEligible(ProducerId producerId, PoolKind kind, uint64 period, uint256 unitValue_, uint64 requestedAt)
        external
        view
        returns (bool);

    /// @notice The first of these producers that are eligible, in their order, at most `most` of them: as `isEligible`, all at once.
    ///         One that holds 32,768 seats of a kind is passed over.
    function firstEligible(
        ProducerId[] calldata producers,
        PoolKind kind,
        uint64 period,
        uint256 unitValue_,
        uint64 requestedAt,
        uint256 most
    ) external view returns (ProducerId[] memory found);

    /// @notice Seats that a producer holds now, of both kinds of pools, not counting tails.
    function seatCount(ProducerId producerId) external view returns (uint256);

    /// @notice Who answers for a pool: holders of live seats, and those whose tail is not over. A producer that has come back
    ///         within its tail is named twice.
    function holdersOf(PoolId poolId) external view returns (Holder[] memory);

    /// @notice The first `most` producers with a live seat of a pool, in the order in which the seats were locked: eight a word of 32 bits
    ///         each, the first lowest, 0 after the last.
    function liveSeats(PoolId poolId, uint256 most) external view returns (uint256[] memory words);

    /// @notice Whether a bond is worth less than 90 % of what its live seats lock: it is then to lose the newest of them.
    function isUndercollateralized(ProducerId producerId) external view returns (bool);

    /// @notice Pool of the producer's newest live seat in a staker pool. 0: none, or none of the last five is left.
    function newestSeat(ProducerId producerId) external view returns (PoolId);

    /// @notice Gives each member a seat in a pool's vault, which locks `seatAllocation` of its bond in a staker pool. Who holds a
    ///         live seat of the pool keeps that one. VaultDraws only.
    function lockSeats(PoolId poolId, PoolKind kind, ProducerId[] calldata members) external;

    /// @notice Releases live seats of a pool, after a tail counted from `tailFrom` (timestamp), or at once when that is 0 (its
    ///         ceremony failed). While the pool's seats are held, they go on answering until then. PoolRegistry, Rotations only.
    function releaseSeats(PoolId poolId, PoolKind kind, ProducerId[] calldata members, uint64 tailFrom) external;

    /// @notice From now on whoever answers for the pool does so until `unholdSeats`. Slashing only.
    function holdSeats(PoolId poolId, PoolKind kind) external;

    function unholdSeats(PoolId poolId, PoolKind kind) external;

    /// @notice Takes up to `amount` wei of each member's bond (at most what it has) to cover, `reporterShare` of it to the
    ///         reporter when one is named. PoolRegistry, Exits, Slashing, DkgDisputes only.
    /// @return taken wei
    function slashSeats(PoolId poolId, ProducerId[] calldata members, uint256 amount, address reporter) external returns (uint256 taken);

    /// @notice Like `slashSeats`, but pays `compensation` wei of what it takes to `payee` as bETH and only the rest to cover.
    /// @return taken wei
    function chargeSeats(PoolId poolId, ProducerId[] calldata members, uint256 amount, address payee, uint256 compensation)
        external
        returns (uint256 taken);

    /// @notice Takes up to `amount` wei of a bond (at most what it has): to `payee` as bETH, or to cover when that is zero.
    ///         Votes, DkgDisputes only.
    /// @return taken wei
    function chargeBond(ProducerId producerId, uint256 amount, address payee) external returns (uint256 taken);

    /// @notice The whole bond to cover, `reporterShare` of it to the reporter; out for ever. Disputes, Votes, Slashing, DkgDisputes
    ///         only. A second time takes nothing.
    function slashOut(ProducerId producerId, address reporter) external;
}
