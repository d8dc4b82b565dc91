import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { CdtStakingModel } from '../../../support/cdt-staking-model.ts'
import { signPermit } from '../../../support/permit.ts'
import { deployStaking, type Staking } from '../../../support/staking.ts'
import { randomFrom } from '../../../support/staking-actions.ts'

const { ethers, networkHelpers } = await network.create()
const CDT = parseEther('1')
const ETH = parseEther('1')
const MIN_LOCK = 1_575 * 32 * 12
const STAKERS = ['alice', 'bob', 'carol'] as const

async function fixture() {
  const staking = await deployStaking({ ethers, rewardsFee: 1_000n })
  const { cdt, cdtStaking, stakingPool, signers } = staking
  for (const who of STAKERS) {
    await cdt.connect(signers.rewards).mint(signers[who], 10n ** 6n * CDT)
    await cdt.connect(signers[who]).approve(cdtStaking, 2n ** 256n - 1n)
  }
  await networkHelpers.setBalance(signers.alice.address, 10n ** 5n * ETH)
  await stakingPool.connect(signers.alice).deposit({ value: 10_000n * ETH })
  return staking
}
const fresh = () => networkHelpers.loadFixture(fixture)

/** A report with `gain` above the maximum, at `time`. @returns the shares that came in */
async function pay({ reports, stakingPool, bondEther, cdtStaking }: Staking, gain: bigint, time?: number): Promise<bigint> {
  const before = await bondEther.sharesOf(cdtStaking)
  const profit = (await stakingPool.recognisedMaximum()) + gain
  if (time !== undefined) await networkHelpers.time.setNextBlockTimestamp(time)
  await reports.finalizeState(0, [0, 0], [profit, 0], 10_000n, 0)
  return (await bondEther.sharesOf(cdtStaking)) - before
}

const earned = async ({ cdtStaking }: Staking, id: number) => (await cdtStaking.position(id)).earned
/** Rounded down, and by no more than a share a payment. */
const about = (actual: bigint, due: bigint, payments = 1n) => assert.ok(actual <= due && due - actual <= payments, `${actual} of ${due}`)

