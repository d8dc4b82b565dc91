import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import type { NetworkConnection } from 'hardhat/types/network'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'
import { openPools } from '../../../support/open-pools.ts'
import { signPermit } from '../../../support/permit.ts'

const ETH = parseEther('1')
const WAIT_SECONDS = 1_024n * BigInt(SLOTS_PER_EPOCH) * 60n
const FOREVER = 2n ** 256n - 1n

describe('WindDown', function () {
  this.timeout(600_000)
  let connection: NetworkConnection
  let life: NetworkLife
  let pool: Pool
  let restore: () => Promise<void>

  before(async () => {
    connection = await network.create()
    life = await startLife(connection)
    await life.startPeriod(0)
    await life.stakingPool.connect(alice()).deposit({ value: 40n * ETH })
    await life.stakingPool.connect(bob()).deposit({ value: 20n * ETH })
    pool = await life.makePool()
    for (const who of [alice(), bob()]) {
      await life.bondEther.connect(who).approve(life.windDown, FOREVER)
      await life.bondEther.connect(who).approve(life.withdrawalQueue, FOREVER)
    }
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const alice = () => at(life.people, 0)
  const bob = () => at(life.people, 1)
  const carol = () => at(life.people, 2)
  const refused = (call: Promise<unknown>, contract: Parameters<Chai.Assertion['revertedWithCustomError']>[0], error: string) =>
    expect(call).to.be.revertedWithCustomError(contract, error)
  const next = (timestamp: bigint) => connection.networkHelpers.time.setNextBlockTimestamp(timestamp)
  const wait = async () => next((await life.windDown.startableAt()) + 1n)
  const end = async () => {
    await wait()
    await life.windDown.connect(carol()).start()
  }
  const balanceOf = (address: string) => connection.ethers.provider.getBalance(address)

  it('A47 starts neither early nor twice, by anyone', async () => {
    const { windDown, stakingPool } = life
    const since = await stakingPool.firstBeaconDepositAt()
    expect(since).to.be.greaterThan(0n)
    expect(await windDown.startableAt()).to.equal(since + WAIT_SECONDS)
    await next(since + WAIT_SECONDS - 1n)
    await expect(windDown.start())
      .to.be.revertedWithCustomError(windDown, 'TooEarly')
      .withArgs(since + WAIT_SECONDS, since + WAIT_SECONDS - 1n)
    expect(await windDown.started()).to.equal(false)
    await next(since + WAIT_SECONDS)
    await expect(windDown.connect(carol()).start())
      .to.emit(windDown, 'WindDownStarted')
      .withArgs(since, await life.bondEther.totalShares())
    await refused(windDown.start(), windDown, 'AlreadyStarted')
  })

  it('A47 a finalized report puts it off', async () => {
    await life.finalize(await life.reportNow())
    const last = await life.stakingPool.lastReportAt()
    expect(last).to.equal(BigInt(await life.now()))
    expect(await life.windDown.startableAt()).to.equal(last + WAIT_SECONDS)
    await next(last + WAIT_SECONDS - 1n)
    await refused(life.windDown.start(), life.windDown, 'TooEarly')
  })

  it('A47 counts from the first period when no pool was ever funded: deposits without producers are not lost', async () => {
    const fresh = await network.create()
    const pools = await openPools(fresh)
    const first = BigInt(pools.timeOfSlot(Number(pools.parameters.firstPeriod) * SLOTS_PER_EPOCH))
    expect(await pools.windDown.startableAt()).to.equal(first + WAIT_SECONDS)
    const staker = at(pools.people, 0)
    await pools.stakingPool.connect(staker).deposit({ value: ETH })
    await fresh.networkHelpers.time.setNextBlockTimestamp(first + WAIT_SECONDS)
    await pools.windDown.start()
    await pools.bondEther.connect(staker).approve(pools.windDown, FOREVER)
    await pools.windDown.connect(staker).redeem(await pools.bondEther.sharesOf(staker))
    await pools.windDown.gather()
    await expect(pools.windDown.connect(staker).claim()).to.changeEtherBalance(fresh.ethers, staker, ETH)
  })

  it('does nothing before', async () => {
    const { windDown } = life
    await refused(windDown.forceExit(pool.id, { value: 1n }), windDown, 'NotStarted')
    await refused(windDown.gather(), windDown, 'NotStarted')
    await refused(windDown.connect(alice()).redeem(1n), windDown, 'NotStarted')
    await refused(
      windDown.connect(alice()).redeemWithPermit(1n, 1n, 1n, 27, `0x${'11'.repeat(32)}`, `0x${'11'.repeat(32)}`),
      windDown,
      'NotStarted',
    )
    await refused(windDown.claim(), windDown, 'NotStarted')
    await refused(life.stakingPool.close(), life.stakingPool, 'NotWindDown')
    await refused(life.stakingPool.sweep(), life.stakingPool, 'NotWindDown')
    await life.withdrawalQueue.connect(alice()).requestWithdrawal(ETH)
    await refused(life.withdrawalQueue.connect(alice()).takeBack(1n), life.withdrawalQueue, 'NotWoundDown')
  })

  it('A47 ends deposits, bonds, pools, commitments, reports and payments, for ever', async () => {
    const { stakingPool, stateCommitments, withdrawalQueue } = life
    await withdrawalQueue.connect(alice()).requestWithdrawal(ETH)
    const pending = await life.reportNow()
    const draft = await life.draftReport({ epoch: Math.floor(await life.epochNow()) })
    await end()
    await refused(life.commit(draft), stateCommitments, 'WoundDown')
    await refused(stateCommitments.finalizeState(pending), stakingPool, 'WoundDown')
    await refused(stakingPool.connect(alice()).deposit({ value: ETH }), stakingPool, 'WoundDown')
    await refused(stakingPool.connect(alice()).depositFor(bob(), { value: 100n * ETH }), stakingPool, 'WoundDown')
    await refused(life.blockProducers.addBond(1n, { value: ETH }), stakingPool, 'WoundDown')
    const registry = stakingPool.connect(await life.as(life.addresses.poolRegistry))
    await refused(registry.reserve(99n), stakingPool, 'WoundDown')
    await refused(registry.depositToBeacon(pool.id, STAKER, '0x', '0x', 0n), stakingPool, 'WoundDown')
    await registry.release(pool.id, 0n)
    const queue = stakingPool.connect(await life.as(life.addresses.withdrawalQueue))
    await refused(queue.payWithdrawals(1n, 1n), stakingPool, 'WoundDown')
    await connection.networkHelpers.time.increase(WAIT_SECONDS)
    expect(await life.windDown.started()).to.equal(true)
  })

  it('A47 A26 anyone exits any validator, without a proof, for the fee', async () => {
    const { windDown, addresses } = life
    await end()
    const { kind } = await life.poolRegistry.pool(pool.id)
    const vault = await connection.ethers.getContractAt('WithdrawalVault', await life.stakingPool.withdrawalVault(kind))
    const fee = await vault.exitFee()
    await refused(windDown.connect(carol()).forceExit(pool.id, { value: fee - 1n }), windDown, 'FeeTooLow')
    const asked = windDown.connect(carol()).forceExit(pool.id, { value: fee + ETH })
    await expect(asked).to.emit(windDown, 'ExitForced').withArgs(pool.id, carol().address, fee)
    await expect(asked).to.emit(vault, 'ExitRequested')
    await expect(asked).to.changeEtherBalance(connection.ethers, carol(), -fee)
    expect(await balanceOf(addresses.windDown)).to.equal(0n)
    // The beacon chain may drop a request: again.
    await windDown.connect(carol()).forceExit(pool.id, { value: await vault.exitFee() })
    await refused(windDown.forceExit(99n, { value: fee }), windDown, 'NoValidator')
    await refused(vault.requestExit('0x', { value: fee }), vault, 'NotExits')
  })

  it('what the staking pool holds is swept whole, or not at all', async () => {
    await connection.networkHelpers.setCode(life.addresses.windDown, '0xfe')
    const asWindDown = life.stakingPool.connect(await life.as(life.addresses.windDown))
    await refused(asWindDown.sweep(), life.stakingPool, 'SweepFailed')
  })

  it('A47 shares redeem pro rata, of ETH that is there and of ETH that comes, early or late, in one or many parts', async () => {
    const { windDown, bondEther, addresses } = life
    // Half an ETH of cover belongs to all.
    await bondEther.connect(bob()).giveToCover(await bondEther.getSharesByPooledEth(ETH / 2n))
    await end()
    const total = (await bondEther.totalShares()) - (await bondEther.coverShares())
    expect(await windDown.totalUnits()).to.equal(total)
    const [hers, his] = [await bondEther.sharesOf(alice()), await bondEther.sharesOf(bob())]
    await expect(windDown.connect(alice()).redeem(hers / 3n))
      .to.emit(windDown, 'Redeemed')
      .withArgs(alice().address, hers / 3n)
    const buffered = await balanceOf(addresses.stakingPool)
    await expect(windDown.gather()).to.emit(windDown, 'Gathered').withArgs(buffered)
    expect(await windDown.arrived()).to.equal(buffered)
    await windDown.connect(alice()).claim()
    await windDown.connect(alice()).redeem(hers - hers / 3n)
    // The validator's ETH comes, and ETH that somebody forces in.
    await life.arrive(STAKER, 32n * ETH)
    await connection.networkHelpers.setBalance(addresses.stakingPool, ETH)
    await windDown.gather()
    const all = buffered + 33n * ETH
    expect(await windDown.arrived()).to.equal(all)
    const paid = (buffered * (hers / 3n)) / total
    const rest = (all * hers) / total - paid
    await expect(windDown.connect(alice()).claim()).to.changeEtherBalance(connection.ethers, alice(), rest)
    expect(await windDown.claimable(alice())).to.equal(0n)
    await windDown.connect(bob()).redeem(his)
    await expect(windDown.connect(bob()).claim()).to.changeEtherBalance(connection.ethers, bob(), (all * his) / total)
    await expect(windDown.connect(bob()).claim()).to.changeEtherBalance(connection.ethers, bob(), 0n)
    // What is left is the producers', who did not redeem yet.
    const left = await balanceOf(addresses.windDown)
    expect(left).to.be.closeTo((all * (total - hers - his)) / total, 3n)
  })

  it('redeems with a permit', async () => {
    await end()
    const { windDown, bondEther } = life
    await bondEther.connect(alice()).approve(windDown, 0n)
    const { value, deadline, v, r, s } = await signPermit(bondEther, { owner: alice(), spender: await windDown.getAddress(), value: ETH })
    const shares = await bondEther.getSharesByPooledEth(ETH)
    await windDown.connect(alice()).redeemWithPermit(shares, value, deadline, v, r, s)
    expect(await windDown.unitsOf(alice())).to.equal(shares)
    await refused(windDown.connect(alice()).redeem(1n), bondEther, 'ERC20InsufficientAllowance')
  })

  it('A47 requests that were not finalized give their shares back to their owners, finalized ones stay paid', async () => {
    const { withdrawalQueue, bondEther } = life
    const held = [await bondEther.sharesOf(alice()), await bondEther.sharesOf(bob())] as const
    // The buffer pays the first request; the second waits for more, with a third of the same batch.
    const registry = life.stakingPool.connect(await life.as(life.addresses.poolRegistry))
    while ((await life.stakingPool.unreserved()) >= 32n * ETH) await registry.reserve(99n)
    await withdrawalQueue.connect(alice()).requestWithdrawal(4n * ETH)
    await withdrawalQueue.connect(bob()).requestWithdrawal(15n * ETH + 7n)
    await withdrawalQueue.connect(alice()).requestWithdrawal(30n * ETH + 3n)
    await life.finalize(await life.reportNow())
    const finalized = await withdrawalQueue.lastFinalizedId()
    expect(finalized).to.equal(1n)
    await end()
    await withdrawalQueue.connect(alice()).requestWithdrawal(ETH)
    await expect(withdrawalQueue.connect(alice()).claimWithdrawal(1n)).to.changeEtherBalance(connection.ethers, alice(), 4n * ETH)
    await refused(withdrawalQueue.connect(alice()).takeBack(1n), withdrawalQueue, 'AlreadyFinalized')
    await refused(withdrawalQueue.connect(bob()).takeBack(3n), withdrawalQueue, 'NotRequestOwner')
    await refused(withdrawalQueue.connect(bob()).takeBack(9n), withdrawalQueue, 'RequestUnknown')
    const { shares } = await withdrawalQueue.request(3n)
    await expect(withdrawalQueue.connect(alice()).takeBack(3n))
      .to.emit(withdrawalQueue, 'WithdrawalReturned')
      .withArgs(3n, alice().address, shares)
    await refused(withdrawalQueue.connect(alice()).takeBack(3n), withdrawalQueue, 'AlreadyClaimed')
    await withdrawalQueue.connect(bob()).takeBack(2n)
    // One that came after the others had left is a batch of its own.
    await withdrawalQueue.connect(alice()).takeBack(4n)
    await withdrawalQueue.connect(bob()).requestWithdrawal(ETH)
    await withdrawalQueue.connect(bob()).takeBack(5n)
    const back = [await bondEther.sharesOf(alice()), await bondEther.sharesOf(bob())] as const
    const paid = await bondEther.getSharesByPooledEth(4n * ETH)
    expect(back[0]).to.be.closeTo(held[0] - paid, 5_000n)
    expect(back[1]).to.be.closeTo(held[1], 5_000n)
    expect(await bondEther.sharesOf(withdrawalQueue)).to.be.greaterThanOrEqual(1n)
  })

  it('A47 everybody gets out: stakers, holders of wbETH, producers with their bonds, those who locked CDT; dust is left', async () => {
    const { windDown, bondEther, wrappedBondEther, blockProducers, cdt, cdtStaking, addresses } = life
    await bondEther.connect(bob()).approve(wrappedBondEther, FOREVER)
    await wrappedBondEther.connect(bob()).deposit(15n * ETH, bob())
    await cdt.connect(await life.as(addresses.rewards)).mint(carol(), ETH)
    await cdt.connect(carol()).approve(cdtStaking, ETH)
    await cdtStaking.connect(carol()).lock(ETH)
    life.change(pool, { balance: 32_100_000_000 })
    await life.finalize(await life.reportNow())
    await end()
    await wrappedBondEther.connect(bob()).redeem(15n * ETH, bob(), bob())
    await cdtStaking.connect(carol()).claim(1n)
    const owners = await Promise.all(life.producers.map(async ({ owner }) => life.as(owner)))
    for (const [i, { id }] of life.producers.entries()) await blockProducers.connect(at(owners, i)).withdrawBond(id)
    // Half of them come before the validator's ETH, half after it.
    const all = [alice(), bob(), carol(), ...owners]
    const out = async (who: (typeof all)[number]) => {
      const shares = await bondEther.sharesOf(who)
      await bondEther.connect(who).approve(windDown, FOREVER)
      await windDown.connect(who).redeem(shares)
      return shares
    }
    const given: bigint[] = []
    for (const who of all.slice(0, 5)) given.push(await out(who))
    await windDown.gather()
    for (const who of all.slice(0, 5)) await windDown.connect(who).claim()
    await life.arrive(Number((await life.poolRegistry.pool(pool.id)).kind), 32n * ETH)
    await windDown.gather()
    for (const who of all.slice(5)) given.push(await out(who))
    const arrived = await windDown.arrived()
    for (const [i, who] of all.entries()) {
      const due = await windDown.claimable(who)
      if (i >= 5) expect(due).to.equal((arrived * at(given, i)) / (await windDown.totalUnits()))
      await windDown.connect(who).claim()
    }
    expect(await balanceOf(addresses.windDown)).to.be.lessThan(10_000n)
    expect(await balanceOf(addresses.stakingPool)).to.equal(0n)
    expect(await windDown.arrived()).to.equal(arrived)
  })

  it('A29 a receiver that refuses its ETH harms only itself', async () => {
    const { windDown, bondEther, addresses } = life
    const hostile = await life.as(addresses.directory)
    await bondEther.connect(alice()).transfer(hostile, 3n * ETH)
    await end()
    await bondEther.connect(hostile).approve(windDown, FOREVER)
    await windDown.connect(hostile).redeem(await bondEther.sharesOf(hostile))
    await windDown.gather()
    await refused(windDown.connect(hostile).claim(), windDown, 'PaymentFailed')
    await windDown.connect(alice()).redeem(await bondEther.sharesOf(alice()))
    const due = await windDown.claimable(alice())
    await expect(windDown.connect(alice()).claim()).to.changeEtherBalance(connection.ethers, alice(), due)
  })

  it('A29 A36 a receiver that calls again from inside of a claim or of a refund is paid once, and at nobody’s cost', async () => {
    const { windDown, stakingPool, bondEther } = life
    const hostile = await connection.ethers.deployContract('Reenterer')
    const address = await hostile.getAddress()
    const act = async (to: string, data: string, value = 0n) => hostile.act(to, value, data, { value })
    await act(await stakingPool.getAddress(), stakingPool.interface.encodeFunctionData('deposit'), 10n * ETH)
    await end()
    await act(await bondEther.getAddress(), bondEther.interface.encodeFunctionData('approve', [life.addresses.windDown, FOREVER]))
    await act(life.addresses.windDown, windDown.interface.encodeFunctionData('redeem', [await bondEther.sharesOf(address)]))
    await windDown.connect(alice()).redeem(await bondEther.sharesOf(alice()))
    await connection.networkHelpers.setBalance(life.addresses.windDown, (await balanceOf(life.addresses.windDown)) + 9n * ETH)

    const [due, alices] = [await windDown.claimable(address), await windDown.claimable(alice())]
    expect(due).to.be.greaterThan(ETH / 2n)
    const claim = windDown.interface.encodeFunctionData('claim')
    await hostile.arm(life.addresses.windDown, 0n, claim)
    await act(life.addresses.windDown, claim)
    expect(await hostile.entered()).to.equal(1n)
    expect(await balanceOf(address)).to.equal(due)
    expect([await windDown.claimable(address), await windDown.claimable(alice())]).to.deep.equal([0n, alices])

    const fee = await (await connection.ethers.getContractAt('WithdrawalVault', life.addresses.stakerVault)).exitFee()
    const force = windDown.interface.encodeFunctionData('forceExit', [pool.id])
    await hostile.arm(life.addresses.windDown, fee + 5n, force)
    const held = await balanceOf(life.addresses.windDown)
    await act(life.addresses.windDown, force, fee + 100n)
    expect([await hostile.entered(), await hostile.succeeded()]).to.deep.equal([2n, true])
    // Both fees are its own, and all that it sent beyond came back.
    expect(await balanceOf(address)).to.be.lessThanOrEqual(due + 100n - fee)
    expect([await balanceOf(life.addresses.windDown), await windDown.claimable(alice())]).to.deep.equal([held, alices])
  })
})
