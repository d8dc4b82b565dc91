import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { suitesOf } from '../../test/contracts/mutation/suites.ts'
import { sourceUnits } from './ast.ts'
import { type Mutant, mutantsOf, sample } from './mutants.ts'
import { makeWorkspace, ROOT, type Workspace } from './workspace.ts'

const HELP = `Mutation testing of contracts/: changes one thing at a time and expects the contract's own tests to notice.

  npm run mutate -- [--size 300] [--seed 1] [--only PATH] [--jobs 1] [--bar 90]

  --size N    mutants in the sample, taken over all contracts
  --seed S    another seed is another sample
  --only P    only contracts whose path contains P
  --jobs N    so many at once, each in a copy of the project
  --bar P     exit with status 1 when fewer than P of 100 die

Verdicts are kept in .data/mutation.jsonl: a run that was stopped goes on where it was. A mutant is tried again when its contract
or its tests change. Survivors that are understood stand in test/contracts/mutation/survivors.json with their reason.
`
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    bar: { type: 'string', default: '90' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const RECORD = join(ROOT, '.data', 'mutation.jsonl')
const TEST_SECONDS = 240

type Verdict = 'killed' | 'survived' | 'stillborn'
type Outcome = { readonly key: string; readonly mutant: Mutant; readonly verdict: Verdict; readonly seconds: number }

const known = new Map<string, Outcome>()
if (existsSync(RECORD)) {
  for (const line of readFileSync(RECORD, 'utf8').split('\n')) {
    if (line === '') continue
    const outcome = JSON.parse(line) as Outcome
    known.set(outcome.key, outcome)
  }
}
mkdirSync(dirname(RECORD), { recursive: true })
const explained = new Map(
  Object.entries(JSON.parse(readFileSync(join(ROOT, 'test/contracts/mutation/survivors.json'), 'utf8')) as Record<string, string>),
)

const first = makeWorkspace()
const built = await first.run(['hardhat', 'build'], 600)
if (built.status !== 0) throw new Error(`the contracts do not compile:\n${built.output}`)
const units = sourceUnits(first.root).filter(({ path }) => !/^contracts\/(interfaces|types)\//.test(path) && path.includes(values.only))
const chosen = sample(
  units.flatMap((unit) => mutantsOf(unit)),
  { seed: values.seed, size: Number(values.size) },
)
const keyOf = (mutant: Mutant): string => {
  const hash = createHash('sha256')
    .update(mutant.id)
    .update(readFileSync(join(ROOT, mutant.path)))
  for (const suite of suitesOf(mutant.path)) hash.update(readFileSync(join(ROOT, suite)))
  return hash.digest('hex').slice(0, 24)
}
const queue = chosen.filter((mutant) => !known.has(keyOf(mutant)))
console.log(`${chosen.length} mutants of ${units.length} sources, ${chosen.length - queue.length} known, ${queue.length} to try`)

let tried = 0
const total = queue.length
const workspaces = [first, ...Array.from({ length: Math.max(0, Math.min(Number(values.jobs), total) - 1) }, () => makeWorkspace())]
const stop = () => {
  for (const workspace of workspaces) workspace.remove()
}
process.on('SIGINT', () => {
  stop()
  process.exit(130)
})
await Promise.all(workspaces.map(work))
stop()
report()

async function work(workspace: Workspace): Promise<void> {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const start = performance.now()
    const verdict = await judge(workspace, mutant)
    const outcome = { key: keyOf(mutant), mutant, verdict, seconds: Math.round((performance.now() - start) / 1000) }
    known.set(outcome.key, outcome)
    appendFileSync(RECORD, `${JSON.stringify(outcome)}\n`)
    tried += 1
    console.log(
      `${tried}/${total} ${verdict.padEnd(9)} ${mutant.path}:${mutant.line}  ${brief(mutant.original)} → ${brief(mutant.replacement)}  (${outcome.seconds} s)`,
    )
  }
}

async function judge(workspace: Workspace, mutant: Mutant): Promise<Verdict> {
  const file = join(workspace.root, mutant.path)
  const original = readFileSync(join(ROOT, mutant.path))
  const { start, end } = mutant.span
  writeFileSync(file, Buffer.concat([original.subarray(0, start), Buffer.from(mutant.replacement), original.subarray(end)]))
  try {
    const { status: compiled } = await workspace.run(['hardhat', 'build'], TEST_SECONDS)
    if (compiled !== 0) return 'stillborn'
    const { status } = await workspace.run(['hardhat', 'test', 'mocha', '--no-compile', '--bail', ...suitesOf(mutant.path)], TEST_SECONDS)
    return status === 0 ? 'survived' : 'killed'
  } finally {
    writeFileSync(file, original)
  }
}

function report(): void {
  const outcomes = chosen.map((mutant) => known.get(keyOf(mutant))).filter((outcome) => outcome !== undefined)
  const born = outcomes.filter(({ verdict }) => verdict !== 'stillborn')
  const survivors = born.filter(({ verdict }) => verdict === 'survived')
  const unexplained = survivors.filter(({ mutant }) => !explained.has(mutant.id))
  const died = born.length - survivors.length
  const percent = born.length === 0 ? 100 : (100 * died) / born.length
  for (const { mutant } of survivors) {
    console.log(
      `survivor ${mutant.id} line ${mutant.line}: ${brief(mutant.original)} → ${brief(mutant.replacement)}  ${explained.get(mutant.id) ?? 'UNEXPLAINED'}`,
    )
  }
  console.log(
    JSON.stringify({
      seed: values.seed,
      mutants: born.length,
      stillborn: outcomes.length - born.length,
      died,
      percent: Number(percent.toFixed(1)),
      survivors: survivors.length,
      unexplained: unexplained.length,
    }),
  )
  if (percent < Number(values.bar) || unexplained.length > 0) process.exitCode = 1
}

function brief(text: string): string {
  const flat = text.replace(/\s+/g, ' ')
  return flat === '' ? '(nothing)' : flat.length > 60 ? `${flat.slice(0, 57)}…` : flat
}
