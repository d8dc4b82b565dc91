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

/** The transactions a task needs now, in order, or why it has to wait. */
export type Prepared = { readonly calls: readonly Call[] } | { readonly wait: string }

export const one = (contract: Call['contract'], method: string, args: readonly unknown[]): Prepared => ({
  calls: [{ contract, method, args }],
})
