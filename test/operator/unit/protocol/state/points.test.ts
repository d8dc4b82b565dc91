import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent } from '../../../../../operator/core/events.ts'
import type { Hex } from '../../../../../operator/core/ids.ts'
import type { Parameters } from '../../../../../operator/core/ports/chain.ts'
import type { EpochRange, PointEntry } from '../../../../../operator/core/report.ts'
import { standingNow, standingOf, uncovered } from '../../../../../operator/protocol/state/coverage.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { derivePoints } from '../../../../../operator/protocol/state/points.ts'
import { address, content, epoch, event, fundedPool, key, pool, producer, root } from './support.ts'

/** Epochs of 10 seconds from time 0 on, and blocks of 10 seconds: epoch e ends with block e. */
const parameters = {
  genesisTime: 0,
  slotsPerEpoch: 2,
  secondsPerSlot: 5,
  firstPeriod: 0,
  periodLength: 100,
  baseReward: 100,
  dkgReward: 1_000,
  dkgFailurePenalty: 5_000,
  maxCdtDebt: 315_000,
} as Parameters

const committed = (id: number, at: number, block: number, absent: Hex = '0x00'): ChainEvent =>
  event('StateCommitments.StateCommitted', block, {
    commitmentId: id,
    epoch: epoch(at),
    digest: root(id),
    content: content({ epoch: epoch(at) }, absent),
  })
const dropped = (id: number, at: number, block: number): ChainEvent =>
  event('StateCommitments.CommitmentDropped', block, { commitmentId: id, epoch: epoch(at) })
const finalized = (id: number, at: number, block: number): ChainEvent =>
  event('StateCommitments.StateFinalized', block, { commitmentId: id, epoch: epoch(at), index: 1n })
const ranges = (...pairs: readonly (readonly [number, number])[]): EpochRange[] =>
  pairs.map(([from, to]) => ({ from: epoch(from), to: epoch(to) }))

/** The deltas of a report of epoch `to` made after these events. */
function points(events: readonly ChainEvent[], to: number, duties: readonly PointEntry[] = []): readonly number[] {
  const state = foldEvents(emptyState(), events)
  return derivePoints({ state, covers: standingNow(state, epoch(to)).covers, producers: 6, duties, parameters })
}

test('a report covers what no standing one before it covers', () => {
  const state = foldEvents(emptyState(), [committed(1, 4, 5), committed(2, 8, 9)])
  assert.deepEqual(
    [...state.commitments.values()].map(({ covers }) => covers),
    [ranges([0, 4]), ranges([4, 8])],
  )
  assert.deepEqual(standingNow(state, epoch(12)), { history: 2, covers: ranges([8, 12]), after: [1, 2] })
})

test('what a dropped one covered comes back with the next report made since, and only with that', () => {
  const before = [committed(1, 4, 5), committed(2, 8, 9)]
  const state = foldEvents(emptyState(), [...before, dropped(1, 4, 10), committed(3, 12, 13)])
  assert.deepEqual(state.commitments.get(3)?.covers, ranges([0, 4], [8, 12]))
  assert.deepEqual(standingNow(state, epoch(16)), { history: 4, covers: ranges([12, 16]), after: [2, 3] })
  // The one in between was signed before, and stays what it was.
  const second = state.commitments.get(2)
  assert.ok(second)
  assert.deepEqual(standingOf(second).covers, ranges([4, 8]))
  assert.deepEqual(uncovered([], epoch(0)), [])
})

test('any history of commitments covers every epoch once', () => {
  let random = 12345
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31
    return random % below
  }
  for (let run = 0; run < 200; run++) {
    const events: ChainEvent[] = []
    const standing: number[] = []
    let at = 0
    for (let id = 1; id < 20; id++) {
      at += 4 * (1 + next(3))
      events.push(committed(id, at, at + 1))
      standing.push(id)
      if (next(2) === 0) {
        const [gone] = standing.splice(next(standing.length), 1)
        if (gone !== undefined) events.push(dropped(gone, 4 * gone, at + 2))
      }
    }
    const state = foldEvents(emptyState(), events)
    const all = [...standing.flatMap((id) => state.commitments.get(id)?.covers ?? []), ...standingNow(state, epoch(at + 4)).covers]
    const counts = Array<number>(at + 4).fill(0)
    for (const { from, to } of all) for (let one: number = from; one < to; one++) counts[one] = (counts[one] ?? 0) + 1
    assert.ok(
      counts.every((count) => count === 1),
      `run ${run}`,
    )
  }
})

