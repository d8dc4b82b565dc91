import { captureSection } from './support/capture.ts'
import { readFlags } from './support/flags.ts'

readFlags({
  name: 'capture-table',
  help: 'npm run capture-table: prints the chances of capture in docs/dkg.md, computed exactly, as Markdown.',
  options: {},
})

process.stdout.write(`${captureSection().join('\n')}`)
