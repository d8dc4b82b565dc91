import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '../../../../../operator/core/events.ts'
import { ownTasks } from '../../../../../operator/keeper/tasks.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { encodePoints, pageRoot, provePoints } from '../../../../../operator/protocol/state/pages.ts'
import { nextSettlement } from '../../../../../operator/protocol/state/settlement.ts'
import { content, epoch, event, producer, root } from './support.ts'

/** A commitment whose only page is of points, finalized and booked under the same number. */
function booked(id: number, points: readonly number[]): readonly ChainEvent[] {
  const report = { epoch: epoch(4 * id), stakerPools: 0, producers: points.length, pageRoots: [root(1)] }
  return [
    event('StateCommitments.StateCommitted', id, { commitmentId: id, epoch: epoch(4 * id), digest: root(id), content: content(report) }),
    event('StateCommitments.PagePosted', id, { commitmentId: id, page: 0, data: encodePoints(points) }),
    event('Rewards.ReportBooked', id, { report: id, commitmentId: id, referenceTimestamp: id, producers: points.length, rate: 7n }),
    event('StateCommitments.StateFinalized', id, { commitmentId: id, epoch: epoch(4 * id), index: 1n }),
  ]
}
const settled = (report: number, id = 2): ChainEvent =>
  event('Rewards.Settled', 50, { producerId: producer(id), report, minted: 5n, debt: 3n })

const REPORTS = [booked(1, [1]), booked(2, [1, -2]), booked(3, [1, 2, 3])].flat()

test('a producer settles from the first report that has it, all that are booked, in order', () => {
  const state = foldEvents(emptyState(), REPORTS)
  const found = nextSettlement(state, producer(2))
  assert.equal(found?.first, 2)
  assert.deepEqual(found.proofs, [
    { word: `0x00000001fffffffe${'00'.repeat(24)}`, branch: [], pageRoots: [pageRoot('0x00000001fffffffe')] },
    { word: `0x000000010000000200000003${'00'.repeat(20)}`, branch: [], pageRoots: [pageRoot('0x000000010000000200000003')] },
  ])
  assert.equal(nextSettlement(state, producer(3))?.first, 3)
  assert.equal(nextSettlement(state, producer(4)), undefined)
  assert.equal(nextSettlement(emptyState(), producer(1)), undefined)
})

test('A21 it goes on where it stopped, and has nothing to do when all is settled', () => {
  const some = foldEvents(emptyState(), [...REPORTS, settled(2)])
  assert.deepEqual([nextSettlement(some, producer(2))?.first, nextSettlement(some, producer(2))?.proofs.length], [3, 1])
  assert.equal(nextSettlement(foldEvents(some, [settled(3)]), producer(2)), undefined)
  assert.deepEqual(foldEvents(some, [settled(3)]).settlements.get(producer(2)), { report: 3, debt: 3n, minted: 10n })
})

test('one call settles no more than it has gas for', () => {
  const many = Array.from({ length: 100 }, (_, at) => booked(at + 1, [1])).flat()
  assert.equal(nextSettlement(foldEvents(emptyState(), many), producer(1))?.proofs.length, 64)
})

test('each operator settles its own points, by a task that nobody else has', () => {
  const state = foldEvents(emptyState(), REPORTS)
  const ids = [1, 2, 3, 4].map((id) => ownTasks(state, producer(id)).map((task) => task.id))
  assert.deepEqual(ids, [['settle/1/1'], ['settle/2/2'], ['settle/3/3'], []])
})

test('no page, no proof', () => {
  assert.equal(provePoints([], producer(1)), undefined)
})
