import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ComputeShuffledIndex, SHUFFLE_ROUNDS_MAINNET } from '@chainsafe/swap-or-not-shuffle'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver, SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { draw, proveMix, randomRoot } from '../../../support/pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const prover = new BeaconProver()

/** Bonds a tenth of the devnet's: together they pay for no bond pool, so every pool is the stakers'. */
const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }

async function network_(bond: bigint, choices: object) {
  const pools = await openPools(connection, choices)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 9; i++) producers.push(await pools.register(bond))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: eth('320') })
  return { pools, prover, producers }
}
const stakers = () => network_(eth('2.6'), SMALL)
const bonders = () => network_(eth('26'), {})
const load = () => networkHelpers.loadFixture(stakers)

/** Positions of the list of nine in the order in which a draw walks them: the consensus client's shuffle. */
function walk({ mix, poolId, round = 0n, size = 9 }: { mix: string; poolId: bigint; round?: bigint; size?: number }): number[] {
  const tail = Buffer.alloc(8)
  tail.writeUInt32BE(Number(poolId), 0)
  tail.writeUInt32BE(Number(round), 4)
  const seed = createHash('sha256')
    .update(Buffer.from(mix.slice(2), 'hex'))
    .update('vault')
    .update(tail)
    .digest()
  const shuffle = new ComputeShuffledIndex(seed, size, SHUFFLE_ROUNDS_MAINNET)
  return Array.from({ length: size }, (_, i) => shuffle.get(i))
}
const first = (order: readonly number[], passed: readonly bigint[] = []) =>
  order
    .map((position) => BigInt(position + 1))
    .filter((id) => !passed.includes(id))
    .slice(0, 4)

