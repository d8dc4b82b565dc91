import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poolsOf } from '../../../../../operator/core/network.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { address, content, epoch, event, fundedPool, key, pool, producer, root } from './support.ts'

test('a pool goes from requested to funded, step by step', () => {
  const phases: (string | undefined)[] = []
  let state = emptyState()
  for (const one of fundedPool(1, 'staker', 0, 10)) {
    state = foldEvents(state, [one])
    phases.push(state.pools.get(pool(1))?.phase)
  }
  assert.deepEqual(phases, ['requested', 'requested', 'requested', 'requested', 'ceremony', 'registered', 'funded'])
  const found = state.pools.get(pool(1))
  assert.equal(found?.registeredAt, 120)
  assert.equal(found?.fundedAt, 130)
  assert.deepEqual(state.vaultDraws.get(1)?.done, true)
  assert.equal(poolsOf(state, producer(3)).length, 1)
  assert.equal(poolsOf(state, producer(5)).length, 0)
})

test('a failed round goes back to waiting for a draw and forgets its members', () => {
  const drawn = foldEvents(emptyState(), fundedPool(1, 'staker', 0, 10).slice(0, 5))
  const again = foldEvents(drawn, [
    event('PoolRegistry.DkgFailed', 20, { poolId: pool(1), round: 0, named: 0n }),
    event('VaultDraws.DrawRequested', 20, { drawId: 2, poolId: pool(1), round: 1, period: 0, seedEpoch: epoch(12), rotation: false }),
  ])
  const found = again.pools.get(pool(1))
  assert.deepEqual([found?.phase, found?.round, found?.members.length], ['requested', 1, 0])
})

test('a handover: the vault stays until another has the key, whoever is named pays in full, late participants are rewarded', () => {
  const funded = foldEvents(emptyState(), fundedPool(1, 'staker', 0, 10))
  const members = [3, 4, 5, 6].map(producer)
  const drawn = foldEvents(funded, [
    event('VaultDraws.DrawRequested', 20, { drawId: 2, poolId: pool(1), round: 1, period: 0, seedEpoch: epoch(12), rotation: true }),
    event('Rotations.RotationDrawn', 21, { poolId: pool(1), round: 1, oldRound: 0, members, deadline: epoch(20) }),
  ])
  assert.deepEqual([drawn.pools.get(pool(1))?.phase, drawn.pools.get(pool(1))?.members], ['funded', [1, 2, 3, 4].map(producer)])
  const failed = foldEvents(drawn, [
    event('Rotations.RotationFailed', 30, { poolId: pool(1), round: 1, absentNew: 0b1001n, absentOld: 0b0100n }),
  ])
  assert.deepEqual(failed.deeds.at(-1), { kind: 'failed-ceremony', timestamp: 300, members: [3, 6].map(producer), named: true })
  assert.equal(failed.pools.get(pool(1))?.rotation, undefined)
  assert.deepEqual(
    [drawn, failed].map(({ pools }) => pools.get(pool(1))?.endedRound),
    [undefined, 1],
  )
  assert.equal(failed.pools.get(pool(1))?.vaults.length, 1)
  const publicShares = [key(1), key(2), key(3), key(4)]
  const done = foldEvents(drawn, [
    event('Rotations.RotationCompleted', 30, {
      poolId: pool(1),
      round: 1,
      cutover: epoch(24),
      publicShares,
      transcriptRoot: root(1),
      participation: 0b0111n,
    }),
    event('PoolRegistry.VaultReplaced', 30, { poolId: pool(1), round: 1, members }),
    event('Ceremonies.ParticipationAdded', 31, { poolId: pool(1), round: 1, participation: 0b1000n }),
  ])
  assert.deepEqual(done.pools.get(pool(1))?.members, members)
  assert.deepEqual(done.pools.get(pool(1))?.publicShares, publicShares)
  assert.equal(done.pools.get(pool(1))?.endedRound, 1)
  assert.deepEqual(done.pools.get(pool(1))?.vaults.at(-1), { round: 1, members, publicShares, from: 24 })
  assert.deepEqual(done.deeds.at(-1), { kind: 'ceremony', timestamp: 310, participants: [producer(6)] })
})

test('whoever is missing from a result pays and earns as a member of the vault that made it, though another has taken over', () => {
  const made = fundedPool(1, 'staker', 0, 10).map((each) =>
    each.name === 'PoolRegistry.DkgCompleted' ? { ...each, args: { ...each.args, participation: 0b0011n } } : each,
  )
  const members = [3, 4, 5, 6].map(producer)
  const late = event('Ceremonies.ParticipationAdded', 19, { poolId: pool(1), round: 0, participation: 0b0100n })
  const handedOver = foldEvents(emptyState(), [
    ...made,
    late,
    event('Rotations.RotationDrawn', 21, { poolId: pool(1), round: 1, oldRound: 0, members, deadline: epoch(20) }),
    event('Rotations.RotationCompleted', 30, {
      poolId: pool(1),
      round: 1,
      cutover: epoch(24),
      publicShares: [],
      transcriptRoot: root(1),
      participation: 0b1111n,
    }),
    event('PoolRegistry.VaultReplaced', 30, { poolId: pool(1), round: 1, members }),
  ])
  // As on chain: a result that nobody is missing from does not end an earlier one.
  assert.deepEqual(
    [handedOver.pools.get(pool(1))?.incomplete?.round, handedOver.pools.get(pool(1))?.incomplete?.participation],
    [0, 0b0111n],
  )
  const named = foldEvents(handedOver, [event('Ceremonies.MembersMissing', 40, { poolId: pool(1), round: 0, missing: 0b1000n })])
  assert.deepEqual(named.deeds.at(-1), { kind: 'failed-ceremony', timestamp: 400, members: [producer(4)], named: true })
  assert.equal(named.pools.get(pool(1))?.incomplete, undefined)
})

