import type { Hex } from '../../core/ids.ts'

const WORD_DIGITS = 64

/** An EIP-2537 point as the 32-byte words of the contracts' G1Point (4) and G2Point (8) structs. */
export function wordsOf(point: Hex): readonly Hex[] {
  const digits = point.slice(2)
  return Array.from({ length: digits.length / WORD_DIGITS }, (_, at): Hex => `0x${digits.slice(at * WORD_DIGITS, (at + 1) * WORD_DIGITS)}`)
}
