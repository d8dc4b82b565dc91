import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suitesOf } from '../../test/contracts/mutation/suites.ts'
import { numberOf, readFlags } from '../support/flags.ts'
import { type SourceUnit, sourceUnits } from './ast.ts'
import { type Mutant, mutantsOf, sample } from './mutants.ts'
import { Compiler } from './mutation/compiler.ts'
import { MutationRecord, type Outcome } from './mutation/record.ts'
import { type Summary, summaryOf } from './mutation/summary.ts'
import { Trials } from './mutation/trials.ts'
import { makeWorkspace, ROOT, runIn } from './workspace.ts'

const HELP = `Mutation testing of contracts/: changes one thing at a time and expects the contract's own tests to notice.

  npm run mutate -- [--size 300] [--seed 1] [--only PATH,…] [--jobs 1] [--bar 90] [--trust] [--report]

  --size N    mutants in the sample, taken over all contracts
  --seed S    another seed is another sample
  --only P,Q  tries only those of the sample whose contract's path contains P or Q
  --jobs N    so many processes that run tests
  --bar P     exit with status 1 when fewer than P of 100 die
  --trust     does not first run each contract's tests on the contract as it is: for sources whose tests have just passed
  --report    tries nothing: writes what is known of the sample to test/contracts/mutation/results.json

Verdicts are kept in .data/mutation.jsonl: a run that was stopped goes on where it was, a fresh clone where results.json ends. A mutant
is tried again when its contract changes, or the tests that it survived. Survivors that are understood stand in
test/contracts/mutation/survivors.json with the reason. Changes that do not compile, or compile to the same code, do not count.
`
const { values } = readFlags({
  name: 'mutate',
  help: HELP,
  options: {
    size: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    bar: { type: 'string', default: '90' },
    trust: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
  },
})

const size = numberOf('mutate', { size: values.size }, { least: 1 })
const jobs = numberOf('mutate', { jobs: values.jobs }, { least: 1 })
const bar = numberOf('mutate', { bar: values.bar }, { least: 0, most: 100, fraction: true })

