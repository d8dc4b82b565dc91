import { concat, dataSlice, keccak256, toBeHex, zeroPadBytes } from 'ethers'

const ZERO = `0x${'00'.repeat(32)}`

/** The page's levels from its words up; odd ones completed by a zero node. */
export function pageLevels(page: string): string[][] {
  const length = (page.length - 2) / 2
  const words = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    zeroPadBytes(dataSlice(page, i * 32, Math.min(length, (i + 1) * 32)), 32),
  )
  const all = [words]
  for (let level = words; level.length > 1; all.push(level)) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
      keccak256(concat([level[2 * i] ?? ZERO, level[2 * i + 1] ?? ZERO])),
    )
  }
  return all
}

/** Root of a page as PageTree defines it. */
export function rootOfPage(page: string): string {
  return keccak256(concat([toBeHex((page.length - 2) / 2, 32), pageLevels(page).at(-1)?.[0] ?? ZERO]))
}

/** Word `index` of a page and its branch. */
export function wordOfPage(page: string, index: number): { readonly word: string; readonly branch: string[] } {
  const levels = pageLevels(page)
  const branch = levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1] ?? ZERO)
  return { word: levels[0]?.[index] ?? ZERO, branch }
}

/** Balances (gwei) as a page: 8 bytes big-endian each. */
export function pageOf(balances: readonly bigint[]): string {
  return concat(balances.map((balance) => toBeHex(balance, 8)))
}

/** Point deltas as a page: 4 bytes big-endian each, two's complement. */
export function pointsOf(deltas: readonly number[]): string {
  return concat(deltas.map((delta) => toBeHex(BigInt.asUintN(32, BigInt(delta)), 4)))
}
