import { expect } from 'chai'
import { parseEther, Signature } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../support/at.ts'
import { forkNetwork } from '../../support/fork.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../support/network-life.ts'
import { pointsOf, rootOfPage, wordOfPage } from '../../support/pages.ts'
import { nextReportEpoch } from '../../support/reports.ts'

// `npm run fork-run` sets it: then all this happens on a copy of that chain's present state.
const { FORK_URL } = process.env

describe(`Actions of stakers and block producers${FORK_URL === undefined ? '' : ' on a fork'}`, function () {
  this.timeout(1_200_000)
  let life: NetworkLife
  let pools: Pool[]

  before(async () => {
    life = await startLife(FORK_URL === undefined ? await network.create() : await forkNetwork(FORK_URL))
    await life.startPeriod(0)
  })
  after(() => life?.prover.close())

  it('stakers deposit, transfer, and wrap', async () => {
    const [alice, bob] = [at(life.people, 0), at(life.people, 1)]
    await life.stakingPool.connect(alice).deposit({ value: parseEther('60') })
    await life.stakingPool.connect(alice).depositFor(bob, { value: parseEther('10') })
    await life.bondEther.connect(bob).transfer(alice, parseEther('1'))
    expect(await life.bondEther.balanceOf(alice)).to.be.closeTo(parseEther('61'), 2n)
    await life.bondEther.connect(bob).approve(life.wrappedBondEther, parseEther('4'))
    await life.wrappedBondEther.connect(bob).deposit(parseEther('4'), bob)
    expect(await life.wrappedBondEther.balanceOf(bob)).to.be.closeTo(parseEther('4'), 2n)
  })

  it('producers register, top up, and serve two pools from draw to funding', async () => {
    const late = await life.register(parseEther('5'))
    await life.blockProducers.connect(at(life.people, 2)).addBond(late.id, { value: parseEther('1') })
    expect(await life.blockProducers.bondValue(late.id)).to.be.closeTo(parseEther('6'), 10n ** 9n)
    pools = [await life.makePool(), await life.makePool()]
    expect(await life.poolRegistry.activeCount(0)).to.equal(1n)
  })

  it('a committee reports, rewards are shared, CDT is earned and settled', async () => {
    const alice = at(life.people, 0)
    const before = await life.bondEther.balanceOf(alice)
    for (const pool of pools) life.change(pool, { balance: FULL + 10_000_000 })
    const points = Array<number>(11).fill(100)
    await life.finalize(await life.reportNow({ points }))
    expect(await life.bondEther.balanceOf(alice)).to.be.greaterThan(before)

    const first = at(life.producers, 0)
    const page = pointsOf(points)
    await life.rewards.settle(first.id, [{ ...wordOfPage(page, 0), pageRoots: [rootOfPage(page)] }])
    const { rate } = await life.rewards.report(1)
    expect(await life.cdt.balanceOf(first.owner)).to.equal(100n * rate)
    expect(rate).to.be.greaterThan(0n)
  })

  it('stakers ask for their ETH back, with a permit too, and claim it', async () => {
    const [alice, bob] = [at(life.people, 0), at(life.people, 1)]
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('2'))
    await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('2'))
    const { chainId } = await life.ethers.provider.getNetwork()
    const signature = Signature.from(
      await bob.signTypedData(
        { name: 'Open Pools Ether', version: '1', chainId, verifyingContract: life.addresses.bondEther },
        { Permit: ['owner', 'spender', 'value', 'nonce', 'deadline'].map((name, i) => ({ name, type: i < 2 ? 'address' : 'uint256' })) },
        { owner: bob.address, spender: life.addresses.withdrawalQueue, value: parseEther('1'), nonce: 0n, deadline: 2n ** 63n },
      ),
    )
    await life.withdrawalQueue.connect(bob).requestWithdrawalWithPermit(parseEther('1'), 2n ** 63n, signature.v, signature.r, signature.s)
    await life.toEpoch(await nextReportEpoch(life))
    await life.finalize(await life.reportNow())
    expect(await life.withdrawalQueue.lastFinalizedId()).to.equal(2n)
    const { claimable } = await life.withdrawalQueue.request(1)
    expect(claimable).to.be.closeTo(parseEther('2'), 2n)
    await expect(life.withdrawalQueue.connect(alice).claimWithdrawal(1)).to.changeEtherBalance(life.ethers, alice, claimable)
    await life.withdrawalQueue.connect(bob).claimWithdrawal(2)
  })

  it('a producer leaves', async () => {
    const leaver = at(life.producers, 0)
    await life.blockProducers.connect(await life.as(leaver.owner)).exit(leaver.id)
    expect((await life.blockProducers.producer(leaver.id)).status).to.equal(2n)
  })
})
