import { Signature, type SignatureSet, verify, verifyMultipleAggregateSignatures } from '@chainsafe/blst'
import { ForkSeq } from '@lodestar/params'
import {
  BeaconStateView,
  type CachedBeaconStateElectra,
  getBlockSignatureSets,
  getSignatureSetPubkey,
  type ISignatureSet,
} from '@lodestar/state-transition'
import type { electra } from '@lodestar/types'
import { toHex } from '@lodestar/utils'

function toBlst(state: CachedBeaconStateElectra, set: ISignatureSet): SignatureSet {
  return {
    msg: set.signingRoot,
    pk: getSignatureSetPubkey(set, state.epochCtx.pubkeyCache),
    // Checked for its subgroup here: blst does not do so by itself.
    sig: Signature.fromBytes(set.signature, true),
  }
}

/** Whether all the signatures are good, in one batch. A malformed one counts as bad. */
export function areValid(state: CachedBeaconStateElectra, sets: readonly ISignatureSet[]): boolean {
  try {
    return verifyMultipleAggregateSignatures(sets.map((set) => toBlst(state, set)))
  } catch {
    return false
  }
}

/**
 * Verifies every signature that a block carries: proposer, randao, attestations, sync aggregate, exits,
 * slashings, credential changes. Throws naming the signing root of the first bad one.
 * @param state the state at the block's slot, before the block
 */
export function verifyBlockSignatures(state: CachedBeaconStateElectra, signedBlock: electra.SignedBeaconBlock): void {
  const indexed = signedBlock.message.body.attestations.map((attestation) =>
    state.epochCtx.getIndexedAttestation(ForkSeq.electra, attestation),
  )
  const sets = getBlockSignatureSets(
    state.config,
    state.epochCtx.currentSyncCommitteeIndexed,
    new BeaconStateView(state),
    signedBlock,
    indexed,
  )
  const blst = sets.map((set) => toBlst(state, set))
  if (verifyMultipleAggregateSignatures(blst)) return
  const bad = blst.findIndex(({ msg, pk, sig }) => !verify(msg, pk, sig))
  throw new Error(
    `Signature ${bad + 1} of ${blst.length} in the block is not valid; signing root ${toHex(blst[bad]?.msg ?? new Uint8Array())}`,
  )
}
