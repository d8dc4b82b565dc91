import { type ApiClient, getClient } from '@lodestar/api'
import type { BeaconConfig } from '@lodestar/config'
import { isErrorAborted, isFetchError, TimeoutError } from '@lodestar/utils'
import { reasonOf } from '../../core/errors.ts'
import { BeaconError, type ChainSpec } from '../../core/ports/beacon.ts'
import { HealthMonitor } from '../health.ts'
import { refusal, unreachable } from './rest.ts'
import { loadGenesis } from './spec.ts'

/** The part of Lodestar's ApiResponse that is used here. */
type Answer = { readonly ok: boolean; readonly status: number; error(): Error | null }
type Init = { readonly timeoutMs: number; readonly signal?: AbortSignal }

export type Call<A extends Answer, T> = {
  /** Names the request in errors. */
  readonly name: string
  readonly request: (client: ApiClient, init: Init) => Promise<A>
  readonly read: (answer: A) => T
  readonly timeoutMs?: number
}

/**
 * Requests to one beacon node. Every failure is a `BeaconError`; a node that does not answer is `down` and every request
 * after that first makes sure that it still serves the chain this process runs on.
 */
export class BeaconSession {
  readonly url: string
  readonly health = new HealthMonitor('up', 'its chain was read')
  readonly #spec: ChainSpec
  readonly #client: ApiClient
  readonly #timeoutMs: number
  #checking: Promise<void> | undefined

  constructor({ url, spec, config }: { readonly url: string; readonly spec: ChainSpec; readonly config: BeaconConfig }) {
    this.url = url
    this.#spec = spec
    // An answer later than a slot is of no use to a duty; very short slots still need time for a busy machine.
    this.#timeoutMs = Math.min(12_000, Math.max(4_000, spec.slotDurationMs))
    this.#client = getClient({ baseUrl: url }, { config })
  }

  /** Throws `BeaconError`, or the signal's reason when the caller aborted. */
  async call<A extends Answer, T>(call: Call<A, T>, signal?: AbortSignal): Promise<T> {
    if (this.health.current.state !== 'up') await this.checkChain(signal)
    const answer = await this.#send(call, signal)
    if (!answer.ok) throw refusal({ path: call.name, status: answer.status, detail: answer.error()?.message ?? '' })
    try {
      return call.read(answer)
    } catch (error) {
      if (error instanceof BeaconError) throw error
      throw new BeaconError('MALFORMED', `${call.name}: cannot read the answer: ${reasonOf(error)}`, {}, { cause: error })
    }
  }

  /** As `call`, with undefined for what the node does not have (a missed slot, a state it forgot). */
  async find<A extends Answer, T>(call: Call<A, T>, signal?: AbortSignal): Promise<T | undefined> {
    try {
      return await this.call(call, signal)
    } catch (error) {
      if (error instanceof BeaconError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  /** Compares the genesis that the node serves now with ours; concurrent callers share one request. Throws `BeaconError`. */
  async checkChain(signal?: AbortSignal): Promise<void> {
    this.#checking ??= this.#compareGenesis().finally(() => {
      this.#checking = undefined
    })
    await this.#checking
    signal?.throwIfAborted()
  }

  async #compareGenesis(): Promise<void> {
    const { genesisTimeMs, genesisValidatorsRoot, genesisForkVersion } = this.#spec
    const served = await loadGenesis({ url: this.url, timeoutMs: this.#timeoutMs }).catch((error: unknown) => {
      this.health.set('down', reasonOf(error))
      throw error
    })
    const same =
      served.validatorsRoot === genesisValidatorsRoot &&
      served.forkVersion === genesisForkVersion &&
      Number(served.time) * 1000 === genesisTimeMs
    if (!same) {
      const reason = `expected the chain of genesis validators root ${genesisValidatorsRoot} at ${genesisTimeMs / 1000}, got ${served.validatorsRoot} at ${served.time}`
      this.health.set('otherChain', reason)
      throw new BeaconError('OTHER_CHAIN', reason, { served })
    }
    this.health.set('up', 'it answers for our chain')
  }

  // A kept-alive connection that the server just closed fails once; all requests here may be sent twice.
  async #send<A extends Answer, T>(call: Call<A, T>, signal: AbortSignal | undefined): Promise<A> {
    try {
      return await this.#attempt(call, signal)
    } catch (error) {
      if (!(error instanceof BeaconError) || error.code !== 'UNREACHABLE') throw error
    }
    try {
      return await this.#attempt(call, signal)
    } catch (error) {
      if (error instanceof BeaconError) this.health.set('down', error.message)
      throw error
    }
  }

  async #attempt<A extends Answer, T>({ name, request, timeoutMs = this.#timeoutMs }: Call<A, T>, signal?: AbortSignal): Promise<A> {
    try {
      return await request(this.#client, { timeoutMs, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      signal?.throwIfAborted()
      const aborted = isErrorAborted(error) || (error instanceof DOMException && error.name === 'AbortError')
      if (error instanceof TimeoutError || aborted) {
        this.health.set('down', `${name}: no answer within ${timeoutMs} ms`)
        throw new BeaconError('TIMEOUT', `${name}: no answer within ${timeoutMs} ms`, { timeoutMs }, { cause: error })
      }
      if (isFetchError(error) || error instanceof TypeError) throw unreachable(name, error)
      throw new BeaconError('MALFORMED', `${name}: cannot read the answer: ${reasonOf(error)}`, {}, { cause: error })
    }
  }
}
