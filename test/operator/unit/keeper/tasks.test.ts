import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import { dueTasks } from '../../../../operator/keeper/tasks.ts'
import { rankOf, takingTurns, untilTurn } from '../../../../operator/keeper/turns.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { address, content, epoch, event, fundedPool, key, pool, producer, root, validator } from '../protocol/state/support.ts'

const parameters = {
  slotsPerEpoch: 4,
  secondsPerSlot: 1,
  epochsPerHistoricalVector: 64,
  firstPeriod: 6,
  periodLength: 12,
  seedDelay: 1,
  pagesDeadline: 2,
} as Parameters

/** Kinds of the tasks due at an epoch, without the two that are always tried. */
function due(events: readonly ChainEvent[], at: number, nowSeconds = 0): readonly string[] {
  const state = foldEvents(emptyState(), events)
  return dueTasks({ state, parameters, epoch: epoch(at), nowSeconds })
    .map(({ kind }) => kind)
    .filter((kind) => !['request-liquidation', 'finalize-withdrawals', 'request-pool'].includes(kind))
}

const frozen = event('Periods.ListFrozen', 1, { period: 0, size: 7 })

test('a list is frozen when its epoch comes, its seed proven when it is known, its committee formed after', () => {
  assert.deepEqual(due([], 3), [])
  assert.deepEqual(due([], 4), ['freeze-period'])
  assert.deepEqual(due([frozen], 5), [])
  assert.deepEqual(due([frozen], 6), ['prove-period-seed'])
  const proven = event('Periods.SeedProven', 2, { period: 0, seed: root(1) })
  assert.deepEqual(due([frozen, proven], 6), ['form-committee'])
  assert.deepEqual(due([frozen, proven, event('Periods.CommitteeFormed', 3, { period: 0, members: [] })], 6), [])
  const empty = event('Periods.ListFrozen', 1, { period: 0, size: 0 })
  assert.deepEqual(due([empty, proven], 6), [], 'a list without anybody on it gives no committee')
})

test('a seed that has left the vector is given up', () => {
  assert.deepEqual(due([frozen, event('Periods.ListFrozen', 1, { period: 1, size: 7 })], 5 + 63).includes('prove-period-seed'), true)
  const late = dueTasks({ state: foldEvents(emptyState(), [frozen]), parameters, epoch: epoch(5 + 64), nowSeconds: 0 })
  assert.equal(
    late.some(({ id }) => id === 'prove-period-seed/0'),
    false,
  )
})

test('pending draws are carried out with one proof, once the seed of the oldest is known', () => {
  const events = [...fundedPool(1, 'staker', 0, 10).slice(0, 2), ...fundedPool(2, 'bond', 0, 11).slice(0, 2)]
  assert.deepEqual(due([frozen, ...events], 8).includes('select-vaults'), false)
  const tasks = dueTasks({ state: foldEvents(emptyState(), events), parameters, epoch: epoch(9), nowSeconds: 0 })
  assert.deepEqual(
    tasks.filter(({ kind }) => kind === 'select-vaults').map(({ id }) => id),
    ['select-vaults/8'],
  )
  const late = (at: number) =>
    dueTasks({ state: foldEvents(emptyState(), events), parameters, epoch: epoch(at), nowSeconds: 0 })
      .filter(({ kind }) => kind === 'select-vaults')
      .map(({ id }) => id)
  assert.deepEqual(late(71), ['select-vaults/8'])
  assert.deepEqual(late(72), [])
  assert.deepEqual(late(73), ['select-vaults/72'])
})

test('a walk that is not over goes on, a ceremony past its deadline fails, a registered key is funded', () => {
  const pool1 = fundedPool(1, 'staker', 0, 10)
  assert.ok(due(pool1.slice(0, 3), 9).includes('advance-draw'))
  assert.ok(!due(pool1.slice(0, 5), 18).includes('fail-ceremony'))
  assert.ok(due(pool1.slice(0, 5), 19).includes('fail-ceremony'))
  assert.ok(due(pool1.slice(0, 6), 18).includes('fund-pool'))
  assert.ok(!due(pool1, 18).includes('fund-pool'))
})

test('A26 an exit is forced after its deadline, in every epoch anew until the pool is closed', () => {
  const exiting = [
    ...fundedPool(1, 'staker', 0, 10),
    event('Exits.LiquidationRequested', 20, { drawId: 1, count: 1, seedEpoch: epoch(9) }),
    event('PoolRegistry.PoolExiting', 21, { poolId: pool(1) }),
    event('Exits.LiquidationDrawn', 21, { drawId: 1, poolId: pool(1), deadline: epoch(30) }),
  ]
  assert.ok(!due(exiting, 30).includes('force-exit'))
  const ids = [31, 32].map((at) =>
    dueTasks({ state: foldEvents(emptyState(), exiting), parameters, epoch: epoch(at), nowSeconds: 0 }).find(
      ({ kind }) => kind === 'force-exit',
    ),
  )
  assert.notEqual(ids[0]?.id, ids[1]?.id)
  assert.ok(!due([...exiting, event('PoolRegistry.PoolClosed', 30, { poolId: pool(1) })], 40).includes('force-exit'))
})

