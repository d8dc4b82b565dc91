import { runAll } from './support/steps.ts'

await runAll([
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'layers, format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'floating promises', command: ['eslint', '--max-warnings=0', '.'] },
])
