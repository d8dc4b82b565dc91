import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../support/at.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../support/network-life.ts'

describe('Life of a network', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pools: Pool[]

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
  })
  after(() => life.prover.close())

  it('turns deposits into a bond pool and two staker pools', async () => {
    const [alice, bob] = [at(life.people, 0), at(life.people, 1)]
    await life.stakingPool.connect(alice).deposit({ value: parseEther('50') })
    await life.stakingPool.connect(bob).deposit({ value: parseEther('14') })
    pools = [await life.makePool(), await life.makePool(), await life.makePool()]
    expect(pools.map(({ kind }) => kind)).to.deep.equal([1, 0, 0])
    expect(await life.poolRegistry.activeCount(0)).to.equal(2n)
  })

  it('reports rewards, and every balance grows', async () => {
    const alice = at(life.people, 0)
    const before = await life.bondEther.balanceOf(alice)
    for (const pool of pools) life.change(pool, { balance: FULL + 10_000_000 })
    const id = await life.reportNow()
    const made = await life.stateCommitments.commitment(id)
    expect(made.stakerProfit).to.equal(parseEther('0.02'))
    expect(made.bondProfit).to.equal(parseEther('0.01'))
    await life.finalize(id)
    expect(await life.bondEther.balanceOf(alice)).to.be.greaterThan(before)
    expect(await life.stakingPool.recognised(0)).to.equal(parseEther('0.02'))
  })

  it('liquidates a pool for a withdrawal that the buffer cannot pay', async () => {
    const alice = at(life.people, 0)
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('45'))
    await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('45'))
    const demand = await life.withdrawalQueue.demand()
    expect(await life.exits.unmetDemand()).to.equal(demand - (await life.stakingPool.unreserved()))
    await life.exits.requestLiquidation()
    expect(await life.exits.unmetDemand()).to.equal(0n)
    const drawn = await life.drawLiquidation()
    expect(drawn).to.have.length(2)
    expect(await life.poolRegistry.exitingCount()).to.equal(2n)
  })

  it('forces the exit of a vault that does not sign, proves its stall, and closes the pools', async () => {
    const keeper = at(life.people, 5)
    const going = pools.filter(({ kind }) => kind === 0)
    const { deadline } = await life.exits.exit(at(going, 0).id)
    await life.toEpoch(Number(deadline) + 1)
    for (const pool of going) {
      const stalled = await life.proveValidator(pool)
      await life.exits.connect(keeper).forceExit(pool.id, { value: parseEther('1') })
      await life.exits.proveStall(pool.id, stalled.timestamp, stalled.state, stalled.validator)
    }
    expect(await life.bondEther.balanceOf(keeper)).to.be.greaterThan(0n)

    const epoch = await life.epochNow()
    for (const pool of going) {
      life.change(pool, { balance: 0, effectiveBalance: 0, exitEpoch: epoch, withdrawableEpoch: epoch })
      await life.arrive(0, parseEther('32.01'))
      const gone = await life.proveValidator(pool)
      await life.exits.closePool(pool.id, gone.timestamp, gone.state, gone.validator, gone.balance)
    }
    expect(await life.poolRegistry.exitingCount()).to.equal(0n)
  })

  it('counts what came back as principal, finalizes the request and pays the claim', async () => {
    const alice = at(life.people, 0)
    const index = await life.bondEther.rewardsIndex()
    const id = await life.reportNow()
    expect((await life.stateCommitments.commitment(id)).stakerProfit).to.equal(parseEther('0.02'))
    await life.finalize(id)
    // What a redemption rounds is worth less than a wei.
    expect(await life.bondEther.rewardsIndex()).to.be.closeTo(index, 10n ** 6n)
    expect(await life.stakingPool.collected(0)).to.equal(parseEther('64.02'))
    const { claimable } = await life.withdrawalQueue.request(1)
    expect(claimable).to.be.closeTo(parseEther('45'), 2n)
    await expect(life.withdrawalQueue.connect(alice).claimWithdrawal(1)).to.changeEtherBalance(life.ethers, alice, claimable)
  })
})
