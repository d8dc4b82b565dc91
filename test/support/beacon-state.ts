import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export type FixtureRequest = {
  readonly fork: 'electra' | 'fulu'
  readonly preset: 'minimal' | 'mainnet'
  readonly validators: number
}

/** A random beacon state, and proofs in the shape of the contracts' arguments. Hashes are 0x-hex, numbers bigint. */
export type BeaconStateFixture = {
  readonly blockRoot: string
  readonly stateProof: {
    readonly header: {
      readonly slot: bigint
      readonly proposerIndex: bigint
      readonly parentRoot: string
      readonly stateRoot: string
      readonly bodyRoot: string
    }
    readonly forkBranch: string[]
  }
  readonly row: {
    readonly firstEpoch: bigint
    readonly forkVersion: string
    readonly forkGindex: bigint
    readonly validatorsGindex: bigint
    readonly balancesGindex: bigint
    readonly randaoMixesGindex: bigint
  }
  readonly vectorLength: bigint
  readonly validators: readonly {
    readonly gindex: bigint
    readonly root: string
    readonly proof: { readonly index: bigint; readonly validator: ValidatorRecord; readonly branch: string[] }
  }[]
  readonly balances: readonly {
    readonly balance: bigint
    readonly gindex: bigint
    readonly proof: { readonly index: bigint; readonly leaf: string; readonly branch: string[] }
  }[]
  readonly mixes: readonly {
    readonly epoch: bigint
    readonly gindex: bigint
    readonly proof: { readonly mix: string; readonly branch: string[] }
  }[]
}

export type ValidatorRecord = {
  readonly pubkeyRoot: string
  readonly withdrawalCredentials: string
  readonly effectiveBalance: bigint
  readonly slashed: boolean
  readonly activationEligibilityEpoch: bigint
  readonly activationEpoch: bigint
  readonly exitEpoch: bigint
  readonly withdrawableEpoch: bigint
}

/** Lets Lodestar build a random state under the wanted preset and prove everything in it. */
export async function randomBeaconState(request: FixtureRequest): Promise<BeaconStateFixture> {
  const worker = new Worker(new URL('./beacon-state.worker.ts', import.meta.url), {
    workerData: request,
    execArgv: ['--import', 'tsx'],
  })
  const [fixture] = (await once(worker, 'message')) as [BeaconStateFixture]
  await worker.terminate()
  return fixture
}