const TESTS = join(ROOT, 'test/contracts/mutation')
// Built where it is: a copy of a build is not known as one.
const builds = globSync('artifacts/build-info/*.output.json', { cwd: ROOT })
// Of one piece: what was compiled bit by bit lies in as many builds.
const built = await runIn(ROOT, ['hardhat', 'build', ...(builds.length > 1 ? ['--force'] : [])], 600)
if (built.status !== 0) throw new Error(`the contracts do not compile:\n${built.output}`)
const workspace = makeWorkspace()
process.on('SIGINT', () => {
  workspace.remove()
  process.exit(130)
})
try {
  const { mutants: published } = JSON.parse(readFileSync(join(TESTS, 'results.json'), 'utf8')) as Summary
  const record = new MutationRecord({ root: workspace.root, home: join(ROOT, '.data'), published })
  const units = sourceUnits(workspace.root).filter(({ path }) => !/^contracts\/(interfaces|types)\//.test(path))
  const all = units.flatMap((unit) => mutantsOf(unit))
  const chosen = sample(all, { seed: values.seed, size })
  const wanted = units.filter(({ path }) => values.only.split(',').some((part) => path.includes(part)))
  if (!values.report) await tryAll(record, wanted, chosen)

  const outcomes = chosen.map((mutant) => record.verdictOn(mutant, suitesOf(mutant.path))).filter((outcome) => outcome !== undefined)
  const reasons = JSON.parse(readFileSync(join(TESTS, 'survivors.json'), 'utf8')) as Record<string, string>
  const summary = summaryOf({ outcomes, reasons, seed: values.seed, chosen: chosen.length, possible: all.length })
  console.log(JSON.stringify({ ...summary, mutants: undefined }, undefined, 2))
  if (values.report) writeFileSync(join(TESTS, 'results.json'), `${JSON.stringify(summary, undefined, 2)}\n`)
  if (summary.percent < bar || summary.unexplained.length > 0) process.exitCode = 1
} finally {
  workspace.remove()
}

async function tryAll(record: MutationRecord, units: readonly SourceUnit[], chosen: readonly Mutant[]): Promise<void> {
  const compiler = new Compiler(workspace.root)
  // Without builds to trace by, the simulator starts faster.
  rmSync(join(workspace.root, 'artifacts/build-info'), { recursive: true })
  const groups = units
    .map((unit) => ({ unit, mutants: chosen.filter(({ path }) => path === unit.path) }))
    .map(({ unit, mutants }) => ({
      unit,
      mutants: mutants.filter((mutant) => record.verdictOn(mutant, suitesOf(unit.path)) === undefined),
    }))
    .filter(({ mutants }) => mutants.length > 0)
  const total = groups.reduce((sum, { mutants }) => sum + mutants.length, 0)
  console.log(`${total} to try of a sample of ${chosen.length}`)
  let tried = 0
  const work = async () => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      const { unit, mutants } = group
      const suites = suitesOf(unit.path)
      const trials = new Trials({
        root: workspace.root,
        suites,
        built: compiler.built,
        created: values.trust ? creatable(compiler, suites) : [],
      })
      try {
        const created = await trials.created()
        const wanted = compiler.dependents(unit.path).filter((name) => created.includes(name))
        if (wanted.length === 0) throw new Error(`expected ${suites.join(' ')} to create what depends on ${unit.path}`)
        for (const mutant of mutants) {
          const start = performance.now()
          const outcome = { mutant, source: record.hashOf([unit.path]), ...(await judge({ compiler, trials, unit, wanted, mutant })) }
          record.add(outcome.verdict === 'survived' ? { ...outcome, suites: record.hashOf(suites) } : outcome)
          tried += 1
          const seconds = ((performance.now() - start) / 1000).toFixed(1)
          console.log(`${tried}/${total} ${outcome.verdict.padEnd(9)} ${shown(mutant)}  ${outcome.killer ?? ''} (${seconds} s)`)
        }
      } catch (cause) {
        // The others go on: what is missing shows in the summary.
        console.log(`not tried, ${unit.path}: ${cause instanceof Error ? cause.message : String(cause)}`)
        process.exitCode = 1
      } finally {
        trials.stop()
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

/** What tests may create: those of a library its harness, others the deployment. */
function creatable(compiler: Compiler, suites: readonly string[]): readonly string[] {
  const ofLibraries = suites.every((suite) => suite.includes('/unit/libraries/'))
  return [...compiler.built.keys()].filter((name) => name.includes('/harness/') === ofLibraries)
}

type Judged = {
  readonly compiler: Compiler
  readonly trials: Trials
  readonly unit: SourceUnit
  readonly wanted: readonly string[]
  readonly mutant: Mutant
}

async function judge({ compiler, trials, unit, wanted, mutant }: Judged): Promise<Pick<Outcome, 'verdict' | 'killer'>> {
  const { start, end } = mutant.span
  const text = Buffer.concat([unit.text.subarray(0, start), Buffer.from(mutant.replacement), unit.text.subarray(end)]).toString()
  const codes = compiler.altered({ path: unit.path, text }, wanted)
  if (codes === undefined) return { verdict: 'stillborn' }
  if (codes.size === 0) return { verdict: 'same' }
  const { killer } = await trials.run(codes)
  return killer === undefined ? { verdict: 'survived' } : { verdict: 'killed', killer }
}

function shown({ path, line, original, replacement }: Mutant): string {
  return `${path}:${line}  ${brief(original)} → ${brief(replacement)}`
}

function brief(text: string): string {
  const flat = text.replace(/\s+/g, ' ')
  return flat === '' ? '(nothing)' : flat.length > 60 ? `${flat.slice(0, 57)}…` : flat
}
