import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, Signature, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { DEAD_ETHER, deployStaking, INTERVAL, type Staking } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const ETH = parseEther('1')

type Who = 'alice' | 'bob' | 'carol'

/** Alice holds 100 ETH, Bob 50, Carol 20, all buffered; each lets the queue take it. */
async function fixture() {
  const staking = await deployStaking({ ethers })
  const { stakingPool, bondEther, queue, signers } = staking
  for (const [who, amount] of [
    ['alice', 100n],
    ['bob', 50n],
    ['carol', 20n],
  ] as const) {
    await stakingPool.connect(signers[who]).deposit({ value: amount * ETH })
    await bondEther.connect(signers[who]).approve(queue, 2n ** 256n - 1n)
  }
  return staking
}
const fresh = () => networkHelpers.loadFixture(fixture)

async function ask({ queue, signers }: Staking, who: Who, amount: bigint): Promise<bigint> {
  await queue.connect(signers[who]).requestWithdrawal(amount)
  return queue.lastRequestId()
}

/** Goes to the next boundary of the report grid, a little after it, and returns the boundary's time. */
async function nextBoundary({ genesisTime }: Staking): Promise<number> {
  const now = await networkHelpers.time.latest()
  const boundary = genesisTime + (Math.floor((now - genesisTime) / INTERVAL) + 1) * INTERVAL
  await networkHelpers.time.increaseTo(boundary + 60)
  return boundary
}

/** The boundary of the report grid at or after a time. */
const nextGrid = ({ genesisTime }: Staking, time: number) => genesisTime + Math.ceil((time - genesisTime) / INTERVAL) * INTERVAL

/** Finalizes a report with this change of the staker pools' profit and this reference. */
async function report(
  { reports, stakingPool }: Staking,
  { change = 0n, at, steps = 100 }: { change?: bigint; at: number; steps?: number },
) {
  const [staker, bond] = [await stakingPool.recognised(0), await stakingPool.recognised(1)]
  return reports.finalizeState(at, [0, 0], [staker + change, bond], 225, steps)
}

/** A report whose reference lies after all requests made so far. */
async function settle(staking: Staking, change = 0n) {
  return report(staking, { change, at: await nextBoundary(staking) })
}

async function claim({ queue, signers }: Staking, who: Who, id: bigint): Promise<bigint> {
  const before = await ethers.provider.getBalance(signers[who])
  const receipt = await (await queue.connect(signers[who]).claimWithdrawal(id)).wait()
  return (await ethers.provider.getBalance(signers[who])) - before + (receipt?.fee ?? 0n)
}

/** Reserves buffered ETH in steps of 32 and sends it to the beacon chain: less is left for withdrawals. */
async function lock({ stakingPool, signers }: Staking, pools: number): Promise<void> {
  const registry = stakingPool.connect(signers.registry)
  for (let poolId = 1; poolId <= pools; poolId++) await registry.reserve(poolId)
}

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
