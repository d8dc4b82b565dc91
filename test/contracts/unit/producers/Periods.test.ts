import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ComputeShuffledIndex, SHUFFLE_ROUNDS_MAINNET } from '@chainsafe/swap-or-not-shuffle'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { aggregateG1 } from '../../../support/block-producers.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { proveMix, randomRoot } from '../../../support/pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const ZERO_PERIOD_FREEZE = 3
const prover = new BeaconProver()

const fresh = () => openPools(connection, { maxChurn: 2n })
/** Nine producers, registered before period 0. */
async function nine() {
  const pools = await fresh()
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 9; i++) producers.push(await pools.register())
  return { ...pools, producers }
}

type Periods = Awaited<ReturnType<typeof fresh>>['periods']
const list = async (periods: Periods, period: number) => [...(await periods.listAt(period, 0n, await periods.sizeAt(period)))].map(Number)

describe('Periods: time', () => {
  it('numbers periods from the first on', async () => {
    const { periods, toEpoch } = await networkHelpers.loadFixture(fresh)
    assert.equal(await periods.startOf(0n), 5n)
    assert.equal(await periods.startOf(2n), 29n)
    assert.equal(await periods.seedEpochOf(2n), 28n)
    assert.equal(await periods.periodAt(5n), 0n)
    assert.equal(await periods.periodAt(16n), 0n)
    assert.equal(await periods.periodAt(17n), 1n)
    await expect(periods.periodAt(4n)).to.be.revertedWithCustomError(periods, 'BeforeFirstPeriod').withArgs(4n, 5n)
    await expect(periods.currentPeriod()).to.be.revertedWithCustomError(periods, 'BeforeFirstPeriod')
    assert.equal(await periods.nextPeriod(), 0n)
    await toEpoch(5)
    assert.deepEqual([await periods.currentPeriod(), await periods.nextPeriod()], [0n, 1n])
    await toEpoch(17)
    assert.deepEqual([await periods.currentPeriod(), await periods.nextPeriod()], [1n, 2n])
  })

  it('lets only the registry queue', async () => {
    const { periods } = await networkHelpers.loadFixture(fresh)
    await expect(periods.queueJoin(1n)).to.be.revertedWithCustomError(periods, 'NotBlockProducers')
    await expect(periods.queueLeave(1n)).to.be.revertedWithCustomError(periods, 'NotBlockProducers')
  })
})

