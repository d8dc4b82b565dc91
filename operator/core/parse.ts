import { OpenPoolsError } from './errors.ts'
import type {
  Address,
  BlsSignature,
  EcdsaSignature,
  Epoch,
  Hex,
  MemberIndex,
  PoolId,
  ProducerId,
  PublicKey,
  Root,
  Slot,
  ValidatorIndex,
} from './ids.ts'

export class ParseError extends OpenPoolsError<'NOT_AN_ID' | 'NOT_HEX'> {}

function natural(kind: string, value: unknown, least: number): number {
  const number = typeof value === 'bigint' || (typeof value === 'string' && /^\d+$/.test(value)) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < least) {
    throw new ParseError('NOT_AN_ID', `expected a ${kind} (a whole number from ${least}), got ${String(value)}`, { kind, value })
  }
  return number
}

function hexOf(kind: string, bytes: number, value: unknown): Hex {
  if (typeof value !== 'string' || value.length !== 2 + bytes * 2 || !/^0x[0-9a-fA-F]*$/.test(value)) {
    throw new ParseError(
      'NOT_HEX',
      `expected ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} (0x and ${bytes * 2} hex digits), got ${String(value).slice(0, 80)}`,
      { kind },
    )
  }
  return value.toLowerCase() as Hex
}

// FAR_FUTURE_EPOCH (2^64 − 1) is not a safe integer; callers that read epochs from a beacon state map it to Infinity first.
export const toSlot = (value: unknown): Slot => natural('slot', value, 0) as Slot
export const toEpoch = (value: unknown): Epoch => natural('epoch', value, 0) as Epoch
export const toValidatorIndex = (value: unknown): ValidatorIndex => natural('validator index', value, 0) as ValidatorIndex
export const toPoolId = (value: unknown): PoolId => natural('pool id', value, 1) as PoolId
export const toProducerId = (value: unknown): ProducerId => natural('producer id', value, 1) as ProducerId
export const toMemberIndex = (value: unknown): MemberIndex => natural('member index', value, 1) as MemberIndex
export const toRoot = (value: unknown): Root => hexOf('32-byte root', 32, value) as Root
export const toAddress = (value: unknown): Address => hexOf('address', 20, value) as Address
export const toPublicKey = (value: unknown): PublicKey => hexOf('BLS public key', 48, value) as PublicKey
export const toBlsSignature = (value: unknown): BlsSignature => hexOf('BLS signature', 96, value) as BlsSignature
export const toEcdsaSignature = (value: unknown): EcdsaSignature => hexOf('secp256k1 signature', 65, value) as EcdsaSignature

/** Lower-case 0x hex of bytes. */
export function bytesToHex(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** Bytes of 0x-prefixed hex of an even number of digits. Throws `ParseError`. */
export function hexToBytes(hex: string): Uint8Array {
  // Decoding stops at the first digit that is none.
  const bytes = Buffer.from(hex.slice(2), 'hex')
  if (!hex.startsWith('0x') || bytes.length * 2 !== hex.length - 2) {
    throw new ParseError('NOT_HEX', `expected 0x and an even number of hex digits, got ${hex.slice(0, 80)}`)
  }
  return new Uint8Array(bytes)
}
