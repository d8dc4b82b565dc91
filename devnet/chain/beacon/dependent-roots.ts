import { ForkName } from '@lodestar/params'
import {
  attesterShufflingDecisionRoot,
  BeaconStateView,
  type CachedBeaconStateElectra,
  proposerShufflingDecisionRoot,
} from '@lodestar/state-transition'
import type { ChainView } from './chain-view.ts'

/** Root of the block that fixed the epoch's committees. */
export function attesterDependentRoot(chain: ChainView, state: CachedBeaconStateElectra, epoch: number): Uint8Array {
  return attesterShufflingDecisionRoot(state, epoch) ?? undecidedRoot(chain, epoch - 1)
}

/** Root of the block that fixed the epoch's proposers. */
export function proposerDependentRoot(chain: ChainView, state: CachedBeaconStateElectra, epoch: number): Uint8Array {
  return proposerShufflingDecisionRoot(ForkName.electra, new BeaconStateView(state), epoch) ?? undecidedRoot(chain, epoch)
}

/** Genesis decides for the first epochs; later, a decision that has not been made yet is the head's for now. */
function undecidedRoot(chain: ChainView, decidedBeforeEpoch: number): Uint8Array {
  return decidedBeforeEpoch <= 0 ? chain.store.genesis.root : chain.head.root
}
