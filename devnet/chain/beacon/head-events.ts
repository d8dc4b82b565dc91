import { routes } from '@lodestar/api'
import { SLOTS_PER_EPOCH } from '@lodestar/params'
import { computeEpochAtSlot } from '@lodestar/state-transition'
import { toRootHex } from '@lodestar/utils'
import type { ChainView } from './chain-view.ts'
import { attesterDependentRoot } from './dependent-roots.ts'
import type { StoredBlock } from './store.ts'

const { EventType } = routes.events

/** What the event stream says about a block that has just become the head (Beacon API, eventstream). */
export function headEvents(chain: ChainView, block: StoredBlock, finalizedBefore: StoredBlock): routes.events.BeaconEvent[] {
  const state = chain.headState
  const epoch = computeEpochAtSlot(block.slot)
  const common = { slot: block.slot, block: block.rootHex, executionOptimistic: false }
  const events: routes.events.BeaconEvent[] = [
    { type: EventType.block, message: common },
    {
      type: EventType.head,
      message: {
        ...common,
        state: block.stateRootHex,
        epochTransition: block.slot % SLOTS_PER_EPOCH === 0,
        previousDutyDependentRoot: toRootHex(attesterDependentRoot(chain, state, epoch)),
        currentDutyDependentRoot: toRootHex(attesterDependentRoot(chain, state, epoch + 1)),
      },
    },
  ]
  const { finalized } = chain
  if (finalized !== finalizedBefore) {
    const { epoch: finalizedEpoch } = state.finalizedCheckpoint
    const message = { block: finalized.rootHex, state: finalized.stateRootHex, epoch: finalizedEpoch, executionOptimistic: false }
    events.push({ type: EventType.finalizedCheckpoint, message })
  }
  return events
}
