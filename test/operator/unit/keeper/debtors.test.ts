import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import { debtorTasks } from '../../../../operator/keeper/debtors.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { encodePoints } from '../../../../operator/protocol/state/pages.ts'
import { address, content, epoch, event, fundedPool, key, producer, root } from '../protocol/state/support.ts'

const parameters = { maxCdtDebt: 1_000 } as Parameters
const registered = [1, 2].map((id) =>
  event('BlockProducers.ProducerRegistered', 1, {
    producerId: producer(id),
    owner: address(id),
    operator: address(10 + id),
    signingKey: key(id),
    peerAddress: '',
    shares: 1n,
  }),
)
/** Finalized reports, each with these points of producers 1 and 2. */
const reports = (points: readonly (readonly [number, number])[]): readonly ChainEvent[] =>
  points.flatMap((deltas, at) => {
    const id = at + 1
    const report = content({ producers: 2, pageRoots: [root(1)], stakerPools: 0 })
    return [
      event('StateCommitments.StateCommitted', 10 + at, { commitmentId: id, epoch: epoch(id), digest: root(2), content: report }),
      event('StateCommitments.PagePosted', 10 + at, { commitmentId: id, page: 0, data: encodePoints(deltas) }),
      event('StateCommitments.StateFinalized', 10 + at, { commitmentId: id, epoch: epoch(id), index: 1n }),
      event('Rewards.ReportBooked', 10 + at, { report: id, commitmentId: id, referenceTimestamp: 1, producers: 2, rate: 1n }),
    ]
  })
const settled = (id: number, report: number, debt = 0n) =>
  event('Rewards.Settled', 50, { producerId: producer(id), report, minted: 0n, debt })
const due = (events: readonly ChainEvent[]) =>
  debtorTasks({ state: foldEvents(emptyState(), [...registered, ...events]), parameters, epoch: epoch(9), nowSeconds: 0 })

test('A45 who does not settle and owes enough is settled by others, and so forced out', () => {
  const idle = (count: number) => reports(Array.from({ length: count }, () => [100, -125] as const))
  assert.deepEqual(due(idle(7)), [], 'it may settle by itself yet')
  const tasks = due([...idle(8), settled(1, 8)])
  assert.deepEqual(
    tasks.map(({ id, producerId, proofs }) => [id, producerId, proofs.length]),
    [['settle-debtor/2/1', 2, 8]],
  )
  assert.deepEqual(due([...idle(8), settled(2, 4, 500n)]), [], 'it has settled lately')
})

test('points that repay are counted in order, and seats raise the limit', () => {
  const late = reports([[0, -900], [0, 900], [0, 100], ...Array.from({ length: 7 }, () => [0, -142] as const)])
  assert.deepEqual(due(late), [], 'points left over are no credit, the debt is 994')
  const worse = [...late.slice(0, -4), ...reports([...Array.from({ length: 9 }, () => [0, 0] as const), [0, -150]]).slice(-4)]
  assert.equal(due(worse).length, 1)
  assert.deepEqual(
    due([...worse, ...fundedPool(1, 'staker', 0, 30), ...fundedPool(2, 'staker', 1, 40)]),
    [],
    'two seats may owe twice that',
  )
})

test('not of those who leave or were slashed already', () => {
  const idle = reports(Array.from({ length: 9 }, () => [0, -500] as const))
  assert.equal(due(idle).length, 1)
  assert.deepEqual(due([...idle, event('BlockProducers.ExitRequested', 60, { producerId: producer(2), forced: true })]), [])
})
