import { BitArray } from '@chainsafe/ssz'
import { DOMAIN_AGGREGATE_AND_PROOF, DOMAIN_SELECTION_PROOF } from '@lodestar/params'
import {
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  computeSigningRoot,
  computeStartSlotAtEpoch,
  createAggregateSignatureSetFromComponents,
  createIndexedSignatureSetFromComponents,
  getAttestationDataSigningRoot,
  isAggregatorFromCommitteeLength,
} from '@lodestar/state-transition'
import { type electra, type phase0, ssz } from '@lodestar/types'
import { toRootHex } from '@lodestar/utils'
import type { Votes } from './attestation-pool.ts'
import type { BeaconChain } from './chain.ts'
import { InvalidOperationError } from './errors.ts'
import { areValid } from './signatures.ts'

const invalid = (reason: string): InvalidOperationError => new InvalidOperationError(reason)

/**
 * Checks attestation data against the chain, as gossip does (p2p-interface.md): its time, its source and
 * target, and that the block it votes for is known. Returns the state that has its committees.
 */
function checkData(chain: BeaconChain, data: phase0.AttestationData): CachedBeaconStateElectra {
  const now = chain.clock.slot
  if (data.slot > now) throw invalid(`The attestation is for slot ${data.slot}, but it is slot ${now} now`)
  const oldest = computeStartSlotAtEpoch(Math.max(0, computeEpochAtSlot(now) - 1))
  if (data.slot < oldest) throw invalid(`The attestation is for slot ${data.slot}; no block can include one before slot ${oldest} now`)
  if (data.index !== 0) throw invalid(`The data's committee index is ${data.index}; since Electra it must be 0`)
  const block = chain.store.byRoot(toRootHex(data.beaconBlockRoot))
  if (block === undefined) throw invalid(`The attestation is for block ${toRootHex(data.beaconBlockRoot)}, which is not known`)
  if (block.slot > data.slot) throw invalid(`The attestation of slot ${data.slot} is for the later block of slot ${block.slot}`)
  const expected = chain.attestationData(data.slot, block)
  if (!ssz.phase0.Checkpoint.equals(data.source, expected.source)) {
    throw invalid(`The source is ${checkpoint(data.source)}, expected ${checkpoint(expected.source)}`)
  }
  if (!ssz.phase0.Checkpoint.equals(data.target, expected.target)) {
    throw invalid(`The target is ${checkpoint(data.target)}, expected ${checkpoint(expected.target)}`)
  }
  return chain.states.at(data.slot)
}

const checkpoint = ({ epoch, root }: phase0.Checkpoint): string => `${epoch}/${toRootHex(root)}`

function committeeOf(state: CachedBeaconStateElectra, slot: number, index: number): Uint32Array {
  const count = state.epochCtx.getCommitteeCountPerSlot(computeEpochAtSlot(slot))
  if (index >= count) throw invalid(`The committee index is ${index}, but slot ${slot} has ${count} committees`)
  return state.epochCtx.getBeaconCommittee(slot, index)
}

/** Verifies one validator's attestation. Throws InvalidOperationError. */
export function verifySingleAttestation(chain: BeaconChain, attestation: electra.SingleAttestation): Votes {
  const { data, committeeIndex, attesterIndex, signature } = attestation
  const state = checkData(chain, data)
  const committee = committeeOf(state, data.slot, committeeIndex)
  const position = committee.indexOf(attesterIndex)
  if (position < 0) throw invalid(`Validator ${attesterIndex} is not in committee ${committeeIndex} of slot ${data.slot}`)
  const signingRoot = getAttestationDataSigningRoot(chain.config, data.slot, data)
  if (!areValid(state, [createIndexedSignatureSetFromComponents(attesterIndex, signingRoot, signature)])) {
    throw invalid(`The signature of validator ${attesterIndex} is not valid`)
  }
  return { data, committeeIndex, bits: BitArray.fromSingleBit(committee.length, position), signature }
}

/** Verifies an aggregate and the aggregator's two signatures. Throws InvalidOperationError. */
export function verifyAggregateAndProof(chain: BeaconChain, signed: electra.SignedAggregateAndProof): Votes {
  const { aggregatorIndex, aggregate, selectionProof } = signed.message
  const { data } = aggregate
  const state = checkData(chain, data)
  const committees = aggregate.committeeBits.getTrueBitIndexes()
  const [committeeIndex] = committees
  if (committeeIndex === undefined || committees.length > 1) {
    throw invalid(`The aggregate has ${committees.length} committees, expected one`)
  }
  const committee = committeeOf(state, data.slot, committeeIndex)
  const bits = aggregate.aggregationBits
  if (bits.bitLen !== committee.length) {
    throw invalid(`The aggregate has ${bits.bitLen} bits, but the committee has ${committee.length} members`)
  }
  const attesters = bits.intersectValues(committee)
  if (attesters.length === 0) throw invalid('The aggregate has no attesters')
  if (!committee.includes(aggregatorIndex)) throw invalid(`Aggregator ${aggregatorIndex} is not in committee ${committeeIndex}`)
  if (!isAggregatorFromCommitteeLength(committee.length, selectionProof)) {
    throw invalid(`The selection proof does not make validator ${aggregatorIndex} an aggregator`)
  }
  const { config } = chain
  const selectionRoot = computeSigningRoot(ssz.Slot, data.slot, config.getDomain(data.slot, DOMAIN_SELECTION_PROOF, data.slot))
  const outerDomain = config.getDomain(data.slot, DOMAIN_AGGREGATE_AND_PROOF, data.slot)
  const outerRoot = computeSigningRoot(ssz.electra.AggregateAndProof, signed.message, outerDomain)
  const sets = [
    createIndexedSignatureSetFromComponents(aggregatorIndex, selectionRoot, selectionProof),
    createIndexedSignatureSetFromComponents(aggregatorIndex, outerRoot, signed.signature),
    createAggregateSignatureSetFromComponents(attesters, getAttestationDataSigningRoot(config, data.slot, data), aggregate.signature),
  ]
  if (!areValid(state, sets)) throw invalid('The selection proof, the signature or the aggregate signature is not valid')
  return { data, committeeIndex, bits, signature: aggregate.signature }
}