test('commitments: overdue ones are dropped, the oldest pending one is finalized after its window', () => {
  const committed = (id: number) =>
    event('StateCommitments.StateCommitted', 10, {
      commitmentId: id,
      epoch: epoch(12),
      digest: root(2),
      content: content(),
    })
  const pending = (id: number) =>
    event('StateCommitments.CommitmentPending', 11, { commitmentId: id, stakerProfit: 0n, bondProfit: 0n, windowEnds: 200 })
  assert.deepEqual(due([frozen, committed(1)], 5, 108), [])
  assert.deepEqual(due([frozen, committed(1)], 5, 109), ['drop-overdue'])
  assert.deepEqual(due([frozen, committed(1), pending(1)], 5, 200), [])
  assert.deepEqual(due([frozen, committed(1), pending(1), committed(2), pending(2)], 5, 201), ['finalize-state'])
})

test('ranks: every producer has its own place, spread over tasks', () => {
  const producers = [1, 2, 3, 4, 5, 6, 7].map(producer)
  for (const taskId of ['a', 'b', 'c']) {
    const ranks = producers.map((self) => rankOf({ taskId, self, producers }))
    assert.deepEqual([...ranks].sort(), [0, 1, 2, 3, 4, 5, 6])
  }
  const first = new Set(
    Array.from({ length: 40 }, (_, at) => producers.find((self) => rankOf({ taskId: `t${at}`, self, producers }) === 0)),
  )
  assert.ok(first.size > 4)
})

test('ranks: who registered many in a row that do nothing puts no task off for long', () => {
  const producers = Array.from({ length: 1_000 }, (_, at) => producer(at + 1))
  const alive = producers.filter((id) => id <= 50 || id > 950)
  const waits = Array.from({ length: 100 }, (_, at) => Math.min(...alive.map((self) => rankOf({ taskId: `task/${at}`, self, producers }))))
  assert.ok(Math.max(...waits) < 100, `a task waits for ${Math.max(...waits)} turns`)
})

test('turns are those of producers that are still there: who was slashed out or has left leaves no gap', () => {
  const registered = [1, 2, 3, 4].map((id) =>
    event('BlockProducers.ProducerRegistered', id, {
      ...{ producerId: producer(id), owner: address(id), operator: address(id), signingKey: key(id), peerAddress: '', shares: 1n },
    }),
  )
  const state = foldEvents(emptyState(), [
    ...registered,
    event('BlockProducers.ProducerSlashed', 5, { producerId: producer(1), poolId: 0, shares: 1n, out: true }),
    event('BlockProducers.ExitRequested', 6, { producerId: producer(2), forced: false }),
    event('BlockProducers.ExitRequested', 6, { producerId: producer(3), forced: false }),
    event('BlockProducers.BondWithdrawn', 7, { producerId: producer(3), owner: address(3), shares: 1n }),
  ])
  assert.deepEqual(takingTurns(state), [2, 4])
})

test('a pool that was abandoned before it was funded is closed, never forced: nobody drew it', () => {
  const abandoned = [
    ...fundedPool(1, 'staker', 0, 10).slice(0, 6),
    event('PoolRegistry.PoolAbandoned', 20, { poolId: pool(1), validatorIndex: validator(17) }),
  ]
  assert.ok(due(abandoned, 40).includes('close-pool'))
  assert.ok(!due(abandoned, 40).includes('force-exit'))
})

test('turns go round: at any time exactly one operator works on a task, and each knows when it is next', () => {
  const count = 7
  const turnMs = 2_000
  for (let elapsedMs = 0; elapsedMs < 3 * count * turnMs; elapsedMs += 333) {
    const waits = Array.from({ length: count }, (_, rank) => untilTurn({ rank, count, turnMs, elapsedMs }))
    assert.equal(waits.filter((wait) => wait === 0).length, 1)
    for (const [rank, wait] of waits.entries()) assert.equal(untilTurn({ rank, count, turnMs, elapsedMs: elapsedMs + wait }), 0)
  }
})

test('A16 slashed members of the committees that may still report are struck, once', () => {
  const registered = [1, 2, 3].map((id) =>
    event('BlockProducers.ProducerRegistered', 1, {
      producerId: producer(id),
      owner: address(id),
      operator: address(10 + id),
      signingKey: key(id),
      peerAddress: '',
      shares: 1n,
    }),
  )
  const out = event('BlockProducers.ProducerSlashed', 4, { producerId: producer(3), poolId: 0, shares: 1n, out: true })
  const formed = [0, 1, 2].flatMap((period) => [
    event('Periods.ListFrozen', 2, { period, size: 7 }),
    event('Periods.SeedProven', 2, { period, seed: root(1) }),
    event('Periods.CommitteeFormed', 3, { period, members: [2, 3, 1].map(producer) }),
  ])
  const strikes = (events: readonly ChainEvent[], at: number) =>
    dueTasks({ state: foldEvents(emptyState(), events), parameters, epoch: epoch(at), nowSeconds: 0 }).flatMap((task) =>
      task.kind === 'strike-member' ? [[task.period, task.place]] : [],
    )
  assert.deepEqual(strikes([...registered, ...formed], 31), [])
  assert.deepEqual(strikes([...registered, ...formed, out], 31), [
    [1, 1],
    [2, 1],
  ])
  const struck = event('Periods.MemberStruck', 5, { period: 1, producerId: producer(3), place: 1 })
  assert.deepEqual(strikes([...registered, ...formed, out, struck], 31), [[2, 1]])
})
