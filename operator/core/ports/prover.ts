import type { Epoch, PublicKey, Root, ValidatorIndex } from '../ids.ts'
import type { BeaconHeaderInfo } from './beacon.ts'

/** Call arguments as the contracts' structs take them (contracts/libraries/BeaconProofs.sol), plus the EIP-4788 timestamp that leads to the proven block. */
export type ProofCall<Proof> = { readonly timestamp: number; readonly proof: Proof; readonly header: BeaconHeaderInfo }

export type ProvenValidator = {
  readonly index: ValidatorIndex
  readonly withdrawalCredentials: Root
  readonly balance: bigint
  readonly slashed: boolean
  readonly exitEpoch: number
  readonly withdrawableEpoch: number
}

/** Proofs about recent beacon states, against block roots that the EIP-4788 contract knows. Undefined when the fact cannot be proven yet. */
export type BeaconProver = {
  /** randao_mixes[epoch], from a state of a later epoch. */
  randaoMix(epoch: Epoch, signal?: AbortSignal): Promise<ProofCall<unknown> | undefined>
  /** The validator with this key in the latest provable state. */
  validator(
    publicKey: PublicKey,
    signal?: AbortSignal,
  ): Promise<(ProofCall<unknown> & { readonly validator: ProvenValidator; readonly balanceProof: unknown }) | undefined>
}
