import { globSync } from 'node:fs'
import { readFlags } from './support/flags.ts'
import { runAll, type Step } from './support/steps.ts'

readFlags({
  name: 'test',
  help: 'npm test: everything that must hold before a change lands, from types to end to end. It takes some minutes.',
  options: {},
})

const nodeTests = globSync('test/{docs,operator,e2e,devnet,deploy,scripts}/**/*.test.ts').sort()
const contractTests = globSync('test/contracts/**/*.test.ts').sort()
const node = process.execPath

/** Takes longer than a third of all. */
const LONGEST = 'test/contracts/unit/libraries/SwapOrNot.test.ts'

/** The longest alone, of the others every second one each: neighbours in the list are alike, and take alike. */
function shares(tests: readonly string[]): readonly (readonly string[])[] {
  const others = tests.filter((test) => test !== LONGEST)
  return [[LONGEST], ...[0, 1].map((half) => others.filter((_, i) => i % 2 === half))]
}

const steps: readonly Step[] = [
  { name: 'contracts compile', command: ['hardhat', 'build'] },
  { name: 'bindings are fresh', command: [node, '--import', 'tsx', 'scripts/check-bindings.ts'] },
  {
    name: 'types; layers, format and lint; floating promises',
    commands: [
      ['tsc', '--noEmit'],
      ['biome', 'check', '--error-on-warnings'],
      ['eslint', '--max-warnings=0', '.'],
    ],
  },
  {
    name: 'contracts and their invariants',
    commands: [
      ...shares(contractTests).map((tests) => ['hardhat', 'test', 'mocha', '--no-compile', ...tests] as const),
      // `npm run invariants` has more of them.
      ['hardhat', 'test', 'solidity', '--no-compile'],
    ],
  },
  {
    // One more than cores: those on a real chain wait for its slots most of the time.
    name: 'operator and end to end',
    command: [node, '--disable-warning=ExperimentalWarning', '--import', 'tsx', '--test', '--test-concurrency=3', ...nodeTests],
  },
]

await runAll(steps)
