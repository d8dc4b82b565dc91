import type { Epoch } from '../core/ids.ts'
import type { NetworkState } from '../core/network.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { Call, Contracts, Parameters } from '../core/ports/chain.ts'
import type { BeaconProver } from '../core/ports/prover.ts'

/** What decides which tasks are due. */
export type Inputs = { readonly state: NetworkState; readonly parameters: Parameters; readonly epoch: Epoch; readonly nowSeconds: number }

export type CallPorts = {
  readonly contracts: Contracts
  readonly prover: BeaconProver
  readonly beacon: BeaconNode
  /** Most wei to pay for one forced exit. */
  readonly maxExitFee: bigint
}

/** Transactions, each sent after the one before is included, or all `together`. */
export type Calls = { readonly calls: readonly Call[]; readonly together?: true }

/** The transactions a task needs now, or why it has to wait. */
export type Prepared = Calls | { readonly wait: string }

export const one = (contract: Call['contract'], method: string, args: readonly unknown[]): Prepared => ({
  calls: [{ contract, method, args }],
})
