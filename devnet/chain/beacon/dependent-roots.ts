import { ForkName } from '@lodestar/params'
import {
  attesterShufflingDecisionRoot,
  BeaconStateView,
  type CachedBeaconStateElectra,
  proposerShufflingDecisionRoot,
} from '@lodestar/state-transition'
import type { BeaconChain } from './chain.ts'

/** Root of the block that fixed the epoch's committees. */
export function attesterDependentRoot(chain: BeaconChain, state: CachedBeaconStateElectra, epoch: number): Uint8Array {
  return attesterShufflingDecisionRoot(state, epoch) ?? undecidedRoot(chain, epoch - 1)
}

/** Root of the block that fixed the epoch's proposers. */
export function proposerDependentRoot(chain: BeaconChain, state: CachedBeaconStateElectra, epoch: number): Uint8Array {
  return proposerShufflingDecisionRoot(ForkName.electra, new BeaconStateView(state), epoch) ?? undecidedRoot(chain, epoch)
}

/** Genesis decides for the first epochs; later, a decision that has not been made yet is the head's for now. */
function undecidedRoot(chain: BeaconChain, decidedBeforeEpoch: number): Uint8Array {
  return decidedBeforeEpoch <= 0 ? chain.store.genesis.root : chain.head.root
}
