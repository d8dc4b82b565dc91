import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { openPools } from '../../../support/open-pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const BASIS_POINTS = 10_000n
const [RELEASE, HOLD, CHARGE_SEATS, CHARGE_BOND, SLASH_OUT, FORCE_OUT] = ['release', 'hold', 'seats', 'bond', 'slash', 'force'] as const

/** Seven producers, and every contract of the protocol as a signer. */
async function seven() {
  const pools = await openPools(connection)
  const ids: bigint[] = []
  for (let i = 0; i < 7; i++) ids.push((await pools.register()).id)
  const as = async (name: keyof typeof pools.addresses) => pools.blockProducers.connect(await pools.as(pools.addresses[name]))
  return { ...pools, ids, from: as, payee: at(pools.people, 0).address }
}
type World = Awaited<ReturnType<typeof seven>>
const load = () => networkHelpers.loadFixture(seven)

/** Shares of the bonds, of cover and of the payee: every share is somewhere. */
async function shares({ bondEther, blockProducers, addresses, payee, ids }: World) {
  const bonds = await Promise.all(ids.map(async (id) => (await blockProducers.producer(id)).shares))
  return {
    bonds,
    registry: await bondEther.sharesOf(addresses.blockProducers),
    cover: await bondEther.coverShares(),
    payee: await bondEther.sharesOf(payee),
    total: await bondEther.totalShares(),
  }
}

/** Carries a charge out. @returns what moved, with the whole of it accounted for to the share */
async function moved(world: World, charge: () => Promise<unknown>) {
  const before = await shares(world)
  await charge()
  const after = await shares(world)
  const taken = before.registry - after.registry
  const [toCover, toPayee] = [after.cover - before.cover, after.payee - before.payee]
  assert.equal(after.total, before.total)
  assert.equal(toCover + toPayee, taken, 'what bonds lost went to cover and to the payee, each share once')
  const lost = before.bonds.map((bond, i) => bond - at(after.bonds, i))
  return { taken, toCover, toPayee, lost, left: after }
}

