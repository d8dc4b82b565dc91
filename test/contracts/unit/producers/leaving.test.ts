import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'

const connection = await network.create()
const { networkHelpers, ethers } = connection
const eth = parseEther
const [STAKER, BOND] = [0n, 1n]
const [ACTIVE, LEAVING, GONE] = [1n, 2n, 3n]
const NEVER = 2n ** 64n - 1n
/** All functions of BlockProducers that change anything: what the owner may, then what other contracts may. */
const CHANGING = [
  ...['addBond', 'exit', 'register', 'setPeerAddress', 'withdrawBond'],
  ...['chargeBond', 'chargeSeats', 'forceOut', 'holdSeats', 'lockSeats', 'releaseSeats', 'slashOut', 'slashSeats', 'unholdSeats'],
].toSorted()

/** Seven producers in the first period's list; what anybody has settled is for the test to say. */
async function listed() {
  const pools = await openPools(connection)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 7; i++) producers.push(await pools.register())
  const harness = await ethers.deployContract('SettlementHarness')
  await networkHelpers.setCode(pools.addresses.rewards, await ethers.provider.getCode(harness))
  const settlement = await ethers.getContractAt('SettlementHarness', pools.addresses.rewards)
  const { id, owner } = at(producers, 0)
  const as = async (address: string) => pools.blockProducers.connect(await pools.as(address))
  const mine = await as(owner)
  const epoch = Number(pools.parameters.slotsPerEpoch * pools.parameters.secondsPerSlot)
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.periods.freeze(100)
  return {
    ...pools,
    producers,
    settlement,
    id,
    owner,
    mine,
    draws: await as(pools.addresses.vaultDraws),
    registry: await as(pools.addresses.poolRegistry),
    rewards: await as(pools.addresses.rewards),
    disputes: await as(pools.addresses.disputes),
    startOf: async (period: bigint) =>
      BigInt(pools.timeOfSlot(Number(await pools.periods.startOf(period)) * Number(pools.parameters.slotsPerEpoch))),
    tail: BigInt(Number(pools.parameters.seatTail) * epoch),
    statusOf: async (producer = id) => (await pools.blockProducers.producer(producer)).status,
    clock: async () => BigInt(await pools.now()),
  }
}
type World = Awaited<ReturnType<typeof listed>>
const load = () => networkHelpers.loadFixture(listed)
const refused = (w: World, call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(w.blockProducers, error)
/** Asks to leave, and lets the lists come that are without it. @returns the start of the first one's period */
const exit = async (w: World): Promise<bigint> => {
  await w.mine.exit(w.id)
  await w.toEpoch((await w.periods.startOf(1n)) + 1n)
  await w.periods.freeze(100)
  return w.startOf(await w.periods.membershipEnd(w.id))
}

describe('Leaving', () => {
  it('by the owner alone: no new seats, out of the capacity and of a later list', async () => {
    const w = await load()
    await refused(w, w.blockProducers.exit(w.id), 'NotOwner')
    await refused(w, w.mine.exit(99n), 'ProducerUnknown')
    const eligible = async () => w.blockProducers.isEligible(w.id, BOND, 0n, await w.blockProducers.unitValue(), NEVER)
    assert.deepEqual([await eligible(), await w.statusOf()], [true, ACTIVE])
    const tx = w.mine.exit(w.id)
    await expect(tx).to.emit(w.blockProducers, 'ExitRequested').withArgs(w.id, false)
    await expect(tx).to.emit(w.periods, 'LeaveQueued').withArgs(w.id)
    assert.deepEqual([await eligible(), await w.statusOf()], [false, LEAVING])
    assert.equal((await w.blockProducers.seats()).capacity, 12n)
    await refused(w, w.mine.exit(w.id), 'ProducerOut')
    await refused(w, w.mine.addBond(w.id, { value: eth('1') }), 'ProducerOut')
  })

  it('hands the bond over as bETH, rewards included, once everything is settled', async () => {
    const w = await load()
    const unlisted = await exit(w)
    await w.settlement.set(w.id, unlisted, 0n)
    await w.bondEther.connect(await w.as(w.addresses.stakingPool)).recognise(eth('18.2'), 0n)
    const [before, total] = [await w.blockProducers.bondValue(w.id), await w.blockProducers.totalBondValue()]
    await expect(w.mine.withdrawBond(w.id)).to.emit(w.blockProducers, 'BondWithdrawn')
    expect(await w.bondEther.balanceOf(w.owner)).to.be.closeTo(before, 10n)
    expect(await w.blockProducers.totalBondValue()).to.be.closeTo(total - before, 10n)
    assert.deepEqual([await w.blockProducers.bondValue(w.id), await w.statusOf()], [0n, GONE])
    await refused(w, w.mine.withdrawBond(w.id), 'NotLeaving')
    await refused(w, w.mine.exit(w.id), 'ProducerOut')
    await refused(w, w.mine.addBond(w.id, { value: eth('30') }), 'ProducerOut')
  })

  it('A27 nobody else’s hands, and not without asking to leave', async () => {
    const w = await load()
    await refused(w, w.blockProducers.withdrawBond(w.id), 'NotOwner')
    await refused(w, w.mine.withdrawBond(w.id), 'NotLeaving')
  })

  it('A27 not while it is in a list that a committee is drawn from', async () => {
    const w = await load()
    await w.settlement.set(w.id, NEVER, 0n)
    assert.equal(await w.periods.membershipEnd(w.id), NEVER)
    await w.mine.exit(w.id)
    await refused(w, w.mine.withdrawBond(w.id), 'ListedStill')
    await w.toEpoch((await w.periods.startOf(1n)) + 1n)
    await refused(w, w.mine.withdrawBond(w.id), 'ListedStill')
    await w.periods.freeze(100)
    await w.mine.withdrawBond(w.id)
  })

  it('A27 not before the reports of its last period are final', async () => {
    const w = await load()
    const unlisted = await exit(w)
    await w.settlement.set(w.id, unlisted - 1n, 0n)
    await expect(w.mine.withdrawBond(w.id))
      .to.be.revertedWithCustomError(w.blockProducers, 'NotSettled')
      .withArgs(w.id, unlisted, unlisted - 1n)
  })

  for (const kind of [STAKER, BOND]) {
    it(`A27 not while a seat of a ${kind === STAKER ? 'staker' : 'bond'} pool is live, in its tail, or its tail not settled`, async () => {
      const w = await load()
      await w.draws.lockSeats(1n, kind, [w.id])
      await exit(w)
      await w.settlement.set(w.id, NEVER, 0n)
      await refused(w, w.mine.withdrawBond(w.id), 'SeatsHeldStill')
      const from = await w.clock()
      await w.registry.releaseSeats(1n, kind, [w.id], from)
      await refused(w, w.mine.withdrawBond(w.id), 'SeatsHeldStill')
      await networkHelpers.time.increaseTo(from + w.tail)
      await w.settlement.set(w.id, from + w.tail - 1n, 0n)
      await refused(w, w.mine.withdrawBond(w.id), 'NotSettled')
      await w.settlement.set(w.id, from + w.tail, 0n)
      await w.mine.withdrawBond(w.id)
    })

    it(`A27 A44 not while a fault of a ${kind === STAKER ? 'staker' : 'bond'} pool it held a seat of is open`, async () => {
      const w = await load()
      const judge = w.blockProducers.connect(await w.as(w.addresses.slashing))
      await w.draws.lockSeats(1n, kind, [w.id])
      await w.registry.releaseSeats(1n, kind, [w.id], await w.clock())
      await judge.holdSeats(1n, kind)
      await exit(w)
      await networkHelpers.time.increase(w.tail)
      await w.settlement.set(w.id, NEVER, 0n)
      await refused(w, w.mine.withdrawBond(w.id), 'SeatsHeldStill')
      await judge.unholdSeats(1n, kind)
      await w.mine.withdrawBond(w.id)
    })
  }

  it('A27 not before the longest tail of its bond pools’ seats is over, in whatever order they were released', async () => {
    const w = await load()
    for (const pool of [1n, 2n]) await w.draws.lockSeats(pool, BOND, [w.id])
    await exit(w)
    await w.settlement.set(w.id, NEVER, 0n)
    const from = await w.clock()
    await w.registry.releaseSeats(1n, BOND, [w.id], from + 1_000n)
    await w.registry.releaseSeats(2n, BOND, [w.id], from)
    await networkHelpers.time.increaseTo(from + w.tail + 1n)
    await refused(w, w.mine.withdrawBond(w.id), 'SeatsHeldStill')
    await networkHelpers.time.setNextBlockTimestamp(from + w.tail + 1_000n)
    await w.mine.withdrawBond(w.id)
    assert.equal(await w.statusOf(), GONE)
  })

  it('A45 not with CDT debt: neither leaving nor coming back under other keys sheds it', async () => {
    const w = await load()
    const unlisted = await exit(w)
    await w.settlement.set(w.id, unlisted, 1n)
    await expect(w.mine.withdrawBond(w.id)).to.be.revertedWithCustomError(w.blockProducers, 'InDebt').withArgs(w.id, 1n)
    const late = await w.register()
    assert.notEqual(late.id, w.id)
    await refused(w, w.mine.withdrawBond(w.id), 'InDebt')
    // Nor is there anything to call that would give a producer another owner or operator, or a debt another producer.
    const changing = w.blockProducers.interface.fragments.filter((f) => f.type === 'function' && !('constant' in f && f.constant === true))
    const named = changing.map((f) => ('name' in f ? `${f.name}` : '')).toSorted()
    assert.deepEqual(named, CHANGING)
    assert.equal(await w.blockProducers.ownerOf(w.id), w.owner)
    await w.settlement.set(w.id, unlisted, 0n)
    await w.mine.withdrawBond(w.id)
  })

  it('A28 what was slashed meanwhile is not handed over, and a slashed-out one has nothing to take', async () => {
    const w = await load()
    const unlisted = await exit(w)
    await w.settlement.set(w.id, unlisted, 0n)
    const snapshot = await networkHelpers.takeSnapshot()
    await w.registry.slashSeats(1n, [w.id], eth('6'), ZeroAddress)
    await w.mine.withdrawBond(w.id)
    expect(await w.bondEther.balanceOf(w.owner)).to.be.closeTo(eth('20'), 10n)
    await w.disputes.slashOut(w.id, ZeroAddress)
    expect(await w.bondEther.balanceOf(w.owner)).to.be.closeTo(eth('20'), 10n)
    await snapshot.restore()
    await w.disputes.slashOut(w.id, ZeroAddress)
    await w.mine.withdrawBond(w.id)
    assert.equal(await w.bondEther.balanceOf(w.owner), 0n)
  })

  it('A31 debt forces out exactly once, whoever asks', async () => {
    const w = await load()
    await refused(w, w.registry.forceOut(w.id), 'NotAllowed')
    await expect(w.rewards.forceOut(w.id)).to.emit(w.blockProducers, 'ExitRequested').withArgs(w.id, true)
    assert.equal(await w.statusOf(), LEAVING)
    await expect(w.rewards.forceOut(w.id)).to.not.emit(w.blockProducers, 'ExitRequested')
    const events = await w.periods.queryFilter(w.periods.filters.LeaveQueued(w.id))
    assert.equal(events.length, 1)
    const other = at(w.producers, 1)
    await w.disputes.slashOut(other.id, ZeroAddress)
    await expect(w.rewards.forceOut(other.id)).to.not.emit(w.blockProducers, 'ExitRequested')
    await refused(w, w.rewards.forceOut(99n), 'ProducerUnknown')
  })

  it('membership ends with the last leave, however often it came and went', async () => {
    const w = await load()
    const { id } = w
    // Below the effective stake and back within one period: a leave and a join are queued.
    await w.registry.slashSeats(1n, [id], eth('3'), ZeroAddress)
    await w.blockProducers.addBond(id, { value: eth('4') })
    assert.equal(await w.periods.membershipEnd(id), NEVER)
    await w.toEpoch((await w.periods.startOf(1n)) + 1n)
    await w.periods.freeze(100)
    assert.equal(await w.periods.membershipEnd(id), NEVER)
    await w.mine.exit(id)
    assert.equal(await w.periods.membershipEnd(id), NEVER)
    const next = await w.periods.nextToFreeze()
    await w.toEpoch((await w.periods.startOf(next)) + 1n)
    await w.periods.freeze(100)
    assert.equal(await w.periods.membershipEnd(id), next)
  })

  it('A47 once the network is wound down everybody takes its bond at once, and nobody is charged any more', async () => {
    const w = await load()
    await w.draws.lockSeats(1n, STAKER, [w.id])
    await networkHelpers.time.increaseTo(await w.windDown.startableAt())
    await w.windDown.start()
    const [before, cover] = [await w.blockProducers.bondValue(w.id), await w.bondEther.coverShares()]
    await w.registry.slashSeats(1n, [w.id], eth('6'), ZeroAddress)
    await w.disputes.slashOut(w.id, ZeroAddress)
    const exits = w.blockProducers.connect(await w.as(w.addresses.exits))
    await exits.chargeSeats(1n, [w.id], eth('6'), w.owner, eth('1'))
    assert.deepEqual([await w.blockProducers.bondValue(w.id), await w.bondEther.coverShares()], [before, cover])
    await refused(w, w.blockProducers.withdrawBond(w.id), 'NotOwner')
    await w.mine.withdrawBond(w.id)
    expect(await w.bondEther.balanceOf(w.owner)).to.be.closeTo(before, 10n)
    await refused(w, w.mine.withdrawBond(w.id), 'NotLeaving')
    await w.registry.releaseSeats(1n, STAKER, [w.id], await w.clock())
  })
})

describe('Registrations by time', () => {
  it('counts those in blocks up to and including a timestamp', async () => {
    const pools = await openPools(connection)
    const { blockProducers } = pools
    assert.equal(await blockProducers.countAt(2n ** 63n), 0n)
    const times: bigint[] = []
    for (let i = 1; i <= 6; i++) {
      const { id } = await pools.register()
      times.push(await blockProducers.registeredAt(id))
      assert.equal(times.at(-1), BigInt(await pools.now()))
      await networkHelpers.time.increase(100)
    }
    for (const [i, time] of times.entries()) {
      assert.equal(await blockProducers.countAt(time - 1n), BigInt(i))
      assert.equal(await blockProducers.countAt(time), BigInt(i + 1))
      assert.equal(await blockProducers.countAt(time + 1n), BigInt(i + 1))
    }
    assert.equal(await blockProducers.countAt(0n), 0n)
    assert.equal(await blockProducers.registeredAt(7n), 0n)
  })
})
