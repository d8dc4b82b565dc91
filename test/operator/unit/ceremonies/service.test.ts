import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { STAGES } from '../../../../operator/ceremonies/types.ts'
import type { MemberIndex } from '../../../../operator/core/ids.ts'
import { ADDRESSES, FINALITY_MS, POOL, SLOT_MS } from './support/chain.ts'
import { assertCompleted } from './support/oracle.ts'
import { CALM, makeWorld, STORM, type World } from './support/world.ts'

const ended = (world: World) => (): boolean => world.members.every((member) => member.ended.length > 0)
const settled = (world: World) => (): boolean =>
  world.members.every(({ jobs }) => jobs.size > 0 && [...jobs.values()].every(({ done }) => done))

describe('ceremonies', () => {
  for (const size of [4, 7]) {
    it(`of ${size} members end with one key, registered once, by the leader`, async (test) => {
      const world = await makeWorld(test, { size })
      world.chain.draw(0)
      await world.until('all to end', ended(world))
      assertCompleted(world)
      assert.deepEqual(
        world.chain.completed.map(({ by }) => by),
        [1],
      )
      assert.equal(world.chain.completed[0]?.result.participation, (1n << BigInt(size)) - 1n)
      assert.deepEqual([...world.chain.attempts], [[1, 1]])
      for (const member of world.members) {
        assert.deepEqual(member.ended, [{ registered: true }])
        assert.deepEqual(member.warnings, [])
      }
      assert.deepEqual(world.members[0]?.stages, STAGES)
    })
  }

  it('forget their secrets once the outcome is final, and not before', async (test) => {
    const world = await makeWorld(test, { size: 4 })
    world.chain.draw(0)
    await world.until('all to end', ended(world))
    const left = () =>
      world.members.map(({ dataDir }) => {
        const folder = join(dataDir, 'signer', 'ceremonies')
        return readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0)
      })
    assert.ok(left().every((bytes) => bytes > 0))
    await world.until('jobs to be done', settled(world), 2 * FINALITY_MS)
    assert.deepEqual(left(), [0, 0, 0, 0])
    assertCompleted(world)
  })

  for (const [size, seeds] of [
    [4, [11, 12, 13]],
    [7, [15]],
  ] as const) {
    for (const seed of seeds) {
      it(`of ${size} members get through loss, delay, doubling, reordering and partitions (seed ${seed})`, async (test) => {
        const world = await makeWorld(test, { size, seed, weather: STORM, healAfterMs: 60_000 })
        world.chain.draw(0)
        await world.until('all to end', ended(world), 240_000)
        assertCompleted(world)
      })
    }
  }

  for (const stage of STAGES) {
    it(`survive a member killed as it enters "${stage}"`, async (test) => {
      const world = await makeWorld(test, { size: 4, seed: 20 })
      const [victim] = world.members
      assert.ok(victim)
      let killed = 0
      victim.onStage = (entered) => {
        if (entered !== stage || killed > 0) return
        killed += 1
        // Dead in the very step; back a slot and a half later.
        victim.kill()
        world.scheduler.at(world.scheduler.now + 1.5 * SLOT_MS, () => void world.scheduler.hold(victim.start()))
      }
      world.chain.draw(0)
      const hasShare = () => victim.isRunning && victim.signer.shares.pools().length === 1
      await world.until('all to end', () => world.members.every(({ ended, id }) => ended.length > 0 || id === 1) && hasShare())
      assert.equal(killed, 1)
      assertCompleted(world)
      // In the result, or added to it as soon as it could.
      const isIn = () => ((world.chain.completed[0]?.result.participation ?? 0n) & 1n) === 1n || world.chain.added.includes(victim.id)
      await world.until('its signature', isIn, 20 * SLOT_MS)
    })
  }

  it('survive all members killed at once in the middle', async (test) => {
    const world = await makeWorld(test, { size: 4, seed: 21 })
    world.chain.draw(0)
    await world.until('reveals', () => world.members.some(({ stages }) => stages.includes('reveal')))
    for (const member of world.members) member.kill()
    await world.pass(SLOT_MS)
    for (const member of world.members) await member.start()
    await world.until('all to end', ended(world))
    assertCompleted(world)
  })

  it('go on without a silent member: the others make the key, and the chain is told who is absent', async (test) => {
    const world = await makeWorld(test, { size: 4, absent: [2] })
    const others = world.members.filter(({ id }) => id !== 2)
    world.chain.draw(0)
    await world.until('the others to end', () => others.every((member) => member.ended.length > 0))
    assert.equal(world.chain.completed[0]?.result.participation, 0b1101n)
    assertCompleted(world, { holders: others })
    for (const { progress, warnings } of others) {
      assert.deepEqual([progress?.roster, progress?.qualified, progress?.faults], [[1, 3, 4], [1, 3, 4], []])
      assert.deepEqual(warnings, [])
    }
    // Come after all, it learns the key and has no share of it.
    await world.members[1]?.start()
    await world.until('it to know', () => world.members[1]?.progress?.qualified?.length === 3)
    await world.pass(4 * SLOT_MS)
    assert.deepEqual(world.members[1]?.signer.shares.pools(), [])
    assert.deepEqual(world.chain.added, [])
  })

  for (const stage of STAGES.slice(0, 7)) {
    it(`go on without a member that is gone as it enters "${stage}"`, async (test) => {
      const world = await makeWorld(test, { size: 4, seed: 22 })
      const [first, victim] = world.members
      assert.ok(first && victim)
      victim.onStage = (entered) => entered === stage && victim.kill()
      const others = world.members.filter(({ id }) => id !== 2)
      world.chain.draw(0)
      await world.until('the others to end', () => others.every((member) => member.ended.length > 0))
      assertCompleted(world, { holders: others })
      const [one, ...rest] = others.map(({ progress }) => [progress?.roster, progress?.qualified])
      for (const each of rest) assert.deepEqual(each, one)
      assert.deepEqual(first.progress?.faults, [])
    })
  }

  it('give a member that was away its share as long as the registration is not final', async (test) => {
    const world = await makeWorld(test, { size: 4, seed: 23 })
    const [, victim] = world.members
    assert.ok(victim)
    victim.onStage = (entered) => entered === 'agree' && victim.kill()
    world.chain.draw(0)
    await world.until('the registration', () => world.chain.registered)
    await world.pass(3 * SLOT_MS)
    assert.equal(world.chain.completed[0]?.result.participation, 0b1101n)
    victim.onStage = () => {}
    await victim.start()
    await world.until('its signature on the result', () => world.chain.added.length > 0)
    assert.deepEqual(world.chain.added, [2])
    assertCompleted(world)
    await world.until('jobs to be done', settled(world), 3 * FINALITY_MS)
  })

  it('wait for a late member where there are too few without it', async (test) => {
    const world = await makeWorld(test, { size: 4, absent: [2, 3] })
    world.chain.draw(0)
    await world.pass(12 * SLOT_MS)
    assert.deepEqual(world.members[0]?.waitingFor.get('join'), [2, 3])
    await world.members[2]?.start()
    await world.until('the others to end', () => world.members.every(({ id, ended }) => id === 2 || ended.length > 0))
    assertCompleted(world, { holders: world.members.filter(({ id }) => id !== 2) })
  })

  it('end with the round when too few are there, and say who was missing, then play the next', async (test) => {
    const world = await makeWorld(test, { size: 4, absent: [2, 3] })
    const others = world.members.filter(({ id }) => id !== 2 && id !== 3)
    world.chain.draw(0)
    await world.pass(30 * SLOT_MS)
    assert.ok(others.every((member) => member.ended.length === 0 && member.warnings.length === 0))
    world.chain.fail()
    await world.until('the round to end', () => others.every((member) => member.ended.length === 1))
    for (const { ended } of others) assert.deepEqual(ended, [{ registered: false, reason: 'no join key of members 2, 3' }])
    await world.members[1]?.start()
    await world.members[2]?.start()
    world.chain.draw(1)
    await world.until('the next round to end', () => world.chain.registered && others.every((member) => member.ended.length === 2))
    assertCompleted(world, { round: 1 })
    // The next member of the shuffle leads.
    assert.equal(world.chain.completed[0]?.by, 2)
  })

  it('are published by the next member when the leader is gone', async (test) => {
    const world = await makeWorld(test, { size: 4 })
    const [leader] = world.members
    assert.ok(leader)
    leader.onStage = (stage) => stage === 'publish' && leader.kill()
    world.chain.draw(0)
    await world.until('all others to end', () => world.members.every(({ id, ended }) => id === 1 || ended.length > 0))
    assert.equal(world.chain.completed[0]?.by, 2)
    assertCompleted(world, { holders: world.members.slice(1) })
  })

  it('are sent again when the execution client is away or refuses, and by one member only when it works', async (test) => {
    const world = await makeWorld(test, {
      size: 4,
      sendFailure: (by, attempt) => (by === 1 ? (attempt === 1 ? 'unreachable' : 'refused') : attempt < 2 ? 'unreachable' : undefined),
    })
    world.chain.draw(0)
    await world.until('all to end', ended(world))
    assertCompleted(world)
    assert.equal(world.chain.completed.length, 1)
    assert.ok(world.members[0]?.warnings.some((warning) => warning.includes('no execution client')))
    assert.ok((world.chain.attempts.get(world.members[0]?.id ?? assert.fail()) ?? 0) >= 2)
  })

  it('are published again when a reorg took the registration back', async (test) => {
    const world = await makeWorld(test, { size: 4 })
    world.chain.draw(0)
    await world.until('all to end', ended(world))
    world.chain.reorgOut()
    await world.until('a second registration', () => world.chain.completed.length === 2)
    assert.equal(world.chain.completed[1]?.result.publicShares, world.chain.completed[0]?.result.publicShares)
    await world.until('jobs to be done', settled(world), 3 * FINALITY_MS)
    assertCompleted(world)
  })

  it('begin once, however often the draw is told, and not again after a restart when all is done', async (test) => {
    const world = await makeWorld(test, { size: 4 })
    world.chain.draw(0)
    world.chain.draw(0)
    await world.until('all to end', ended(world))
    await world.until('jobs to be done', settled(world), 2 * FINALITY_MS)
    const [member] = world.members
    assert.ok(member)
    member.kill()
    await member.start()
    await world.pass(FINALITY_MS)
    assert.equal(member.jobs.size, 1)
    assert.equal(member.stages.filter((stage) => stage === 'join').length, 1)
  })

  it('leave alone what an unsynced chain does not show yet', async (test) => {
    const world = await makeWorld(test, { size: 4, weather: CALM })
    const [member] = world.members
    assert.ok(member)
    member.jobs.set('dkg/5/0', {
      id: 'dkg/5/0',
      data: { poolId: POOL, round: 0, size: 4, self: 1 },
      dueAt: 0,
      attempt: 0,
      done: false,
      reason: '',
    })
    member.kill()
    await member.start()
    await world.pass(SLOT_MS)
    assert.equal(member.jobs.get('dkg/5/0')?.reason, 'the draw is not final')
    const context = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'dkg', round: 0, size: 4, threshold: 3 } as const
    await member.signer.ceremony.begin({ ...context, self: 1 as MemberIndex })
  })
})
