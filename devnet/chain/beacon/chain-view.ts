import type { CachedBeaconStateElectra } from '@lodestar/state-transition'
import type { Store, StoredBlock } from './store.ts'

/** What can be read off the beacon chain by those whom the chain itself uses: they need not know all of it. */
export type ChainView = {
  readonly store: Store
  readonly head: StoredBlock
  readonly headState: CachedBeaconStateElectra
  readonly finalized: StoredBlock
}
