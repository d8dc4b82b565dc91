import {
  DOMAIN_CONTRIBUTION_AND_PROOF,
  DOMAIN_SYNC_COMMITTEE,
  DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF,
  SYNC_COMMITTEE_SUBNET_COUNT,
  SYNC_COMMITTEE_SUBNET_SIZE,
} from '@lodestar/params'
import {
  type CachedBeaconStateElectra,
  computeSigningRoot,
  computeSyncPeriodAtSlot,
  createAggregateSignatureSetFromComponents,
  createIndexedSignatureSetFromComponents,
  isSyncCommitteeAggregator,
  type SyncCommitteeCache,
} from '@lodestar/state-transition'
import { type altair, ssz } from '@lodestar/types'
import { toRootHex } from '@lodestar/utils'
import type { BeaconChain } from './chain.ts'
import { InvalidOperationError } from './errors.ts'
import { areValid } from './signatures.ts'

const invalid = (reason: string): InvalidOperationError => new InvalidOperationError(reason)

/** Signatures by positions of the sync committee, ready for the pool. */
export type SyncVotes = {
  readonly slot: number
  readonly root: Uint8Array
  readonly positions: readonly number[]
  readonly signature: Uint8Array
}

/** The committee that signs in a slot: the one of the next slot's block, which carries the signatures (altair/validator.md). */
export function syncCommitteeOf(state: CachedBeaconStateElectra, slot: number): SyncCommitteeCache {
  const sooner = computeSyncPeriodAtSlot(slot + 1) === computeSyncPeriodAtSlot(state.slot)
  return sooner ? state.epochCtx.currentSyncCommitteeIndexed : state.epochCtx.nextSyncCommitteeIndexed
}

export function syncSigningRoot(chain: BeaconChain, slot: number, root: Uint8Array): Uint8Array {
  return computeSigningRoot(ssz.Root, root, chain.config.getDomain(slot, DOMAIN_SYNC_COMMITTEE, slot))
}

function checkSlotAndRoot(chain: BeaconChain, slot: number, root: Uint8Array): CachedBeaconStateElectra {
  const now = chain.clock.slot
  if (slot !== now && slot !== now - 1) throw invalid(`The signature is for slot ${slot}, but it is slot ${now} now`)
  if (chain.store.byRoot(toRootHex(root)) === undefined) throw invalid(`Block ${toRootHex(root)} is not known`)
  return chain.states.at(slot)
}

/** Verifies one validator's message. Its votes stand once for every position it has. Throws InvalidOperationError. */
export function verifySyncMessage(chain: BeaconChain, message: altair.SyncCommitteeMessage): SyncVotes[] {
  const { slot, beaconBlockRoot: root, validatorIndex, signature } = message
  const state = checkSlotAndRoot(chain, slot, root)
  const positions = syncCommitteeOf(state, slot).validatorIndexMap.get(validatorIndex)
  if (positions === undefined) throw invalid(`Validator ${validatorIndex} is not in the sync committee of slot ${slot}`)
  const set = createIndexedSignatureSetFromComponents(validatorIndex, syncSigningRoot(chain, slot, root), signature)
  if (!areValid(state, [set])) throw invalid(`The signature of validator ${validatorIndex} is not valid`)
  return positions.map((position) => ({ slot, root, positions: [position], signature }))
}

/** Verifies a subcommittee's contribution and the aggregator's two signatures. Throws InvalidOperationError. */
export function verifyContributionAndProof(chain: BeaconChain, signed: altair.SignedContributionAndProof): SyncVotes {
  const { aggregatorIndex, contribution, selectionProof } = signed.message
  const { slot, beaconBlockRoot: root, subcommitteeIndex, aggregationBits, signature } = contribution
  const state = checkSlotAndRoot(chain, slot, root)
  if (subcommitteeIndex >= SYNC_COMMITTEE_SUBNET_COUNT) {
    throw invalid(`The subcommittee is ${subcommitteeIndex}, but there are ${SYNC_COMMITTEE_SUBNET_COUNT}`)
  }
  const from = subcommitteeIndex * SYNC_COMMITTEE_SUBNET_SIZE
  const members = syncCommitteeOf(state, slot).validatorIndices.subarray(from, from + SYNC_COMMITTEE_SUBNET_SIZE)
  if (!members.includes(aggregatorIndex)) throw invalid(`Aggregator ${aggregatorIndex} is not in subcommittee ${subcommitteeIndex}`)
  if (!isSyncCommitteeAggregator(selectionProof)) {
    throw invalid(`The selection proof does not make validator ${aggregatorIndex} an aggregator`)
  }
  const positions = aggregationBits.getTrueBitIndexes()
  if (positions.length === 0) throw invalid('The contribution has no participants')
  const { config } = chain
  const selectionRoot = computeSigningRoot(
    ssz.altair.SyncAggregatorSelectionData,
    { slot, subcommitteeIndex },
    config.getDomain(slot, DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF, slot),
  )
  const outerDomain = config.getDomain(slot, DOMAIN_CONTRIBUTION_AND_PROOF, slot)
  const outerRoot = computeSigningRoot(ssz.altair.ContributionAndProof, signed.message, outerDomain)
  const sets = [
    createIndexedSignatureSetFromComponents(aggregatorIndex, selectionRoot, selectionProof),
    createIndexedSignatureSetFromComponents(aggregatorIndex, outerRoot, signed.signature),
    createAggregateSignatureSetFromComponents(aggregationBits.intersectValues(members), syncSigningRoot(chain, slot, root), signature),
  ]
  if (!areValid(state, sets)) throw invalid('The selection proof, the signature or the contribution is not valid')
  return { slot, root, positions: positions.map((position) => from + position), signature }
}
