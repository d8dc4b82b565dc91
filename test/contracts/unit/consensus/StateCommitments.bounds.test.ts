import { expect } from 'chai'
import { parseEther } from 'ethers'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { FULL } from '../../../support/network-life.ts'
import { epoch, FULL_GWEI, life, pool, restore, useNetwork } from './StateCommitments.support.ts'

const GWEI = 10n ** 9n

describe('StateCommitments', function () {
  this.timeout(600_000)
  useNetwork()

  describe('bounds', () => {
    it('A22 A43 growth is clamped, the rest comes with later reports, none is lost', async () => {
      const gain = parseEther('1')
      life.change(pool, { balance: FULL + Number(gain / GWEI) })
      const start = await life.bondEther.totalPooledEther()
      let left = gain
      let last = await life.periods.startOf(0)
      for (let i = 0; left > 0n && i < 40; i++) {
        const pot = await life.bondEther.totalPooledEther()
        const id = await life.reportNow()
        await life.finalize(id)
        const { epoch: reported } = await life.stateCommitments.commitment(id)
        const most = (pot * 400n * (reported - last)) / 1_000_000n
        const grown = (await life.bondEther.totalPooledEther()) - pot
        expect(grown).to.equal(left < most ? left : most)
        left -= grown
        last = reported
      }
      expect(left).to.equal(0n)
      expect((await life.bondEther.totalPooledEther()) - start).to.equal(gain)
    })
    it('A22 a captured committee that reports any balance moves the index no further than the clamp', async () => {
      const pot = await life.bondEther.totalPooledEther()
      const index = await life.bondEther.rewardsIndex()
      const { id } = await life.postReport({ epoch, stakers: [2n ** 64n - 1n], bonds: [2n ** 64n - 1n] })
      await life.finalize(id)
      const epochs = BigInt(epoch) - (await life.periods.startOf(0))
      expect(await life.bondEther.rewardsIndex()).to.be.lessThanOrEqual(index + (index * 400n * epochs) / 1_000_000n + 1n)
      expect(await life.bondEther.totalPooledEther()).to.be.greaterThan(pot)
    })
    it('A22 a great loss waits twice the window', async () => {
      const window = 3n * BigInt(SLOTS_PER_EPOCH) * 60n
      const windowOf = async (balance: bigint) => {
        const { id } = await life.postReport({ epoch, stakers: [balance] })
        const { windowEnds } = await life.stateCommitments.commitment(id)
        const length = windowEnds - BigInt(await life.networkHelpers.time.latest())
        await restore()
        return length
      }
      const most = ((await life.bondEther.totalPooledEther()) * 50_000n) / 1_000_000n / GWEI
      expect(await windowOf(FULL_GWEI - most)).to.equal(window)
      expect(await windowOf(FULL_GWEI - most - 1n)).to.equal(2n * window)
    })
    it('A12 nobody leaves while a later commitment shows a lower profit', async () => {
      const alice = at(life.people, 0)
      await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('1'))
      await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('1'))
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      const first = await life.postReport({ epoch: epoch + 4 })
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(false)
      life.change(pool, { balance: FULL - 1_000_000 })
      await life.toSlot((epoch + 8) * SLOTS_PER_EPOCH + 6)
      const second = await life.postReport({ epoch: epoch + 8 })
      await life.finalize(first.id)
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(true)
      expect(await life.withdrawalQueue.lastFinalizedId()).to.equal(0n)
      await expect(life.withdrawalQueue.finalize(10)).to.be.revertedWithCustomError(life.withdrawalQueue, 'FinalizationHeld')
      await life.finalize(second.id)
      expect(await life.withdrawalQueue.lastFinalizedId()).to.equal(1n)
      expect((await life.withdrawalQueue.request(1)).claimable).to.be.lessThan(parseEther('1'))
    })
  })

  it('A38 a top-up in flight is counted exactly once: deposited, queued, credited, eligible, active', async () => {
    const poolId = await life.requestPool()
    const profit = async () => {
      const id = await life.reportNow()
      return (await life.stateCommitments.commitment(id)).stakerProfit
    }
    await life.drawVault(poolId)
    const fresh = await life.completeDkg(poolId)
    expect(await profit(), 'registered').to.equal(0n)
    await life.fund(fresh)
    expect(await profit(), 'deposited and queued').to.equal(0n)
    life.change(fresh, { balance: FULL })
    expect(await profit(), 'credited, not yet eligible').to.equal(0n)
    life.change(fresh, { activationEligibilityEpoch: await life.epochNow() })
    expect(await profit(), 'eligible').to.equal(0n)
    life.change(fresh, { activationEpoch: await life.epochNow(), balance: FULL - 1_000 })
    expect(await profit(), 'active, with a first penalty').to.equal(-1_000n * GWEI)
  })

  it('A54 a foreign deposit to a pool’s key moves the profit by no more than it brought in', async () => {
    const poolId = await life.requestPool()
    await life.drawVault(poolId)
    const fresh = await life.completeDkg(poolId)
    const profitWith = async (balance: number) => {
      const back = await life.checkpoint()
      life.change(fresh, { balance })
      const id = await life.reportNow()
      const { stakerProfit } = await life.stateCommitments.commitment(id)
      await back()
      return stakerProfit
    }
    const ETH = 1_000_000_000
    const bounded = async (own: number, gifts: readonly number[]) => {
      for (const gift of gifts) {
        const profit = await profitWith(own + gift * ETH)
        expect(profit).to.be.lessThanOrEqual(BigInt(gift) * GWEI * BigInt(ETH))
        expect(profit).to.be.greaterThanOrEqual(0n)
      }
    }
    await bounded(ETH, [1, 30, 31, 100])
    await life.fund(fresh)
    await bounded(ETH, [0, 1, 30, 31, 32, 100])
    await bounded(FULL, [0, 1, 100])
    life.change(fresh, { activationEligibilityEpoch: await life.epochNow() })
    await bounded(FULL, [0, 1, 100])
  })
})