describe('VaultDraws', () => {
  after(() => prover.close())

  it('takes the first epoch that starts at least the delay after the request', async () => {
    const { pools } = await load()
    const { vaultDraws, poolRegistry, timeOfSlot } = pools
    const seedEpochAt = async (time: number) => {
      await networkHelpers.time.setNextBlockTimestamp(time)
      await poolRegistry.requestPool()
      return (await vaultDraws.draw(await vaultDraws.drawCount())).seedEpoch
    }
    const start = timeOfSlot(7 * SLOTS_PER_EPOCH)
    assert.equal(await seedEpochAt(start - 1), 8n)
    assert.equal(await seedEpochAt(start), 8n)
    // With a period's worth of seats gone, the draw is still only requested.
    assert.equal((await vaultDraws.draw(2n)).period, 0n)
    assert.equal(await vaultDraws.nextDrawId(), 1n)
  })

  it('takes the first of the shuffled list with a free seat, and locks their seats', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry, blockProducers } = world.pools
    await poolRegistry.requestPool()
    const { mix, transaction } = await draw(world)
    const expected = first(walk({ mix, poolId: 1n }))
    await expect(transaction).to.emit(vaultDraws, 'DrawFilled').withArgs(1n, 1n, expected)
    await expect(transaction).to.emit(poolRegistry, 'VaultSelected').withArgs(1n, 0n, expected, 16n)
    assert.deepEqual([...(await poolRegistry.vault(1n))], expected)
    assert.deepEqual([...(await blockProducers.seats())], [18n, 4n])
    assert.equal(await vaultDraws.nextDrawId(), 2n)
    assert.equal((await vaultDraws.draw(1n)).done, true)
  })

  it('passes over the full, the slashed and those below the stake', async () => {
    const world = await load()
    const { poolRegistry, blockProducers, addresses, as } = world.pools
    await poolRegistry.requestPool()
    const mix = randomRoot()
    const [a = 0n, b = 0n, c = 0n] = first(walk({ mix, poolId: 1n }))
    await blockProducers.connect(await as(addresses.disputes)).slashOut(a, ZeroAddress)
    await blockProducers.connect(await as(addresses.poolRegistry)).slashSeats(9n, [b], eth('0.3'), ZeroAddress)
    const draws = blockProducers.connect(await as(addresses.vaultDraws))
    await draws.lockSeats(8n, 0n, [c])
    await draws.lockSeats(9n, 0n, [c])
    await draw(world, mix)
    assert.deepEqual([...(await poolRegistry.vault(1n))], first(walk({ mix, poolId: 1n }), [a, b, c]))
  })

  it('locks nothing for a bond pool', async () => {
    const world = await networkHelpers.loadFixture(bonders)
    const { poolRegistry, blockProducers } = world.pools
    await expect(poolRegistry.requestPool()).to.emit(poolRegistry, 'PoolRequested').withArgs(1n, 1n, 7n)
    const { mix } = await draw(world)
    assert.deepEqual([...(await poolRegistry.vault(1n))], first(walk({ mix, poolId: 1n })))
    assert.deepEqual([...(await blockProducers.seats())], [18n, 0n])
  })

  it('A34 draws are carried out in the order of their requests, all of one seed epoch with one proof, and none twice', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry } = world.pools
    await expect(vaultDraws.advance(9n)).to.be.revertedWithCustomError(vaultDraws, 'NoDrawPending')
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    await world.pools.toEpoch(7)
    await poolRegistry.requestPool()
    const { mix, timestamp, state, randao } = await proveMix(world, { epoch: 7 })
    const select = () => vaultDraws.selectVaults(timestamp, state, randao, 128n)
    await expect(vaultDraws.advance(9n)).to.be.revertedWithCustomError(vaultDraws, 'SeedUnproven').withArgs(1n)
    const both = await select()
    await expect(both).to.emit(vaultDraws, 'SeedProven').withArgs(7n, 7n, mix)
    const filled = await vaultDraws.queryFilter(vaultDraws.filters.DrawFilled())
    assert.deepEqual(
      filled.map(({ args }) => args.poolId),
      [1n, 2n],
    )
    for (const poolId of [1n, 2n]) assert.deepEqual([...(await poolRegistry.vault(poolId))], first(walk({ mix, poolId })))
    // The third asked for another epoch: its own proof.
    assert.equal(await vaultDraws.nextDrawId(), 3n)
    await expect(vaultDraws.advance(9n)).to.be.revertedWithCustomError(vaultDraws, 'SeedUnproven').withArgs(3n)
    const seeds = await connection.ethers.getContractAt('RandaoSeeds', ZeroAddress)
    await expect(select()).to.be.revertedWithCustomError(seeds, 'SeedNotYetKnown').withArgs(9n, 8n)
    await draw(world)
    await expect(select()).to.be.revertedWithCustomError(vaultDraws, 'NoDrawPending')
    await expect(vaultDraws.request(1n, 0n, 0n)).to.be.revertedWithCustomError(vaultDraws, 'NotAllowed')
  })

  it('A34 draws cut short by positions go on in order, to the same vaults as at once', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry } = world.pools
    for (let i = 0; i < 3; i++) await poolRegistry.requestPool()
    const { timestamp, state, randao } = await proveMix(world, { epoch: 7 })
    const vaults = async () => Promise.all([1n, 2n, 3n].map(async (poolId) => [...(await poolRegistry.vault(poolId))]))
    const snapshot = await networkHelpers.takeSnapshot()
    await vaultDraws.selectVaults(timestamp, state, randao, 128n)
    const atOnce = await vaults()
    assert.deepEqual(
      atOnce.map(({ length }) => length),
      [4, 4, 4],
    )
    await snapshot.restore()
    await expect(vaultDraws.selectVaults(timestamp, state, randao, 3n))
      .to.emit(vaultDraws, 'DrawAdvanced')
      .withArgs(1n, 3n, 3n)
    await expect(vaultDraws.selectVaults(timestamp, state, randao, 3n))
      .to.be.revertedWithCustomError(vaultDraws, 'SeedAlreadyProven')
      .withArgs(7n)
    while ((await vaultDraws.nextDrawId()) <= 3n) await vaultDraws.advance(5n)
    assert.deepEqual(await vaults(), atOnce)
  })

  it('A34 registering, bonding, releasing or leaving after the request does not change a draw', async () => {
    const world = await load()
    const { pools } = world
    const { poolRegistry, blockProducers, addresses, as } = pools
    const draws = blockProducers.connect(await as(addresses.vaultDraws))
    const registry = blockProducers.connect(await as(addresses.poolRegistry))
    const full = [2n, 4n]
    await draws.lockSeats(8n, 0n, full)
    await draws.lockSeats(9n, 0n, full)
    await poolRegistry.requestPool()
    const mix = randomRoot()
    const snapshot = await networkHelpers.takeSnapshot()
    await draw(world, mix)
    const undisturbed = [...(await poolRegistry.vault(1n))]
    assert.deepEqual(undisturbed, first(walk({ mix, poolId: 1n }), full))

    await snapshot.restore()
    await pools.register(eth('2.6'))
    await registry.releaseSeats(8n, 0n, full, 0n)
    await blockProducers.addBond(4n, { value: eth('10') })
    await pools.stakingPool.deposit({ value: eth('50') })
    await pools.bondEther.transfer(addresses.blockProducers, eth('40'))
    await pools.bondEther.connect(await as(addresses.stakingPool)).recognise(eth('3'), 0n)
    const member = world.producers[Number(undisturbed[0]) - 1]
    await blockProducers.connect(await as(member?.owner ?? '')).exit(undisturbed[0] ?? 0n)
    // One whose seats are full is gone, and the next period's list is another, before the draw.
    await blockProducers.connect(await as(addresses.disputes)).slashOut(2n, ZeroAddress)
    await pools.toEpoch(20)
    await pools.periods.freeze(9n)
    assert.notDeepEqual(await pools.periods.listAt(1n, 0n, 8n), await pools.periods.listAt(0n, 0n, 9n))
    await draw(world, mix)
    assert.deepEqual([...(await poolRegistry.vault(1n))], undisturbed)
  })

  it('A34 nobody who knows the seed can pass a place on: by leaving, being forced out, or between two steps of a walk', async () => {
    const world = await load()
    const { pools, producers } = world
    const { poolRegistry, blockProducers, vaultDraws, addresses, as } = pools
    const mix = randomRoot()
    const order = first(walk({ mix, poolId: 1n }))
    const [a = 0n, b = 0n, c = 0n, d = 0n] = order
    const leave = async (id: bigint) => blockProducers.connect(await as(producers[Number(id) - 1]?.owner ?? '')).exit(id)
    // Who left before there was a draw is passed over; it has no part in the game.
    const snapshot = await networkHelpers.takeSnapshot()
    await leave(a)
    await poolRegistry.requestPool()
    await draw(world, mix)
    assert.deepEqual([...(await poolRegistry.vault(1n))], first(walk({ mix, poolId: 1n }), [a]))
    await snapshot.restore()

    await poolRegistry.requestPool()
    const { timestamp, state, randao } = await proveMix(world, { epoch: 7, mix })
    await leave(a)
    await blockProducers.connect(await as(addresses.rewards)).forceOut(b)
    await vaultDraws.selectVaults(timestamp, state, randao, 2n)
    await leave(c)
    await vaultDraws.advance(1n)
    await leave(d)
    await vaultDraws.advance(128n)
    assert.deepEqual([...(await poolRegistry.vault(1n))], order)
    // They have seats like anybody, and their bonds stay until these are handed over and their tails are over.
    for (const id of order) assert.equal((await blockProducers.producer(id)).lockedSeats, eth('1.2'))
    const owner = await as(producers[Number(a) - 1]?.owner ?? '')
    await expect(blockProducers.connect(owner).withdrawBond(a)).to.be.revertedWithCustomError(blockProducers, 'SeatsHeldStill')
    // The next draw has none of them.
    await poolRegistry.requestPool()
    await draw(world, randomRoot())
    assert.deepEqual([...(await poolRegistry.vault(2n))].filter((id) => order.includes(id)).length, 0)
  })

  it('A35 the same vault whoever proves the mix, from whatever block, whenever', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry } = world.pools
    await poolRegistry.requestPool()
    const mix = randomRoot()
    const snapshot = await networkHelpers.takeSnapshot()
    const vaults: bigint[][] = []
    for (const stateEpoch of [8, 9, 40, 70]) {
      const { timestamp, state, randao } = await proveMix(world, { epoch: 7, mix, stateEpoch })
      await vaultDraws
        .connect(await world.pools.as(world.producers[stateEpoch % 9]?.owner ?? ''))
        .selectVaults(timestamp, state, randao, 128n)
      vaults.push([...(await poolRegistry.vault(1n))])
      await snapshot.restore()
    }
    for (const vault of vaults) assert.deepEqual(vault, first(walk({ mix, poolId: 1n })))

    const seeds = await connection.ethers.getContractAt('RandaoSeeds', ZeroAddress)
    const early = await proveMix(world, { epoch: 7, mix, stateEpoch: 7 })
    await expect(vaultDraws.selectVaults(early.timestamp, early.state, early.randao, 128n))
      .to.be.revertedWithCustomError(seeds, 'SeedNotYetKnown')
      .withArgs(7n, 7n)
    const another = await proveMix(world, { epoch: 8, mix, stateEpoch: 9 })
    await expect(vaultDraws.selectVaults(another.timestamp, another.state, another.randao, 128n)).to.be.revertedWithCustomError(
      vaultDraws,
      'LeafNotProven',
    )
  })

  it('A51 a seed left unproven moves to the epoch whose mix took its place, and nobody has a choice', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry, toEpoch } = world.pools
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    const inTime = await proveMix(world, { epoch: 7, stateEpoch: 70 })
    assert.equal(await vaultDraws.seedEpochOf(1n), 7n)
    await toEpoch(71)
    assert.equal(await vaultDraws.seedEpochOf(1n), 71n)
    const seeds = await connection.ethers.getContractAt('RandaoSeeds', ZeroAddress)
    // The old state is still in EIP-4788's ring, but its mix counts no more.
    await expect(vaultDraws.selectVaults(inTime.timestamp, inTime.state, inTime.randao, 128n))
      .to.be.revertedWithCustomError(seeds, 'SeedNotYetKnown')
      .withArgs(71n, 70n)
    const { mix, transaction } = await draw(world)
    await expect(transaction).to.emit(vaultDraws, 'SeedProven').withArgs(7n, 71n, mix)
    for (const poolId of [1n, 2n]) assert.deepEqual([...(await poolRegistry.vault(poolId))], first(walk({ mix, poolId })))
    assert.equal(await vaultDraws.nextDrawId(), 3n)
  })

  it('A51 once proven, the mix is that of all draws of its epoch for ever: waiting for the next to take its place gains nothing', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry, toEpoch } = world.pools
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    const { mix, timestamp, state, randao } = await proveMix(world, { epoch: 7 })
    await vaultDraws.selectVaults(timestamp, state, randao, 1n)
    await toEpoch(73)
    const later = await proveMix(world, { epoch: 71 })
    await expect(vaultDraws.selectVaults(later.timestamp, later.state, later.randao, 128n)).to.be.revertedWithCustomError(
      vaultDraws,
      'SeedAlreadyProven',
    )
    await vaultDraws.advance(128n)
    for (const poolId of [1n, 2n]) assert.deepEqual([...(await poolRegistry.vault(poolId))], first(walk({ mix, poolId })))
  })

  it('A51 a draw that can not be filled is cancelled, locks nothing and holds nobody up', async () => {
    const world = await load()
    const { vaultDraws, poolRegistry, blockProducers, stakingPool, addresses, as } = world.pools
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    const disputes = blockProducers.connect(await as(addresses.disputes))
    for (let id = 4n; id <= 9n; id++) await disputes.slashOut(id, ZeroAddress)
    assert.equal(await stakingPool.reserved(), eth('64'))
    const { transaction } = await draw(world)
    for (const id of [1n, 2n]) {
      await expect(transaction).to.emit(vaultDraws, 'DrawCancelled').withArgs(id, id, 3n, 4n)
      await expect(transaction).to.emit(poolRegistry, 'PoolCancelled').withArgs(id)
      assert.equal((await poolRegistry.pool(id)).state, 7n)
    }
    assert.equal(await stakingPool.reserved(), 0n)
    assert.equal((await blockProducers.seats()).locked, 0n)
    assert.equal(await vaultDraws.nextDrawId(), 3n)
  })

  it('A51 a list shorter than a vault cancels too', async () => {
    const pools = await openPools(connection, { ...SMALL, minProducers: 4n })
    for (let i = 0; i < 4; i++) await pools.register(eth('2.6'))
    await pools.blockProducers.connect(await pools.as(pools.addresses.disputes)).slashOut(4n, ZeroAddress)
    await pools.register(eth('2.6'))
    await pools.toEpoch(5)
    await pools.stakingPool.deposit({ value: eth('64') })
    await pools.poolRegistry.requestPool()
    await draw({ pools, prover })
    assert.equal((await pools.poolRegistry.pool(1n)).state, 2n)
  })
})

