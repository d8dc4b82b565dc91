import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ValidatorRecord } from './beacon-state.ts'

/** What a beacon state should hold. Balances in gwei; epochs default to the far future. */
export type StateRequest = {
  readonly slot: number
  /** Whose state it is: Fulu's has another field, which moves none of the indices. */
  readonly fork: 'electra' | 'fulu'
  readonly forkVersion: string
  readonly mixes: readonly { readonly epoch: number; readonly mix: string }[]
  readonly validators: readonly ValidatorRequest[]
}

export type ValidatorRequest = {
  readonly publicKey: string
  readonly withdrawalCredentials: string
  readonly effectiveBalance?: number
  readonly balance?: number
  readonly slashed?: boolean
  readonly activationEligibilityEpoch?: number
  readonly activationEpoch?: number
  readonly exitEpoch?: number
  readonly withdrawableEpoch?: number
}

/** A state's block root, and proofs of everything asked for in the shape of the contracts' arguments, in the order asked. */
export type ProvenState = {
  readonly blockRoot: string
  readonly state: {
    readonly header: {
      readonly slot: bigint
      readonly proposerIndex: bigint
      readonly parentRoot: string
      readonly stateRoot: string
      readonly bodyRoot: string
    }
    readonly forkBranch: string[]
  }
  readonly mixes: readonly { readonly mix: string; readonly branch: string[] }[]
  readonly validators: readonly { readonly index: bigint; readonly validator: ValidatorRecord; readonly branch: string[] }[]
  readonly balances: readonly { readonly index: bigint; readonly leaf: string; readonly branch: string[] }[]
}

/** Of the minimal preset, which the prover's states are of. */
export const SLOTS_PER_EPOCH = 8
export const EPOCHS_PER_HISTORICAL_VECTOR = 64
export const FORK_VERSION = '0x05000001'
/** Row of the BeaconLayout for these states. */
export const LAYOUT_ROW = {
  firstEpoch: 0n,
  forkVersion: FORK_VERSION,
  forkGindex: 269n,
  validatorsGindex: 75n,
  balancesGindex: 76n,
  randaoMixesGindex: 77n,
}

/** Of the process: Lodestar takes seconds to load. */
let shared: Worker | undefined
/** The last request: the worker answers one at a time. */
let last: Promise<unknown> = Promise.resolve()

/** Lodestar's states of the minimal preset, Electra's unless asked otherwise, proven in a worker that all provers share. */
export class BeaconProver {
  #isClosed = false

  async prove(request: Partial<StateRequest> & Pick<StateRequest, 'slot'>): Promise<ProvenState> {
    if (this.#isClosed) throw new Error('expected a prover in use, got a closed one')
    const answer = last.then(() => ask({ fork: 'electra', forkVersion: FORK_VERSION, mixes: [], validators: [], ...request }))
    last = answer.catch(() => undefined)
    return answer
  }

  /** It proves nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true
  }
}

/** The worker keeps the process alive only while it is asked. */
async function ask(request: StateRequest): Promise<ProvenState> {
  shared ??= new Worker(new URL('./beacon-prover.worker.ts', import.meta.url), { execArgv: ['--import', 'tsx'] })
  shared.ref()
  try {
    shared.postMessage(request)
    const [proven] = (await once(shared, 'message')) as [ProvenState]
    return proven
  } finally {
    shared.unref()
  }
}