describe('CdtStaking', () => {
  it('shares a payment by amount × time locked so far', async () => {
    const staking = await fresh()
    const { cdtStaking, signers } = staking
    const start = (await networkHelpers.time.latest()) + 100
    await networkHelpers.time.setNextBlockTimestamp(start)
    await expect(cdtStaking.connect(signers.alice).lock(10n * CDT))
      .to.emit(cdtStaking, 'Locked')
      .withArgs(1n, signers.alice.address, 10n * CDT)
    await networkHelpers.time.setNextBlockTimestamp(start + 600)
    await cdtStaking.connect(signers.bob).lock(30n * CDT)
    const shares = await pay(staking, ETH, start + 1_000)
    const [shared] = await cdtStaking.queryFilter(cdtStaking.filters.FeeShared())
    assert.deepEqual([...(shared?.args ?? [])], [shares, 22_000n * CDT])
    // 10 × 1000 to 30 × 400.
    about(await earned(staking, 1), (shares * 10n) / 22n)
    about(await earned(staking, 2), (shares * 12n) / 22n)
    assert.equal(await cdtStaking.heldShares(), 0n)
  })

  it('A30 locking around a payment earns nothing of it, and next to nothing of the next', async () => {
    const staking = await fresh()
    const { cdtStaking, cdt, bondEther, signers } = staking
    const start = (await networkHelpers.time.latest()) + 100
    await networkHelpers.time.setNextBlockTimestamp(start)
    await cdtStaking.connect(signers.alice).lock(100n * CDT)
    const year = 365 * 86_400
    await pay(staking, ETH, start + year)
    const honest = await earned(staking, 1)
    // The attacker locks a thousand times as much right after one payment, and in the very block of the next: nothing.
    await networkHelpers.time.setNextBlockTimestamp(start + year + 12)
    await cdtStaking.connect(signers.bob).lock(100_000n * CDT)
    assert.equal(await earned(staking, 2), 0n)
    assert.equal(await earned(staking, 1), honest)
    await ethers.provider.send('evm_setAutomine', [false])
    await networkHelpers.time.setNextBlockTimestamp(start + year + 24)
    await cdtStaking.connect(signers.carol).lock(1_000_000n * CDT, { gasLimit: 500_000n })
    const profit = (await staking.stakingPool.recognisedMaximum()) + ETH
    await staking.reports.finalizeState(0, [0, 0], [profit, 0], 10_000n, 0, { gasLimit: 5_000_000n })
    await ethers.provider.send('evm_mine', [])
    await ethers.provider.send('evm_setAutomine', [true])
    assert.equal(await earned(staking, 3), 0n)
    // And it cannot leave before the least lock is over.
    await expect(cdtStaking.connect(signers.bob).unlock(2, 100_000n * CDT)).to.be.revertedWithCustomError(cdtStaking, 'StillLocked')
    // 100 CDT for a year against 100,000 for 12 seconds: the attacker's part is what its coin-seconds are.
    const got = await earned(staking, 2)
    const second = (await earned(staking, 1)) - honest
    const parts = 100n * BigInt(year + 24)
    assert.ok(got * parts <= second * 100_000n * 12n + parts, `${got}`)
    assert.equal(await cdt.balanceOf(cdtStaking), 1_100_100n * CDT)
    assert.ok((await bondEther.sharesOf(cdtStaking)) >= honest + second + got)
  })

  it('keeps what comes while nobody has locked for any time, and shares it with the next payment', async () => {
    const staking = await fresh()
    const { cdtStaking, signers } = staking
    const first = await pay(staking, ETH)
    assert.equal(await cdtStaking.heldShares(), first)
    await cdtStaking.connect(signers.alice).lock(CDT)
    assert.equal(await earned(staking, 1), 0n)
    const second = await pay(staking, ETH)
    about(await earned(staking, 1), first + second)
    assert.equal(await cdtStaking.heldShares(), 0n)
  })

  it('earnings grow with bETH, are claimed alone or with the CDT, once', async () => {
    const staking = await fresh()
    const { cdtStaking, bondEther, cdt, signers } = staking
    await cdtStaking.connect(signers.alice).lock(5n * CDT)
    const start = await networkHelpers.time.latest()
    const first = await pay(staking, ETH, start + 1_000)
    const token = cdtStaking.connect(signers.alice)
    const before = await bondEther.sharesOf(signers.alice)
    const claim = await token.claim(1)
    await expect(claim).to.emit(cdtStaking, 'Claimed')
    const claimed = (await bondEther.sharesOf(signers.alice)) - before
    about(claimed, first)
    await expect(token.claim(1)).to.not.emit(cdtStaking, 'Claimed')
    const second = await pay(staking, ETH, start + MIN_LOCK + 10)
    await expect(token.unlock(1, 5n * CDT))
      .to.emit(cdtStaking, 'Unlocked')
      .withArgs(1n, signers.alice.address, 5n * CDT)
    about((await bondEther.sharesOf(signers.alice)) - before, first + second, 3n)
    assert.equal(await cdt.balanceOf(signers.alice), 10n ** 6n * CDT)
    assert.equal(await cdtStaking.coinSeconds(), 0n)
    await pay(staking, ETH)
    assert.equal(await earned(staking, 1), 0n)
  })

  it('a part may leave, the rest keeps its time; no dust stays', async () => {
    const staking = await fresh()
    const { cdtStaking, signers } = staking
    await cdtStaking.connect(signers.alice).lock(10n * CDT)
    const start = await networkHelpers.time.latest()
    const token = cdtStaking.connect(signers.alice)
    await networkHelpers.time.setNextBlockTimestamp(start + MIN_LOCK - 1)
    await expect(token.unlock(1, CDT))
      .to.be.revertedWithCustomError(cdtStaking, 'StillLocked')
      .withArgs(1n, BigInt(start + MIN_LOCK), BigInt(start + MIN_LOCK - 1))
    await networkHelpers.time.increaseTo(start + MIN_LOCK)
    await expect(token.unlock(1, 10n * CDT + 1n)).to.be.revertedWithCustomError(cdtStaking, 'AmountTooLarge')
    await expect(token.unlock(1, 9n * CDT + 1n)).to.be.revertedWithCustomError(cdtStaking, 'LockTooSmall')
    await token.unlock(1, 4n * CDT)
    const position = await cdtStaking.position(1)
    assert.equal(position.amount, 6n * CDT)
    assert.equal(position.start, BigInt(start))
    assert.equal(await cdtStaking.coinSeconds(), 6n * CDT * BigInt((await networkHelpers.time.latest()) - start))
  })

  it('refuses dust, strangers, unknown positions and callers', async () => {
    const staking = await fresh()
    const { cdtStaking, addresses, parameters, signers } = staking
    await expect(cdtStaking.connect(signers.alice).lock(CDT - 1n)).to.be.revertedWithCustomError(cdtStaking, 'LockTooSmall')
    await cdtStaking.connect(signers.alice).lock(CDT)
    for (const id of [0, 1, 2]) {
      await expect(cdtStaking.connect(signers.bob).claim(id)).to.be.revertedWithCustomError(cdtStaking, 'NotPositionOwner')
      await expect(cdtStaking.connect(signers.bob).unlock(id, 1n)).to.be.revertedWithCustomError(cdtStaking, 'NotPositionOwner')
    }
    await expect(cdtStaking.connect(signers.alice).receiveFee()).to.be.revertedWithCustomError(cdtStaking, 'NotStakingPool')
    for (const name of ['cdt', 'bondEther', 'stakingPool'] as const) {
      await expect(ethers.deployContract('CdtStaking', [{ ...addresses, [name]: ZeroAddress }, parameters])).to.be.revert(ethers)
    }
  })

  it('locks with a permit, though somebody else sent it first', async () => {
    const { cdt, cdtStaking, signers } = await fresh()
    const { alice, bob } = signers
    await cdt.connect(alice).approve(cdtStaking, 0n)
    const spender = await cdtStaking.getAddress()
    const one = await signPermit(cdt, { owner: alice, spender, value: CDT })
    await cdtStaking.connect(alice).lockWithPermit(CDT, one.deadline, one.v, one.r, one.s)
    const two = await signPermit(cdt, { owner: alice, spender, value: 2n * CDT })
    await cdt.connect(bob).permit(alice, spender, 2n * CDT, two.deadline, two.v, two.r, two.s)
    await cdtStaking.connect(alice).lockWithPermit(2n * CDT, two.deadline, two.v, two.r, two.s)
    assert.deepEqual([...(await cdtStaking.positionsOf(alice, 0, 10))], [1n, 2n])
    assert.deepEqual([...(await cdtStaking.positionsOf(alice, 1, 10))], [2n])
    assert.deepEqual([...(await cdtStaking.positionsOf(alice, 5, 10))], [])
    const bad = await signPermit(cdt, { owner: bob, spender, value: CDT })
    await expect(cdtStaking.connect(alice).lockWithPermit(CDT, bad.deadline, bad.v, bad.r, bad.s)).to.be.revertedWithCustomError(
      cdt,
      'ERC20InsufficientAllowance',
    )
  })

  it('A36 the largest payment against the least lock overflows nothing', async () => {
    const staking = await fresh()
    const { cdtStaking, stakingPool, signers } = staking
    await networkHelpers.setBalance(signers.alice.address, 2n ** 88n)
    await stakingPool.connect(signers.alice).deposit({ value: 2n ** 87n })
    await cdtStaking.connect(signers.bob).lock(CDT)
    for (let i = 0; i < 3; i++) {
      const shares = await pay(staking, 2n ** 84n)
      assert.ok(shares > 2n ** 89n)
    }
    assert.ok((await earned(staking, 1)) > 0n)
    await cdtStaking.connect(signers.bob).claim(1)
  })

  for (const seed of [7n, 31n]) {
    it(`A09 A30 does what the model does, with nobody owed more than is there (seed ${seed})`, async function () {
      this.timeout(600_000)
      const staking = await fresh()
      const { cdtStaking, bondEther, signers } = staking
      const random = randomFrom(seed * 0x9e3779b97f4a7c15n)
      const model = new CdtStakingModel()
      let time = (await networkHelpers.time.latest()) + 50
      for (let i = 0; i < 120; i++) {
        time += 1 + Number(random(random(4n) === 0n ? BigInt(MIN_LOCK) : 5_000n))
        const roll = Number(random(10n))
        const open = model.positions.filter(({ amount }) => amount > 0n)
        const picked = open[Number(random(BigInt(Math.max(open.length, 1))))]
        if (roll < 3 || picked === undefined) {
          const who = STAKERS[Number(random(3n))] ?? 'alice'
          const amount = CDT + random(1_000n * CDT)
          await networkHelpers.time.setNextBlockTimestamp(time)
          await cdtStaking.connect(signers[who]).lock(amount)
          model.lock(who, amount, time)
        } else if (roll < 6) {
          model.pay(await pay(staking, ETH / 1_000n + random(ETH), time), time)
        } else if (roll < 8) {
          await networkHelpers.time.setNextBlockTimestamp(time)
          await cdtStaking.connect(signers[picked.owner]).claim(picked.id)
          model.claim(picked.id)
        } else if (time - picked.start >= MIN_LOCK) {
          const amount = random(2n) === 0n || picked.amount < 2n * CDT ? picked.amount : random(picked.amount - CDT)
          await networkHelpers.time.setNextBlockTimestamp(time)
          await cdtStaking.connect(signers[picked.owner]).unlock(picked.id, amount)
          model.unlock(picked.id, amount)
        }
        let sum = 0n
        for (const { id, amount } of model.positions) {
          const { earned: actual, amount: locked } = await cdtStaking.position(id)
          assert.equal(locked, amount)
          sum += actual
          const { low, high } = model.earnedBy(id)
          assert.ok(actual >= low && actual <= high, `step ${i}, position ${id}: ${actual} is not in ${low} … ${high}`)
        }
        assert.equal(await cdtStaking.heldShares(), model.held)
        assert.ok(sum + model.held <= (await bondEther.sharesOf(cdtStaking)), `step ${i}: owes ${sum}`)
      }
      assert.ok(model.payments > 20 && model.positions.length > 20, `${model.payments} payments, ${model.positions.length} positions`)
    })
  }
})
