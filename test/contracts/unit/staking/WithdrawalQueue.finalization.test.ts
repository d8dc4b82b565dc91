import assert from 'node:assert/strict'
import { expect } from 'chai'
import { DEAD_ETHER, INTERVAL } from '../../../support/staking.ts'
import { ask, claim, ETH, ethers, fresh, lock, networkHelpers, nextBoundary, report, settle } from './WithdrawalQueue.support.ts'

describe('WithdrawalQueue', () => {
  describe('finalization', () => {
    it('needs a reference after the request', async () => {
      const staking = await fresh()
      const { queue } = staking
      const early = await ask(staking, 'alice', ETH)
      const boundary = await nextBoundary(staking)
      const late = await ask(staking, 'bob', ETH)
      await report(staking, { at: boundary })
      assert.equal(await queue.lastFinalizedId(), early)
      // The block at the boundary may be missing: then the reference is the last one before it.
      await report(staking, { at: (await nextBoundary(staking)) - 36 })
      assert.equal(await queue.lastFinalizedId(), late)
      assert.equal(await queue.oldestRequestedAt(), 0n)
    })

    it('a request in the very block of the reference waits for the next', async () => {
      const staking = await fresh()
      const boundary = (await nextBoundary(staking)) + INTERVAL
      await networkHelpers.time.setNextBlockTimestamp(boundary)
      await ask(staking, 'alice', ETH)
      await networkHelpers.time.increase(100)
      await report(staking, { at: boundary - 12 })
      assert.equal(await staking.queue.lastFinalizedId(), 0n)
      await settle(staking)
      assert.equal(await staking.queue.lastFinalizedId(), 1n)
    })

    it('sets the ETH aside, out of buffer and pot, with the index unmoved', async () => {
      const staking = await fresh()
      const { queue, stakingPool, bondEther } = staking
      await settle(staking, ETH / 7n)
      const id = await ask(staking, 'alice', 30n * ETH)
      const { amount } = await queue.request(id)
      const [index, pot, buffer] = [await bondEther.rewardsIndex(), await bondEther.totalPooledEther(), await stakingPool.buffered()]
      const settled = settle(staking)
      await expect(settled).to.emit(queue, 'WithdrawalsFinalized')
      await expect(settled)
        .to.emit(stakingPool, 'WithdrawalsPaid')
        .withArgs(amount, buffer - amount)
      assert.equal(await ethers.provider.getBalance(queue), amount)
      assert.equal(await bondEther.totalPooledEther(), pot - amount)
      assert.equal(await queue.demand(), 0n)
      const moved = (await bondEther.rewardsIndex()) - index
      assert.ok(moved >= 0n && moved < 10n ** 6n, `${moved}`)
    })

    it('is open to anybody while nothing is held, and does nothing when there is nothing', async () => {
      const staking = await fresh()
      const { queue, reports } = staking
      await queue.finalize(5)
      await ask(staking, 'alice', ETH)
      await queue.finalize(5)
      await report(staking, { at: await nextBoundary(staking), steps: 0 })
      await queue.finalize(0)
      assert.equal(await queue.lastFinalizedId(), 0n)
      await reports.hold(true)
      await expect(queue.finalize(5)).to.be.revertedWithCustomError(queue, 'FinalizationHeld')
      await reports.hold(false)
      assert.equal(await queue.finalize.staticCall(5), 1n)
      await queue.finalize(5)
      assert.equal(await queue.lastFinalizedId(), 1n)
    })

    it('goes on where it stopped, batch by batch', async () => {
      const staking = await fresh()
      const { queue } = staking
      for (let i = 0; i < 5; i++) {
        await ask(staking, 'alice', ETH)
        await ask(staking, 'bob', ETH)
        await report(staking, { at: (await nextBoundary(staking)) - 5 * INTERVAL, steps: 0 })
      }
      await report(staking, { at: await nextBoundary(staking), steps: 0 })
      for (const [steps, last] of [
        [1, 2n],
        [2, 6n],
        [9, 10n],
      ] as const) {
        await queue.finalize(steps)
        assert.equal(await queue.lastFinalizedId(), last)
      }
      for (let id = 1n; id <= 10n; id++) assert.equal(await claim(staking, id % 2n ? 'alice' : 'bob', id), ETH)
    })

    it('pays a part of a batch, up to the last request that the ETH here covers', async () => {
      const staking = await fresh()
      const { queue, stakingPool, signers } = staking
      await lock(staking, 5) // 10 ETH are left
      const amounts = [1n, 2n, 3n, 3n, 2n, 1n].map((amount) => amount * ETH)
      for (const [i, amount] of amounts.entries()) await ask(staking, i % 2 ? 'bob' : 'alice', amount)
      await settle(staking)
      assert.equal(await queue.lastFinalizedId(), 4n)
      assert.equal(await queue.demand(), 3n * ETH)
      assert.equal(await stakingPool.unreserved(), ETH + DEAD_ETHER)
      await queue.finalize(10)
      assert.equal(await queue.lastFinalizedId(), 4n)
      // A deposit covers the next one; what is reserved does not.
      await stakingPool.connect(signers.carol).deposit({ value: (3n * ETH) / 2n })
      await queue.finalize(10)
      assert.equal(await queue.lastFinalizedId(), 5n)
      await stakingPool.connect(signers.registry).release(1, ETH)
      await queue.finalize(10)
      assert.equal(await queue.lastFinalizedId(), 6n)
      for (const [i, amount] of amounts.entries()) assert.equal(await claim(staking, i % 2 ? 'bob' : 'alice', BigInt(i + 1)), amount)
      assert.equal(await ethers.provider.getBalance(queue), 0n)
    })

    it('a giant at the head is paid before anyone behind it', async () => {
      const staking = await fresh()
      await lock(staking, 5)
      await ask(staking, 'alice', 11n * ETH)
      await ask(staking, 'bob', ETH)
      await settle(staking)
      assert.equal(await staking.queue.lastFinalizedId(), 0n)
      assert.equal(await staking.queue.demand(), 12n * ETH)
    })
  })
})
