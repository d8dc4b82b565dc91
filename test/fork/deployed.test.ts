import { expect } from 'chai'
import { parseEther } from 'ethers'
import type { NetworkConnection } from 'hardhat/types/network'
import { at } from '../support/at.ts'
import { g1, newKey, proofOfPossession } from '../support/block-producers.ts'
import { forkNetwork } from '../support/fork.ts'
import { signPermit } from '../support/permit.ts'
import { randomWallet } from '../support/randomness.ts'

// `npm run fork-run` sets both.
const { FORK_URL = '', FORK_DIRECTORY = '' } = process.env

/** The deployment as it stands on the forked chain, whatever has happened to it there; nothing is written past the contracts. */
async function deploymentOn({ ethers }: NetworkConnection) {
  const directory = await ethers.getContractAt('Directory', FORK_DIRECTORY)
  const [addresses, parameters] = await Promise.all([directory.addresses(), directory.parameters()])
  return {
    ethers,
    parameters,
    people: await ethers.getSigners(),
    stakingPool: await ethers.getContractAt('StakingPool', addresses.stakingPool),
    bondEther: await ethers.getContractAt('BondEther', addresses.bondEther),
    wrapped: await ethers.getContractAt('WrappedBondEther', addresses.wrappedBondEther),
    queue: await ethers.getContractAt('WithdrawalQueue', addresses.withdrawalQueue),
    producers: await ethers.getContractAt('BlockProducers', addresses.blockProducers),
    periods: await ethers.getContractAt('Periods', addresses.periods),
    registry: await ethers.getContractAt('PoolRegistry', addresses.poolRegistry),
    views: await ethers.getContractAt('NetworkViews', addresses.views),
  }
}

describe(`Actions of people on the deployment ${FORK_DIRECTORY}, on a fork of its chain`, function () {
  this.timeout(600_000)
  let on: Awaited<ReturnType<typeof deploymentOn>>
  /** Rounding of shares, wei. */
  const ROUNDING = 4n

  before(async () => {
    on = await deploymentOn(await forkNetwork(FORK_URL))
  })

  it('stakers deposit at the present index, transfer, and wrap', async () => {
    const [alice, bob] = [at(on.people, 0), at(on.people, 1)]
    const supply = await on.bondEther.totalSupply()
    await on.stakingPool.connect(alice).deposit({ value: parseEther('40') })
    await on.stakingPool.connect(alice).depositFor(bob, { value: parseEther('7.5') })
    expect(await on.bondEther.balanceOf(alice)).to.be.closeTo(parseEther('40'), ROUNDING)
    expect(await on.bondEther.totalSupply()).to.be.closeTo(supply + parseEther('47.5'), ROUNDING)
    await on.bondEther.connect(alice).transfer(bob, parseEther('0.5'))
    expect(await on.bondEther.balanceOf(bob)).to.be.closeTo(parseEther('8'), ROUNDING)
    await on.bondEther.connect(bob).approve(on.wrapped, parseEther('3'))
    await on.wrapped.connect(bob).deposit(parseEther('3'), bob)
    expect(await on.wrapped.maxWithdraw(bob)).to.be.closeTo(parseEther('3'), ROUNDING)
  })

  it('they ask for ETH back, with a permit too, pass the request on, and see it in one call', async () => {
    const [alice, bob] = [at(on.people, 0), at(on.people, 1)]
    const first = (await on.queue.lastRequestId()) + 1n
    const demand = await on.queue.demand()
    await on.bondEther.connect(alice).approve(on.queue, parseEther('2'))
    await on.queue.connect(alice).requestWithdrawal(parseEther('2'))
    const permit = await signPermit(on.bondEther, { owner: bob, spender: await on.queue.getAddress(), value: parseEther('1') })
    await on.queue.connect(bob).requestWithdrawalWithPermit(permit.value, permit.deadline, permit.v, permit.r, permit.s)
    await on.queue.connect(alice).transferFrom(alice, bob, first)
    expect(await on.queue.ownerOf(first)).to.equal(bob.address)
    expect(await on.queue.demand()).to.be.closeTo(demand + parseEther('3'), ROUNDING)
    const [items] = await on.views.requestsOf(bob, 0n, 100n)
    expect(items.map(({ requestId }) => requestId)).to.deep.equal([first, first + 1n])
    await expect(on.queue.connect(bob).claimWithdrawal(first)).to.be.revertedWithCustomError(on.queue, 'NotFinalized')
  })

  it('producers register with a bond, top it up, and leave', async () => {
    const owner = at(on.people, 2)
    const { address: operator } = randomWallet()
    const key = newKey()
    const { chainId } = await on.ethers.provider.getNetwork()
    const judge = { chainId, verifyingContract: await on.producers.getAddress() }
    const possession = proofOfPossession(judge, { owner: owner.address, operator, key })
    const signingKey = g1(key.toPublicKey())
    await on.producers.connect(owner).register(operator, signingKey, possession, '/ip4/127.0.0.1', { value: parseEther('26') })
    const id = await on.producers.producerOf(operator)
    await on.producers.connect(owner).addBond(id, { value: parseEther('1') })
    expect(await on.producers.bondValue(id)).to.be.closeTo(parseEther('27'), ROUNDING)
    await expect(on.producers.connect(at(on.people, 3)).exit(id)).to.be.revertedWithCustomError(on.producers, 'NotOwner')
    await on.producers.connect(owner).exit(id)
    expect((await on.producers.producer(id)).status).to.equal(2n)
  })

  it('a pool is requested for each 32 ETH that nobody asks back', async () => {
    const count = await on.registry.poolCount()
    await on.stakingPool.connect(at(on.people, 4)).deposit({ value: parseEther('64') })
    const free = await on.stakingPool.unreserved()
    const demand = await on.queue.demand()
    expect(free - demand).to.be.at.least(parseEther('32'))
    // Anybody freezes the lists that are due; the request does so as well.
    await on.periods.freeze(4)
    const active = await on.periods.sizeAt(await on.periods.currentPeriod())
    const { minProducers } = on.parameters
    const request = () => on.registry.connect(at(on.people, 5)).requestPool()
    // A deployment that nobody has joined, or too few in time for this period's list, draws no vaults.
    if (active < minProducers) {
      await expect(request()).to.be.revertedWithCustomError(on.registry, 'TooFewProducers').withArgs(minProducers, active)
      return
    }
    await request()
    expect(await on.registry.poolCount()).to.equal(count + 1n)
    expect(await on.stakingPool.unreserved()).to.equal(free - parseEther('32'))
  })
})
