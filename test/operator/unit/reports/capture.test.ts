import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BeaconHeaderInfo } from '../../../../operator/core/ports/beacon.ts'
import type { BlockId } from '../../../../operator/core/ports/chain.ts'
import { type CapturePorts, captureReference } from '../../../../operator/reports/capture.ts'
import { address, epoch, root } from '../protocol/state/support.ts'

test('arrivals are read at the reference’s own execution block, by its hash', async () => {
  const asked: (BlockId | undefined)[] = []
  const payload = { number: 9, hash: root(0xaa), timestamp: 90 }
  const kept = new Map<string, string>()
  const ports = {
    beacon: { executionPayload: async () => payload },
    chain: { view: () => ({ head: { pools: new Map() } }) },
    contracts: {
      addresses: { stakerVault: address(1), bondVault: address(2) },
      balance: async (_: unknown, block?: BlockId) => {
        asked.push(block)
        return 5n
      },
      read: async (_: unknown, block?: BlockId) => {
        asked.push(block)
        return 2n
      },
    },
    store: {
      get: (space: string, key: string) => kept.get(space + key),
      put: (space: string, key: string, text: string) => void kept.set(space + key, text),
    },
  } as unknown as CapturePorts
  const header = {
    root: root(1),
    slot: 40,
    proposerIndex: 0,
    parentRoot: root(2),
    stateRoot: root(3),
    bodyRoot: root(4),
  } as unknown as BeaconHeaderInfo
  const reference = await captureReference(ports, epoch(10), header)
  assert.deepEqual(reference?.arrivals, { staker: 7n, bond: 7n })
  assert.equal(asked.length, 4)
  for (const block of asked) assert.deepEqual(block, payload)
})
