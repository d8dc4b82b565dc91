import { globSync } from 'node:fs'
import { readFlags } from './support/flags.ts'
import { runAll } from './support/steps.ts'

readFlags({
  name: 'e2e',
  help: 'npm run e2e: whole vaults of operator processes on a real chain, with what can go wrong in them. It takes some minutes.',
  options: {},
})

const tests = globSync('test/e2e-long/**/*.test.ts').sort()

// One after the other: each has a chain and four operators, all processes of their own, whose duties are due every second.
await runAll([
  { name: 'contracts compile', command: ['hardhat', 'build'] },
  {
    name: 'vaults of operator processes',
    command: [process.execPath, '--disable-warning=ExperimentalWarning', '--import', 'tsx', '--test', '--test-concurrency=1', ...tests],
  },
])
