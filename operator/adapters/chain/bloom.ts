import { keccak256 } from 'ethers/crypto'
import type { Address, Hex } from '../../core/ids.ts'

const BLOOM_BYTES = 256
const bitsOf = new Map<Address, readonly number[]>()

/** The three bits of an address in a logs bloom (Ethereum yellow paper, 4.3.1): 11 bits of each of the first three pairs of bytes. */
function bits(address: Address): readonly number[] {
  const known = bitsOf.get(address)
  if (known !== undefined) return known
  const hash = Buffer.from(keccak256(Buffer.from(address.slice(2), 'hex')).slice(2), 'hex')
  const found = [0, 2, 4].map((at) => hash.readUInt16BE(at) & 2047)
  bitsOf.set(address, found)
  return found
}

/** May a block with this logs bloom hold logs of the address? No false negatives; a full block says yes to almost anything. */
export function bloomMayHold(bloom: Hex, address: Address): boolean {
  const bytes = Buffer.from(bloom.slice(2), 'hex')
  return bits(address).every((bit) => ((bytes[BLOOM_BYTES - 1 - (bit >> 3)] ?? 0) >> (bit & 7)) & 1)
}
