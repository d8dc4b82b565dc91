import { scryptSync } from 'node:crypto'

const BLOCK_SIZE = 8
const LENGTH = 32

/** 32 bytes from a password by scrypt (RFC 7914) with r = 8, p = 1 and a cost N that is a power of two. */
export function stretch(password: string, salt: Uint8Array, cost: number): Buffer {
  // scrypt needs 128·N·r bytes and a little more.
  return scryptSync(password.normalize('NFKD'), salt, LENGTH, { N: cost, r: BLOCK_SIZE, p: 1, maxmem: 129 * cost * BLOCK_SIZE + 1_000_000 })
}
