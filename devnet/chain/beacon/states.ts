import { type CachedBeaconStateElectra, processSlots } from '@lodestar/state-transition'
import { toRootHex } from '@lodestar/utils'
import type { Store, StoredBlock } from './store.ts'

/** A state was asked for that is too old and has been forgotten. */
export class ForgottenStateError extends Error {
  constructor(slot: number) {
    super(`The state of slot ${slot} is older than the finalized one and has been forgotten`)
    this.name = 'ForgottenStateError'
  }
}

/** How many states advanced past their block are remembered: the next slot's, and a few asked for over the API. */
const ADVANCED_STATES = 8

/** The states of the chain: after each block, and advanced over the slots that follow it. */
export class States {
  readonly #store: Store
  /** In the order they were made. */
  readonly #advanced = new Map<string, CachedBeaconStateElectra>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The state right after a block. Throws ForgottenStateError. */
  after(block: StoredBlock): CachedBeaconStateElectra {
    const state = this.#store.postState(block.rootHex)
    if (state === undefined) throw new ForgottenStateError(block.slot)
    return state
  }

  /** The state after a block, advanced to a later slot over empty ones. Throws ForgottenStateError. */
  advanced(block: StoredBlock, slot: number): CachedBeaconStateElectra {
    if (slot <= block.slot) return this.after(block)
    const key = `${block.rootHex}:${slot}`
    const known = this.#advanced.get(key)
    if (known !== undefined) return known
    const state = processSlots(this.#nearest(block, slot), slot) as CachedBeaconStateElectra
    this.#advanced.set(key, state)
    for (const oldest of this.#advanced.keys()) {
      if (this.#advanced.size <= ADVANCED_STATES) break
      this.#advanced.delete(oldest)
    }
    return state
  }

  /** The state at a slot: after its block, or the one before advanced to it. Throws ForgottenStateError. */
  at(slot: number): CachedBeaconStateElectra {
    return this.advanced(this.#store.atOrBefore(slot), slot)
  }

  /** Finds a state by its root among those kept, also those advanced over empty slots. */
  byRoot(stateRootHex: string): CachedBeaconStateElectra | undefined {
    const block = this.#store.byStateRoot(stateRootHex)
    if (block !== undefined) return this.after(block)
    return [...this.#advanced.values()].find((state) => toRootHex(state.hashTreeRoot()) === stateRootHex)
  }

  #nearest(block: StoredBlock, slot: number): CachedBeaconStateElectra {
    for (let earlier = slot - 1; earlier > block.slot; earlier--) {
      const state = this.#advanced.get(`${block.rootHex}:${earlier}`)
      if (state !== undefined) return state
    }
    return this.after(block)
  }
}
