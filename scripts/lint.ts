import { readFlags } from './support/flags.ts'
import { runAll } from './support/steps.ts'

readFlags({
  name: 'lint',
  help: 'npm run lint: types, layers, format, lint and floating promises. It changes nothing.',
  options: {},
})

await runAll([
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'layers, format and lint', command: ['biome', 'check', '--error-on-warnings'] },
  { name: 'floating promises', command: ['eslint', '--max-warnings=0', '.'] },
])
