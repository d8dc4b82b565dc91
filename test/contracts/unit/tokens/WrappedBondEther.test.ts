import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { signPermit } from '../../../support/permit.ts'
import { deployStaking, SHARES_PER_WEI, type Staking } from '../../../support/staking.ts'
import { randomFrom } from '../../../support/staking-actions.ts'

const { ethers, networkHelpers } = await network.create()
const ETH = parseEther('1')
const FOREVER = 2n ** 256n - 1n
const STAKERS = ['alice', 'bob', 'carol'] as const

async function fixture() {
  const staking = await deployStaking({ ethers, rewardsFee: 1_000n })
  for (const who of STAKERS) await staking.bondEther.connect(staking.signers[who]).approve(staking.wrapped, FOREVER)
  return staking
}
const fresh = () => networkHelpers.loadFixture(fixture)

async function staked() {
  const staking = await fresh()
  for (const who of STAKERS) await staking.stakingPool.connect(staking.signers[who]).deposit({ value: 50n * ETH })
  return staking
}

/** A report of a gain or loss. */
async function profit({ reports, stakingPool }: Staking, change: bigint): Promise<void> {
  await reports.finalizeState(0, [0, 0], [(await stakingPool.recognised(0)) + change, 0], 10_000n, 0)
}

/** Every wei of wbETH has its bETH behind it. */
async function assertBacked({ bondEther, wrapped }: Staking): Promise<void> {
  assert.ok((await bondEther.sharesOf(wrapped)) >= (await wrapped.totalSupply()) * SHARES_PER_WEI)
}