test('folding leaves the given state as it was, so that an abandoned branch can be left', () => {
  const base = foldEvents(emptyState(), fundedPool(1, 'staker', 0, 10).slice(0, 5))
  const branch = foldEvents(base, fundedPool(1, 'staker', 0, 10).slice(5))
  assert.equal(base.pools.get(pool(1))?.phase, 'ceremony')
  assert.equal(branch.pools.get(pool(1))?.phase, 'funded')
})

test('a producer has named its peer id since it registered, or since it named another; not since it moved', () => {
  const keys = { owner: address(1), operator: address(2), signingKey: key(3) }
  const registered = event('BlockProducers.ProducerRegistered', 1, {
    ...{ ...keys, producerId: producer(1), shares: 26n },
    peerAddress: '/ip4/203.0.113.7/tcp/9000/p2p/x',
  })
  const since = (...addresses: readonly string[]) => {
    const changed = addresses.map((peerAddress, i) =>
      event('BlockProducers.PeerAddressChanged', 2 + i, { producerId: producer(1), peerAddress }),
    )
    return foldEvents(emptyState(), [registered, ...changed]).producers.get(producer(1))?.peerIdSince
  }
  const [moved, renamed] = ['/dns4/example.org/tcp/1/p2p/x', '/ip4/203.0.113.7/tcp/9000/p2p/y']
  assert.deepEqual([since(), since(moved), since(moved, renamed), since(renamed, renamed)], [undefined, undefined, 30, 20])
  assert.deepEqual([since('a', 'ba'), since(renamed, '')], [30, 30])
})

test('liquidation, commitments, periods and producers', () => {
  const state = foldEvents(emptyState(), [
    event('BlockProducers.ProducerRegistered', 1, {
      producerId: producer(1),
      owner: address(1),
      operator: address(2),
      signingKey: key(3),
      peerAddress: '/ip4/127.0.0.1/tcp/9000/p2p/x',
      shares: 26n,
    }),
    event('BlockProducers.PeerAddressChanged', 2, { producerId: producer(1), peerAddress: '/ip4/10.0.0.1/tcp/1/p2p/x' }),
    event('BlockProducers.ProducerSlashed', 3, { producerId: producer(1), poolId: 0, shares: 26n, out: true }),
    event('Periods.ListFrozen', 4, { period: 0, size: 7 }),
    event('Periods.SeedProven', 5, { period: 0, seed: root(5) }),
    event('Periods.CommitteeFormed', 6, { period: 0, members: [producer(1)] }),
    ...fundedPool(1, 'staker', 0, 10),
    event('Exits.LiquidationRequested', 20, { drawId: 1, count: 1, seedEpoch: epoch(9) }),
    event('PoolRegistry.PoolExiting', 21, { poolId: pool(1) }),
    event('Exits.LiquidationDrawn', 21, { drawId: 1, poolId: pool(1), deadline: epoch(30) }),
    event('Exits.ExitForced', 22, { poolId: pool(1), by: address(9), fee: 1n }),
    event('StateCommitments.StateCommitted', 23, {
      commitmentId: 1,
      epoch: epoch(12),
      digest: root(2),
      content: content(),
    }),
    event('StateCommitments.PagePosted', 24, { commitmentId: 1, page: 0, data: '0x0000000773594000' }),
    event('StateCommitments.PagePosted', 24, { commitmentId: 1, page: 1, data: '0x00000001' }),
    event('StateCommitments.CommitmentPending', 24, { commitmentId: 1, stakerProfit: 1n, bondProfit: 0n, windowEnds: 500 }),
    event('StakingPool.Collected', 25, { kind: 'staker', amount: 5n, total: 7n }),
  ])
  assert.equal(state.producers.get(producer(1))?.peerAddress, '/ip4/10.0.0.1/tcp/1/p2p/x')
  assert.equal(state.producers.get(producer(1))?.slashed, true)
  assert.deepEqual(state.periods.get(0), { size: 7, seed: root(5), committee: [producer(1)] })
  const found = state.pools.get(pool(1))
  assert.deepEqual([found?.phase, found?.exitDeadline, found?.exitForced], ['exiting', 30, true])
  assert.equal(state.liquidationDraws.get(1)?.done, true)
  const commitment = state.commitments.get(1)
  assert.deepEqual(
    [commitment?.phase, commitment?.pagesPosted, commitment?.pointPages, commitment?.windowEnds],
    ['pending', 2, ['0x00000001'], 500],
  )
  assert.equal(state.collected.staker, 7n)
})

test('events about things never announced change nothing', () => {
  const state = foldEvents(emptyState(), [event('PoolRegistry.PoolFunded', 1, { poolId: pool(9), validatorIndex: 1 as never })])
  assert.equal(state.pools.size, 0)
})

test('a producer that asks to leave, or is made to, is leaving, and gone once it has its bond', () => {
  const owner = address(1)
  const keys = { owner, operator: address(2), signingKey: key(3), peerAddress: '' }
  const register = (id: number) => event('BlockProducers.ProducerRegistered', 1, { producerId: producer(id), ...keys, shares: 1n })
  const asked = foldEvents(emptyState(), [
    register(1),
    register(2),
    event('BlockProducers.ExitRequested', 2, { producerId: producer(1), forced: false }),
  ])
  assert.deepEqual(
    [...asked.producers.values()].map(({ standing }) => standing),
    ['leaving', 'active'],
  )
  const gone = foldEvents(asked, [event('BlockProducers.BondWithdrawn', 3, { producerId: producer(1), owner, shares: 1n })])
  assert.equal(gone.producers.get(producer(1))?.standing, 'gone')
})
