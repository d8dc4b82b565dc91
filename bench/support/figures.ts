export type Unit = 'ms' | 'µs' | 'MB'

/** What was measured of one thing: every sample, or its percentiles. */
export type Figure = {
  readonly what: string
  readonly unit: Unit
  readonly samples: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly mean: number
}

export type BenchResult = {
  readonly name: string
  readonly title: string
  readonly figures: readonly Figure[]
  /** What the reader must know to judge the figures. */
  readonly notes: readonly string[]
}

const rounded = (value: number): number => Number(value.toPrecision(4))

/** The nearest-rank percentile of sorted values. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Percentiles and mean of samples. */
export function figure(what: string, samples: readonly number[], unit: Unit = 'ms'): Figure {
  const sorted = [...samples].sort((a, b) => a - b)
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length
  const at = (share: number): number => rounded(percentile(sorted, share))
  return { what, unit, samples: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), mean: rounded(mean) }
}

/** Milliseconds that each of `runs` calls takes, after some that do not count. */
export async function timed(runs: number, work: () => unknown): Promise<readonly number[]> {
  const samples: number[] = []
  for (let run = -Math.ceil(runs / 4); run < runs; run++) {
    const start = performance.now()
    await work()
    if (run >= 0) samples.push(performance.now() - start)
  }
  return samples
}

/** A table for people. */
export function tableOf({ title, figures, notes }: BenchResult): string {
  const header = ['', 'p50', 'p95', 'p99', 'mean', 'samples']
  const cells = figures.map(({ what, unit, p50, p95, p99, mean, samples }) => [
    `${what} [${unit}]`,
    ...[p50, p95, p99, mean].map((value) => String(value)),
    String(samples),
  ])
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')
  return [title, line(header), ...cells.map(line), ...notes.map((note) => `  ${note}`)].join('\n')
}
