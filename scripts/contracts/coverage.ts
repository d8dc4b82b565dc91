import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { numberOf, readFlags } from '../support/flags.ts'
import { sourceUnits } from './ast.ts'
import { type Rewritten, separateBranches } from './branches.ts'
import { makeWorkspace, ROOT, runIn } from './workspace.ts'

const HELP = `Line and branch coverage of contracts/ by the contract tests.

  npm run coverage [-- --bar 98] [--grep PATTERN] [TEST FILE ...]

Runs the tests in a copy of the project. Lines are the compiler's statements; branches are both ways of every \`if\`, written or
not. --grep takes only tests whose names match. Exits with status 1 when either is below the bar (per cent).
`
const { values, words } = readFlags({
  name: 'coverage',
  help: HELP,
  options: {
    bar: { type: 'string', default: '98' },
    grep: { type: 'string', default: '' },
  },
  words: true,
})

const bar = numberOf('coverage', { bar: values.bar }, { least: 0, most: 100, fraction: true })

const LIMIT_SECONDS = 3600
/**
 * Instrumented code costs more gas and time: what measures gas alone is left out, and what does one thing thousands of times; tests
 * that bound gas besides leave out the bound (test/support/gas-bounds.ts).
 */
const LEFT_OUT = '\\b[Gg]as\\b|random lists, eight'
type Count = { readonly covered: number; readonly all: number; readonly missed: readonly number[] }

// One build, not what was compiled in parts: the trees that sources are rewritten by have to be of these very sources.
const builds = globSync('artifacts/build-info/*.output.json', { cwd: ROOT })
const built = await runIn(ROOT, ['hardhat', 'build', ...(builds.length > 1 ? ['--force'] : [])], LIMIT_SECONDS)
if (built.status !== 0) throw new Error(`the contracts do not compile:\n${built.output}`)
process.env.COVERAGE_RUN = 'yes'
const workspace = makeWorkspace()
try {
  const rewritten = new Map(sourceUnits(workspace.root).map((unit) => [unit.path, separateBranches(unit)]))
  for (const [path, { text }] of rewritten) writeFileSync(join(workspace.root, path), text)
  const tests = words.length > 0 ? words : globSync('test/contracts/**/*.test.ts', { cwd: workspace.root }).sort()
  const { output, status } = await workspace.run(
    [
      'hardhat',
      'test',
      'mocha',
      '--coverage',
      ...(values.grep === '' ? [] : ['--grep', values.grep]),
      '--grep-exclude',
      LEFT_OUT,
      ...tests,
    ],
    LIMIT_SECONDS,
  )
  if (status !== 0) process.exitCode = 1
  if (status !== 0) console.log(`some tests failed under instrumentation:\n${output.split('Saved html')[0]?.slice(-6000)}`)
  report(rewritten, hitsOf(readFileSync(join(workspace.root, 'coverage/lcov.info'), 'utf8')))
} finally {
  workspace.remove()
}

/** Hits by file and line. */
function hitsOf(lcov: string): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const files = new Map<string, Map<number, number>>()
  let lines = new Map<number, number>()
  for (const row of lcov.split('\n')) {
    if (row.startsWith('SF:')) {
      lines = new Map()
      files.set(row.slice(3), lines)
    } else if (row.startsWith('DA:')) {
      const [line = 0, hits = 0] = row.slice(3).split(',').map(Number)
      lines.set(line, hits)
    }
  }
  return files
}

function report(sources: ReadonlyMap<string, Rewritten>, files: ReadonlyMap<string, ReadonlyMap<number, number>>): void {
  const all: { readonly lines: Count; readonly branches: Count }[] = []
  for (const [path, source] of sources) {
    const hits = files.get(path)
    if (hits === undefined) continue
    const [lines, branches] = [linesOf(source, hits), branchesOf(source, hits)]
    if (lines.all === 0) continue
    all.push({ lines, branches })
    const missed = [
      lines.missed.length > 0 ? `lines ${lines.missed.join(' ')}` : '',
      branches.missed.length > 0 ? `branches of ${branches.missed.join(' ')}` : '',
    ].filter((part) => part !== '')
    console.log(`${path.padEnd(48)} lines ${percent(lines).padStart(6)}  branches ${percent(branches).padStart(6)}  ${missed.join('; ')}`)
  }
  const lines = percent(sum(all.map((counts) => counts.lines)))
  const branches = percent(sum(all.map((counts) => counts.branches)))
  console.log(JSON.stringify({ lines: Number(lines), branches: Number(branches) }))
  if (Math.min(Number(lines), Number(branches)) < bar) process.exitCode = 1
}

function sum(counts: readonly Count[]): Count {
  const total = (of: (count: Count) => number) => counts.reduce((before, count) => before + of(count), 0)
  return { covered: total(({ covered }) => covered), all: total(({ all }) => all), missed: [] }
}

function linesOf({ originalLines }: Rewritten, hits: ReadonlyMap<number, number>): Count {
  const best = new Map<number, number>()
  for (const [line, count] of hits) {
    const original = originalLines[line - 1] ?? 0
    if (original > 0) best.set(original, Math.max(best.get(original) ?? 0, count))
  }
  return countOf([...best])
}

function branchesOf({ branches }: Rewritten, hits: ReadonlyMap<number, number>): Count {
  return countOf(branches.map(({ line, originalLine }) => [originalLine, hits.get(line) ?? 0]))
}

function countOf(rows: readonly (readonly [number, number])[]): Count {
  const missed = rows.filter(([, hits]) => hits === 0).map(([line]) => line)
  return { covered: rows.length - missed.length, all: rows.length, missed: [...new Set(missed)].sort((a, b) => a - b) }
}

/** Per cent; of nothing, all. */
function percent({ covered, all }: Count): string {
  return all === 0 ? '100.00' : ((100 * covered) / all).toFixed(2)
}
