import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { HDNodeWallet } from 'ethers'
import { z } from 'zod'
import { readFlags } from '../support/flags.ts'
import { runAll, type Step } from '../support/steps.ts'

const HELP = `Actions of stakers and block producers on a fork of a running chain, by Hardhat.

  npm run fork-run
  FORK_URL=http://… npm run fork-run
  FORK_URL=http://… FORK_DIRECTORY=0x… npm run fork-run

Without FORK_URL a local chain is started for it, with a deployment. On the fork the contracts are deployed anew and lived through
from the first deposit to a claim; with FORK_DIRECTORY people also act on that deployment, as it stands (npm start prints both).
The fork is a copy in memory: nothing is sent to the chain itself.
`
readFlags({ name: 'fork-run', help: HELP, options: {} })

const readySchema = z.object({ executionUrl: z.string(), beaconUrl: z.string(), mnemonic: z.string() })
const deployedSchema = z.object({ directory: z.string() })

/** A local chain that ends with this process. */
async function startChain(): Promise<z.infer<typeof readySchema>> {
  const args = ['--import', 'tsx', 'devnet/chain/main.ts', '--beacon-port', '0', '--execution-port', '0', '--engine-port', '0']
  const chain = spawn(process.execPath, [...args, '--validators', '8', '--genesis-delay', '5'], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  process.once('exit', () => chain.kill())
  if (chain.stdout === null) throw new Error('expected the output of the local chain, got none')
  for await (const line of createInterface({ input: chain.stdout })) return readySchema.parse(JSON.parse(line))
  throw new Error('expected the local chain to say where it is, it ended')
}

/** All contracts on the local chain, as a person deploys them. @returns the directory's address */
async function deploy({ executionUrl, beaconUrl, mnemonic }: z.infer<typeof readySchema>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-fork-'))
  try {
    const keyFile = join(folder, 'deployer')
    writeFileSync(keyFile, HDNodeWallet.fromPhrase(mnemonic).privateKey, { mode: 0o600 })
    const flags = ['--rpc-url', executionUrl, '--beacon-url', beaconUrl, '--key-file', keyFile]
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'deploy/main.ts', ...flags])
    return deployedSchema.parse(JSON.parse(stdout)).directory
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function startDeployedChain(): Promise<{ readonly url: string; readonly directory: string }> {
  const chain = await startChain()
  return { url: chain.executionUrl, directory: await deploy(chain) }
}

const { FORK_URL, FORK_DIRECTORY } = process.env
const { url, directory } = FORK_URL === undefined ? await startDeployedChain() : { url: FORK_URL, directory: FORK_DIRECTORY }
const anew: Step = {
  name: `actions on contracts deployed on a fork of ${url}`,
  command: ['hardhat', 'test', 'mocha', 'test/contracts/integration/actions.test.ts'],
}
const deployed: Step = {
  name: `actions on the deployment ${directory} on a fork of ${url}`,
  command: ['hardhat', 'test', 'mocha', '--no-compile', 'test/fork/deployed.test.ts'],
}
process.env.FORK_URL = url
if (directory !== undefined) process.env.FORK_DIRECTORY = directory
await runAll(directory === undefined ? [anew] : [anew, deployed])
process.exit(0)
