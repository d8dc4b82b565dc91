import assert from 'node:assert/strict'
import { expect } from 'chai'
import { DEAD_ETHER } from '../../../support/staking.ts'
import { ask, claim, ETH, fresh, lock, settle } from './WithdrawalQueue.support.ts'

describe('WithdrawalQueue', () => {
  describe('value', () => {
    it('A12 a queued request shares a loss proven before its finalization, in whole and in part', async () => {
      const staking = await fresh()
      const { queue, bondEther, stakingPool, signers } = staking
      await lock(staking, 4) // 42 ETH are left
      const asked = [10n, 20n, 30n].map((amount) => amount * ETH)
      const ids: bigint[] = []
      for (const amount of asked) ids.push(await ask(staking, 'alice', amount))
      await settle(staking, -17n * ETH) // a tenth of 170
      const index = await bondEther.rewardsIndex()
      assert.equal(await queue.lastFinalizedId(), 2n)
      const expected = asked.map((amount) => (amount * (153n * ETH + DEAD_ETHER)) / (170n * ETH + DEAD_ETHER))
      for (const i of [0, 1]) {
        const paid = await claim(staking, 'alice', ids[i] ?? 0n)
        const difference = (expected[i] ?? 0n) - paid
        assert.ok(difference >= 0n && difference <= 1n, `${difference}`)
      }
      // The index stood still, and the one that still waits shares the next loss too.
      assert.ok((await bondEther.rewardsIndex()) - index < 10n ** 6n)
      const waiting = (await queue.demand()) - (expected[2] ?? 0n)
      assert.ok(waiting <= 1n && waiting >= -1n, `${waiting}`)
      await stakingPool.connect(signers.bob).deposit({ value: 50n * ETH })
      await settle(staking, -10n * ETH)
      const later = await claim(staking, 'alice', ids[2] ?? 0n)
      assert.ok(later < (expected[2] ?? 0n) && later > 23n * ETH, `${later}`)
    })

    it('A12 it gets no later gain, which covers losses instead; a loss after its finalization is not its own', async () => {
      const staking = await fresh()
      const { bondEther } = staking
      const id = await ask(staking, 'alice', 10n * ETH)
      await settle(staking, 17n * ETH)
      // Worth 11 when finalized: one ETH of shares went to cover.
      const cover = await bondEther.getPooledEthByShares(await bondEther.coverShares())
      assert.ok(cover <= ETH && cover > ETH - 1000n, `${cover}`)
      await settle(staking, -50n * ETH)
      assert.equal(await claim(staking, 'alice', id), 10n * ETH)
    })

    it('A12 nothing is finalized while withdrawals are held', async () => {
      const staking = await fresh()
      const { queue, reports } = staking
      await ask(staking, 'alice', ETH)
      await reports.hold(true)
      await settle(staking)
      assert.equal(await queue.lastFinalizedId(), 0n)
      await expect(queue.finalize(1)).to.be.revertedWithCustomError(queue, 'FinalizationHeld')
      await reports.hold(false)
      await settle(staking, -ETH)
      assert.ok((await queue.request(1)).claimable < ETH)
    })

    it('A11 in before a report and out after it earns no more than holding, and waits longer', async () => {
      const staking = await fresh()
      const { stakingPool, bondEther, queue, signers } = staking
      const { bob, carol } = signers
      const gain = ETH / 2n
      const start = 20n * ETH
      await stakingPool.connect(bob).deposit({ value: start })
      await stakingPool.connect(carol).deposit({ value: start })
      const [bobStart, carolStart] = [await bondEther.balanceOf(bob), await bondEther.balanceOf(carol)]
      let bobEther = 0n
      for (let round = 0; round < 4; round++) {
        // Bob is in just before the report …
        if (bobEther > 0n) await stakingPool.connect(bob).deposit({ value: bobEther })
        await settle(staking, gain)
        // … asks just after it, and is paid by no report made so far:
        const { amount } = await queue.request(await ask(staking, 'bob', start))
        const id = await queue.lastRequestId()
        await queue.finalize(10)
        assert.ok((await queue.lastFinalizedId()) < id)
        // the next one pays him, without its gain.
        await settle(staking, gain)
        bobEther = await claim(staking, 'bob', id)
        assert.equal(bobEther, amount)
      }
      await stakingPool.connect(bob).deposit({ value: bobEther })
      const bobGain = (await bondEther.balanceOf(bob)) - bobStart
      const carolGain = (await bondEther.balanceOf(carol)) - carolStart
      assert.ok(bobGain * carolStart < carolGain * bobStart, `${bobGain} ${carolGain}`)
    })

    it('A39 buying before clamped growth, or around a loss, gains no more than holding from then on', async () => {
      const staking = await fresh()
      const { stakingPool, bondEther, reports, signers } = staking
      // 10 ETH of growth are known and clamped to 0.17 an epoch: Bob buys in the middle.
      await reports.finalizeState(0, [0, 0], [10n * ETH, 0], 1, 0)
      await stakingPool.connect(signers.bob).deposit({ value: 100n * ETH })
      const before = await Promise.all([bondEther.balanceOf(signers.bob), bondEther.balanceOf(signers.alice)])
      await reports.finalizeState(0, [0, 0], [10n * ETH, 0], 1, 0)
      const after = await Promise.all([bondEther.balanceOf(signers.bob), bondEther.balanceOf(signers.alice)])
      const [bobGain, aliceGain] = [after[0] - before[0], after[1] - before[1]]
      const skew = bobGain * before[1] - aliceGain * before[0]
      assert.ok((skew < 0n ? -skew : skew) <= before[0] + before[1], 'the same rate for both')
      // Around a loss that cover bears: no gain for who bought before it.
      await bondEther.connect(signers.carol).giveToCover(await bondEther.getSharesByPooledEth(5n * ETH))
      const index = await bondEther.rewardsIndex()
      await stakingPool.connect(signers.bob).deposit({ value: 100n * ETH })
      const recognised = await stakingPool.recognised(0)
      await reports.finalizeState(0, [0, 0], [recognised - 4n * ETH, 0], 1, 0)
      const moved = (await bondEther.rewardsIndex()) - index
      assert.ok(moved >= 0n && moved < 10n ** 6n, `${moved}`)
    })

    it('demand is exact within a batch and an upper bound across batches', async () => {
      const staking = await fresh()
      const { queue } = staking
      await lock(staking, 5)
      await ask(staking, 'alice', 30n * ETH)
      await settle(staking, -17n * ETH)
      assert.equal(await queue.demand(), (30n * ETH * (153n * ETH + DEAD_ETHER)) / (170n * ETH + DEAD_ETHER))
      const { amount } = await queue.request(await ask(staking, 'bob', 10n * ETH))
      await settle(staking, 10n * ETH)
      // The first lost a tenth and regained some of it; the second asks no more than it was worth.
      const first = (30n * ETH * 163n) / 170n
      const demand = await queue.demand()
      assert.ok(demand >= first + amount - 10n && demand <= 40n * ETH, `${demand}`)
      assert.ok(demand - first - amount < (amount * 10n) / 153n + 1000n)
    })
  })
})
