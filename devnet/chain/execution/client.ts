import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { executionGenesis } from './genesis.ts'
import { jsonRpc } from './json-rpc.ts'

export type ExecutionClient = {
  readonly executionUrl: string
  readonly engineUrl: string
  readonly pid: number
  /** Settles when the process has ended, with the reason. */
  readonly ended: Promise<string>
  /** Ends the process. Its own orderly shutdown takes seconds and saves data nobody will read, so it is killed. */
  readonly stop: () => Promise<void>
}

const START_TIMEOUT_MS = 60_000
const POLL_MS = 100

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`))
  })
}

/**
 * Starts EthereumJS as the execution client, single node, with a fresh chain.
 * Resolves when both its JSON-RPC and its Engine API answer; throws with the reason when it ends before.
 * @param options.genesisTime timestamp of block 0, unix seconds
 */
export async function startExecutionClient(options: {
  readonly dataDir: string
  readonly host: string
  readonly rpcPort: number
  readonly enginePort: number
  readonly genesisTime: number
}): Promise<ExecutionClient> {
  const { dataDir, host } = options
  await mkdir(dataDir, { recursive: true })
  const genesisFile = join(dataDir, 'genesis.json')
  await writeFile(genesisFile, JSON.stringify(executionGenesis(options.genesisTime)))

  const logFile = join(dataDir, 'execution.log')
  const log = openSync(logFile, 'w')
  const child = spawn(
    process.execPath,
    [
      ...['./exit-with-parent.mjs', './stored-receipts.mjs'].flatMap((module) => ['--import', import.meta.resolve(module)]),
      fileURLToPath(import.meta.resolve('@ethereumjs/client')),
      `--gethGenesis=${genesisFile}`,
      `--dataDir=${join(dataDir, 'execution')}`,
      '--rpc',
      `--rpcAddr=${host}`,
      `--rpcPort=${options.rpcPort}`,
      '--rpcCors=*',
      '--rpcEngine',
      `--rpcEngineAddr=${host}`,
      `--rpcEnginePort=${options.enginePort}`,
      '--rpcEngineAuth=false',
      // No peers: without a sync mode the client opens no port for them, which would be open on every interface.
      '--sync=none',
      '--isSingleNode',
      '--maxPeers=0',
      '--discV4=false',
      '--no-logFile',
      '--logLevel=warn',
      '--saveReceipts',
    ],
    // Its relative paths, if it has any, stay in its own folder.
    { cwd: dataDir, stdio: ['ignore', log, log, 'ipc'] },
  )
  closeSync(log)
  const ended = endOf(child)
  let running = true
  void ended.then(() => {
    running = false
  })

  const stop = async (): Promise<void> => {
    if (running) child.kill('SIGKILL')
    await ended
  }
  const executionUrl = `http://${host}:${options.rpcPort}`
  const engineUrl = `http://${host}:${options.enginePort}`
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await answers(executionUrl, 'eth_chainId')) || !(await answers(engineUrl, 'engine_exchangeCapabilities'))) {
    if (!running) throw new Error(`The execution client ${await ended} before it was ready; its output is in ${logFile}`)
    if (Date.now() > deadline) {
      await stop()
      throw new Error(`The execution client did not answer within ${START_TIMEOUT_MS} ms; its output is in ${logFile}`)
    }
    await Promise.race([sleep(POLL_MS), ended])
  }
  return { executionUrl, engineUrl, pid: child.pid ?? 0, ended, stop }
}

async function answers(url: string, method: string): Promise<boolean> {
  try {
    await jsonRpc(url)(method, method === 'engine_exchangeCapabilities' ? [[]] : [])
    return true
  } catch {
    return false
  }
}
