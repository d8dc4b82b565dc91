import '../../../devnet/chain/preset.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SLOTS_PER_EPOCH } from '@lodestar/params'
import type { CachedBeaconStateElectra } from '@lodestar/state-transition'
import { Store, type StoredBlock } from '../../../devnet/chain/beacon/store.ts'

const block = (slot: number): StoredBlock => ({ slot, rootHex: `root ${slot}` }) as StoredBlock
const state = (slot: number): CachedBeaconStateElectra => ({ slot }) as CachedBeaconStateElectra

describe('states that a local chain keeps', () => {
  it('are all of late, then the first and the last of each epoch, then none', () => {
    const store = new Store()
    const isEmpty = (slot: number): boolean => slot % 7 === 0 && slot > 0
    const head = SLOTS_PER_EPOCH * 100
    for (let slot = 0; slot <= head; slot++) {
      if (isEmpty(slot)) continue
      store.add(block(slot), state(slot))
      store.prune(slot - 2 * SLOTS_PER_EPOCH)
    }
    const isKept = (slot: number): boolean => store.postState(`root ${slot}`) !== undefined
    for (let epoch = 0; epoch < 100; epoch++) {
      const all = Array.from({ length: SLOTS_PER_EPOCH }, (_, i) => epoch * SLOTS_PER_EPOCH + i)
      const slots = all.filter((slot) => !isEmpty(slot))
      const kept = slots.filter(isKept)
      if (epoch >= 92) assert.deepEqual(kept, slots)
      else if (epoch >= 30 && epoch < 90) assert.deepEqual(kept, [slots[0], slots.at(-1)])
      else if (epoch < 26) assert.deepEqual(kept, [])
    }
  })
})
