import { fetchReasonOf, reasonOf } from '../../core/errors.ts'
import { ChainError } from '../../core/ports/chain.ts'
import { notAnExecutionClient, servesBeaconApi } from '../endpoint-kinds.ts'
import { HealthMonitor } from '../health.ts'
import { type BlockRef, parseBlock } from './blocks.ts'
import { Executions } from './executions.ts'

const TIMEOUT_MS = 15_000
/** Methods that make the client run contract code. */
const EXECUTING = new Set(['eth_call', 'eth_estimateGas'])

/** What tells one chain from another. */
export type ChainIdentity = { readonly chainId: bigint; readonly genesis: string }

/**
 * JSON-RPC 2.0 over HTTP to one execution client. Every failure is a `ChainError`. After the client was down, the first
 * request makes sure that it still serves the same chain.
 */
export class ChainRpc {
  readonly url: string
  readonly identity: ChainIdentity
  readonly health = new HealthMonitor('up', 'its chain was read')
  readonly #executions = new Executions()
  #lastId = 0
  #checking: Promise<void> | undefined

  private constructor(url: string, identity: ChainIdentity) {
    this.url = url
    this.identity = identity
  }

  /** Connects and reads which chain is served. Throws `ChainError`; OTHER_CHAIN when it is not the expected one, WRONG_ENDPOINT. */
  static async connect({ url, chainId }: { readonly url: string; readonly chainId?: bigint }, signal?: AbortSignal): Promise<ChainRpc> {
    const identity = await new ChainRpc(url, { chainId: 0n, genesis: '' }).#readIdentity(signal).catch(async (error: unknown) => {
      const answered = error instanceof ChainError && (error.code === 'MALFORMED' || error.data.status !== undefined)
      if (answered && (await servesBeaconApi(url))) throw new ChainError('WRONG_ENDPOINT', notAnExecutionClient(url), {}, { cause: error })
      throw error
    })
    if (chainId !== undefined && identity.chainId !== chainId) {
      throw new ChainError('OTHER_CHAIN', `expected an execution client of chain ${chainId}, got one of chain ${identity.chainId}`, { url })
    }
    return new ChainRpc(url, identity)
  }

  /** Sends one request. Throws `ChainError`, or the signal's reason when the caller aborted. */
  async request(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    if (this.health.current.state !== 'up') await this.checkChain(signal)
    try {
      const send = (): Promise<unknown> => this.#send(method, params, signal)
      return await (EXECUTING.has(method) ? this.#executions.run(send, isTimeout, signal) : send())
    } catch (error) {
      if (error instanceof ChainError && (error.code === 'UNREACHABLE' || error.code === 'TIMEOUT')) {
        this.health.set('down', error.message)
      }
      throw error
    }
  }

  /** A block header by number, tag or hash; undefined when the client has none. Throws `ChainError`. */
  async block(id: number | string, signal?: AbortSignal): Promise<BlockRef | undefined> {
    const byHash = typeof id === 'string' && id.startsWith('0x')
    const name = typeof id === 'number' ? toQuantity(id) : id
    const answer = await this.request(byHash ? 'eth_getBlockByHash' : 'eth_getBlockByNumber', [name, false], signal)
    return answer === null ? undefined : parseBlock(answer)
  }

  /** Compares chain id and genesis with those of the start; concurrent callers share one check. Throws `ChainError`. */
  async checkChain(signal?: AbortSignal): Promise<void> {
    this.#checking ??= this.#compare().finally(() => {
      this.#checking = undefined
    })
    await this.#checking
    signal?.throwIfAborted()
  }

  async #compare(): Promise<void> {
    const { chainId, genesis } = await this.#readIdentity().catch((error: unknown) => {
      this.health.set('down', reasonOf(error))
      throw error
    })
    if (chainId !== this.identity.chainId || genesis !== this.identity.genesis) {
      const reason = `expected chain ${this.identity.chainId} with genesis ${this.identity.genesis}, got ${chainId} with ${genesis}`
      this.health.set('otherChain', reason)
      throw new ChainError('OTHER_CHAIN', reason, { url: this.url })
    }
    this.health.set('up', 'it answers for our chain')
  }

  async #readIdentity(signal?: AbortSignal): Promise<ChainIdentity> {
    const [chainId, genesis] = await Promise.all([
      this.#send('eth_chainId', [], signal),
      this.#send('eth_getBlockByNumber', ['0x0', false], signal),
    ])
    return { chainId: BigInt(String(chainId)), genesis: parseBlock(genesis).hash }
  }

  async #send(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#lastId, method, params }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      return resultOf(method, response.status, await response.text())
    } catch (error) {
      if (error instanceof ChainError) throw error
      signal?.throwIfAborted()
      if (timeout.aborted) throw new ChainError('TIMEOUT', `${method}: no answer within ${TIMEOUT_MS} ms`, { method }, { cause: error })
      throw new ChainError(
        'UNREACHABLE',
        `${method}: the execution client does not answer: ${fetchReasonOf(error)}`,
        { method },
        { cause: error },
      )
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof ChainError && error.code === 'TIMEOUT'
}

/** A JSON-RPC quantity: hex without leading zeros. */
export function toQuantity(value: number | bigint): string {
  return `0x${value.toString(16)}`
}

function resultOf(method: string, status: number, text: string): unknown {
  const answer = objectIn(text)
  // A proxy's page, a provider's quota, or another kind of server: HTTP's status says more than the body.
  if (answer === undefined || (answer.error !== undefined && typeof answer.error !== 'object')) {
    const code = status >= 400 ? 'UNREACHABLE' : 'MALFORMED'
    throw new ChainError(code, `${method}: expected a JSON-RPC answer, got status ${status}: ${text.slice(0, 120)}`, { method, status })
  }
  const { error } = answer
  if (error !== undefined && error !== null) {
    const data = { method, rpcCode: error.code, revert: revertData(error.data) }
    throw new ChainError('REFUSED', `${method}: ${String(error.message)}`, data)
  }
  if (!('result' in answer)) throw new ChainError('MALFORMED', `${method}: expected a result, got ${text.slice(0, 120)}`, { method })
  return answer.result
}

type Answer = {
  readonly result?: unknown
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown } | null
}

function objectIn(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : undefined
  } catch {
    return undefined
  }
}

// Clients put the revert data in `data` as hex, as "Reverted 0x…", or inside an object.
function revertData(data: unknown): string | undefined {
  const text = typeof data === 'object' ? JSON.stringify(data) : String(data)
  return text?.match(/0x(?:[0-9a-fA-F]{2})*/)?.[0]
}
