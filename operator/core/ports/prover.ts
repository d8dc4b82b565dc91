import type { Epoch, Hex, PublicKey } from '../ids.ts'
import type { BeaconHeaderInfo } from './beacon.ts'

// Call arguments as contracts/libraries/BeaconProofs.sol declares them. uint64 as bigint: FAR_FUTURE_EPOCH is 2^64 − 1.
export type BeaconHeaderArgs = {
  readonly slot: number
  readonly proposerIndex: number
  readonly parentRoot: Hex
  readonly stateRoot: Hex
  readonly bodyRoot: Hex
}

export type StateProofArgs = { readonly header: BeaconHeaderArgs; readonly forkBranch: readonly Hex[] }

export type RandaoProofArgs = { readonly mix: Hex; readonly branch: readonly Hex[] }

export type ValidatorArgs = {
  readonly pubkeyRoot: Hex
  readonly withdrawalCredentials: Hex
  readonly effectiveBalance: bigint
  readonly slashed: boolean
  readonly activationEligibilityEpoch: bigint
  readonly activationEpoch: bigint
  readonly exitEpoch: bigint
  readonly withdrawableEpoch: bigint
}

export type ValidatorProofArgs = { readonly index: number; readonly validator: ValidatorArgs; readonly branch: readonly Hex[] }

export type BalanceProofArgs = { readonly index: number; readonly leaf: Hex; readonly branch: readonly Hex[] }

/** A proof and the EIP-4788 timestamp under which the contracts find the root of the proven block. */
export type Proven<Proof> = {
  readonly timestamp: number
  readonly header: BeaconHeaderInfo
  readonly state: StateProofArgs
  readonly proof: Proof
}

/** Proofs about recent beacon states. Undefined when the fact cannot be proven yet. */
export type BeaconProver = {
  /** randao_mixes[epoch], from a state of a later epoch. */
  randaoMix(epoch: Epoch, signal?: AbortSignal): Promise<Proven<RandaoProofArgs> | undefined>
  /** The validator with this key in the latest provable state; `balance` in gwei. */
  validator(
    publicKey: PublicKey,
    signal?: AbortSignal,
  ): Promise<(Proven<ValidatorProofArgs> & { readonly balanceProof: BalanceProofArgs; readonly balance: bigint }) | undefined>
}
