import { SLOTS_PER_EPOCH } from '@lodestar/params'
import { type CachedBeaconStateElectra, computeEpochAtSlot } from '@lodestar/state-transition'
import type { phase0 } from '@lodestar/types'

/** A block of the chain. Blocks are kept for good, serialized; there is never more than one per slot. */
export type StoredBlock = {
  readonly slot: number
  readonly root: Uint8Array
  readonly rootHex: string
  readonly parentRootHex: string
  readonly stateRootHex: string
  /** Hash of the execution block inside. */
  readonly executionHash: Uint8Array
  readonly header: phase0.SignedBeaconBlockHeader
  /** SSZ of the SignedBeaconBlock; null for genesis, which has none. */
  readonly bytes: Uint8Array | null
}

/** How many slots of states are kept even when they are older than the finalized one. */
const STATE_SLOTS = 32
/**
 * Of so many epochs before these the first state is kept, and the last: whoever was away asks for the duties that they missed,
 * and who doubts a report for the state at an epoch's start.
 */
const STATE_EPOCHS = 64

/** The blocks since genesis, the states since a little before the finalized one, and two an epoch for longer. */
export class Store {
  readonly #byRoot = new Map<string, StoredBlock>()
  /** In slot order. */
  readonly #chain: StoredBlock[] = []
  /** Post-state by block root. */
  readonly #states = new Map<string, CachedBeaconStateElectra>()

  add(block: StoredBlock, state: CachedBeaconStateElectra): void {
    this.#byRoot.set(block.rootHex, block)
    this.#chain.push(block)
    this.#states.set(block.rootHex, state)
  }

  get genesis(): StoredBlock {
    return defined(this.#chain[0], 'the genesis block')
  }

  get head(): StoredBlock {
    return defined(this.#chain.at(-1), 'the genesis block')
  }

  byRoot(rootHex: string): StoredBlock | undefined {
    return this.#byRoot.get(rootHex)
  }

  bySlot(slot: number): StoredBlock | undefined {
    const block = this.atOrBefore(slot)
    return block?.slot === slot ? block : undefined
  }

  /** The last block that is not later than the slot. */
  atOrBefore(slot: number): StoredBlock {
    return this.#chain.findLast((block) => block.slot <= slot) ?? this.genesis
  }

  byParent(parentRootHex: string): StoredBlock | undefined {
    return this.#chain.findLast((block) => block.parentRootHex === parentRootHex)
  }

  byStateRoot(stateRootHex: string): StoredBlock | undefined {
    return this.#chain.findLast((block) => block.stateRootHex === stateRootHex)
  }

  /** The state after a block, or undefined when it has been forgotten. */
  postState(rootHex: string): CachedBeaconStateElectra | undefined {
    return this.#states.get(rootHex)
  }

  /** Forgets the states before the finalized block, except those of the last slots and the first and last ones of epochs. */
  prune(finalizedSlot: number): void {
    const oldest = Math.min(finalizedSlot, this.head.slot - STATE_SLOTS)
    const oldestOfEpoch = oldest - STATE_EPOCHS * SLOTS_PER_EPOCH
    let before: { readonly rootHex: string; readonly slot: number; readonly isFirst: boolean } | undefined
    // The map is in insertion order, which is slot order.
    for (const rootHex of this.#states.keys()) {
      const slot = this.#byRoot.get(rootHex)?.slot ?? 0
      const isFirst = before === undefined || computeEpochAtSlot(before.slot) !== computeEpochAtSlot(slot)
      // Neither its epoch's first nor, as this one is of the same, its last.
      const isBetween = before !== undefined && !before.isFirst && !isFirst
      if (before !== undefined && (isBetween || before.slot < oldestOfEpoch)) this.#states.delete(before.rootHex)
      if (slot >= oldest) break
      before = { rootHex, slot, isFirst }
    }
  }
}

function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`The store is empty: expected ${what}`)
  return value
}
