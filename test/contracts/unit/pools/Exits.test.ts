import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { toRoot } from '../../../../operator/core/parse.ts'
import { seedOf, shuffledIndex } from '../../../../operator/protocol/shuffle.ts'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type Pool, startLife } from '../../../support/network-life.ts'
import { BOND, STAKER } from '../../../support/network-reports.ts'
import { ask, EPOCH_SECONDS, life, liquidate, refused, useNetwork } from './Exits.support.ts'

const VECTOR = 64

/** EIP-7825: most gas of a transaction. */
const MAX_TRANSACTION_GAS = 16_777_216n

describe('Exits', function () {
  this.timeout(600_000)
  useNetwork()

  describe('demand', () => {
    it('is what neither the buffer, the vaults, exits nor a pending draw will pay', async () => {
      const free = await life.stakingPool.unreserved()
      await ask('60')
      const demand = await life.withdrawalQueue.demand()
      expect(await life.exits.unmetDemand()).to.equal(demand - free)
      await life.arrive(STAKER, parseEther('1'))
      await life.arrive(BOND, parseEther('2'))
      expect(await life.exits.unmetDemand()).to.equal(demand - free - parseEther('3'))
      await life.exits.requestLiquidation()
      expect((await life.exits.draw(1)).stakerCount).to.equal(2n)
      expect(await life.exits.unmetDemand()).to.equal(0n)
      await ask('30')
      const left = (await life.withdrawalQueue.demand()) - free - parseEther('67')
      expect(await life.exits.unmetDemand()).to.equal(left)
      await life.drawLiquidation()
      expect(await life.exits.unmetDemand()).to.equal(left)
    })

    it('below the threshold waits until it has waited too long', async () => {
      await refused(life.exits.requestLiquidation(), 'NoUnmetDemand')
      const free = await life.stakingPool.unreserved()
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, parseEther('60'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(free + parseEther('0.5'))
      await refused(life.exits.requestLiquidation(), 'NoUnmetDemand')
      const oldest = Number(await life.withdrawalQueue.oldestRequestedAt())
      await life.networkHelpers.time.increaseTo(oldest + 4 * EPOCH_SECONDS - 2)
      await refused(life.exits.requestLiquidation(), 'NoUnmetDemand')
      await life.networkHelpers.time.increaseTo(oldest + 4 * EPOCH_SECONDS)
      await expect(life.exits.requestLiquidation())
        .to.emit(life.exits, 'LiquidationRequested')
        .withArgs(1, 1, () => true)
      expect((await life.exits.draw(1)).stakerCount).to.equal(1n)
    })

    it('draws as many pools as it takes, and none more', async () => {
      const alice = at(life.people, 0)
      const free = await life.stakingPool.unreserved()
      await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('100'))
      await life.withdrawalQueue.connect(alice).requestWithdrawal(free + parseEther('32'))
      expect(await life.exits.unmetDemand()).to.equal(parseEther('32'))
      const drawn = () => life.exits.requestLiquidation().then(async () => life.exits.draw(1))
      const keep = await life.networkHelpers.takeSnapshot()
      const exact = await drawn()
      expect(exact.stakerCount + exact.bondCount).to.equal(1n)
      await keep.restore()
      await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('0.01'))
      const beyond = await drawn()
      expect(beyond.stakerCount + beyond.bondCount).to.equal(2n)
    })

    it('has one draw at a time, and none without pools', async () => {
      await ask('60')
      await life.exits.requestLiquidation()
      await refused(life.exits.requestLiquidation(), 'DrawPending')
      const empty = await startLife(await network.create())
      await empty.startPeriod(0)
      await empty.stakingPool.connect(at(empty.people, 0)).deposit({ value: parseEther('40') })
      await empty.requestPool()
      await empty.bondEther.connect(at(empty.people, 0)).approve(empty.withdrawalQueue, parseEther('39'))
      // The bonds' 41 ETH and the 40 are reserved for two pools, but for 17.
      await empty.requestPool()
      await empty.withdrawalQueue.connect(at(empty.people, 0)).requestWithdrawal(parseEther('39'))
      await expect(empty.exits.requestLiquidation()).to.be.revertedWithCustomError(empty.exits, 'NothingToLiquidate')
      await empty.prover.close()
    })

    it('takes bond pools first when the bonds no longer pay for them', async () => {
      const disputes = await life.as(life.addresses.disputes)
      for (const { id } of life.producers.slice(0, 3)) await life.blockProducers.connect(disputes).slashOut(id, at(life.people, 4))
      const drawn = await liquidate()
      expect(drawn.map(({ kind }) => kind)).to.deep.equal([STAKER, BOND])
    })

    it('takes bond pools also when the staker pools are too few', async () => {
      const bob = at(life.people, 1)
      await life.stakingPool.connect(bob).deposit({ value: parseEther('30') })
      await life.requestPool() // reserves 32 ETH of the buffer
      await life.bondEther.connect(bob).approve(life.withdrawalQueue, parseEther('30'))
      await life.withdrawalQueue.connect(bob).requestWithdrawal(parseEther('29'))
      expect((await liquidate('137')).map(({ kind }) => kind)).to.deep.equal([STAKER, STAKER, STAKER, STAKER, BOND])
    })
  })

  describe('the draw', () => {
    it('A34 is of the pools that were active when it was requested, whatever is funded meanwhile', async () => {
      await life.stakingPool.connect(at(life.people, 1)).deposit({ value: parseEther('64') })
      const registered: Pool[] = []
      for (let i = 0; i < 2; i++) {
        const poolId = await life.requestPool()
        await life.drawVault(poolId)
        registered.push(await life.completeDkg(poolId))
      }
      await ask('60')
      await life.exits.requestLiquidation()
      const active: bigint[] = []
      for (let i = 0; i < 4; i++) active.push(await life.poolRegistry.activeAt(STAKER, i))
      const { seedEpoch } = await life.exits.draw(1)
      const seed = await life.seedAfter(Number(seedEpoch))
      const expected = [0, 1].map((place) =>
        at(active, shuffledIndex(place, active.length, seedOf(toRoot(seed.randao.mix), { kind: 'liquidation', n: 1n }))),
      )
      const alone = await life.checkpoint()
      await life.exits.drawLiquidation(1, seed.timestamp, seed.state, seed.randao)
      expect(await drawnOf(1)).to.deep.equal(expected)

      await alone()
      // Whoever knows the mix by now can fund a pool: it is in the list, and not in the draw.
      for (const pool of registered) await life.fund(pool)
      expect(await life.poolRegistry.activeCount(STAKER)).to.equal(6n)
      const later = await life.stateAt((Number(seedEpoch) + 3) * SLOTS_PER_EPOCH, Number(seedEpoch))
      await life.exits.drawLiquidation(1, later.timestamp, later.proven.state, at(later.proven.mixes, 0))
      expect(await drawnOf(1)).to.deep.equal(expected)
    })

    it('A35 has one seed: no state up to its epoch, none from where the vector has come round', async () => {
      await ask('60')
      await life.exits.requestLiquidation()
      const { seedEpoch } = await life.exits.draw(1)
      const epoch = Number(seedEpoch)
      await life.toEpoch(epoch + 2)
      const early = await life.stateAt((epoch + 1) * SLOTS_PER_EPOCH - 1, epoch)
      await refused(life.exits.drawLiquidation(1, early.timestamp, early.proven.state, at(early.proven.mixes, 0)), 'SeedNotYetKnown')
      const other = await life.stateAt((epoch + 1) * SLOTS_PER_EPOCH, epoch - 1)
      await refused(life.exits.drawLiquidation(1, other.timestamp, other.proven.state, at(other.proven.mixes, 0)), 'LeafNotProven')

      // Once the vector has come round the next epoch in the same place counts, though an old state may still be provable.
      await life.toEpoch(epoch + VECTOR)
      expect(await life.exits.seedEpochOf(1)).to.equal(BigInt(epoch + VECTOR))
      const old = await life.stateAt((epoch + VECTOR) * SLOTS_PER_EPOCH - 1, epoch)
      await refused(life.exits.drawLiquidation(1, old.timestamp, old.proven.state, at(old.proven.mixes, 0)), 'SeedNotYetKnown')
      const next = await life.seedAfter(epoch + VECTOR)
      await life.exits.drawLiquidation(1, next.timestamp, next.state, next.randao)
      expect(await drawnOf(1)).to.have.length(2)
    })

    it('happens once, and only when requested', async () => {
      await ask('60')
      await life.exits.requestLiquidation()
      const seed = await life.seedAfter(Number((await life.exits.draw(1)).seedEpoch))
      const draw = (id: number) => life.exits.drawLiquidation(id, seed.timestamp, seed.state, seed.randao)
      await refused(draw(0), 'OutOfOrder')
      await refused(draw(2), 'OutOfOrder')
      await draw(1)
      await refused(draw(1), 'OutOfOrder')
    })

    it('gives each vault the same time', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const { deadline, drawnAt } = await life.exits.exit(pool.id)
      expect(deadline).to.equal(BigInt((await life.epochNow()) + 8))
      expect(drawnAt).to.equal(BigInt(await life.networkHelpers.time.latest()))
    })

    const drawnOf = async (drawId: number) =>
      (await life.exits.queryFilter(life.exits.filters.LiquidationDrawn(drawId))).map(({ args }) => args.poolId)
  })
})

