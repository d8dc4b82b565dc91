import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Parameters } from '../../../../operator/core/ports/chain.ts'
import { prepareRotation, rotationTasks } from '../../../../operator/keeper/rotation-tasks.ts'
import { dueTasks } from '../../../../operator/keeper/tasks.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { address, epoch, event, fundedPool, key, pool, producer, root } from '../protocol/state/support.ts'

const parameters = {
  ...{ genesisTime: 0, slotsPerEpoch: 4, secondsPerSlot: 1, epochsPerHistoricalVector: 64, firstPeriod: 6, periodLength: 12 },
  ...{ seedDelay: 1, pagesDeadline: 2, rotationPeriod: 32 },
} as Parameters

const registered = [1, 2, 3, 4, 5].map((id) =>
  event('BlockProducers.ProducerRegistered', 1, {
    producerId: producer(id),
    ...{ owner: address(id), operator: address(id), signingKey: key(id), peerAddress: '', shares: 1n },
  }),
)
/** Registered at 120 s: in epoch 30. */
const funded = [...registered, ...fundedPool(1, 'staker', 0, 10)]
const asked = event('VaultDraws.DrawRequested', 20, {
  ...{ drawId: 2, poolId: pool(1), round: 1, period: 0, seedEpoch: epoch(40), rotation: true },
})
const drawn = event('Rotations.RotationDrawn', 21, {
  ...{ poolId: pool(1), round: 1, oldRound: 0, members: [2, 3, 4, 5].map(producer), deadline: epoch(50) },
})
const completed = (participation: bigint) =>
  event('Rotations.RotationCompleted', 22, {
    ...{ poolId: pool(1), round: 1, cutover: epoch(60), publicShares: [1, 2, 3, 4].map(key), transcriptRoot: root(1), participation },
  })
const replaced = event('PoolRegistry.VaultReplaced', 22, { poolId: pool(1), round: 1, members: [2, 3, 4, 5].map(producer) })
const filled = event('VaultDraws.DrawFilled', 21, { drawId: 2, poolId: pool(1), members: [2, 3, 4, 5].map(producer) })

const due = (events: readonly ChainEvent[], at: number): readonly string[] =>
  rotationTasks({ state: foldEvents(emptyState(), events), parameters, epoch: epoch(at), nowSeconds: at * 4 }).map(({ id }) => id)

test('a vault is asked to be drawn anew when its period is over, counted from its cutover once it has one', () => {
  assert.deepEqual(due(funded, 61), [])
  assert.deepEqual(due(funded, 62), ['request-rotation/1/0/0'])
  const after = [...funded, asked, filled, drawn, completed(15n), replaced]
  assert.deepEqual(due(after, 91), [])
  assert.deepEqual(due(after, 92), ['request-rotation/1/1/0'])
  const all = dueTasks({ state: foldEvents(emptyState(), funded), parameters, epoch: epoch(62), nowSeconds: 248 })
  assert.ok(all.some(({ kind }) => kind === 'request-rotation'))
})

test('at once when a member leaves or is slashed out, naming its place', () => {
  const leaves = event('BlockProducers.ExitRequested', 15, { producerId: producer(3), forced: false })
  assert.deepEqual(due([...funded, leaves], 40), ['request-rotation/1/0/2'])
  const slashed = event('BlockProducers.ProducerSlashed', 15, { producerId: producer(2), poolId: 1, shares: 1n, out: true })
  assert.deepEqual(due([...funded, slashed], 40), ['request-rotation/1/0/1'])
  // Not twice: it waits for its draw, then for its members.
  assert.deepEqual(due([...funded, leaves, asked], 40), [])
  assert.deepEqual(due([...funded, leaves, asked, filled, drawn], 40), [])
})

test('an overdue handover is failed, one that its pool has no use for is dropped, one that was cancelled asked for again', () => {
  const under = [...funded, asked, filled, drawn]
  assert.deepEqual(due(under, 51), [])
  assert.deepEqual(due(under, 52), ['fail-rotation/1/1'])
  assert.deepEqual(due([...under, event('PoolRegistry.PoolExiting', 23, { poolId: pool(1) })], 45), ['drop-rotation/1/1'])
  const cancelled = [
    event('VaultDraws.DrawCancelled', 21, { drawId: 2, poolId: pool(1) }),
    event('Rotations.RotationDropped', 21, { poolId: pool(1), round: 1 }),
  ]
  assert.deepEqual(due([...funded, asked, ...cancelled], 45), ['request-rotation/1/0/0'])
})

test('who never signed the result of a ceremony is named after its deadline, unless it has signed since', () => {
  const part = [...funded, asked, filled, drawn, completed(0b0111n), replaced]
  assert.deepEqual(due(part, 50), [])
  assert.deepEqual(due(part, 51), ['name-missing/1/1'])
  const added = event('Ceremonies.ParticipationAdded', 23, { poolId: pool(1), round: 1, participation: 0b1000n })
  assert.deepEqual(due([...part, added], 51), [])
  const named = event('Ceremonies.MembersMissing', 24, { poolId: pool(1), round: 1, missing: 0b1000n })
  assert.deepEqual(due([...part, named], 51), [])
})

test('each is one call of the contract', () => {
  const calls = (['request-rotation', 'fail-rotation', 'drop-rotation', 'name-missing'] as const).map((kind) => {
    const prepared = prepareRotation({ kind, id: '', poolId: pool(7), place: 2 })
    return 'calls' in prepared ? prepared.calls.map(({ contract, method, args }) => `${contract}.${method}/${args.length}`) : []
  })
  assert.deepEqual(calls.flat(), [
    'rotations.requestRotation/2',
    'rotations.failRotation/2',
    'rotations.dropRotation/1',
    'ceremonies.nameMissing/1',
  ])
})
