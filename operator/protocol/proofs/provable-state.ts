import { Tree } from '@chainsafe/persistent-merkle-tree'
import type { ForkName } from '@lodestar/params'
import { ssz } from '@lodestar/types'
import { OpenPoolsError } from '../../core/errors.ts'
import type { Epoch, ValidatorIndex } from '../../core/ids.ts'
import { bytesToHex } from '../../core/parse.ts'
import type { BalanceProofArgs, RandaoProofArgs, ValidatorProofArgs } from '../../core/ports/prover.ts'

export class ProofError extends OpenPoolsError<'UNKNOWN_FORK' | 'INDEX_OUT_OF_RANGE' | 'EPOCH_OUT_OF_VECTOR'> {}

const FORKS_WITH_PROOFS = ['electra', 'fulu'] as const
const FAR_FUTURE_EPOCH = 2n ** 64n - 1n
const BALANCES_PER_LEAF = 4

/** A beacon state opened for Merkle branches, bottom-up as the contracts take them (consensus spec, Merkle proofs). */
export type ProvableState = {
  readonly slot: number
  readonly slotsPerEpoch: number
  readonly forkBranch: readonly `0x${string}`[]
  /** randao_mixes[epoch mod vector]. Throws `ProofError` unless the vector still holds, and already holds in full, that epoch's mix. */
  randaoMix(epoch: Epoch): RandaoProofArgs
  /** `validators[index]`. Throws `ProofError` beyond the registry. */
  validator(index: ValidatorIndex): ValidatorProofArgs
  balance(index: ValidatorIndex): BalanceProofArgs
  /** Balance in gwei. */
  balanceOf(index: ValidatorIndex): bigint
  readonly validatorCount: number
}

function epochArg(epoch: number): bigint {
  return Number.isFinite(epoch) ? BigInt(epoch) : FAR_FUTURE_EPOCH
}

/**
 * Opens the SSZ of a beacon state.
 * @param fork name of the state's fork, lower case, as beacon nodes give it in `Eth-Consensus-Version`
 * @param slotsPerEpoch of the chain
 */
export function openState(input: { readonly fork: string; readonly bytes: Uint8Array; readonly slotsPerEpoch: number }): ProvableState {
  const fork = FORKS_WITH_PROOFS.find((known) => known === input.fork)
  if (fork === undefined) {
    throw new ProofError('UNKNOWN_FORK', `expected a state of ${FORKS_WITH_PROOFS.join(' or ')}, got ${input.fork}`, { fork: input.fork })
  }
  const type = ssz[fork as ForkName.electra].BeaconState
  const view = type.deserializeToViewDU(input.bytes)
  const tree = new Tree(view.node)
  const gindexOf = (path: readonly (string | number)[]): bigint => type.getPathInfo([...path]).gindex
  const branch = (gindex: bigint): `0x${string}`[] => tree.getSingleProof(gindex).map(bytesToHex)
  const vector = ssz[fork as ForkName.electra].BeaconState.fields.randaoMixes.length
  const inRegistry = (index: number): void => {
    if (index >= view.validators.length) {
      throw new ProofError('INDEX_OUT_OF_RANGE', `expected a validator index below ${view.validators.length}, got ${index}`, { index })
    }
  }
  return {
    slot: view.slot,
    slotsPerEpoch: input.slotsPerEpoch,
    forkBranch: branch(gindexOf(['fork', 'currentVersion'])),
    validatorCount: view.validators.length,
    randaoMix(epoch) {
      const now = Math.floor(view.slot / input.slotsPerEpoch)
      if (epoch >= now || epoch + vector <= now) {
        const held = `${Math.max(0, now - vector + 1)} to ${now - 1}`
        throw new ProofError('EPOCH_OUT_OF_VECTOR', `expected an epoch whose mix a state of epoch ${now} holds (${held}), got ${epoch}`, {
          epoch,
          now,
        })
      }
      const gindex = gindexOf(['randaoMixes', epoch % vector])
      return { mix: bytesToHex(tree.getRoot(gindex)), branch: branch(gindex) }
    },
    validator(index) {
      inRegistry(index)
      const record = view.validators.getReadonly(index)
      return {
        index,
        validator: {
          pubkeyRoot: bytesToHex(ssz.BLSPubkey.hashTreeRoot(record.pubkey)),
          withdrawalCredentials: bytesToHex(record.withdrawalCredentials),
          effectiveBalance: BigInt(record.effectiveBalance),
          slashed: record.slashed,
          activationEligibilityEpoch: epochArg(record.activationEligibilityEpoch),
          activationEpoch: epochArg(record.activationEpoch),
          exitEpoch: epochArg(record.exitEpoch),
          withdrawableEpoch: epochArg(record.withdrawableEpoch),
        },
        branch: branch(gindexOf(['validators', index])),
      }
    },
    balance(index) {
      inRegistry(index)
      const gindex = gindexOf(['balances', index])
      return { index, leaf: bytesToHex(tree.getRoot(gindex)), branch: branch(gindex) }
    },
    balanceOf(index) {
      inRegistry(index)
      const leaf = tree.getRoot(gindexOf(['balances', index]))
      return new DataView(leaf.buffer, leaf.byteOffset, 32).getBigUint64((index % BALANCES_PER_LEAF) * 8, true)
    },
  }
}
