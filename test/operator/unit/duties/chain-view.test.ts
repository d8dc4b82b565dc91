import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Milliseconds, Root, Slot } from '../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import { ChainView } from '../../../../operator/duties/chain-view.ts'
import { SlotClock } from '../../../../operator/duties/time.ts'
import { attestationData, root, settle, slot, TestClock } from './support.ts'

async function setUp() {
  const clock = new TestClock()
  const headers = new Map<Root, Slot>()
  const asked: string[] = []
  let data = attestationData(100)
  const beacon = {
    header: async (id: Root) => {
      asked.push(id)
      const at = headers.get(id)
      return at === undefined ? undefined : { root: id, slot: at }
    },
    attestationData: async () => {
      asked.push('data')
      return data
    },
  } as unknown as BeaconNode
  const view = new ChainView({ beacon, time: new SlotClock(clock, { genesisTimeMs: 0, slotDurationMs: 12_000, slotsPerEpoch: 32 }) })
  await clock.advanceTo(100 * 12_000)
  const serve = (changed: typeof data): void => {
    data = changed
  }
  return { clock, view, headers, asked, serve }
}

describe('the chain view', () => {
  it('is ready at the slot’s block or a third into the slot', async () => {
    const { clock, view } = await setUp()
    const ready: string[] = []
    const { signal } = new AbortController()
    void view.attestable(slot(100), signal).then(() => ready.push('100'))
    void view.attestable(slot(101), signal).then(() => ready.push('101'))
    view.onHead({ slot: slot(100), block: root('head') })
    await settle()
    assert.deepEqual(ready, ['100'])
    await clock.advanceTo((101 * 12_000 + 3_999) as Milliseconds)
    assert.deepEqual(ready, ['100'])
    await clock.advanceTo((101 * 12_000 + 4_000) as Milliseconds)
    assert.deepEqual(ready, ['100', '101'])
  })

  it('asks once a slot for all pools, and again when the slot’s block comes later', async () => {
    const { view, asked, serve } = await setUp()
    await Promise.all([view.attestationData(slot(100), false), view.attestationData(slot(100), false)])
    assert.deepEqual(asked, ['data'])
    const later = attestationData(100, { beaconBlockRoot: root('late head') })
    serve(later)
    view.onHead({ slot: slot(100), block: root('late head') })
    await settle()
    assert.ok(view.supports(later))
    assert.ok(view.supports(attestationData(100)))
  })

  it('supports other heads that it knows, and no other source or target', async () => {
    const { view } = await setUp()
    const own = await view.attestationData(slot(100), false)
    view.onHead({ slot: slot(99), block: root('other head') })
    assert.ok(view.supports({ ...own, beaconBlockRoot: root('other head') }))
    assert.ok(!view.supports({ ...own, source: { ...own.source, root: root('x') } }))
    assert.ok(!view.supports({ ...own, target: { ...own.target, root: root('x') } }))
    assert.ok(!view.supports({ ...own, slot: slot(99) }))
  })

  it('supports no head that nodes would refuse with that target: from before it, or from after the slot', async () => {
    const { view } = await setUp()
    const own = await view.attestationData(slot(100), false)
    view.onHead({ slot: slot(95), block: root('last epoch') })
    view.onHead({ slot: slot(94), block: root('target') })
    view.onHead({ slot: slot(101), block: root('next slot') })
    assert.ok(!view.supports({ ...own, beaconBlockRoot: root('last epoch') }))
    assert.ok(!view.supports({ ...own, beaconBlockRoot: root('next slot') }))
    // No block of the epoch yet: its target is the head.
    assert.ok(view.supports({ ...own, beaconBlockRoot: root('target') }))
  })

  it('looks for a recent block that it has not seen, once at a time, and tells when it is found', async () => {
    const { view, headers, asked } = await setUp()
    let changes = 0
    view.onChange(() => changes++)
    headers.set(root('missed'), slot(98))
    headers.set(root('ancient'), slot(60))
    for (const name of ['missed', 'missed', 'ancient', 'invented']) assert.ok(!view.knows(root(name)))
    await settle()
    assert.deepEqual([asked.length, changes], [3, 1])
    assert.ok(view.knows(root('missed')))
    assert.ok(!view.knows(root('ancient')))
    assert.ok(!view.knows(root('invented')))
  })
})