describe('Periods: lists', () => {
  it('freezes period 0 with everyone who asked before its freeze, and nothing before that time', async () => {
    const { periods, toEpoch, register, timeOfSlot, now } = await networkHelpers.loadFixture(nine)
    await networkHelpers.time.setNextBlockTimestamp(timeOfSlot(ZERO_PERIOD_FREEZE * 8) - 1)
    await periods.freeze(10n)
    assert.equal(await periods.nextToFreeze(), 0n)
    await expect(periods.sizeAt(0n)).to.be.revertedWithCustomError(periods, 'NotFrozenYet').withArgs(0n, 3n, 2n)
    // The freeze's own second is too late to ask.
    const { id } = await register()
    assert.equal(await now(), timeOfSlot(ZERO_PERIOD_FREEZE * 8))
    await expect(periods.freeze(10n)).to.emit(periods, 'ListFrozen').withArgs(0n, 9n)
    assert.deepEqual(await list(periods, 0), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    await expect(periods.listAt(0n, 8n, 2n)).to.be.revertedWithCustomError(periods, 'PositionOutOfRange')
    await expect(periods.producerAt(0n, 9n)).to.be.revertedWithCustomError(periods, 'PositionOutOfRange').withArgs(9n, 9n)
    await toEpoch(15)
    await periods.freeze(10n)
    assert.equal((await list(periods, 1)).at(-1), Number(id))
  })

  it('A53 lists a bond of ten stakes once, like one of one, and those below a stake not at all', async () => {
    const { periods, blockProducers, bondEther, addresses, as, toEpoch, register } = await networkHelpers.loadFixture(nine)
    const stake = parseEther('24')
    const whale = await register(10n * stake)
    const small: bigint[] = []
    for (let i = 0; i < 3; i++) small.push((await register(stake)).id)
    // What nine stakes' worth of ETH can't buy in pieces: no piece is taken, and one that shrinks is out.
    await expect(register(stake - 1n)).to.be.revertedWithCustomError(blockProducers, 'BondTooSmall')
    const registry = blockProducers.connect(await as(addresses.poolRegistry))
    await registry.slashSeats(1n, small, parseEther('0.001'), ZeroAddress)
    await toEpoch(5)
    await periods.freeze(10n)
    assert.deepEqual(
      (await list(periods, 0)).sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, Number(whale.id)],
    )
    // The others' places are worth what they were: nobody was charged for the small ones, nor did the shares they lost lift the index.
    assert.equal(await bondEther.rewardsIndex(), 10n ** 27n)
  })

  it('lets at most the churn in and out a period, first come first served, and keeps every past list', async () => {
    const { periods, blockProducers, addresses, as, toEpoch, register } = await networkHelpers.loadFixture(nine)
    await toEpoch(5)
    await periods.freeze(1n)
    for (let i = 0; i < 3; i++) await register()
    const disputes = blockProducers.connect(await as(addresses.disputes))
    for (const id of [1n, 9n, 5n]) await disputes.slashOut(id, ZeroAddress)
    await toEpoch(27)
    await expect(periods.freeze(10n)).to.emit(periods, 'Left').withArgs(1n, 1n, 0).and.to.emit(periods, 'Joined').withArgs(1n, 10n, 7)
    assert.deepEqual(await list(periods, 0), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    // 1 leaves: 9 takes its place; 9 leaves: 8 takes it; then two join.
    assert.deepEqual(await list(periods, 1), [8, 2, 3, 4, 5, 6, 7, 10, 11])
    assert.deepEqual(await list(periods, 2), [8, 2, 3, 4, 11, 6, 7, 10, 12])
    await toEpoch(39)
    await periods.freeze(10n)
    assert.deepEqual(await list(periods, 3), await list(periods, 2))
    assert.equal(await periods.nextToFreeze(), 4n)
  })

  it('A34 a freeze gives the same lists whenever it is carried out', async () => {
    const run = async (eager: boolean) => {
      const world = await networkHelpers.loadFixture(nine)
      const { periods, blockProducers } = world
      const registry = blockProducers.connect(await world.as(world.addresses.poolRegistry))
      const disputes = blockProducers.connect(await world.as(world.addresses.disputes))
      const act = async (epoch: number, action: () => Promise<unknown>) => {
        await world.toEpoch(epoch)
        if (eager) await periods.freeze(10n)
        await action()
      }
      await act(4, () => world.register())
      await act(6, () => disputes.slashOut(3n, ZeroAddress))
      await act(14, () => registry.slashSeats(1n, [4n], parseEther('5'), ZeroAddress))
      await act(15, () => blockProducers.addBond(4n, { value: parseEther('9') }))
      await act(16, () => world.register())
      await act(28, () => disputes.slashOut(1n, ZeroAddress))
      await act(40, async () => undefined)
      await periods.freeze(10n)
      return Promise.all([0, 1, 2, 3].map((period) => list(periods, period)))
    }
    assert.deepEqual(await run(false), await run(true))
  })

  it('a join and a leave that wait together cancel out', async () => {
    const world = await networkHelpers.loadFixture(nine)
    const { periods, blockProducers } = world
    const registry = blockProducers.connect(await world.as(world.addresses.poolRegistry))
    // Joined, left and joined again before the first list: in it once.
    await registry.slashSeats(1n, [2n], parseEther('5'), ZeroAddress)
    await blockProducers.addBond(2n, { value: parseEther('5') })
    // Left for good before the first list: never in it.
    await registry.slashSeats(1n, [3n], parseEther('5'), ZeroAddress)
    await world.toEpoch(5)
    await periods.freeze(10n)
    assert.deepEqual(await list(periods, 0), [1, 4, 5, 6, 7, 8, 9, 2])

    // Three leave, two may; the third has come back meanwhile and never goes.
    await registry.slashSeats(1n, [4n, 5n, 6n], parseEther('5'), ZeroAddress)
    await blockProducers.addBond(6n, { value: parseEther('5') })
    await world.toEpoch(27)
    await periods.freeze(10n)
    assert.deepEqual((await list(periods, 1)).toSorted(), [1, 2, 6, 7, 8, 9])
    assert.deepEqual(await list(periods, 2), await list(periods, 1))
  })
})

describe('Periods: seeds', () => {
  after(() => prover.close())

  it('A35 takes one mix from any state of epochs E+1 … E+V−1, and from no other', async () => {
    const pools = await networkHelpers.loadFixture(nine)
    const { periods } = pools
    const mix = randomRoot()
    const prove = async (stateEpoch: number, epoch = 4) => {
      const proof = await proveMix({ pools, prover }, { epoch, mix, stateEpoch })
      return periods.proveSeed(0n, proof.timestamp, proof.state, proof.randao)
    }
    // Got first: a refusal must find its expectation there.
    const seeds = await connection.ethers.getContractAt('RandaoSeeds', ZeroAddress)
    await expect(prove(4)).to.be.revertedWithCustomError(seeds, 'SeedNotYetKnown').withArgs(4n, 4n)
    await expect(prove(68)).to.be.revertedWithCustomError(seeds, 'SeedOutOfVector').withArgs(4n, 68n)
    await expect(prove(20, 5)).to.be.revertedWithCustomError(periods, 'LeafNotProven')
    await expect(periods.seedOf(0n)).to.be.revertedWithCustomError(periods, 'SeedUnproven').withArgs(0n)
    const snapshot = await networkHelpers.takeSnapshot()
    for (const stateEpoch of [5, 20, 67]) {
      await expect(prove(stateEpoch)).to.emit(periods, 'SeedProven').withArgs(0n, mix)
      assert.equal(await periods.seedOf(0n), mix)
      await expect(prove(stateEpoch)).to.be.revertedWithCustomError(periods, 'SeedAlreadyProven').withArgs(0n)
      await snapshot.restore()
    }
  })

  it('A05 A35 refuses a state that EIP-4788 does not know, or of another fork', async () => {
    const pools = await networkHelpers.loadFixture(nine)
    const { periods } = pools
    const proof = await proveMix({ pools, prover }, { epoch: 4 })
    await expect(periods.proveSeed(0n, proof.timestamp + 1n, proof.state, proof.randao)).to.be.revertedWithCustomError(
      periods,
      'RootUnavailable',
    )
    const other = await prover.prove({ slot: 41, forkVersion: '0x06000001', mixes: [{ epoch: 4, mix: randomRoot() }] })
    const [randao] = other.mixes
    assert.ok(randao)
    await expect(periods.proveSeed(0n, await pools.anchor(other), other.state, randao)).to.be.revertedWithCustomError(
      periods,
      'ForkVersionNotProven',
    )
  })
})

describe('Periods: committees', () => {
  it('draws the committee as the shuffle says, over any number of calls, with the sum of its keys', async () => {
    const local = new BeaconProver()
    const pools = await networkHelpers.loadFixture(nine)
    const { periods, producers } = pools
    await pools.toEpoch(5)
    await periods.freeze(1n)
    const { mix, timestamp, state, randao } = await proveMix({ pools, prover: local }, { epoch: 4 })
    await local.close()
    await expect(periods.formCommittee(0n, 9n)).to.be.revertedWithCustomError(periods, 'SeedUnproven').withArgs(0n)
    await periods.proveSeed(0n, timestamp, state, randao)
    await expect(periods.committee(0n)).to.be.revertedWithCustomError(periods, 'CommitteeIncomplete').withArgs(0n, 0n, 3n)

    await periods.formCommittee(0n, 2n)
    await expect(periods.committee(0n)).to.be.revertedWithCustomError(periods, 'CommitteeIncomplete').withArgs(0n, 2n, 3n)
    await expect(periods.formCommittee(0n, 9n)).to.emit(periods, 'CommitteeFormed')
    await expect(periods.formCommittee(0n, 9n)).to.be.revertedWithCustomError(periods, 'CommitteeComplete').withArgs(0n)

    const period = Buffer.alloc(8)
    const seed = createHash('sha256')
      .update(Buffer.from(mix.slice(2), 'hex'))
      .update('committee')
      .update(period)
      .digest()
    const shuffle = new ComputeShuffledIndex(seed, 9, SHUFFLE_ROUNDS_MAINNET)
    const expected = [0, 1, 2].map((i) => producers[shuffle.get(i)])
    const [members, key] = await periods.committee(0n)
    assert.deepEqual(
      [...members],
      expected.map((producer) => producer?.id),
    )
    const sum = aggregateG1(expected.flatMap((producer) => (producer ? [producer.key.toPublicKey()] : [])))
    assert.deepEqual([...key], [sum.xHi, sum.xLo, sum.yHi, sum.yLo])
  })

  it('has no committee where there is nobody to judge it', async () => {
    const local = new BeaconProver()
    const pools = await networkHelpers.loadFixture(fresh)
    await pools.register()
    await pools.toEpoch(5)
    await pools.periods.freeze(1n)
    const { timestamp, state, randao } = await proveMix({ pools, prover: local }, { epoch: 4 })
    await local.close()
    await pools.periods.proveSeed(0n, timestamp, state, randao)
    await pools.periods.formCommittee(0n, 9n)
    await expect(pools.periods.committee(0n)).to.be.revertedWithCustomError(pools.periods, 'CommitteeIncomplete').withArgs(0n, 0n, 0n)
  })
})
