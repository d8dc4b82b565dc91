import { keccak256 } from 'ethers'
import type { Hex, ProducerId, Root } from '../../core/ids.ts'
import { bytesToHex, toRoot } from '../../core/parse.ts'

const WORD = 32
const BALANCE = 8
const POINT = 4
/** Entries in a word. */
export const BALANCES_PER_WORD = WORD / BALANCE
const POINTS_PER_WORD = WORD / POINT
/** Of StateCommitments and Rewards. */
export const POINTS_PER_PAGE = 4096

/** Packs balances (gwei) as a page: 8 bytes big-endian each, in the given order. */
export function encodeBalances(balances: readonly bigint[]): Hex {
  const bytes = new Uint8Array(balances.length * BALANCE)
  const view = new DataView(bytes.buffer)
  balances.forEach((balance, at) => {
    view.setBigUint64(at * BALANCE, balance)
  })
  return bytesToHex(bytes)
}

/** The balance (gwei) at a place of a page; undefined beyond its end. */
export function balanceIn(page: Hex, place: number): bigint | undefined {
  const digits = page.slice(2 + 2 * BALANCE * place, 2 + 2 * BALANCE * (place + 1))
  return digits.length === 2 * BALANCE ? BigInt(`0x${digits}`) : undefined
}

/** Packs point deltas as a page: 4 bytes big-endian each, signed. */
export function encodePoints(deltas: readonly number[]): Hex {
  const bytes = new Uint8Array(deltas.length * POINT)
  const view = new DataView(bytes.buffer)
  deltas.forEach((delta, at) => {
    view.setInt32(at * POINT, delta)
  })
  return bytesToHex(bytes)
}

/** Entries cut into pages of at most `perPage`. */
export function cutPages<T>(entries: readonly T[], perPage: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(entries.length / perPage) }, (_, at) => entries.slice(at * perPage, (at + 1) * perPage))
}

/** How many pages of a report are of balances; those of points follow. */
export function poolPagesOf(report: { readonly producers: number; readonly pageRoots: readonly Root[] }): number {
  return report.pageRoots.length - Math.ceil(report.producers / POINTS_PER_PAGE)
}

function wordsOf(page: Uint8Array): Hex[] {
  const padded = new Uint8Array(Math.ceil(page.length / WORD) * WORD)
  padded.set(page)
  return Array.from({ length: padded.length / WORD }, (_, at) => bytesToHex(padded.subarray(at * WORD, (at + 1) * WORD)))
}

const ZERO: Hex = `0x${'00'.repeat(WORD)}`
const pairHash = (left: Hex, right: Hex): Hex => keccak256(left + right.slice(2)) as Hex

/** The page's words, and the levels of the tree above them; a level of odd width is completed by a zero word. */
function levelsOf(page: Uint8Array): readonly (readonly Hex[])[] {
  let level: readonly Hex[] = wordsOf(page)
  const levels = [level]
  while (level.length > 1) {
    const below = level
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, at) => pairHash(below[2 * at] ?? ZERO, below[2 * at + 1] ?? ZERO))
    levels.push(level)
  }
  return levels
}

/**
 * Root of a page as contracts/libraries/PageTree.sol computes it: keccak256(length ‖ Merkle root) over the zero-padded
 * 32-byte words, a level of odd width completed by a zero word. The page must not be empty.
 */
export function pageRoot(page: Hex): Root {
  const bytes = Buffer.from(page.slice(2), 'hex')
  const length = bytes.length.toString(16).padStart(WORD * 2, '0')
  return toRoot(pairHash(`0x${length}`, levelsOf(bytes).at(-1)?.[0] ?? ZERO))
}

/** A word of a page, by its place, and its branch up to what `pageRoot` hashes with the length. */
export function proveWord(page: Hex, index: number): { readonly word: Hex; readonly branch: readonly Hex[] } {
  const levels = levelsOf(Buffer.from(page.slice(2), 'hex'))
  return {
    word: levels[0]?.[index] ?? ZERO,
    branch: levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1] ?? ZERO),
  }
}

/** What proves a producer's delta to Rewards (IRewards.PointProof): its word, the branch, the roots of all point pages. */
export type PointProof = { readonly word: Hex; readonly branch: readonly Hex[]; readonly pageRoots: readonly Root[] }

/** A producer's delta in a report's point pages; undefined when they do not reach to its id. */
export function pointsIn(pages: readonly Hex[], producerId: ProducerId): number | undefined {
  const place = producerId - 1
  const at = 2 + (place % POINTS_PER_PAGE) * 2 * POINT
  const digits = pages[Math.floor(place / POINTS_PER_PAGE)]?.slice(at, at + 2 * POINT)
  // To a signed 32-bit number.
  return digits?.length === 2 * POINT ? Number.parseInt(digits, 16) | 0 : undefined
}

/** The proof of a producer's delta in a report's point pages; undefined when they do not reach to its id. */
export function provePoints(pages: readonly Hex[], producerId: ProducerId): PointProof | undefined {
  const place = producerId - 1
  const page = pages[Math.floor(place / POINTS_PER_PAGE)]
  if (page === undefined) return undefined
  return { ...proveWord(page, Math.floor((place % POINTS_PER_PAGE) / POINTS_PER_WORD)), pageRoots: pages.map(pageRoot) }
}
