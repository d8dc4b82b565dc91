import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { BOND, STAKER } from '../../../support/network-reports.ts'
import { openPools } from '../../../support/open-pools.ts'

const ETH = parseEther('1')
const FOREVER = 2n ** 256n - 1n

describe('NetworkViews', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let made: Pool[]
  let restore: () => Promise<void>
  const connection = network.create()

  before(async () => {
    life = await startLife(await connection)
    await life.startPeriod(0)
    await life.stakingPool.connect(alice()).deposit({ value: 70n * ETH })
    await life.stakingPool.connect(bob()).deposit({ value: 2n * ETH })
    made = [await life.makePool(), await life.makePool()]
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const alice = () => at(life.people, 0)
  const bob = () => at(life.people, 1)

  it('shows a staker', async () => {
    const { views, bondEther, wrappedBondEther, withdrawalQueue, cdt } = life
    await bondEther.connect(alice()).approve(wrappedBondEther, FOREVER)
    await bondEther.connect(alice()).approve(withdrawalQueue, FOREVER)
    await wrappedBondEther.connect(alice()).deposit(10n * ETH, alice())
    await withdrawalQueue.connect(alice()).requestWithdrawal(3n * ETH)
    await cdt.connect(await life.as(life.addresses.rewards)).mint(alice(), 5n * ETH)
    const seen = await views.staker(alice())
    expect(seen.ethBalance).to.equal(await (await connection).ethers.provider.getBalance(alice()))
    expect(seen.bondEther).to.equal(57n * ETH)
    expect(seen.shares).to.equal(await bondEther.sharesOf(alice()))
    expect(seen.wrapped).to.equal(10n * ETH)
    expect(seen.wrappedWorth).to.equal(10n * ETH)
    expect(seen.openRequests).to.equal(1n)
    expect(seen.cdt).to.equal(5n * ETH)
    expect(seen.windDownUnits).to.equal(0n)
    expect(seen.windDownClaimable).to.equal(0n)
  })

  it("pages a staker's requests by id", async () => {
    const { views, bondEther, withdrawalQueue } = life
    for (const who of [alice(), bob()]) await bondEther.connect(who).approve(withdrawalQueue, FOREVER)
    for (const who of [alice(), bob(), alice(), alice()]) await withdrawalQueue.connect(who).requestWithdrawal(ETH / 2n)
    const [first, next] = await views.requestsOf(alice(), 0, 3)
    expect(first.map(({ requestId }) => requestId)).to.deep.equal([1n, 3n])
    expect(first[0]?.request.amount).to.equal(ETH / 2n)
    expect(next).to.equal(4n)
    const [second, end] = await views.requestsOf(alice(), next, 3)
    expect(second.map(({ requestId }) => requestId)).to.deep.equal([4n])
    expect(end).to.equal(0n)
    const [none, over] = await views.requestsOf(alice(), 5, FOREVER)
    expect([none.length, over]).to.deep.equal([0, 0n])
    const [all] = await views.requestsOf(bob(), 1, FOREVER)
    expect(all.map(({ requestId }) => requestId)).to.deep.equal([2n])
    await life.finalize(await life.reportNow())
    await withdrawalQueue.connect(alice()).claimWithdrawal(1)
    const [left] = await views.requestsOf(alice(), 1, 10)
    expect(left.map(({ requestId, request }) => [requestId, request.claimable > 0n])).to.deep.equal([
      [3n, true],
      [4n, true],
    ])
  })

  it('pages CDT positions', async () => {
    const { views, cdt, cdtStaking } = life
    await cdt.connect(await life.as(life.addresses.rewards)).mint(bob(), 5n * ETH)
    await cdt.connect(bob()).approve(cdtStaking, FOREVER)
    for (const amount of [ETH, 2n * ETH]) await cdtStaking.connect(bob()).lock(amount)
    const items = await views.locksOf(bob(), 0, 10)
    expect(items.map(({ positionId, position }) => [positionId, position.amount])).to.deep.equal([
      [1n, ETH],
      [2n, 2n * ETH],
    ])
    expect((await views.locksOf(bob(), 1, 1)).length).to.equal(1)
    expect((await views.locksOf(alice(), 0, 10)).length).to.equal(0)
  })

  it('shows a producer, with its place in the committee', async () => {
    const { views, blockProducers, periods } = life
    const id = at(life.producers, 0).id
    const seen = await views.producerPosition(id)
    expect(seen.producer.owner).to.equal(at(life.producers, 0).owner)
    expect(seen.bondValue).to.equal(await blockProducers.bondValue(id))
    expect(seen.seats).to.equal(await blockProducers.seatCount(id))
    expect([seen.debt, seen.settledThrough, seen.ownerCdt]).to.deep.equal([0n, 0n, 0n])
    expect(seen.isUndercollateralized).to.equal(false)
    const [committee] = await periods.committee(await periods.currentPeriod())
    expect(seen.period).to.equal(await periods.currentPeriod())
    for (const producer of life.producers) {
      const { committeePlace } = await views.producerPosition(producer.id)
      expect(committeePlace).to.equal(BigInt(committee.indexOf(producer.id) + 1))
    }
    expect(committee.length).to.be.greaterThan(0)
  })

  it('shows seats where they are, in the order of the vault', async () => {
    const { views, poolRegistry } = life
    const poolCount = Number(await poolRegistry.poolCount())
    for (const { id } of life.producers) {
      const due: [bigint, bigint][] = []
      for (let pool = 1n; pool <= BigInt(poolCount); pool++) {
        const place = (await poolRegistry.vault(pool)).indexOf(id)
        if (place >= 0) due.push([pool, BigInt(place + 1)])
      }
      const [one, next] = await views.seatsOf(id, 1, 1)
      const [rest, end] = await views.seatsOf(id, next, 10)
      expect([...one, ...rest].map(({ poolId, index }) => [poolId, index])).to.deep.equal(due)
      expect([next, end]).to.deep.equal([2n, 0n])
    }
  })

  it('shows every tail of who has come and gone more than once', async () => {
    const { views, poolRegistry, blockProducers, addresses, as } = life
    const vault = await poolRegistry.vault(1n)
    const { id } = at(
      life.producers.filter((each) => !vault.includes(each.id)),
      0,
    )
    const draws = blockProducers.connect(await as(addresses.vaultDraws))
    const registry = blockProducers.connect(await as(addresses.poolRegistry))
    const now = BigInt(await life.networkHelpers.time.latest())
    const before = (await views.seatsOf(id, 1, 1)).items.length
    for (const from of [now + 60n, now + 120n]) {
      await draws.lockSeats(1n, STAKER, [id])
      await registry.releaseSeats(1n, STAKER, [id], from)
    }
    await draws.lockSeats(1n, STAKER, [id])
    const { items } = await views.seatsOf(id, 1, 1)
    const tail = life.parameters.seatTail * life.parameters.slotsPerEpoch * life.parameters.secondsPerSlot
    expect(items.length).to.equal(before + 3)
    expect(items.map(({ until }) => until)).to.deep.equal([now + 60n + tail, now + 120n + tail, 0n])
  })

  it('shows pools, alone and by pages', async () => {
    const { views, poolRegistry, exits } = life
    const pool = at(made, 1)
    const seen = await views.poolPosition(pool.id)
    expect(seen.poolId).to.equal(pool.id)
    expect(seen.pool.publicKey).to.equal((await poolRegistry.pool(pool.id)).publicKey)
    expect([...seen.vault]).to.deep.equal([...(await poolRegistry.vault(pool.id))])
    expect(seen.holders.map(({ producerId }) => producerId)).to.have.members([...seen.vault])
    expect(seen.exit.drawnAt).to.equal((await exits.exit(pool.id)).drawnAt)
    const [first, next] = await views.pools(1, 1)
    const [rest, end] = await views.pools(next, 100)
    expect([...first, ...rest].map(({ poolId }) => poolId)).to.deep.equal([1n, 2n])
    expect(end).to.equal(0n)
  })

  it('shows the network', async () => {
    const { views, bondEther, stakingPool, withdrawalQueue, stateCommitments, blockProducers, periods } = life
    await bondEther.connect(alice()).approve(withdrawalQueue, FOREVER)
    await withdrawalQueue.connect(alice()).requestWithdrawal(60n * ETH)
    const id = await life.reportNow()
    let seen = await views.network()
    expect(seen.nextToFinalize).to.equal(id)
    expect(seen.commitments).to.equal(await stateCommitments.commitmentCount())
    expect(seen.demand).to.equal(60n * ETH)
    await life.finalize(id)
    seen = await views.network()
    const { number: block } = (await (await connection).ethers.provider.getBlock('latest')) ?? { number: 0 }
    expect(block).to.be.greaterThan(0)
    expect(seen.totalPooledEther).to.equal(await bondEther.totalPooledEther())
    expect(seen.totalShares).to.equal(await bondEther.totalShares())
    expect(seen.rewardsIndex).to.equal(await bondEther.rewardsIndex())
    expect(seen.coverShares).to.equal(await bondEther.coverShares())
    expect([seen.buffered, seen.reserved]).to.deep.equal([await stakingPool.buffered(), await stakingPool.reserved()])
    expect(seen.unmetDemand).to.equal(await life.exits.unmetDemand())
    expect([seen.lastRequestId, seen.lastFinalizedId]).to.deep.equal([1n, await withdrawalQueue.lastFinalizedId()])
    expect(seen.oldestRequestedAt).to.equal(await withdrawalQueue.oldestRequestedAt())
    expect(seen.withdrawalsHeld).to.equal(false)
    expect(seen.pools).to.equal(2n)
    expect(seen.activeStakerPools + seen.activeBondPools).to.equal(2n)
    expect(seen.activeBondPools).to.equal(await life.poolRegistry.activeCount(BOND))
    expect(seen.activeStakerPools).to.equal(await life.poolRegistry.activeCount(STAKER))
    expect(seen.exitingPools).to.equal(0n)
    expect(seen.producers).to.equal(BigInt(life.producers.length))
    expect(seen.bonds).to.equal(await blockProducers.totalBondValue())
    expect([seen.seats, seen.lockedSeats]).to.deep.equal([...(await blockProducers.seats())])
    expect(seen.periodsStarted).to.equal(true)
    expect(seen.period).to.equal(await periods.currentPeriod())
    const epoch = BigInt(Math.floor(await life.epochNow()))
    expect(seen.epoch).to.equal(epoch)
    const grid = BigInt(life.parameters.reportEpochs)
    expect(seen.nextReportEpoch)
      .to.be.greaterThan(epoch)
      .and.lessThanOrEqual(epoch + grid)
    expect(seen.nextReportEpoch % grid).to.equal(0n)
    expect(seen.lastFinalizedReference).to.equal(await stateCommitments.lastFinalizedReference())
    expect(seen.recognisedProfit).to.equal((await stakingPool.recognised(STAKER)) + (await stakingPool.recognised(BOND)))
    expect([seen.cdtSupply, seen.cdtLocked, seen.heldFeeShares]).to.deep.equal([0n, 0n, 0n])
    expect(seen.woundDown).to.equal(false)
    expect(seen.windDownStartableAt).to.equal(await life.windDown.startableAt())
  })

  it('shows a network that is wound down', async () => {
    const { views, windDown, bondEther, withdrawalQueue, exits } = life
    await bondEther.connect(alice()).approve(withdrawalQueue, FOREVER)
    await withdrawalQueue.connect(alice()).requestWithdrawal(60n * ETH)
    await (await connection).networkHelpers.time.setNextBlockTimestamp((await windDown.startableAt()) + 1n)
    await windDown.start()
    await bondEther.connect(alice()).approve(windDown, FOREVER)
    await windDown.connect(alice()).redeem(1_000_000n)
    await windDown.gather()
    expect((await views.network()).woundDown).to.equal(true)
    // The request waits for ETH that no draw will bring.
    expect(await exits.unmetDemand()).to.be.greaterThan(0n)
    expect((await views.network()).unmetDemand).to.equal(0n)
    const seen = await views.staker(alice())
    expect(seen.windDownUnits).to.equal(1_000_000n)
    expect(seen.windDownClaimable)
      .to.equal(await windDown.claimable(alice()))
      .and.to.be.greaterThan(0n)
  })

  it('shows a network that has not begun, and refuses a deployment with an address missing', async () => {
    const fresh = await network.create()
    const pools = await openPools(fresh)
    const seen = await pools.views.network()
    expect(seen.periodsStarted).to.equal(false)
    expect([seen.pools, seen.producers, seen.listSize, seen.lastRequestId]).to.deep.equal([0n, 0n, 0n, 0n])
    const { id } = await pools.register()
    expect((await pools.views.producerPosition(id)).committeePlace).to.equal(0n)
    const [items, next] = await pools.views.pools(1, 10)
    expect([items.length, next]).to.deep.equal([0, 0n])
    const changed = { ...pools.addresses, rewards: ZeroAddress }
    await expect(fresh.ethers.deployContract('NetworkViews', [changed, pools.parameters])).to.be.revert(fresh.ethers)
  })
})
