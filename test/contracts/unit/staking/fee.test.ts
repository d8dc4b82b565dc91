import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { DEAD_ETHER, deployStaking, ONE, SHARES_PER_WEI, type Staking } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const ETH = parseEther('1')
const FEE = 1_000n
const EPOCHS = 225n
const fixture = () => deployStaking({ ethers, rewardsFee: FEE })

async function staked() {
  const staking = await networkHelpers.loadFixture(fixture)
  await staking.stakingPool.connect(staking.signers.alice).deposit({ value: 100n * ETH })
  return staking
}

/** A report of profits to date. */
const report = ({ reports }: Staking, staker: bigint, bond = 0n, epochs = EPOCHS) =>
  reports.finalizeState(0, [0, 0], [staker, bond], epochs, 0)
const feeShares = ({ bondEther, cdtStaking }: Staking) => bondEther.sharesOf(cdtStaking)
const feeWei = ({ bondEther, cdtStaking }: Staking) => bondEther.balanceOf(cdtStaking)

describe('the fee on rewards', () => {
  it('is a tenth of a gain, in new shares; the other holders share the rest', async () => {
    const staking = await staked()
    const { bondEther, stakingPool, cdtStaking, signers } = staking
    await expect(report(staking, ETH))
      .to.emit(stakingPool, 'FeeTaken')
      .withArgs(ETH, ETH / 10n)
      .and.to.emit(cdtStaking, 'FeeHeld')
    const pot = 101n * ETH + DEAD_ETHER
    const before = (100n * ETH + DEAD_ETHER) * SHARES_PER_WEI
    const minted = ((ETH / 10n) * before) / (pot - ETH / 10n)
    assert.equal(await feeShares(staking), minted)
    assert.equal(await bondEther.totalPooledEther(), pot, 'no ETH came in with the fee, and none left')
    assert.equal(await bondEther.totalShares(), before + minted)
    assert.equal(await bondEther.rewardsIndex(), (ONE * SHARES_PER_WEI * pot) / (before + minted))
    const gained = (await bondEther.balanceOf(signers.alice)) - 100n * ETH
    const due = (ETH * 9n) / 10n
    assert.ok(gained <= due && due - gained < 1_000n, `${gained}`)
    const fee = await feeWei(staking)
    assert.ok(fee <= ETH / 10n && ETH / 10n - fee <= 1n, 'rounded in favour of all others')
  })

  it('A13 is not taken on deposits, bonds, gifts, ETH forced into a contract, or principal that comes back', async () => {
    const staking = await staked()
    const { stakingPool, bondEther, signers, vaults, reports } = staking
    await stakingPool.connect(signers.producers).deposit({ value: 26n * ETH })
    await bondEther.connect(signers.alice).giveToCover(5n * ETH * SHARES_PER_WEI)
    await stakingPool.connect(signers.registry).reserve(1)
    await stakingPool.connect(signers.registry).depositToBeacon(1, 0, new Uint8Array(48), new Uint8Array(96), 32n * ETH)
    await signers.bob.sendTransaction({ to: vaults[0], value: 32n * ETH })
    await networkHelpers.setBalance(await stakingPool.getAddress(), 500n * ETH)
    // The validator's 32 ETH are back: arrivals 32, deposits 32, so no profit.
    await reports.finalizeState(0, [32n * ETH, 0], [0, 0], EPOCHS, 0)
    assert.equal(await feeShares(staking), 0n)
    assert.equal(await stakingPool.recognisedMaximum(), 0n)
    assert.equal(await bondEther.rewardsIndex(), ONE)
  })

  it('is not taken twice: a gain after a loss pays only for what exceeds the former maximum', async () => {
    const staking = await staked()
    await report(staking, ETH)
    const paid = await feeShares(staking)
    for (const profit of [ETH / 4n, -2n * ETH, 0n, ETH - 1n, ETH]) {
      await report(staking, profit)
      assert.equal(await feeShares(staking), paid, `${profit}`)
      assert.equal(await staking.stakingPool.recognisedMaximum(), ETH)
    }
    await expect(report(staking, 2n * ETH))
      .to.emit(staking.stakingPool, 'FeeTaken')
      .withArgs(2n * ETH, ETH / 10n)
  })

  it('counts both kinds together: the loss of one spares the gain of the other', async () => {
    const staking = await staked()
    const { stakingPool, signers } = staking
    await stakingPool.connect(signers.producers).deposit({ value: 40n * ETH })
    await report(staking, 3n * ETH, -ETH)
    assert.equal(await stakingPool.recognisedMaximum(), 2n * ETH)
    await report(staking, 2n * ETH, 0n)
    assert.equal(await stakingPool.recognisedMaximum(), 2n * ETH)
    await report(staking, 2n * ETH, ETH)
    assert.equal(await stakingPool.recognisedMaximum(), 3n * ETH)
  })

  it('A43 of a clamped gain is taken as it is recognised, and in all the same', async () => {
    const staking = await staked()
    // 1000 ppm an epoch of 100 ETH: a tenth of an ETH in one epoch.
    await report(staking, ETH, 0n, 1n)
    const first = await staking.stakingPool.recognisedMaximum()
    assert.ok(first <= ETH / 10n + 1n && first > ETH / 11n, `${first}`)
    for (let i = 0; i < 12; i++) await report(staking, ETH, 0n, 1n)
    assert.equal(await staking.stakingPool.recognisedMaximum(), ETH)
    const fee = await feeWei(staking)
    // What was taken before grew with the rest since.
    assert.ok(fee >= ETH / 10n && fee < (ETH * 101n) / 1000n, `${fee}`)
  })

  it('is not taken on what cover makes good', async () => {
    const staking = await staked()
    const { bondEther, stakingPool, signers, reports } = staking
    await bondEther.connect(signers.alice).giveToCover(2n * ETH * SHARES_PER_WEI)
    await report(staking, ETH)
    const paid = await feeShares(staking)
    await stakingPool.connect(signers.registry).writeOff(1, ETH)
    const time = (await networkHelpers.time.latest()) + 10
    await reports.finalizeState(time, [0, 0], [0, 0], EPOCHS, 0)
    assert.equal(await feeShares(staking), paid)
    assert.equal(await stakingPool.recognised(0), 0n)
    await report(staking, ETH)
    assert.equal(await feeShares(staking), paid, 'rewards up to the maximum had paid before the loss')
  })

  it('A11 A39 depositing just before a report and leaving just after gains nothing, the fee included', async () => {
    const staking = await staked()
    const { bondEther, stakingPool, queue, reports, signers } = staking
    const { bob } = signers
    await report(staking, ETH)
    await stakingPool.connect(bob).deposit({ value: 50n * ETH })
    const [worth, fees] = [await bondEther.balanceOf(bob), await feeWei(staking)]
    await bondEther.connect(bob).approve(queue, 2n ** 256n - 1n)
    await queue.connect(bob).requestWithdrawal(worth)
    const later = (await networkHelpers.time.latest()) + 10
    await reports.finalizeState(later, [0, 0], [2n * ETH, 0], EPOCHS, 8)
    assert.ok((await queue.request(1)).claimable <= worth)
    // The fee is a tenth of the gain all the same, and what the old fee earned since.
    const added = (await feeWei(staking)) - fees
    assert.ok(added >= ETH / 10n - 2n && added < ETH / 9n, `${added}`)
  })

  it('may be nothing', async () => {
    const staking = await deployStaking({ ethers, rewardsFee: 0n })
    await staking.stakingPool.connect(staking.signers.alice).deposit({ value: 100n * ETH })
    await report(staking, ETH)
    assert.equal(await feeShares(staking), 0n)
    assert.equal(await staking.stakingPool.recognisedMaximum(), ETH)
  })
})
