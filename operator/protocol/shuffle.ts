import { hash } from 'node:crypto'
import { OpenPoolsError } from '../core/errors.ts'
import type { PoolId, Root } from '../core/ids.ts'
import { bytesToHex, hexToBytes } from '../core/parse.ts'

/** Rounds of swap-or-not: the consensus spec's SHUFFLE_ROUND_COUNT on mainnet, whatever the preset. */
export const SHUFFLE_ROUNDS = 90

export class ShuffleError extends OpenPoolsError<'INDEX_OUT_OF_RANGE'> {}

/** What a draw is for; part of its seed (protocol §5). */
export type DrawCategory =
  | { readonly kind: 'vault'; readonly poolId: PoolId; readonly round: number }
  | { readonly kind: 'committee'; readonly period: bigint }
  | { readonly kind: 'liquidation'; readonly n: bigint }

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

function encode(category: DrawCategory): Uint8Array {
  const label = Buffer.from(category.kind, 'ascii')
  const numbers = Buffer.alloc(8)
  if (category.kind === 'vault') {
    numbers.writeUInt32BE(category.poolId, 0)
    numbers.writeUInt32BE(category.round, 4)
  } else {
    numbers.writeBigUInt64BE(category.kind === 'committee' ? category.period : category.n)
  }
  return Buffer.concat([label, numbers])
}

/** Seed of one draw: sha256(seed ‖ category), the category as ASCII text and big-endian integers. */
export function seedOf(seed: Root, category: DrawCategory): Root {
  return bytesToHex(sha256(Buffer.concat([hexToBytes(seed), encode(category)]))) as Root
}

// Hash input of a round: seed ‖ round, and for the swap bits ‖ position / 256.
function inputOf(seed: Root): Buffer {
  const input = Buffer.alloc(37)
  input.set(hexToBytes(seed))
  return input
}

function pivotOf(input: Buffer, round: number, size: number): number {
  input[32] = round
  return Number(sha256(input.subarray(0, 33)).readBigUInt64LE() % BigInt(size))
}

/**
 * The consensus spec's compute_shuffled_index (Hoang, Morris, Rogaway: swap-or-not) with 90 rounds: where `index` of a list
 * of `size` goes. Throws `ShuffleError` on an index outside the list.
 */
export function shuffledIndex(index: number, size: number, seed: Root): number {
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new ShuffleError('INDEX_OUT_OF_RANGE', `expected an index from 0 to ${size - 1}, got ${index}`, { index, size })
  }
  const input = inputOf(seed)
  let at = index
  for (let round = 0; round < SHUFFLE_ROUNDS; round++) {
    const flip = (pivotOf(input, round, size) + size - at) % size
    const position = Math.max(at, flip)
    input.writeUInt32LE(position >>> 8, 33)
    const source = sha256(input)
    if (((source[(position & 0xff) >>> 3] ?? 0) >>> (position & 7)) & 1) at = flip
  }
  return at
}

/**
 * The first `count` places of the shuffled list: entry i is the index into the original list that stands at place i,
 * that is `shuffledIndex(i)`. Each round hashes once for every 256 positions met, not once for every index.
 */
export function shuffledIndices(size: number, seed: Root, count = size): readonly number[] {
  const input = inputOf(seed)
  const places = Array.from({ length: Math.min(count, size) }, (_, i) => i)
  if (places.length === 0) return places
  for (let round = 0; round < SHUFFLE_ROUNDS; round++) {
    const pivot = pivotOf(input, round, size)
    const sources = new Map<number, Buffer>()
    for (const [i, at] of places.entries()) {
      const flip = (pivot + size - at) % size
      const position = Math.max(at, flip)
      const block = position >>> 8
      let source = sources.get(block)
      if (source === undefined) {
        input.writeUInt32LE(block, 33)
        source = sha256(input)
        sources.set(block, source)
      }
      if (((source[(position & 0xff) >>> 3] ?? 0) >>> (position & 7)) & 1) places[i] = flip
    }
  }
  return places
}
