import assert from 'node:assert/strict'
import { expect } from 'chai'
import { ZeroAddress } from 'ethers'
import { BOND, clock, eligible, eth, GWEI, load, NOW, networkHelpers, STAKER } from './BlockProducers.support.ts'

describe('BlockProducers: seats', () => {
  it('counts capacity and locks, tails included', async () => {
    const world = await load()
    const { as, blockProducers, parameters } = world
    const vault = world.ids.slice(0, 4)
    assert.deepEqual([...(await blockProducers.seats())], [14n, 0n])
    await as.draws.lockSeats(1n, STAKER, vault)
    await as.draws.lockSeats(2n, STAKER, vault)
    assert.deepEqual([...(await blockProducers.seats())], [14n, 8n])
    assert.equal((await blockProducers.producer(world.first.id)).lockedSeats, eth('24'))

    await as.registry.releaseSeats(2n, STAKER, vault, 0n)
    assert.deepEqual([...(await blockProducers.seats())], [14n, 4n])
    const tailFrom = await world.now()
    await as.registry.releaseSeats(1n, STAKER, vault, BigInt(tailFrom))
    const epoch = Number(parameters.slotsPerEpoch * parameters.secondsPerSlot)
    const ends = tailFrom + Number(parameters.seatTail) * epoch
    await networkHelpers.time.increaseTo(ends - 1)
    assert.deepEqual([...(await blockProducers.seats())], [14n, 4n])
    await networkHelpers.time.increaseTo(ends)
    assert.deepEqual([...(await blockProducers.seats())], [14n, 0n])
    assert.equal((await blockProducers.producer(world.first.id)).lockedSeats, 0n)
  })

  it('releases a seat once, and only one that is locked; tails and releases at once mix in any order', async () => {
    const { as, blockProducers, ids } = await load()
    const [a = 0n, b = 0n] = ids
    await as.draws.lockSeats(1n, STAKER, [a])
    await as.draws.lockSeats(2n, STAKER, [a, b])
    await expect(as.draws.lockSeats(2n, STAKER, [b])).to.not.emit(blockProducers, 'SeatsLocked')
    await as.registry.releaseSeats(1n, STAKER, [a], await clock())
    await as.registry.releaseSeats(2n, STAKER, [a, b], 0n)
    await expect(as.registry.releaseSeats(1n, STAKER, [a], 0n))
      .to.be.revertedWithCustomError(blockProducers, 'SeatNotLocked')
      .withArgs(a, 1n)
    await expect(as.registry.releaseSeats(1n, STAKER, [b], 0n))
      .to.be.revertedWithCustomError(blockProducers, 'SeatNotLocked')
      .withArgs(b, 1n)
    await as.draws.lockSeats(2n, STAKER, [a])
    assert.equal((await blockProducers.producer(a)).lockedSeats, eth('24'))
  })

  it('keeps the capacity as bonds change', async () => {
    const world = await load()
    const capacity = async () => (await world.blockProducers.seats()).capacity
    await world.blockProducers.addBond(world.first.id, { value: eth('10') })
    assert.equal(await capacity(), 15n)
    await world.as.registry.slashSeats(1n, [world.second.id], eth('13'), ZeroAddress)
    assert.equal(await capacity(), 13n)
    await world.as.disputes.slashOut(world.first.id, ZeroAddress)
    assert.equal(await capacity(), 10n)
  })
})

describe('BlockProducers: who a draw may take', () => {
  it('A34 no bond, top-up or release after the period began adds a seat to its draws', async () => {
    const world = await load()
    const { as, blockProducers } = world
    const { id } = world.first
    await world.toEpoch(world.parameters.firstPeriod)
    assert.equal(await eligible(world, id), true)
    await as.draws.lockSeats(1n, STAKER, [id])
    assert.equal(await eligible(world, id), true)
    await as.draws.lockSeats(2n, STAKER, [id])
    assert.equal(await eligible(world, id), false)

    await blockProducers.addBond(id, { value: eth('24') })
    assert.equal(await eligible(world, id), false)
    await as.registry.releaseSeats(1n, STAKER, [id], 0n)
    await as.registry.releaseSeats(2n, STAKER, [id], await clock())
    assert.equal(await eligible(world, id), false)
    // The next period sees the top-up and the seat given back at once; the one in its tail is free from the period after.
    assert.equal(await eligible(world, id, { period: 1n }), true)
    await as.draws.lockSeats(3n, STAKER, [id])
    await as.draws.lockSeats(4n, STAKER, [id])
    assert.equal(await eligible(world, id, { period: 1n }), true)
    await as.draws.lockSeats(5n, STAKER, [id])
    assert.equal(await eligible(world, id, { period: 1n }), false)
    assert.equal(await eligible(world, id, { period: 2n }), true)
  })

  it('A34 no registration, gift or move of the index after the request changes eligibility', async () => {
    const world = await load()
    await world.toEpoch(world.parameters.firstPeriod)
    const late = await world.register()
    assert.equal(await eligible(world, late.id), false)
    assert.equal(await eligible(world, late.id, { period: 1n }), true)

    // One wei of bond too little, whatever the index does later: the request's own value decides.
    const { blockProducers, bondEther } = world
    await world.as.registry.slashSeats(1n, [world.first.id], eth('2') + 10n * GWEI, ZeroAddress)
    const asked = await blockProducers.unitValue()
    const judged = () => blockProducers.isEligible(world.first.id, BOND, 0n, asked, NOW)
    assert.equal(await judged(), false)
    await bondEther.connect(await world.signer(world.addresses.stakingPool)).recognise(eth('50'), 0n)
    assert.ok((await blockProducers.unitValue()) > asked)
    assert.equal(await judged(), false)
  })

  it('a slash counts at once, in every period', async () => {
    const world = await load()
    await world.toEpoch(world.parameters.firstPeriod)
    const { id } = world.first
    await world.blockProducers.addBond(id, { value: eth('24') })
    await world.as.registry.slashSeats(1n, [id], eth('3'), ZeroAddress)
    assert.equal(await eligible(world, id), false)
    assert.equal(await eligible(world, id, { period: 1n }), true)
  })

  it('A53 a bond below the effective stake has no seat; a bond at it has, rounding notwithstanding', async () => {
    const world = await load()
    await world.bondEther.connect(await world.signer(world.addresses.stakingPool)).recognise(eth('7.77'), 0n)
    const exact = await world.register(eth('24'))
    assert.ok((await world.blockProducers.bondValue(exact.id)) <= eth('24'))
    assert.equal(await eligible(world, exact.id), true)
    assert.equal(await eligible(world, exact.id, { kind: BOND }), true)
    await world.as.registry.slashSeats(1n, [exact.id], 2n * GWEI, ZeroAddress)
    assert.equal(await eligible(world, exact.id), false)
    assert.equal(await eligible(world, exact.id, { kind: BOND }), false)
  })

  it('bond pools ask for no free seat', async () => {
    const world = await load()
    await world.as.draws.lockSeats(1n, STAKER, [world.first.id])
    await world.as.draws.lockSeats(2n, STAKER, [world.first.id])
    assert.equal(await eligible(world, world.first.id), false)
    assert.equal(await eligible(world, world.first.id, { kind: BOND }), true)
  })
})
