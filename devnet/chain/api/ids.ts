import type { routes } from '@lodestar/api'
import { ApiError } from '@lodestar/api/server'
import type { CachedBeaconStateElectra } from '@lodestar/state-transition'
import type { BeaconChain } from '../beacon/chain.ts'
import type { StoredBlock } from '../beacon/store.ts'

type Meta = { readonly executionOptimistic: boolean; readonly finalized: boolean }

const isRoot = (id: string): boolean => /^0x[0-9a-f]{64}$/i.test(id)

function slotOf(id: string | number, kind: string): number {
  if (!/^\d+$/.test(String(id))) {
    throw new ApiError(400, `The ${kind} id is ${id}; expected head, genesis, finalized, justified, a slot or a root of 32 bytes in hex`)
  }
  return Number(id)
}

function named(chain: BeaconChain, id: string): StoredBlock | undefined {
  if (id === 'head') return chain.head
  if (id === 'genesis') return chain.store.genesis
  if (id === 'finalized') return chain.finalized
  if (id === 'justified') return chain.justified
  return undefined
}

export function meta(chain: BeaconChain, slot: number): Meta {
  return { executionOptimistic: false, finalized: slot <= chain.finalized.slot }
}

/** A block by the Beacon API's block id; 404 for an empty slot or an unknown root. */
export function resolveBlock(chain: BeaconChain, blockId: routes.beacon.BlockId): StoredBlock {
  const id = String(blockId)
  const block = named(chain, id) ?? (isRoot(id) ? chain.store.byRoot(id.toLowerCase()) : chain.store.bySlot(slotOf(id, 'block')))
  if (block === undefined) throw new ApiError(404, `There is no block ${id}`)
  return block
}

/**
 * A state by the Beacon API's state id. A named state is the one after the block of that name; by slot, an
 * empty slot gives the earlier state advanced over it. 404 for the future and for what has been forgotten.
 */
export function resolveState(chain: BeaconChain, stateId: routes.beacon.StateId): { state: CachedBeaconStateElectra; meta: Meta } {
  const id = String(stateId)
  const block = named(chain, id)
  if (block !== undefined) return { state: chain.states.advanced(block, block.slot), meta: meta(chain, block.slot) }
  if (isRoot(id)) {
    const state = chain.states.byRoot(id.toLowerCase())
    if (state === undefined) throw new ApiError(404, `There is no state with root ${id}`)
    return { state, meta: meta(chain, state.slot) }
  }
  const slot = slotOf(id, 'state')
  if (slot > Math.max(chain.clock.slot, chain.head.slot)) {
    throw new ApiError(404, `Slot ${slot} is in the future: it is slot ${chain.clock.slot} now`)
  }
  return { state: chain.states.at(slot), meta: meta(chain, slot) }
}
