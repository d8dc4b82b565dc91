import { readFlags } from './support/flags.ts'
import { runAll } from './support/steps.ts'

readFlags({
  name: 'build',
  help: 'npm run build: compiles the contracts and generates their bindings (typechain-types/).',
  options: {},
})

await runAll([{ name: 'contracts and bindings', command: ['hardhat', 'build'] }])
