import assert from 'node:assert/strict'
import { expect } from 'chai'
import { Signature, ZeroAddress } from 'ethers'
import { INTERVAL, type Staking } from '../../../support/staking.ts'
import { ask, claim, ETH, ethers, fresh, networkHelpers, nextBoundary, report, settle } from './WithdrawalQueue.support.ts'

/** The boundary of the report grid at or after a time. */
const nextGrid = ({ genesisTime }: Staking, time: number) => genesisTime + Math.ceil((time - genesisTime) / INTERVAL) * INTERVAL

describe('WithdrawalQueue', () => {
  it('refuses a deployment with an address missing', async () => {
    const { addresses, parameters } = await fresh()
    for (const name of ['bondEther', 'stakingPool', 'stateCommitments'] as const) {
      await expect(ethers.deployContract('WithdrawalQueue', [{ ...addresses, [name]: ZeroAddress }, parameters])).to.be.revert(ethers)
    }
  })

  it('answers the StakingPool alone where it must', async () => {
    const { queue, signers } = await fresh()
    const stranger = signers.deployer.address
    for (const call of [() => queue.closeBatch(), () => queue.receivePaid({ value: 1 })]) {
      await expect(call()).to.be.revertedWithCustomError(queue, 'NotStakingPool').withArgs(stranger)
    }
    await expect(signers.bob.sendTransaction({ to: queue, value: 1 })).to.be.revert(ethers)
  })

  describe('requests', () => {
    it('takes bETH and makes an ERC-721 of it', async () => {
      const staking = await fresh()
      const { queue, bondEther, signers } = staking
      const asked = queue.connect(signers.alice).requestWithdrawal(3n * ETH + 1n)
      await expect(asked)
        .to.emit(queue, 'WithdrawalRequested')
        .withArgs(1, signers.alice.address, (3n * ETH + 1n) * 1000n, 3n * ETH + 1n)
      await expect(asked).to.emit(queue, 'Transfer').withArgs(ZeroAddress, signers.alice.address, 1)
      const now = await networkHelpers.time.latest()
      assert.equal(await queue.ownerOf(1), signers.alice.address)
      assert.equal(await queue.balanceOf(signers.alice), 1n)
      assert.equal(await bondEther.balanceOf(signers.alice), 97n * ETH - 1n)
      const made = await queue.request(1)
      assert.deepEqual([made.owner, made.shares, made.amount], [signers.alice.address, (3n * ETH + 1n) * 1000n, 3n * ETH + 1n])
      assert.deepEqual([made.finalized, made.claimed, made.claimable], [false, false, 0n])
      assert.ok(Number(made.requestedAt) <= now && now - Number(made.requestedAt) <= INTERVAL / 32)
      assert.equal(await queue.oldestRequestedAt(), made.requestedAt)
      assert.equal(await queue.demand(), 3n * ETH + 1n)
    })

    it('each counts with its own amount, whatever came before', async () => {
      const staking = await fresh()
      const { queue } = staking
      await settle(staking, ETH / 3n)
      const amounts = [ETH + 7n, 10n ** 9n + 1n, 12_345_678_901n, 7n * ETH]
      for (const [i, amount] of amounts.entries()) {
        const { amount: kept } = await queue.request(await ask(staking, i % 2 ? 'alice' : 'bob', amount))
        assert.ok(kept <= amount && kept >= amount - 1n)
      }
      assert.equal(await queue.lastRequestId(), 4n)
    })

    it('refuses dust, what the caller does not have or has not allowed, and unknown ids', async () => {
      const staking = await fresh()
      const { queue, bondEther, signers } = staking
      const alice = queue.connect(signers.alice)
      await expect(alice.requestWithdrawal(10n ** 9n - 1n))
        .to.be.revertedWithCustomError(queue, 'AmountTooSmall')
        .withArgs(10n ** 9n, 10n ** 9n - 1n)
      await expect(alice.requestWithdrawal(100n * ETH + 1n)).to.be.revertedWithCustomError(bondEther, 'InsufficientShares')
      await bondEther.connect(signers.alice).approve(queue, ETH)
      await expect(alice.requestWithdrawal(ETH + 1n)).to.be.revertedWithCustomError(bondEther, 'ERC20InsufficientAllowance')
      for (const id of [0, 1]) {
        await expect(queue.request(id)).to.be.revertedWithCustomError(queue, 'RequestUnknown').withArgs(id, 0)
        await expect(alice.claimWithdrawal(id)).to.be.revertedWithCustomError(queue, 'RequestUnknown')
      }
    })

    it('with a permit, also when somebody has sent the permit before', async () => {
      const staking = await fresh()
      const { queue, bondEther, signers } = staking
      const { alice, bob } = signers
      await bondEther.connect(alice).approve(queue, 0)
      const { chainId } = await ethers.provider.getNetwork()
      const domain = { name: 'Open Pools Ether', version: '1', chainId, verifyingContract: staking.addresses.bondEther }
      const fields = ['owner:address', 'spender:address', 'value:uint256', 'nonce:uint256', 'deadline:uint256']
      const types = { Permit: fields.map((field) => ({ name: field.split(':')[0] ?? '', type: field.split(':')[1] ?? '' })) }
      const deadline = 2n ** 40n
      const sign = async (nonce: bigint) =>
        Signature.from(
          await alice.signTypedData(domain, types, {
            owner: alice.address,
            spender: staking.addresses.withdrawalQueue,
            value: ETH,
            nonce,
            deadline,
          }),
        )
      const first = await sign(0n)
      await queue.connect(alice).requestWithdrawalWithPermit(ETH, deadline, first.v, first.r, first.s)
      const second = await sign(1n)
      await bondEther.connect(bob).permit(alice, queue, ETH, deadline, second.v, second.r, second.s)
      await queue.connect(alice).requestWithdrawalWithPermit(ETH, deadline, second.v, second.r, second.s)
      assert.equal(await queue.balanceOf(alice), 2n)
      await expect(
        queue.connect(alice).requestWithdrawalWithPermit(ETH, deadline, second.v, second.r, second.s),
      ).to.be.revertedWithCustomError(bondEther, 'ERC20InsufficientAllowance')
    })

    it('the right goes with the token, and so does the claim', async () => {
      const staking = await fresh()
      const { queue, signers } = staking
      const id = await ask(staking, 'alice', ETH)
      await queue.connect(signers.alice).approve(signers.carol, id)
      await queue.connect(signers.carol).transferFrom(signers.alice, signers.bob, id)
      assert.deepEqual([await queue.balanceOf(signers.alice), await queue.balanceOf(signers.bob)], [0n, 1n])
      assert.equal(await queue.getApproved(id), ZeroAddress)
      await settle(staking)
      await expect(queue.connect(signers.alice).claimWithdrawal(id))
        .to.be.revertedWithCustomError(queue, 'NotRequestOwner')
        .withArgs(id, signers.bob.address, signers.alice.address)
      assert.equal(await claim(staking, 'bob', id), ETH)
      assert.equal(await queue.balanceOf(signers.bob), 0n)
      await expect(queue.ownerOf(id)).to.be.revertedWithCustomError(queue, 'ERC721NonexistentToken')
      await expect(queue.balanceOf(ZeroAddress)).to.be.revertedWithCustomError(queue, 'ERC721InvalidOwner')
      await expect(queue.connect(signers.bob).transferFrom(signers.bob, signers.alice, id)).to.be.revert(ethers)
    })

    it('tells its time to 1/32 of the report grid, over many intervals without a report', async () => {
      const staking = await fresh()
      const { queue } = staking
      const times: number[] = []
      for (let i = 0; i < 30; i++) {
        await ask(staking, 'alice', ETH)
        times.push(await networkHelpers.time.latest())
        await networkHelpers.time.increase(Math.floor(INTERVAL / 2.7))
      }
      for (const [i, time] of times.entries()) {
        const { requestedAt } = await queue.request(i + 1)
        assert.ok(Number(requestedAt) <= time && time - Number(requestedAt) <= INTERVAL / 32 + 1, `${requestedAt} ${time}`)
      }
      await report(staking, { at: Number(times[17]) })
      assert.equal(await queue.lastFinalizedId(), BigInt(times.filter((time) => time < nextGrid(staking, Number(times[17]))).length))
      await settle(staking)
      assert.equal(await queue.lastFinalizedId(), 30n)
    })
  })

  describe('claims', () => {
    it('once, after the finalization', async () => {
      const staking = await fresh()
      const { queue, signers } = staking
      const id = await ask(staking, 'alice', ETH)
      const alice = queue.connect(signers.alice)
      await expect(alice.claimWithdrawal(id)).to.be.revertedWithCustomError(queue, 'NotFinalized').withArgs(id, 0)
      await settle(staking)
      assert.equal((await queue.request(id)).claimable, ETH)
      await expect(alice.claimWithdrawal(id)).to.emit(queue, 'WithdrawalClaimed').withArgs(id, signers.alice.address, ETH)
      await expect(alice.claimWithdrawal(id)).to.be.revertedWithCustomError(queue, 'AlreadyClaimed').withArgs(id)
      const done = await queue.request(id)
      assert.deepEqual([done.claimed, done.claimable, done.owner, done.amount], [true, 0n, ZeroAddress, ETH])
    })

    it('A29 who reverts or re-enters blocks only itself', async () => {
      const staking = await fresh()
      const { queue, addresses, signers } = staking
      const { bondEther, stakingPool, withdrawalQueue } = addresses
      const hostile = await ethers.deployContract('HostileClaimer', [bondEther, stakingPool, withdrawalQueue], { value: 10n * ETH })
      await hostile.requestWithdrawal(ETH)
      await hostile.requestWithdrawal(2n * ETH)
      const id = await ask(staking, 'alice', ETH)
      await settle(staking)
      assert.equal(await queue.lastFinalizedId(), 3n)
      await hostile.behave(true, 0)
      await expect(hostile.claim(1))
        .to.be.revertedWithCustomError(queue, 'ClaimFailed')
        .withArgs(1, await hostile.getAddress())
      assert.equal(await claim(staking, 'alice', id), ETH)
      await hostile.behave(false, 1)
      await hostile.claim(1)
      assert.equal(await hostile.reentryFailed(), true)
      assert.equal(await ethers.provider.getBalance(hostile), ETH)
      await hostile.behave(false, 2)
      await expect(hostile.connect(signers.bob).claim(2)).not.to.be.revert(ethers)
      assert.equal(await ethers.provider.getBalance(hostile), 3n * ETH)
      assert.equal(await ethers.provider.getBalance(queue), 0n)
    })

    it('each finds its rate among many', async () => {
      const staking = await fresh()
      const { queue } = staking
      const claims: { readonly id: bigint; readonly due: bigint }[] = []
      for (let i = 0; i < 24; i++) {
        const ids = [await ask(staking, 'alice', ETH + BigInt(i)), await ask(staking, 'alice', 10n ** 9n * BigInt(i + 1))]
        await settle(staking, i % 3 === 0 ? ETH / 100n : -ETH / BigInt(10 + i))
        for (const id of ids) claims.push({ id, due: (await queue.request(id)).claimable })
      }
      let total = 0n
      for (const { id, due } of claims.toReversed()) {
        assert.equal((await queue.request(id)).claimable, due)
        assert.equal(await claim(staking, 'alice', id), due)
        total += due
      }
      assert.ok(total > 23n * ETH)
      assert.ok((await ethers.provider.getBalance(queue)) <= 48n)
    })
  })

  it('gas: requests and claims', async () => {
    const staking = await fresh()
    const { queue, bondEther, signers } = staking
    const gasOf = async (sent: Promise<{ wait(): Promise<{ gasUsed: bigint } | null> }>) => (await (await sent).wait())?.gasUsed ?? 0n
    await bondEther.connect(signers.alice).approve(queue, 50n * ETH)
    await ask(staking, 'bob', ETH)
    const first = await gasOf(queue.connect(signers.alice).requestWithdrawal(ETH))
    const again = await gasOf(queue.connect(signers.alice).requestWithdrawal(ETH))
    await nextBoundary(staking)
    const newBatch = await gasOf(queue.connect(signers.alice).requestWithdrawal(ETH))
    const settled = await gasOf(settle(staking))
    const claimed = await gasOf(queue.connect(signers.alice).claimWithdrawal(2))
    const last = await (async () => {
      await claim(staking, 'alice', 3n)
      return gasOf(queue.connect(signers.alice).claimWithdrawal(4))
    })()
    await nextBoundary(staking)
    const newOwner = await gasOf(queue.connect(signers.carol).requestWithdrawal(ETH))
    console.log(`      request ${first}, again ${again}, first of an interval ${newBatch}, and of its owner ${newOwner}`)
    console.log(`      report with two batches finalized ${settled}, claim ${claimed}, last of an owner ${last}`)
    assert.ok(first <= 110_000n && newOwner <= 110_000n && again <= 94_000n && newBatch <= 94_000n)
    assert.ok(claimed <= 54_000n)
  })
})
