import { globSync } from 'node:fs'
import { runAll, type Step } from './support/steps.ts'

const nodeTests = globSync('test/{docs,operator,e2e,devnet,deploy,scripts}/**/*.test.ts').sort()
const contractTests = globSync('test/contracts/**/*.test.ts').sort()
const node = process.execPath

const steps: readonly Step[] = [
  { name: 'contracts compile', command: ['hardhat', 'build'] },
  { name: 'bindings are fresh', command: [node, '--import', 'tsx', 'scripts/check-bindings.ts'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'layers, format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'floating promises', command: ['eslint', '--max-warnings=0', '.'] },
  { name: 'contracts', command: ['hardhat', 'test', 'mocha', ...contractTests] },
  { name: 'invariants of the contracts', command: ['hardhat', 'test', 'solidity'] },
  {
    name: 'operator and end to end',
    command: [node, '--disable-warning=ExperimentalWarning', '--import', 'tsx', '--test', '--test-concurrency=2', ...nodeTests],
  },
]

await runAll(steps)
