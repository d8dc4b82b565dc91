import { runAll } from './support/steps.ts'

await runAll([{ name: 'contracts and bindings', command: ['hardhat', 'build'] }])