describe('Exits: the largest draw', function () {
  this.timeout(600_000)

  it('A36 stays under the gas limit of a transaction, and the next one takes what it left', async () => {
    const life = await startLife(await network.create(), {
      seatAllocation: parseEther('0.01'),
      stallPenalty: parseEther('0.01'),
      reporterFee: parseEther('0.01'),
    })
    const most = Number(await life.exits.MAX_DRAWN())
    const alice = at(life.people, 0)
    await life.startPeriod(0)
    await life.stakingPool.connect(alice).deposit({ value: parseEther('32') * BigInt(most + 2) })
    for (let i = 0; i < most + 3; i++) await life.makePool()
    const all = await life.bondEther.balanceOf(alice)
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, all)
    await life.withdrawalQueue.connect(alice).requestWithdrawal(all)
    await life.exits.requestLiquidation()
    expect((await life.exits.draw(1)).stakerCount).to.equal(BigInt(most))

    const seed = await life.seedAfter(Number((await life.exits.draw(1)).seedEpoch))
    const receipt = await (await life.exits.drawLiquidation(1, seed.timestamp, seed.state, seed.randao)).wait()
    withinGas(receipt?.gasUsed, MAX_TRANSACTION_GAS)

    expect(await life.poolRegistry.exitingCount()).to.equal(BigInt(most))
    await life.exits.requestLiquidation()
    expect((await life.exits.draw(2)).stakerCount).to.equal(2n)
    await life.prover.close()
  })
})
