import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Contracts, Parameters } from '../../../../operator/core/ports/chain.ts'
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
  rotationTasks({ state: foldEvents(emptyState(), events), parameters, epoch: epoch(at), nowSeconds: at * 4 })
    .filter(({ kind }) => kind !== 'replace-undercollateralized')
    .map(({ id }) => id)

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
  // Which asks for another vault.
  const again = { drawId: 3, poolId: pool(1), round: 2, period: 0, seedEpoch: epoch(52), rotation: true }
  assert.deepEqual(due([...part, named, event('VaultDraws.DrawRequested', 24, again)], 51), [])
})

test('asked for anew as long as it is due: members were missing, or dealt falsely, when there was no room for another vault', () => {
  const part = [...funded, asked, filled, drawn, completed(0b0111n), replaced]
  const named = event('Ceremonies.MembersMissing', 24, { poolId: pool(1), round: 1, missing: 0b1000n })
  assert.deepEqual(due([...part, named], 61), ['request-rotation/1/1/0'])
  const convicted = (kind: number, round: number) =>
    event('DkgDisputes.DealerConvicted', 12, { poolId: pool(1), kind, round, producerId: producer(2) })
  assert.deepEqual(due([...funded, convicted(0, 0)], 40), ['request-rotation/1/0/0'])
  // Of a handover: the vault that it was drawn for has its key of the others; of a round before: its vault has gone already.
  assert.deepEqual(due([...funded, convicted(1, 0)], 40), [])
  assert.deepEqual(
    due([...part, event('Ceremonies.ParticipationAdded', 23, { poolId: pool(1), round: 1, participation: 8n }), convicted(0, 0)], 61),
    [],
  )
})

test('members missing from an earlier result are named with the next one: who is missing from that is still to be', () => {
  const part = [...funded, asked, filled, drawn, completed(0b0111n), replaced]
  const earlier = event('Ceremonies.MembersMissing', 22, { poolId: pool(1), round: 0, missing: 0b0001n })
  assert.deepEqual(due([...part, earlier], 51), ['name-missing/1/1'])
})

test('a member whose bond is too small for its seats is replaced in the newest', async () => {
  const second = [...fundedPool(2, 'staker', 1, 10), ...fundedPool(3, 'bond', 2, 10)]
  const inputs = (events: readonly ChainEvent[]) => ({
    state: foldEvents(emptyState(), events),
    ...{ parameters, epoch: epoch(40), nowSeconds: 160 },
  })
  const taskOf = (events: readonly ChainEvent[]) => rotationTasks(inputs(events)).find(({ kind }) => kind === 'replace-undercollateralized')
  const asks = async (events: readonly ChainEvent[], { poor, newest }: { readonly poor: number; readonly newest: number }) => {
    const task = taskOf(events)
    if (task === undefined) return []
    const read: Contracts['read'] = async ({ method, args }) => (method === 'newestSeat' ? BigInt(newest) : args[0] === poor)
    const prepared = await prepareRotation(task, { contracts: { read } as Contracts })
    return 'calls' in prepared ? prepared.calls.map(({ method, args }) => `${method}(${args.join()})`) : []
  }
  const all = [...funded, ...second]
  assert.deepEqual(await asks(all, { poor: 3, newest: 2 }), ['requestRotation(2,2)'])
  assert.deepEqual(await asks(all, { poor: 3, newest: 0 }), ['requestRotation(1,2)'])
  assert.deepEqual(await asks(all, { poor: 9, newest: 2 }), [])
  // That seat is being replaced already, or is of a pool without a key.
  assert.deepEqual(await asks([...all, asked], { poor: 3, newest: 1 }), [])
  assert.equal(taskOf(all)?.id, 'replace-undercollateralized/40')
  // All are asked for at once, one a pool: a request that is refused keeps no other.
  const poor = async (task: NonNullable<ReturnType<typeof taskOf>>) => {
    const read: Contracts['read'] = async ({ method, args }) => (method === 'newestSeat' ? (args[0] === 3 ? 2n : 1n) : true)
    return prepareRotation(task, { contracts: { read } as Contracts })
  }
  const prepared = await poor(taskOf(all) ?? assert.fail())
  assert.ok('calls' in prepared && prepared.together)
  assert.deepEqual(new Set(prepared.calls.map(({ args }) => args[0])), new Set([1, 2]))
  assert.equal(prepared.calls.length, 2)
  assert.equal(taskOf(registered), undefined)
})

test('each is one call of the contract', async () => {
  const calls: string[] = []
  for (const kind of ['request-rotation', 'fail-rotation', 'drop-rotation', 'name-missing'] as const) {
    const prepared = await prepareRotation({ kind, id: '', poolId: pool(7), place: 2 }, { contracts: {} as Contracts })
    if ('calls' in prepared) calls.push(...prepared.calls.map(({ contract, method, args }) => `${contract}.${method}/${args.length}`))
  }
  assert.deepEqual(calls, [
    'rotations.requestRotation/2',
    'rotations.failRotation/2',
    'rotations.dropRotation/1',
    'ceremonies.nameMissing/1',
  ])
})
