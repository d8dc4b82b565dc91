import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ApiContext } from './api/context.ts'
import { startApi } from './api/server.ts'
import { AttestationPool } from './beacon/attestation-pool.ts'
import { BeaconChain } from './beacon/chain.ts'
import { Clock } from './beacon/clock.ts'
import { chainConfig } from './beacon/config.ts'
import { FeeRecipients } from './beacon/fee-recipients.ts'
import { genesisState } from './beacon/genesis.ts'
import { LocalDuties } from './beacon/local-duties.ts'
import { LocalKeys } from './beacon/local-keys.ts'
import { OperationPool } from './beacon/operation-pool.ts'
import { BlockProducer } from './beacon/producer.ts'
import { runSlots } from './beacon/slots.ts'
import { SyncPool } from './beacon/sync-pool.ts'
import { startExecutionClient } from './execution/client.ts'
import { ACCOUNTS, CHAIN_ID, MNEMONIC } from './execution/constants.ts'
import { Engine } from './execution/engine.ts'
import { DEPOSIT_CONTRACT } from './execution/genesis.ts'
import { assertFree, freePorts } from './execution/ports.ts'
import { createLog } from './log.ts'
import type { ChainOptions, ChainReady } from './options.ts'

export type Node = {
  readonly ready: ChainReady
  /** Settles when the node has stopped on its own, with the reason. */
  readonly failed: Promise<string>
  readonly stop: () => Promise<void>
}

/** Starts the execution client, makes a genesis on top of it, serves the Beacon API and begins the slots. */
export async function startNode(options: ChainOptions): Promise<Node> {
  const log = createLog(options)
  const { host, slotSeconds } = options
  for (const [name, port] of Object.entries({
    '--beacon-port': options.beaconPort,
    '--execution-port': options.executionPort,
    '--engine-port': options.enginePort,
  })) {
    if (port !== 0) await assertFree({ host, port, name })
  }
  const temporary = options.dataDir === undefined
  const dataDir = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'local-chain-')) : resolve(options.dataDir)
  const found = temporary ? [] : await readdir(dataDir).catch(() => [])
  if (found.length > 0) throw new Error(`The data folder ${dataDir} is not empty; a local chain always starts anew`)

  const [rpcPort = 0, enginePort = 0] = await freePorts({ host, count: 2 })
  const execution = await startExecutionClient({
    dataDir,
    host,
    rpcPort: options.executionPort || rpcPort,
    enginePort: options.enginePort || enginePort,
    genesisTime: Math.floor(Date.now() / 1000),
  })
  const controller = new AbortController()
  const cleanUp = async (): Promise<void> => {
    controller.abort()
    await execution.stop()
    if (temporary) await rm(dataDir, { recursive: true, force: true })
  }

  try {
    const engine = new Engine(execution)
    const keys = new LocalKeys(options.validators)
    const genesisTime = Math.ceil(Date.now() / 1000) + options.genesisDelay
    const block = await engine.genesisBlock()
    const { config, state } = genesisState({ chainConfig: chainConfig(options), genesisTime, pubkeys: keys.pubkeys, block })
    const chain = new BeaconChain({ config, clock: new Clock({ genesisTime, slotSeconds }), engine, genesis: state })
    const attestations = new AttestationPool()
    const sync = new SyncPool()
    const operations = new OperationPool()
    const feeRecipients = new FeeRecipients()
    const producer = new BlockProducer({ chain, attestations, sync, operations, feeRecipients })
    const context: ApiContext = { chain, producer, attestations, sync, operations, feeRecipients }
    const api = await startApi({ context, host, port: options.beaconPort, log })

    const duties = new LocalDuties({ chain, producer, attestations, sync, keys })
    const { signal } = controller
    const slots = runSlots({ chain, duties, producer, attestations, sync, log, signal })
    const failed = Promise.race([
      execution.ended.then((reason) => `The execution client ${reason}`),
      slots.then(() => new Promise<never>(() => {})).catch((error: unknown) => `The slots ended: ${String(error)}`),
    ])
    const stop = async (): Promise<void> => {
      controller.abort()
      await api.stop()
      await cleanUp()
    }
    const { executionUrl, engineUrl } = execution
    const ready: ChainReady = {
      beaconUrl: api.url,
      executionUrl,
      engineUrl,
      executionPid: execution.pid,
      chainId: CHAIN_ID,
      genesisTime,
      slotSeconds,
      depositContract: DEPOSIT_CONTRACT,
      mnemonic: MNEMONIC,
      accounts: ACCOUNTS,
    }
    return { ready, failed, stop }
  } catch (error) {
    await cleanUp()
    throw error
  }
}
