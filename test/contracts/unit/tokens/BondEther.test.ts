import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, Signature, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { DEAD_ETHER, deployStaking, ONE, type Staking } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const fixture = () => deployStaking({ ethers })
const fresh = () => networkHelpers.loadFixture(fixture)

const EPOCHS = 225n
const ETH = parseEther('1')

/** A report that brings profit (of both kinds, beyond what is recognised). */
async function profit({ reports, stakingPool }: Staking, staker: bigint, bond = 0n): Promise<void> {
  const [a, b] = [await stakingPool.recognised(0), await stakingPool.recognised(1)]
  await reports.finalizeState(0, [0, 0], [a + staker, b + bond], EPOCHS, 0)
}

/** The StakingPool as a sender. */
async function asPool(staking: Staking) {
  await networkHelpers.impersonateAccount(staking.addresses.stakingPool)
  await networkHelpers.setBalance(staking.addresses.stakingPool, 100n * ETH)
  return staking.bondEther.connect(await ethers.getSigner(staking.addresses.stakingPool))
}

describe('BondEther', () => {
  it('starts at an index of exactly 1, with dead shares that real ETH stands behind', async () => {
    const { bondEther, stakingPool } = await fresh()
    assert.equal(await bondEther.rewardsIndex(), ONE)
    assert.equal(await bondEther.totalPooledEther(), DEAD_ETHER)
    assert.equal(await bondEther.totalSupply(), DEAD_ETHER)
    assert.equal(await stakingPool.buffered(), DEAD_ETHER)
    assert.equal(await ethers.provider.getBalance(stakingPool), DEAD_ETHER)
    assert.equal(await bondEther.name(), 'Open Pools Ether')
    assert.equal(await bondEther.symbol(), 'bETH')
  })

  it('refuses a deployment with an address missing', async () => {
    const { addresses, parameters } = await fresh()
    for (const name of ['stakingPool', 'blockProducers', 'withdrawalQueue', 'cdtStaking'] as const) {
      await expect(ethers.deployContract('BondEther', [{ ...addresses, [name]: ZeroAddress }, parameters])).to.be.revert(ethers)
    }
  })

  it('gives the pot to the StakingPool alone', async () => {
    const { bondEther, signers } = await fresh()
    const calls = [
      () => bondEther.mint(signers.alice, 1),
      () => bondEther.redeem(1, 1),
      () => bondEther.recognise(1, 1),
      () => bondEther.mintFee(1),
      () => bondEther.coverLoss(1),
    ]
    for (const call of calls) {
      await expect(call()).to.be.revertedWithCustomError(bondEther, 'NotStakingPool').withArgs(signers.deployer.address)
    }
  })

  it('A07 a donation before the first deposit takes nothing from the depositor', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, vaults, signers } = staking
    await stakingPool.connect(signers.bob).deposit({ value: parseEther('0.01') })
    // ETH forced into every contract, as no deposit.
    for (const target of [stakingPool, bondEther, ...vaults]) await networkHelpers.setBalance(await target.getAddress(), 1000n * ETH)
    await signers.bob.sendTransaction({ to: vaults[0], value: 50n * ETH })
    await bondEther.connect(signers.bob).transfer(stakingPool, parseEther('0.005'))
    assert.equal(await bondEther.rewardsIndex(), ONE)
    await stakingPool.connect(signers.alice).deposit({ value: parseEther('0.01') + 1n })
    assert.equal(await bondEther.balanceOf(signers.alice), parseEther('0.01') + 1n)
  })

  it('A07 a donation that a report recognises is clamped, and the next depositor loses at most a wei', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers, reports } = staking
    await reports.finalizeState(0, [0, 0], [1000n * ETH, 0], 10n ** 6n, 0)
    const index = await bondEther.rewardsIndex()
    assert.ok(index <= ONE * 1001n, 'growth is a part of a pot of 1000 wei')
    for (const value of [parseEther('0.01'), parseEther('0.01') + 7n, 3n * ETH + 1n]) {
      const before = await bondEther.balanceOf(signers.alice)
      await stakingPool.connect(signers.alice).deposit({ value })
      const got = (await bondEther.balanceOf(signers.alice)) - before
      assert.ok(value - got <= 1n && got <= value, `${value} became ${got}`)
    }
  })

  it('A08 only ETH sent to the StakingPool and its reports change the shares or the pot', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers } = staking
    await stakingPool.connect(signers.alice).deposit({ value: 10n * ETH })
    const before = [await bondEther.totalShares(), await bondEther.totalPooledEther()]
    const { alice, bob } = signers
    const token = bondEther.connect(alice)
    await token.approve(bob, ETH)
    await token.transfer(bob, ETH)
    await token.transferShares(bob, 12_345n)
    await bondEther.connect(bob).transferFrom(alice, bob, ETH / 2n)
    await bondEther.connect(bob).transferSharesFrom(alice, bob, 999n)
    await token.giveToCover(5_000n)
    assert.deepEqual([await bondEther.totalShares(), await bondEther.totalPooledEther()], before)
    // Every function that changes state is in this list or refuses strangers.
    const tried = ['approve', 'transfer', 'transferShares', 'transferFrom', 'transferSharesFrom', 'giveToCover', 'permit']
    const guarded = ['mint', 'mintFee', 'redeem', 'recognise', 'coverLoss']
    const changing = bondEther.interface.fragments.filter((f) => f.type === 'function' && !('constant' in f && f.constant === true))
    assert.deepEqual(changing.map((f) => ('name' in f ? f.name : '')).toSorted(), [...tried, ...guarded].toSorted())
  })

  it('a transfer moves at most 1 wei less than asked, never more, at any index', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers } = staking
    const { alice, bob } = signers
    await stakingPool.connect(alice).deposit({ value: 7n * ETH + 3n })
    await stakingPool.connect(bob).deposit({ value: parseEther('0.01') })
    for (const change of [0n, 12_345_678_901_234_567n, -ETH - 1n, ETH + 11n, 777_777_777_777_777_777n, -3n * ETH]) {
      await profit(staking, change)
      for (const asked of [1n, 2n, 3n, 41n, 1_000_003n, ETH / 7n]) {
        const before = [await bondEther.balanceOf(alice), await bondEther.balanceOf(bob)] as const
        await bondEther.connect(alice).transfer(bob, asked)
        const out = before[0] - (await bondEther.balanceOf(alice))
        const got = (await bondEther.balanceOf(bob)) - before[1]
        for (const moved of [out, got]) assert.ok(moved <= asked && moved >= asked - 1n, `${asked} asked, ${moved} moved`)
      }
    }
  })

  it('refuses more than the balance, and the zero address', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers } = staking
    const { alice, bob } = signers
    await stakingPool.connect(alice).deposit({ value: 7n * ETH + 3n })
    await profit(staking, 12_345n)
    const balance = await bondEther.balanceOf(alice)
    const token = bondEther.connect(alice)
    await expect(token.transfer(bob, balance + 1n))
      .to.be.revertedWithCustomError(bondEther, 'ERC20InsufficientBalance')
      .withArgs(alice.address, balance, balance + 1n)
    const shares = await bondEther.sharesOf(alice)
    await expect(token.transferShares(bob, shares + 1n))
      .to.be.revertedWithCustomError(bondEther, 'InsufficientShares')
      .withArgs(alice.address, shares + 1n, shares)
    await expect(token.giveToCover(shares + 1n)).to.be.revertedWithCustomError(bondEther, 'InsufficientShares')
    await expect(token.transfer(ZeroAddress, 1)).to.be.revertedWithCustomError(bondEther, 'ERC20InvalidReceiver')
    await expect(token.transferShares(ZeroAddress, 1)).to.be.revertedWithCustomError(bondEther, 'ERC20InvalidReceiver')
    await expect(stakingPool.depositFor(ZeroAddress, { value: ETH })).to.be.revertedWithCustomError(bondEther, 'ERC20InvalidReceiver')
    await token.transfer(alice, balance)
    assert.equal(await bondEther.sharesOf(alice), shares)
    await token.transfer(bob, balance)
    assert.ok((await bondEther.balanceOf(alice)) <= 1n)
  })

  it('allowances are amounts of ETH, spent rounded up', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers } = staking
    const { alice, bob } = signers
    await stakingPool.connect(alice).deposit({ value: 5n * ETH })
    await profit(staking, ETH / 3n)
    await bondEther.connect(alice).approve(bob, 1000n)
    await bondEther.connect(bob).transferFrom(alice, bob, 400n)
    assert.equal(await bondEther.allowance(alice, bob), 600n)
    await bondEther.connect(bob).transferSharesFrom(alice, bob, 1n) // worth a thousandth of a wei
    assert.equal(await bondEther.allowance(alice, bob), 599n)
    await expect(bondEther.connect(bob).transferFrom(alice, bob, 600n)).to.be.revertedWithCustomError(
      bondEther,
      'ERC20InsufficientAllowance',
    )
    const shares = (await bondEther.getSharesByPooledEth(600n)) + 1n
    await expect(bondEther.connect(bob).transferSharesFrom(alice, bob, shares)).to.be.revertedWithCustomError(
      bondEther,
      'ERC20InsufficientAllowance',
    )
  })

  it('takes EIP-2612 permits, once', async () => {
    const { bondEther, signers } = await fresh()
    const { alice, bob } = signers
    const { chainId } = await ethers.provider.getNetwork()
    const domain = { name: 'Open Pools Ether', version: '1', chainId, verifyingContract: await bondEther.getAddress() }
    const types = {
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    }
    const message = { owner: alice.address, spender: bob.address, value: 7n, nonce: 0n, deadline: 2n ** 40n }
    const { v, r, s } = Signature.from(await alice.signTypedData(domain, types, message))
    await bondEther.permit(alice, bob, 7n, 2n ** 40n, v, r, s)
    assert.equal(await bondEther.allowance(alice, bob), 7n)
    assert.equal(await bondEther.nonces(alice), 1n)
    await expect(bondEther.permit(alice, bob, 7n, 2n ** 40n, v, r, s)).to.be.revertedWithCustomError(bondEther, 'ERC2612InvalidSigner')
  })

  it('events tell amounts and shares', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers } = staking
    const { alice, bob } = signers
    const deposit = stakingPool.connect(bob).depositFor(alice, { value: ETH })
    await expect(deposit)
      .to.emit(bondEther, 'SharesMinted')
      .withArgs(alice.address, ETH * 1000n, ETH)
    await expect(deposit).to.emit(bondEther, 'Transfer').withArgs(ZeroAddress, alice.address, ETH)
    await expect(deposit)
      .to.emit(stakingPool, 'Deposited')
      .withArgs(bob.address, alice.address, ETH, ETH * 1000n)
    const transfer = bondEther.connect(alice).transfer(bob, 10n)
    await expect(transfer).to.emit(bondEther, 'Transfer').withArgs(alice.address, bob.address, 10n)
    await expect(transfer).to.emit(bondEther, 'TransferShares').withArgs(alice.address, bob.address, 10_000n)
    await expect(bondEther.connect(alice).giveToCover(10_000n)).to.emit(bondEther, 'Covered').withArgs(alice.address, 10_000n)
  })

  describe('recognise', () => {
    async function withCoverAndBonds() {
      const staking = await fresh()
      const { stakingPool, bondEther, signers } = staking
      await stakingPool.connect(signers.alice).deposit({ value: 80n * ETH })
      await stakingPool.connect(signers.producers).deposit({ value: 20n * ETH })
      await bondEther.connect(signers.producers).giveToCover(await bondEther.getSharesByPooledEth(2n * ETH))
      return staking
    }

    it('A39 what a slashing takes does not lift the index, and counts in the total', async () => {
      const { bondEther } = await withCoverAndBonds()
      assert.equal(await bondEther.rewardsIndex(), ONE)
      assert.equal(await bondEther.coverShares(), 2n * ETH * 1000n)
      assert.equal(await bondEther.totalPooledEther(), 100n * ETH + DEAD_ETHER)
    })

    it('a gain of either kind lifts the index for every holder alike', async () => {
      const staking = await withCoverAndBonds()
      const { bondEther, signers } = staking
      await profit(staking, ETH, ETH)
      const total = 102n * ETH + DEAD_ETHER
      assert.equal(await bondEther.totalPooledEther(), total)
      assert.equal(await bondEther.rewardsIndex(), (ONE * total) / (100n * ETH + DEAD_ETHER))
      assert.equal(await bondEther.balanceOf(signers.alice), (80n * ETH * total) / (100n * ETH + DEAD_ETHER))
    })

    it("a loss within cover burns cover and leaves the index; beyond, the rest is everybody's", async () => {
      const staking = await withCoverAndBonds()
      const { bondEther, signers } = staking
      await profit(staking, (-3n * ETH) / 2n)
      assert.equal(await bondEther.rewardsIndex(), ONE)
      assert.equal(await bondEther.coverShares(), (ETH / 2n) * 1000n)
      await profit(staking, -ETH)
      assert.equal(await bondEther.coverShares(), 0n)
      const total = 100n * ETH + DEAD_ETHER - (5n * ETH) / 2n
      assert.equal(await bondEther.rewardsIndex(), (ONE * total) / (total + ETH / 2n))
      assert.equal(await bondEther.sharesOf(signers.producers), 18n * ETH * 1000n)
    })

    it("a loss of bond pools burns the producers' shares, and a gain of staker pools does not spare them", async () => {
      const staking = await withCoverAndBonds()
      const { bondEther, signers } = staking
      await profit(staking, ETH, -5n * ETH)
      assert.equal(await bondEther.sharesOf(signers.producers), 13n * ETH * 1000n)
      assert.equal(await bondEther.coverShares(), 2n * ETH * 1000n)
      const total = 96n * ETH + DEAD_ETHER
      assert.equal(await bondEther.totalPooledEther(), total)
      assert.equal(await bondEther.rewardsIndex(), (ONE * total) / (total - ETH))
    })

    it('what bonds do not bear, cover bears, and then all', async () => {
      const staking = await withCoverAndBonds()
      const { bondEther, signers } = staking
      await profit(staking, 0n, -19n * ETH)
      assert.equal(await bondEther.sharesOf(signers.producers), 0n)
      assert.equal(await bondEther.coverShares(), ETH * 1000n)
      assert.equal(await bondEther.rewardsIndex(), ONE)
      await profit(staking, 0n, -2n * ETH)
      assert.equal(await bondEther.coverShares(), 0n)
      assert.ok((await bondEther.rewardsIndex()) < ONE)
    })

    it('a gain of bond pools makes good a loss of staker pools before cover burns', async () => {
      const staking = await withCoverAndBonds()
      await profit(staking, -3n * ETH, 2n * ETH)
      assert.equal(await staking.bondEther.coverShares(), ETH * 1000n)
      assert.equal(await staking.bondEther.rewardsIndex(), ONE)
    })

    it('a redemption leaves the index and gives what is not paid to cover', async () => {
      const staking = await withCoverAndBonds()
      const { bondEther, signers, queue } = staking
      await bondEther.connect(signers.alice).transfer(queue, 10n * ETH)
      await profit(staking, ETH / 3n)
      const index = await bondEther.rewardsIndex()
      const [shares, cover] = [await bondEther.totalShares(), await bondEther.coverShares()]
      await expect((await asPool(staking)).redeem(10n * ETH * 1000n, 10n * ETH)).to.emit(bondEther, 'SharesBurned')
      const after = await bondEther.rewardsIndex()
      const left = await bondEther.totalShares()
      // All other shares together gained less than one share is worth.
      assert.ok(after >= index && (after - index - 1n) * left < after, `${after - index}`)
      const burned = shares - left
      assert.equal((await bondEther.coverShares()) - cover, 10n * ETH * 1000n - burned)
      assert.ok(burned < 10n * ETH * 1000n)
      await expect((await asPool(staking)).redeem(1n, ETH)).to.be.revertedWithCustomError(bondEther, 'InsufficientShares')
    })
  })

  it('gas: a transfer costs at most 45,000 between holders', async () => {
    const staking = await fresh()
    const { bondEther, stakingPool, signers } = staking
    await stakingPool.connect(signers.alice).deposit({ value: ETH })
    await stakingPool.connect(signers.bob).deposit({ value: ETH })
    await profit(staking, ETH / 7n)
    const used = async (to: Parameters<typeof bondEther.transfer>[0]) =>
      (await (await bondEther.connect(signers.alice).transfer(to, ETH / 9n)).wait())?.gasUsed ?? 0n
    const [holder, stranger] = [await used(signers.bob), await used(signers.carol)]
    console.log(`      transfer ${holder}, to a new holder ${stranger}`)
    assert.ok(holder <= 45_000n)
  })
})
