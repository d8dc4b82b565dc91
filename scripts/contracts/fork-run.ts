import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { runAll } from '../support/steps.ts'

const HELP = `Actions of stakers and block producers on a fork of a running chain, by Hardhat.

  npm run fork-run
  FORK_URL=https://… npm run fork-run

Without FORK_URL a local chain is started for it. The fork is a copy in memory: nothing is sent to the chain itself.
`
const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h', default: false } } })
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const readySchema = z.object({ executionUrl: z.string() })

/** A local chain that ends with this process. @returns its JSON-RPC */
async function startChain(): Promise<string> {
  const args = ['--import', 'tsx', 'devnet/chain/main.ts', '--beacon-port', '0', '--execution-port', '0', '--engine-port', '0']
  const chain = spawn(process.execPath, [...args, '--validators', '8', '--genesis-delay', '5'], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  process.once('exit', () => chain.kill())
  if (chain.stdout === null) throw new Error('expected the output of the local chain, got none')
  for await (const line of createInterface({ input: chain.stdout })) return readySchema.parse(JSON.parse(line)).executionUrl
  throw new Error('expected the local chain to say where it is, it ended')
}

const url = process.env.FORK_URL ?? (await startChain())
process.env.FORK_URL = url
await runAll([{ name: `actions on a fork of ${url}`, command: ['hardhat', 'test', 'mocha', 'test/contracts/integration/actions.test.ts'] }])
process.exit(0)