describe('VaultDraws: large lists', () => {
  const late = new BeaconProver()
  after(() => late.close())

  it('A36 walks a long list over several transactions to the same vault, none above 16,777,216 gas', async function () {
    this.timeout(600_000)
    // Bonds so small that all together pay for no bond pool.
    const tiny = { seatAllocation: eth('0.08'), effectiveStake: eth('0.16'), stallPenalty: eth('0.01'), reporterFee: eth('0.01') }
    const pools = await openPools(connection, { ...tiny, vaultSize: 24n, minProducers: 48n, maxChurn: 64n, firstPeriod: 12n })
    for (let i = 0; i < 140; i++) await pools.register(eth('0.17'))
    await pools.toEpoch(12)
    await pools.stakingPool.deposit({ value: eth('64') })
    const note = async (transaction: { wait: () => Promise<{ gasUsed: bigint } | null> }, name: string) => {
      const used = (await transaction.wait())?.gasUsed ?? 0n
      withinGas(used, 16_777_216n, name)
    }
    await note(await pools.periods.freeze(1n), 'freeze, 128 joins')
    await note(await pools.periods.freeze(1n), 'freeze, 12 joins')
    assert.equal(await pools.periods.sizeAt(0n), 140n)
    await note(await pools.poolRegistry.requestPool(), 'requestPool')
    const mix = randomRoot()
    const order = walk({ mix, poolId: 1n, size: 140 })
    // All but the last 24 of the walk are full.
    const draws = pools.blockProducers.connect(await pools.as(pools.addresses.vaultDraws))
    const full = order.slice(0, 116).map((position) => BigInt(position + 1))
    await draws.lockSeats(8n, 0n, full)
    await draws.lockSeats(9n, 0n, full)
    const { timestamp, state, randao } = await proveMix({ pools, prover: late }, { epoch: 14, mix })
    assert.equal((await pools.vaultDraws.draw(1n)).seedEpoch, 14n)
    await note(await pools.vaultDraws.selectVaults(timestamp, state, randao, 999n), 'selectVaults, 128 positions')
    await note(await pools.vaultDraws.advance(5n), 'advance, 5 positions')
    await note(await pools.vaultDraws.advance(999n), 'advance, 7 positions and 24 locks')
    const expected = order.slice(116).map((position) => BigInt(position + 1))
    assert.deepEqual([...(await pools.poolRegistry.vault(1n))], expected)
  })
})

describe('VaultDraws: many draws at once', () => {
  const third = new BeaconProver()
  after(() => third.close())

  it('A36 as many vaults as one call may fill stay under 16,777,216 gas', async () => {
    const tiny = { seatAllocation: eth('0.08'), effectiveStake: eth('0.16'), stallPenalty: eth('0.01'), reporterFee: eth('0.01') }
    const pools = await openPools(connection, tiny)
    for (let i = 0; i < 9; i++) await pools.register(eth('1.5'))
    await pools.toEpoch(5)
    await pools.stakingPool.deposit({ value: eth('960') })
    for (let i = 0; i < 25; i++) await pools.poolRegistry.requestPool()
    const { transaction } = await draw({ pools, prover: third })
    const gasUsed = (await transaction.wait())?.gasUsed ?? 0n
    const filled = Number(await pools.vaultDraws.nextDrawId()) - 1
    assert.ok(filled >= 14, `${filled} vaults`)
    withinGas(gasUsed, 16_777_216n, `${filled} vaults`)
    if (filled < 25) await pools.vaultDraws.advance(999n)
    assert.equal(await pools.vaultDraws.nextDrawId(), 26n)
  })
})
