import { aggregateSignatures, Signature } from '@chainsafe/blst'
import { BitArray } from '@chainsafe/ssz'
import { ForkSeq, MAX_ATTESTATIONS_ELECTRA, MAX_COMMITTEES_PER_SLOT, SLOTS_PER_EPOCH } from '@lodestar/params'
import {
  BeaconStateView,
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  getAttestationParticipationStatus,
  RootCache,
} from '@lodestar/state-transition'
import { type electra, type phase0, ssz } from '@lodestar/types'
import { byteArrayEquals, toRootHex } from '@lodestar/utils'

/** The votes of one committee for one attestation data. */
type CommitteeVotes = { bits: BitArray; signature: Signature }

type Entry = {
  readonly data: phase0.AttestationData
  readonly committees: Map<number, CommitteeVotes>
}

/** Votes of known validators, to be added to the pool. The signature must have been verified or be our own. */
export type Votes = {
  readonly data: phase0.AttestationData
  readonly committeeIndex: number
  readonly bits: BitArray
  readonly signature: Uint8Array
}

/** An on-chain attestation covers every slot of the current and the previous epoch. */
const KEEP_SLOTS = 2 * SLOTS_PER_EPOCH

const overlap = (a: BitArray, b: BitArray): boolean => a.uint8Array.some((byte, i) => (byte & (b.uint8Array[i] ?? 0)) !== 0)
const count = (bits: BitArray): number => bits.getTrueBitIndexes().length

/** Attestations waiting for a block, aggregated by committee as they come. */
export class AttestationPool {
  readonly #slots = new Map<number, Map<string, Entry>>()

  add(votes: Votes): void {
    const entry = this.#entry(votes.data)
    const known = entry.committees.get(votes.committeeIndex)
    const signature = Signature.fromBytes(votes.signature)
    if (known === undefined) {
      entry.committees.set(votes.committeeIndex, { bits: votes.bits.clone(), signature })
    } else if (!overlap(known.bits, votes.bits)) {
      known.bits.mergeOrWith(votes.bits)
      known.signature = aggregateSignatures([known.signature, signature])
    } else if (count(votes.bits) > count(known.bits)) {
      known.bits = votes.bits.clone()
      known.signature = signature
    }
  }

  /** All votes of a committee for this data so far, as the aggregate a validator publishes. */
  aggregate(slot: number, dataRoot: Uint8Array, committeeIndex: number): electra.Attestation | undefined {
    const entry = this.#slots.get(slot)?.get(toRootHex(dataRoot))
    const votes = entry?.committees.get(committeeIndex)
    if (entry === undefined || votes === undefined) return undefined
    return onChain(entry.data, [[committeeIndex, votes]])
  }

  /** Every aggregate in the pool, one per committee, optionally of one slot or one committee. */
  all(filter: { readonly slot?: number | undefined; readonly committeeIndex?: number | undefined }): electra.Attestation[] {
    return [...this.#slots]
      .filter(([slot]) => filter.slot === undefined || slot === filter.slot)
      .flatMap(([, entries]) => [...entries.values()])
      .flatMap(({ data, committees }) =>
        [...committees]
          .filter(([index]) => filter.committeeIndex === undefined || index === filter.committeeIndex)
          .map((votes) => onChain(data, [votes])),
      )
  }

  /**
   * The attestations for a block: the newest first, committees that voted alike merged into one (EIP-7549),
   * and only those which are valid on this state and bring in somebody new.
   * @param state the state at the block's slot, before the block
   */
  pack(state: CachedBeaconStateElectra): electra.Attestation[] {
    const roots = new RootCache(new BeaconStateView(state))
    const packed: { readonly attestation: electra.Attestation; readonly gain: number }[] = []
    for (const [slot, entries] of [...this.#slots].sort(([a], [b]) => b - a)) {
      if (slot >= state.slot) continue
      for (const { data, committees } of entries.values()) {
        if (!isValidOn(state, data)) continue
        const earned = flags(state, roots, data)
        const useful = [...committees].map((votes) => ({ votes, gain: gain(state, data, earned, votes) })).filter((each) => each.gain > 0)
        if (useful.length === 0) continue
        const attestation = onChain(
          data,
          useful.map(({ votes }) => votes),
        )
        packed.push({ attestation, gain: useful.reduce((sum, each) => sum + each.gain, 0) })
      }
    }
    return packed
      .sort((a, b) => b.attestation.data.slot - a.attestation.data.slot || b.gain - a.gain)
      .slice(0, MAX_ATTESTATIONS_ELECTRA)
      .map(({ attestation }) => attestation)
  }

  /** Forgets what no block can include any more. */
  prune(currentSlot: number): void {
    for (const slot of this.#slots.keys()) if (slot + KEEP_SLOTS < currentSlot) this.#slots.delete(slot)
  }

  #entry(data: phase0.AttestationData): Entry {
    const entries = this.#slots.get(data.slot) ?? new Map<string, Entry>()
    this.#slots.set(data.slot, entries)
    const root = toRootHex(ssz.phase0.AttestationData.hashTreeRoot(data))
    const entry = entries.get(root) ?? { data, committees: new Map() }
    entries.set(root, entry)
    return entry
  }
}

function isValidOn(state: CachedBeaconStateElectra, data: phase0.AttestationData): boolean {
  const epoch = computeEpochAtSlot(state.slot)
  if (data.target.epoch !== epoch && data.target.epoch !== epoch - 1) return false
  const source = data.target.epoch === epoch ? state.currentJustifiedCheckpoint : state.previousJustifiedCheckpoint
  return source.epoch === data.source.epoch && byteArrayEquals(source.root, data.source.root)
}

/** How many of the committee's voters would earn a participation flag that they do not have yet. */
function gain(
  state: CachedBeaconStateElectra,
  data: phase0.AttestationData,
  earned: number,
  [index, { bits }]: [number, CommitteeVotes],
): number {
  const current = data.target.epoch === computeEpochAtSlot(state.slot)
  const participation = current ? state.currentEpochParticipation : state.previousEpochParticipation
  const committee = state.epochCtx.getBeaconCommittee(data.slot, index)
  return bits.intersectValues(committee).filter((validator) => (earned & ~participation.get(validator)) !== 0).length
}

/** The participation flags that a vote for this data earns in a block on this state. */
function flags(state: CachedBeaconStateElectra, roots: RootCache, data: phase0.AttestationData): number {
  const delay = state.slot - data.slot
  return getAttestationParticipationStatus(ForkSeq.electra, data, delay, state.epochCtx.epoch, roots, null, null).flags
}

function onChain(data: phase0.AttestationData, votes: readonly (readonly [number, CommitteeVotes])[]): electra.Attestation {
  const sorted = [...votes].sort(([a], [b]) => a - b)
  const committeeBits = BitArray.fromBitLen(MAX_COMMITTEES_PER_SLOT)
  for (const [index] of sorted) committeeBits.set(index, true)
  return {
    data,
    committeeBits,
    aggregationBits: BitArray.fromBoolArray(sorted.flatMap(([, { bits }]) => bits.toBoolArray())),
    signature: aggregateSignatures(sorted.map(([, { signature }]) => signature)).toBytes(),
  }
}
