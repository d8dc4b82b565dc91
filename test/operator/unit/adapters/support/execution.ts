import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HDNodeWallet, Mnemonic, Transaction } from 'ethers'
import { startExecutionClient } from '../../../../../devnet/chain/execution/client.ts'
import { MNEMONIC } from '../../../../../devnet/chain/execution/constants.ts'
import { jsonRpc } from '../../../../../devnet/chain/execution/json-rpc.ts'
import type { TransactionSigner } from '../../../../../operator/core/ports/signer.ts'

type Payload = { readonly blockHash: string; readonly blockNumber: string; readonly timestamp: string }
const ZERO = `0x${'00'.repeat(32)}`

/** A real execution client whose blocks the test builds through the Engine API, on any branch it likes. */
export type TestExecution = Awaited<ReturnType<typeof startTestExecution>>

export async function startTestExecution() {
  const dataDir = mkdtempSync(join(tmpdir(), 'open-pools-execution-'))
  const [rpcPort, enginePort] = await freePorts()
  const genesisTime = Math.floor(Date.now() / 1000) - 1000
  const client = await startExecutionClient({ dataDir, host: '127.0.0.1', rpcPort, enginePort, genesisTime })
  const rpc = jsonRpc(client.executionUrl)
  const engine = jsonRpc(client.engineUrl)
  const genesis = (await rpc('eth_getBlockByNumber', ['0x0', false])) as { hash: string }
  let time = genesisTime

  const choose = (head: string, finalized = ZERO) =>
    engine('engine_forkchoiceUpdatedV3', [{ headBlockHash: head, safeBlockHash: finalized, finalizedBlockHash: finalized }, null])

  return {
    url: client.executionUrl,
    genesis: genesis.hash,
    rpc,
    /** Makes a block on `parent` with what the pool holds, and makes it the head. Returns its hash. */
    async build(parent: string, finalized = ZERO): Promise<string> {
      time += 1
      const attributes = {
        timestamp: `0x${time.toString(16)}`,
        prevRandao: ZERO,
        suggestedFeeRecipient: `0x${'ff'.repeat(20)}`,
        withdrawals: [],
        parentBeaconBlockRoot: ZERO,
      }
      const state = { headBlockHash: parent, safeBlockHash: finalized, finalizedBlockHash: finalized }
      const { payloadId } = (await engine('engine_forkchoiceUpdatedV3', [state, attributes])) as { payloadId: string }
      const { executionPayload, executionRequests } = (await engine('engine_getPayloadV4', [payloadId])) as {
        executionPayload: Payload
        executionRequests: unknown
      }
      const { status } = (await engine('engine_newPayloadV4', [executionPayload, [], ZERO, executionRequests])) as { status: string }
      if (status !== 'VALID') throw new Error(`expected a valid payload, got ${status}`)
      await choose(executionPayload.blockHash, finalized)
      return executionPayload.blockHash
    },
    choose,
    async stop(): Promise<void> {
      await client.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** The i-th prefunded account. */
export function accountOf(index: number): TransactionSigner {
  const wallet = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(MNEMONIC), "m/44'/60'/0'/0").deriveChild(index)
  return {
    address: wallet.address,
    signTransaction(unsigned) {
      const transaction = Transaction.from(unsigned)
      transaction.signature = wallet.signingKey.sign(transaction.unsignedHash)
      return transaction.serialized as `0x${string}`
    },
  }
}

/** Puts a contract of this runtime code on chain with the account's nonce; the caller builds the block. Returns its address. */
export async function deploy(
  execution: TestExecution,
  { runtime, account, nonce }: { readonly runtime: string; readonly account: TransactionSigner; readonly nonce: number },
): Promise<`0x${string}`> {
  const { getCreateAddress } = await import('ethers')
  const size = (runtime.length / 2).toString(16).padStart(2, '0')
  // CODECOPY the runtime that follows these 12 bytes, and return it.
  const data = `0x60${size}600c60003960${size}6000f3${runtime}`
  const unsigned = Transaction.from({ type: 2, chainId: await chainIdOf(execution), nonce, data, gasLimit: 500_000, ...FEES })
  await execution.rpc('eth_sendRawTransaction', [account.signTransaction(unsigned.unsignedSerialized as `0x${string}`)])
  return getCreateAddress({ from: account.address, nonce }).toLowerCase() as `0x${string}`
}

export async function chainIdOf(execution: TestExecution): Promise<bigint> {
  return BigInt(String(await execution.rpc('eth_chainId', [])))
}

export const FEES = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n }

/** Emits one log with the first word of the call data as its topic. */
export const EMITTER = '60003560006000a100'
/** Takes the first call; reverts every later one with the call data. */
export const ONCE = '60005415601157366000600037366000fd5b600160005500'

async function freePorts(): Promise<[number, number]> {
  const servers = await Promise.all(
    [0, 1].map(
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports as [number, number]
}
