import { runProgram } from '../operator/app/cli/voice.ts'
import { deployProgram } from './deploy-program.ts'
import { verifyProgram } from './verify-program.ts'

const [first, ...rest] = process.argv.slice(2)
if (first === 'verify') await runProgram(verifyProgram(), rest)
else if (first !== undefined && !first.startsWith('-'))
  deployProgram().error(`error: unknown command '${first}': expected flags, or "verify" and flags`)
else await runProgram(deployProgram())
// Nothing is left to do; a provider's sockets would keep the process for a while.
process.exit()
