import { captureSection } from './support/capture.ts'

process.stdout.write(`${captureSection().join('\n')}`)
