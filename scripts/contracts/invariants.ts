import { numberOf, readFlags } from '../support/flags.ts'
import { runAll } from '../support/steps.ts'

const HELP = `Stateful invariant tests of the contracts: random stakers, producers, committees, attackers, and the beacon chain under them.

  npm run invariants [-- --deep] [-- --runs 256 --depth 100 --seed 0] [-- --trace]

256 runs of 100 actions; with --deep 2,048 runs of 400. Each run follows from its seed, counted on from --seed. A failure shows its
seed and all actions that led to it: --seed N --runs 1 repeats it, --trace shows every call of it.
`
const { values } = readFlags({
  name: 'invariants',
  help: HELP,
  options: {
    deep: { type: 'boolean', default: false },
    runs: { type: 'string' },
    depth: { type: 'string' },
    seed: { type: 'string', default: '0' },
    trace: { type: 'boolean', default: false },
  },
})
// Read by the tests themselves.
const { runs = values.deep ? '2048' : '256', depth = values.deep ? '400' : '100', seed } = values
process.env.INVARIANT_RUNS = String(numberOf('invariants', { runs }, { least: 1 }))
process.env.INVARIANT_DEPTH = String(numberOf('invariants', { depth }, { least: 1 }))
process.env.INVARIANT_SEED = String(numberOf('invariants', { seed }, { least: 0 }))
const trace = values.trace ? ['-vvvvv', '--grep', 'Runs'] : []
// The tests take the contracts' code from their artifacts: testing alone would not compile them.
await runAll([
  { name: 'contracts compile', command: ['hardhat', 'build'] },
  { name: 'invariants', command: ['hardhat', 'test', 'solidity', '--no-compile', ...trace] },
])