describe('Penalties', () => {
  it('A28 slashed seats: the reporter has its part of each, cover the rest, and no share goes to both', async () => {
    const world = await load()
    const { bondEther, parameters, payee, ids } = world
    const exits = await world.from('exits')
    const { taken, toCover, toPayee, lost } = await moved(world, () => exits.slashSeats(3n, ids.slice(0, 2), eth('1'), payee))
    const each = (await bondEther.getSharesByPooledEth(eth('1'))) + 1n
    assert.equal(taken, 2n * each)
    assert.equal(toPayee, 2n * ((each * parameters.reporterShare) / BASIS_POINTS))
    assert.equal(toCover, taken - toPayee)
    // The others' bonds are whole, to the share that rounding moves.
    for (const [i, less] of lost.entries())
      assert.ok(i < 2 ? less >= each - 1n && less <= each + 1n : less <= 1n && less >= -1n, `bond ${i}`)
  })

  it('A28 with nobody to pay, everything is for cover', async () => {
    const world = await load()
    const registry = await world.from('poolRegistry')
    const { toCover, toPayee, taken } = await moved(world, () => registry.slashSeats(3n, world.ids.slice(0, 3), eth('1'), ZeroAddress))
    assert.deepEqual([toPayee, toCover], [0n, taken])
    const charged = await moved(world, () => registry.chargeSeats(3n, world.ids.slice(0, 3), eth('1'), ZeroAddress, eth('2')))
    assert.deepEqual([charged.toPayee, charged.toCover], [0n, charged.taken])
  })

  it('A28 charged seats: the payee is made whole first, and has no share more', async () => {
    const world = await load()
    const slashing = await world.from('slashing')
    const owed = await world.bondEther.getSharesByPooledEth(eth('0.7'))
    const { toPayee, toCover, taken } = await moved(world, () =>
      slashing.chargeSeats(3n, world.ids.slice(0, 4), eth('0.5'), world.payee, eth('0.7')),
    )
    assert.deepEqual([toPayee, toCover], [owed, taken - owed])
    // More owed than there is to take: all of it, and nothing of other bonds.
    const poor = await moved(world, () => slashing.chargeSeats(3n, world.ids.slice(4, 5), eth('0.5'), world.payee, eth('9')))
    assert.deepEqual([poor.toPayee, poor.toCover], [poor.taken, 0n])
  })

  it('A28 a charged bond is the payee’s or cover’s, and never more than there is', async () => {
    const world = await load()
    const votes = await world.from('votes')
    const paid = await moved(world, () => votes.chargeBond(at(world.ids, 0), eth('1'), world.payee))
    assert.deepEqual([paid.toPayee, paid.toCover], [paid.taken, 0n])
    const covered = await moved(world, () => votes.chargeBond(at(world.ids, 0), eth('99'), ZeroAddress))
    assert.deepEqual([covered.toPayee, covered.toCover], [0n, covered.taken])
    assert.equal(at(covered.left.bonds, 0), 0n)
    const nothing = await moved(world, () => votes.chargeBond(at(world.ids, 0), eth('1'), world.payee))
    assert.equal(nothing.taken, 0n)
  })

  it('A28 one slashed out leaves its whole bond, once: a part to the reporter, the rest to cover', async () => {
    const world = await load()
    const disputes = await world.from('disputes')
    const first = await moved(world, () => disputes.slashOut(at(world.ids, 0), world.payee))
    assert.equal(first.toPayee, (first.taken * world.parameters.reporterShare) / BASIS_POINTS)
    assert.equal(at(first.left.bonds, 0), 0n)
    const again = await moved(world, () => disputes.slashOut(at(world.ids, 0), world.payee))
    assert.equal(again.taken, 0n)
  })

  it('each contract may do what it is there for, and no other', async () => {
    const world = await load()
    const { ids, payee, blockProducers } = world
    const rights = {
      poolRegistry: [RELEASE, CHARGE_SEATS],
      exits: [CHARGE_SEATS],
      disputes: [SLASH_OUT],
      votes: [CHARGE_BOND, SLASH_OUT],
      rewards: [FORCE_OUT],
      rotations: [RELEASE],
      dkgDisputes: [CHARGE_SEATS],
      slashing: [HOLD, CHARGE_SEATS, SLASH_OUT],
    } as const
    const names = Object.keys(world.addresses) as (keyof typeof world.addresses)[]
    for (const name of names.filter((name) => name !== 'blockProducers')) {
      const own: readonly string[] = (rights as Partial<Record<typeof name, readonly string[]>>)[name] ?? []
      const caller = await world.from(name)
      const calls: Record<string, (() => Promise<unknown>)[]> = {
        [RELEASE]: [() => caller.releaseSeats.staticCall(1n, 0n, [], 0n)],
        [HOLD]: [() => caller.holdSeats.staticCall(1n, 0n), () => caller.unholdSeats.staticCall(1n, 0n)],
        [CHARGE_SEATS]: [
          () => caller.slashSeats.staticCall(1n, ids, 1n, payee),
          () => caller.chargeSeats.staticCall(1n, ids, 1n, payee, 1n),
        ],
        [CHARGE_BOND]: [() => caller.chargeBond.staticCall(1n, 1n, payee)],
        [SLASH_OUT]: [() => caller.slashOut.staticCall(1n, payee)],
        [FORCE_OUT]: [() => caller.forceOut.staticCall(1n)],
      }
      for (const [right, attempts] of Object.entries(calls)) {
        for (const attempt of attempts) {
          if (own.includes(right)) await attempt()
          else await expect(attempt(), `${name}: ${right}`).to.be.revertedWithCustomError(blockProducers, 'NotAllowed')
        }
      }
    }
  })
})
