import { parseArgs } from 'node:util'
import { runAll } from '../support/steps.ts'

const HELP = `Stateful invariant tests of the contracts: random stakers, producers, committees, attackers, and the beacon chain under them.

  npm run invariants [-- --deep]

256 runs of 100 actions; with --deep 2,048 runs of 400.
`
const { values } = parseArgs({
  options: { deep: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const profile = values.deep ? ['--test-profile', 'deep'] : []
// The tests take the contracts' code from their artifacts: testing alone would not compile them.
await runAll([
  { name: 'contracts compile', command: ['hardhat', 'build'] },
  { name: 'invariants', command: ['hardhat', 'test', 'solidity', ...profile] },
])
