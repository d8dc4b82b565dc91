// Branded numbers and strings of the field. Made only where input is parsed; everywhere else they arrive typed.
declare const brand: unique symbol
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }

/** Beacon chain slot. */
export type Slot = Brand<number, 'Slot'>
/** Beacon chain epoch. */
export type Epoch = Brand<number, 'Epoch'>
/** Index into the beacon state's validator registry. */
export type ValidatorIndex = Brand<number, 'ValidatorIndex'>
/** Id of a pool in the registry contract, from 1. */
export type PoolId = Brand<number, 'PoolId'>
/** Id of a block producer in the registry contract, from 1. */
export type ProducerId = Brand<number, 'ProducerId'>
/** Place of a producer in one vault, 1…n in vault order; also its Shamir evaluation point. */
export type MemberIndex = Brand<number, 'MemberIndex'>
/** Balance in gwei. */
export type Gwei = Brand<bigint, 'Gwei'>
/** Balance in wei. */
export type Wei = Brand<bigint, 'Wei'>
/** Milliseconds since the Unix epoch. */
export type Milliseconds = Brand<number, 'Milliseconds'>
/** Lower-case 0x-prefixed hex of any length. */
export type Hex = `0x${string}`
/** 32 bytes as lower-case hex: a root, a digest, a seed. */
export type Root = Brand<Hex, 'Root'>
/** 20-byte execution address, lower case. */
export type Address = Brand<Hex, 'Address'>
/** Compressed BLS12-381 G1 public key, 48 bytes as lower-case hex. */
export type PublicKey = Brand<Hex, 'PublicKey'>
/** Compressed BLS12-381 G2 signature, 96 bytes as lower-case hex. */
export type BlsSignature = Brand<Hex, 'BlsSignature'>
/** secp256k1 signature r ‖ s ‖ v, 65 bytes as lower-case hex. */
export type EcdsaSignature = Brand<Hex, 'EcdsaSignature'>