test('a ceremony gives its participants the reward, its leader three times that, in the report whose time it was', () => {
  const ceremony = fundedPool(1, 'staker', 0, 10).slice(0, 6)
  assert.deepEqual(points(ceremony, 11), [0, 0, 0, 0, 0, 0])
  assert.deepEqual(points(ceremony, 12), [3_000, 1_000, 1_000, 1_000, 0, 0])
  assert.deepEqual(points([committed(1, 11, 11), ...ceremony], 12), [3_000, 1_000, 1_000, 1_000, 0, 0])
  assert.deepEqual(points([...ceremony, committed(1, 12, 13)], 16), [0, 0, 0, 0, 0, 0])
  const partial = ceremony.map((one) =>
    one.name === 'PoolRegistry.DkgCompleted' ? { ...one, args: { ...one.args, participation: 0b1110n, round: 1 } } : one,
  )
  assert.deepEqual(points(partial, 12), [0, 3_000, 1_000, 1_000, 0, 0])
})

test('A32 a failed ceremony costs whoever is named the penalty, and with nobody named each member a tenth', () => {
  const failed = (named: bigint) => [
    ...fundedPool(1, 'staker', 0, 10).slice(0, 5),
    event('PoolRegistry.DkgFailed', 12, { poolId: pool(1), round: 0, named }),
  ]
  assert.deepEqual(points(failed(0n), 12), [-500, -500, -500, -500, 0, 0])
  assert.deepEqual(points(failed(0b0101n), 12), [-5_000, 0, -5_000, 0, 0, 0])
})

test('signers of a finalized commitment gain, absent members lose', () => {
  const events = [
    event('Periods.ListFrozen', 1, { period: 0, size: 6 }),
    event('Periods.CommitteeFormed', 2, { period: 0, members: [5, 2, 6].map(producer) }),
    committed(1, 4, 5, '0x02'),
    finalized(1, 4, 7),
  ]
  assert.deepEqual(points(events, 6), [0, 0, 0, 0, 0, 0])
  assert.deepEqual(points(events, 8), [0, -100, 0, 0, 100, 100])
})

test('points of duties are added; A55 none falls below a tenth of the largest debt', () => {
  const duties = [
    { producerId: producer(1), points: 250 },
    { producerId: producer(1), points: -100 },
    { producerId: producer(2), points: -20_000 },
    { producerId: producer(2), points: -20_000 },
    { producerId: producer(3), points: 3_000_000_000 },
    // Registered after the reference.
    { producerId: producer(7), points: 1 },
  ]
  assert.deepEqual(points([], 4, duties), [150, -31_500, 2 ** 31 - 1, 0, 0, 0])
})

test('a transaction of upkeep earns its sender ten base points, once, when a producer sent it', () => {
  const registered = [1, 2].map((id) =>
    event('BlockProducers.ProducerRegistered', 1, {
      producerId: producer(id),
      owner: address(90 + id),
      operator: address(id),
      signingKey: key(id),
      peerAddress: '',
      shares: 0n,
    }),
  )
  const sentBy = (one: ChainEvent, sender: number, hash: number): ChainEvent => ({
    ...one,
    at: { ...one.at, transaction: { hash: root(hash), sender: address(sender) } },
  })
  const events = [
    ...registered,
    sentBy(event('VaultDraws.SeedProven', 12, { asked: epoch(8), seedEpoch: epoch(8), mix: root(9) }), 2, 1),
    // The same transaction, another one, and one by a stranger.
    sentBy(event('VaultDraws.DrawFilled', 12, { drawId: 1, poolId: pool(1), members: [] }), 2, 1),
    sentBy(event('VaultDraws.DrawFilled', 12, { drawId: 2, poolId: pool(2), members: [] }), 2, 2),
    sentBy(event('VaultDraws.DrawFilled', 12, { drawId: 3, poolId: pool(3), members: [] }), 7, 3),
    // What earns nothing.
    sentBy(event('PoolRegistry.PoolClosed', 12, { poolId: pool(3) }), 1, 4),
  ]
  assert.deepEqual(points(events, 12), [0, 2_000, 0, 0, 0, 0])
  assert.deepEqual(points(events, 11), [0, 0, 0, 0, 0, 0])
})
