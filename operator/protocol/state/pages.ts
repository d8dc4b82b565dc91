import { keccak256 } from 'ethers'
import type { Hex, Root } from '../../core/ids.ts'
import { bytesToHex, toRoot } from '../../core/parse.ts'

const WORD = 32
const BALANCE = 8

/** Packs balances (gwei) as a page: 8 bytes big-endian each, in the given order. */
export function encodeBalances(balances: readonly bigint[]): Hex {
  const bytes = new Uint8Array(balances.length * BALANCE)
  const view = new DataView(bytes.buffer)
  balances.forEach((balance, at) => {
    view.setBigUint64(at * BALANCE, balance)
  })
  return bytesToHex(bytes)
}

function wordsOf(page: Uint8Array): Hex[] {
  const padded = new Uint8Array(Math.ceil(page.length / WORD) * WORD)
  padded.set(page)
  return Array.from({ length: padded.length / WORD }, (_, at) => bytesToHex(padded.subarray(at * WORD, (at + 1) * WORD)))
}

const ZERO: Hex = `0x${'00'.repeat(WORD)}`
const pairHash = (left: Hex, right: Hex): Hex => keccak256(left + right.slice(2)) as Hex

/**
 * Root of a page as contracts/libraries/PageTree.sol computes it: keccak256(length ‖ Merkle root) over the zero-padded
 * 32-byte words, a level of odd width completed by a zero word. The page must not be empty.
 */
export function pageRoot(page: Hex): Root {
  const bytes = Buffer.from(page.slice(2), 'hex')
  let level = wordsOf(bytes)
  while (level.length > 1) {
    const next: Hex[] = []
    for (let at = 0; at < level.length; at += 2) next.push(pairHash(level[at] ?? ZERO, level[at + 1] ?? ZERO))
    level = next
  }
  const length = bytes.length.toString(16).padStart(WORD * 2, '0')
  return toRoot(pairHash(`0x${length}`, level[0] ?? ZERO))
}
