/** How many producers there are, and what part of them is malicious: one in so many. */
const PRODUCERS = 5_000
const ONE_IN = [3, 4, 5, 10]
const VAULT_SIZES = [4, 8, 16, 24, 32, 64, 128]
/** One pool's draws in a year: one in each rotation period of 28 days. */
const DRAWS_A_YEAR = 13

/** Rows of the table in docs/trust.md, as Markdown. */
export function captureTable(): readonly string[] {
  const captured = ONE_IN.flatMap((part) => [`captured, 1/${part}`])
  const head = ['n', 't', ...captured, 'k = 1, 1/4', 'k = 4, 1/4', 'in a year, 1/4', 'stopped, 1/4', 'stopped, 1/10']
  const rows = VAULT_SIZES.map((size) => {
    const threshold = Math.ceil((2 * size) / 3)
    const quarter = tail(size, threshold, 4)
    const cells = [
      ...ONE_IN.map((part) => tail(size, threshold, part)),
      ...[1, 4].map((k) => Math.min(1, quarter * 2 ** k)),
      -Math.expm1(DRAWS_A_YEAR * Math.log1p(-quarter)),
      ...[4, 10].map((part) => tail(size, size - threshold + 1, part)),
    ]
    return [String(size), String(threshold), ...cells.map(shown)]
  })
  return [head, head.map(() => '--:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}

/** Chance that at least `least` of `size` drawn without replacement are malicious. */
function tail(size: number, least: number, part: number): number {
  const malicious = Math.floor(PRODUCERS / part)
  const all = choose(PRODUCERS, size)
  let ways = 0n
  for (let bad = least; bad <= size; bad++) ways += choose(malicious, bad) * choose(PRODUCERS - malicious, size - bad)
  // Ratio of large integers, to 15 digits whatever its size.
  const shift = BigInt(all.toString(2).length)
  const scaled = (ways << (shift + 64n)) / all
  const digits = scaled.toString()
  return Number(`${digits.slice(0, 15)}e${digits.length - Math.min(15, digits.length)}`) / 2 ** 64 / 2 ** Number(shift)
}

function choose(n: number, k: number): bigint {
  let ways = 1n
  for (let i = 0; i < k; i++) ways = (ways * BigInt(n - i)) / BigInt(i + 1)
  return ways
}

const shown = (chance: number): string => (chance < 0.01 ? chance.toExponential(1) : `${(chance * 100).toFixed(0)} %`)
