/** An exact chance. */
export type Chance = { readonly ways: bigint; readonly of: bigint }

/** A part of all producers, exact. */
type Part = { readonly name: string; readonly ways: number; readonly of: number }

export const LISTS = [240, 1_000, 5_000] as const
const PARTS: readonly Part[] = [
  { name: '10 %', ways: 1, of: 10 },
  { name: '20 %', ways: 1, of: 5 },
  { name: '25 %', ways: 1, of: 4 },
  { name: '1/3', ways: 1, of: 3 },
  { name: '40 %', ways: 2, of: 5 },
]
const VAULTS = [4, 7, 10, 16, 24, 32, 64, 128] as const
const GRINDING_BITS = [0, 1, 2, 3, 4] as const
/** Draws of one pool in a year: one in each rotation period of 28 days. */
const DRAWS_A_YEAR = 13

const choose = (from: number, count: number): bigint => {
  let ways = 1n
  for (let i = 0; i < count; i++) ways = (ways * BigInt(from - i)) / BigInt(i + 1)
  return ways
}

/** Chance that at least `least` of `drawn`, taken without replacement from `all` of whom `bad` are malicious, are malicious. */
export function chanceOf(draw: { readonly all: number; readonly bad: number; readonly drawn: number; readonly least: number }): Chance {
  const { all, bad, drawn, least } = draw
  let ways = 0n
  for (let hit = least; hit <= Math.min(drawn, bad); hit++) ways += choose(bad, hit) * choose(all - bad, drawn - hit)
  return { ways, of: choose(all, drawn) }
}

/** Chance that it happens at least once in so many independent tries. */
export function atLeastOnce({ ways, of }: Chance, tries: number): Chance {
  const all = of ** BigInt(tries)
  return { ways: all - (of - ways) ** BigInt(tries), of: all }
}

/** Rounded half up: whole percents from 1 % on, below that two digits and a power of ten; exact 0 and 1 as such. */
export function shown({ ways, of }: Chance): string {
  if (ways === 0n) return '0'
  if (ways === of) return '1'
  if (ways * 100n >= of) {
    const percent = (ways * 200n + of) / (of * 2n)
    return percent > 99n ? '> 99 %' : `${percent} %`
  }
  let exponent = 2
  while (ways * 10n ** BigInt(exponent) < of) exponent++
  const digits = String((ways * 10n ** BigInt(exponent + 1) * 2n + of) / (of * 2n))
  // 9.96 rounds to 10.0: one power up.
  return digits.length > 2 ? `1.0e-${exponent - 1}` : `${digits[0]}.${digits[1]}e-${exponent}`
}

/** Rows of the table for a list of so many producers, as Markdown. */
export function captureTable(producers: number): readonly string[] {
  const head = [
    'n',
    't',
    'malicious',
    ...GRINDING_BITS.map((bits) => `captured, k = ${bits}`),
    'in a year, k = 0',
    'in a year, k = 4',
    'stopped',
    'stopped in a year',
  ]
  const rows = VAULTS.flatMap((size) => PARTS.map((part) => rowOf(producers, size, part)))
  return [head, head.map(() => '--:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

function rowOf(all: number, drawn: number, { name, ways, of }: Part): readonly string[] {
  const threshold = Math.ceil((2 * drawn) / 3)
  const bad = Math.floor((all * ways) / of)
  const captured = chanceOf({ all, bad, drawn, least: threshold })
  const stopped = chanceOf({ all, bad, drawn, least: drawn - threshold + 1 })
  const chances = [
    ...GRINDING_BITS.map((bits) => atLeastOnce(captured, 2 ** bits)),
    atLeastOnce(captured, DRAWS_A_YEAR),
    atLeastOnce(captured, DRAWS_A_YEAR * 16),
    stopped,
    atLeastOnce(stopped, DRAWS_A_YEAR),
  ]
  return [String(drawn), String(threshold), name, ...chances.map(shown)]
}

/** The whole section of docs/dkg.md: one table for each length of the list. */
export function captureSection(): readonly string[] {
  return LISTS.flatMap((producers) => [`### ${producers.toLocaleString('en')} producers`, '', ...captureTable(producers), ''])
}