describe('WrappedBondEther', () => {
  it('does not rebase: its price does', async () => {
    const staking = await staked()
    const { wrapped, bondEther, signers } = staking
    const token = wrapped.connect(signers.alice)
    await token.deposit(10n * ETH, signers.alice)
    const held = await wrapped.balanceOf(signers.alice)
    assert.equal(held, 10n * ETH)
    await profit(staking, 3n * ETH)
    assert.equal(await wrapped.balanceOf(signers.alice), held)
    const worth = await wrapped.convertToAssets(held)
    assert.equal(worth, await bondEther.getPooledEthByShares(held * SHARES_PER_WEI))
    assert.ok(worth > 10n * ETH + ETH / 6n)
    await profit(staking, -6n * ETH)
    assert.ok((await wrapped.convertToAssets(held)) < 10n * ETH)
    assert.equal(await wrapped.decimals(), 18n)
    assert.equal(await wrapped.asset(), await bondEther.getAddress())
    assert.equal(await wrapped.symbol(), 'wbETH')
  })

  it('A07 a gift before, around or after the first deposit moves no price and takes nothing from a depositor', async () => {
    const staking = await staked()
    const { wrapped, bondEther, signers } = staking
    const { alice, bob } = signers
    // The attacker wraps a wei and gives the wrapper all the rest.
    await wrapped.connect(bob).deposit(1n, bob)
    await bondEther.connect(bob).transfer(wrapped, 49n * ETH)
    await networkHelpers.setBalance(await wrapped.getAddress(), 100n * ETH)
    assert.equal(await wrapped.totalAssets(), 1n)
    const before = await bondEther.sharesOf(alice)
    await wrapped.connect(alice).deposit(20n * ETH, alice)
    assert.equal(await wrapped.balanceOf(alice), 20n * ETH)
    await wrapped.connect(alice).redeem(20n * ETH, alice, alice)
    assert.equal(await bondEther.sharesOf(alice), before, 'the victim lost nothing')
    await wrapped.connect(bob).redeem(1n, bob, bob)
    assert.ok((await bondEther.balanceOf(bob)) <= ETH + 1n, 'the attacker lost its gift')
  })

  it('A08 no path mints wbETH without its bETH, none mints bETH without ETH', async () => {
    const staking = await staked()
    const { wrapped, bondEther, signers } = staking
    const { alice, bob } = signers
    await profit(staking, 777_777_777_777_777_777n)
    const total = await bondEther.totalShares()
    const token = wrapped.connect(alice)
    await token.mint(3n * ETH + 1n, bob)
    await token.deposit(2n * ETH + 3n, alice)
    await expect(token.withdraw(ETH + 1n, bob, alice))
      .to.emit(wrapped, 'Withdraw')
      .withArgs(alice.address, bob.address, alice.address, ETH + 1n, (shares: bigint) => shares > 0n)
    await wrapped.connect(bob).redeem(ETH, alice, bob)
    await token.deposit(0n, alice)
    await token.mint(0n, alice)
    assert.equal(await bondEther.totalShares(), total)
    assert.equal(await bondEther.sharesOf(wrapped), (await wrapped.totalSupply()) * SHARES_PER_WEI)
    const poor = wrapped.connect(signers.deployer)
    await expect(poor.mint(1n, signers.deployer)).to.be.revert(ethers)
    await expect(poor.deposit(ETH, signers.deployer)).to.be.revert(ethers)
    await expect(wrapped.connect(bob).redeem(ETH / 2n, bob, alice)).to.be.revertedWithCustomError(wrapped, 'ERC20InsufficientAllowance')
    await expect(wrapped.connect(bob).redeem(100n * ETH, bob, bob)).to.be.revertedWithCustomError(wrapped, 'ERC4626ExceededMaxRedeem')
    const changing = wrapped.interface.fragments.filter((f) => f.type === 'function' && !('constant' in f && f.constant === true))
    assert.deepEqual(
      changing.map((f) => ('name' in f ? f.name : '')).toSorted(),
      [
        'approve',
        'deposit',
        'depositEth',
        'depositWithPermit',
        'mint',
        'permit',
        'redeem',
        'transfer',
        'transferFrom',
        'withdraw',
      ].toSorted(),
    )
  })

  it('A09 rounds for those who stay, at any index, whatever is asked', async function () {
    this.timeout(600_000)
    const staking = await staked()
    const { wrapped, bondEther, signers } = staking
    const random = randomFrom(77n)
    const amount = () => (random(3n) === 0n ? random(2_000n) : random(ETH))
    for (let i = 0; i < 150; i++) {
      if (i % 10 === 0) await profit(staking, random(ETH) - ETH / 2n)
      const who = signers[STAKERS[Number(random(3n))] ?? 'alice']
      const to = signers[STAKERS[Number(random(3n))] ?? 'alice']
      const token = wrapped.connect(who)
      const shares = async () => (await bondEther.sharesOf(who)) + (await wrapped.balanceOf(who)) * SHARES_PER_WEI
      const [before, his] = [await shares(), await bondEther.sharesOf(to)]
      const roll = random(4n)
      const given = amount()
      if (roll === 0n) {
        const due = await wrapped.previewDeposit(given)
        const held = await bondEther.balanceOf(who)
        await token.deposit(given, who)
        assert.equal(await shares(), before, 'exchanged to the share')
        assert.ok(held - (await bondEther.balanceOf(who)) <= given, 'never more than asked')
        assert.ok(due * SHARES_PER_WEI <= (await bondEther.getSharesByPooledEth(given)), 'never more than it is worth')
      } else if (roll === 1n) {
        const cost = await wrapped.previewMint(given)
        const held = await bondEther.balanceOf(who)
        await token.mint(given, who)
        assert.ok(held - (await bondEther.balanceOf(who)) <= cost)
        assert.equal(await shares(), before)
      } else if (roll === 2n) {
        const most = await wrapped.maxWithdraw(who)
        const asked = given < most ? given : most
        const worth = await bondEther.balanceOf(to)
        await token.withdraw(asked, to, who)
        const got = (await bondEther.balanceOf(to)) - worth
        assert.ok(got >= asked && got - asked <= 2n, `asked ${asked}, got ${got}`)
      } else {
        const most = await wrapped.maxRedeem(who)
        const asked = given < most ? given : most
        await token.redeem(asked, to, who)
        if (to !== who) assert.equal((await bondEther.sharesOf(to)) - his, asked * SHARES_PER_WEI)
      }
      await assertBacked(staking)
    }
    // Everybody out: nothing is missing.
    for (const who of STAKERS) await wrapped.connect(signers[who]).redeem(await wrapped.balanceOf(signers[who]), signers[who], signers[who])
    assert.equal(await wrapped.totalSupply(), 0n)
    assert.equal(await wrapped.totalAssets(), 0n)
  })

  it('takes ETH', async () => {
    const staking = await staked()
    const { wrapped, bondEther, stakingPool, signers } = staking
    await profit(staking, ETH)
    const shares = await bondEther.getSharesByPooledEth(5n * ETH)
    await expect(wrapped.connect(signers.alice).depositEth(signers.bob, { value: 5n * ETH }))
      .to.emit(wrapped, 'Deposit')
      .withArgs(signers.alice.address, signers.bob.address, 5n * ETH, shares / SHARES_PER_WEI)
    assert.equal(await wrapped.balanceOf(signers.bob), shares / SHARES_PER_WEI)
    await assertBacked(staking)
    await expect(wrapped.depositEth(signers.bob, { value: 1n })).to.be.revertedWithCustomError(stakingPool, 'DepositTooSmall')
  })

  it('wraps with a permit, though somebody else sent it first; wbETH has permits of its own', async () => {
    const { wrapped, bondEther, signers } = await staked()
    const { alice, bob } = signers
    const spender = await wrapped.getAddress()
    await bondEther.connect(alice).approve(wrapped, 0n)
    const one = await signPermit(bondEther, { owner: alice, spender, value: ETH })
    await wrapped.connect(alice).depositWithPermit(ETH, alice, one.deadline, one.v, one.r, one.s)
    const two = await signPermit(bondEther, { owner: alice, spender, value: ETH })
    await bondEther.connect(bob).permit(alice, spender, ETH, two.deadline, two.v, two.r, two.s)
    await wrapped.connect(alice).depositWithPermit(ETH, alice, two.deadline, two.v, two.r, two.s)
    assert.equal(await wrapped.balanceOf(alice), 2n * ETH)
    await expect(wrapped.connect(alice).depositWithPermit(ETH, alice, two.deadline, two.v, two.r, two.s)).to.be.revertedWithCustomError(
      bondEther,
      'ERC20InsufficientAllowance',
    )
    const own = await signPermit(wrapped, { owner: alice, spender: bob.address, value: ETH })
    await wrapped.permit(alice, bob, ETH, own.deadline, own.v, own.r, own.s)
    await wrapped.connect(bob).redeem(ETH, bob, alice)
    assert.equal(await wrapped.balanceOf(alice), ETH)
  })

  it('refuses a deployment with an address missing', async () => {
    const { addresses } = await fresh()
    for (const name of ['bondEther', 'stakingPool'] as const) {
      await expect(ethers.deployContract('WrappedBondEther', [{ ...addresses, [name]: ZeroAddress }])).to.be.revert(ethers)
    }
  })
})
