import { globSync } from 'node:fs'
import { runAll } from './support/steps.ts'

const tests = globSync('test/e2e-long/**/*.test.ts').sort()

// One after the other: each has a chain and four operators, all processes of their own, whose duties are due every second.
await runAll([
  { name: 'contracts compile', command: ['hardhat', 'build'] },
  {
    name: 'vaults of operator processes',
    command: [process.execPath, '--disable-warning=ExperimentalWarning', '--import', 'tsx', '--test', '--test-concurrency=1', ...tests],
  },
])
