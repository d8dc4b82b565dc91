import assert from 'node:assert/strict'
import { ssz } from '@lodestar/types'
import { expect } from 'chai'
import { hexlify, parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { randomBytes } from '../../../support/randomness.ts'
import { BOND, DEAD_ETHER, deployStaking, MAX_REPORT_GROWTH, ONE, STAKER, type Staking } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const fixture = () => deployStaking({ ethers })
const fresh = () => networkHelpers.loadFixture(fixture)

const ETH = parseEther('1')
const PUBLIC_KEY = randomBytes(48)
const SIGNATURE = randomBytes(96)

type Report = { readonly arrivals?: readonly [bigint, bigint]; readonly profit?: readonly [bigint, bigint]; readonly epochs?: bigint }

/** Books a report: arrivals and profit to date as given. */
async function report({ reports }: Staking, { arrivals = [0n, 0n], profit = [0n, 0n], epochs = 225n }: Report) {
  return reports.finalizeState(0, [...arrivals], [...profit], epochs, 0)
}

/** The identity that the ledger keeps; ETH here is at least what the buffer says. */
async function assertLedger({ stakingPool, bondEther }: Staking): Promise<void> {
  const forever = 2n ** 40n
  let total = await stakingPool.buffered()
  for (const kind of [STAKER, BOND]) {
    total += await stakingPool.beaconDeposits(kind, forever)
    total += await stakingPool.recognised(kind)
    total -= await stakingPool.collected(kind)
  }
  assert.equal(await bondEther.totalPooledEther(), total)
  assert.ok((await ethers.provider.getBalance(stakingPool)) >= (await stakingPool.buffered()))
}

async function deposited(amount: bigint) {
  const staking = await fresh()
  const { stakingPool, signers } = staking
  await stakingPool.connect(signers.alice).deposit({ value: amount })
  return { ...staking, registry: stakingPool.connect(signers.registry) }
}

describe('StakingPool', () => {
  it('starts with what stands behind the dead shares, no more and no less', async () => {
    const { addresses, parameters, stakingPool } = await fresh()
    assert.equal(await stakingPool.buffered(), DEAD_ETHER)
    for (const value of [0n, DEAD_ETHER - 1n, DEAD_ETHER + 1n]) {
      await expect(ethers.deployContract('StakingPool', [addresses, parameters], { value }))
        .to.be.revertedWithCustomError(stakingPool, 'WrongDeadEther')
        .withArgs(DEAD_ETHER, value)
    }
  })

  it('refuses a deployment with an address missing', async () => {
    const { addresses, parameters } = await fresh()
    const names = ['bondEther', 'withdrawalQueue', 'stakerVault', 'bondVault', 'poolRegistry', 'stateCommitments'] as const
    for (const name of names) {
      const given = { ...addresses, [name]: ZeroAddress }
      await expect(ethers.deployContract('StakingPool', [given, parameters], { value: DEAD_ETHER })).to.be.revert(ethers)
    }
    const given = { ...parameters, depositContract: ZeroAddress }
    await expect(ethers.deployContract('StakingPool', [addresses, given], { value: DEAD_ETHER })).to.be.revert(ethers)
  })

  it('takes deposits from the minimum on, for anyone', async () => {
    const staking = await fresh()
    const { stakingPool, bondEther, signers } = staking
    const least = parseEther('0.01')
    await expect(stakingPool.deposit({ value: least - 1n }))
      .to.be.revertedWithCustomError(stakingPool, 'DepositTooSmall')
      .withArgs(least, least - 1n)
    await stakingPool.depositFor(signers.bob, { value: least })
    assert.equal(await bondEther.balanceOf(signers.bob), least)
    assert.equal(await stakingPool.buffered(), least + DEAD_ETHER)
    await expect(signers.alice.sendTransaction({ to: stakingPool, value: ETH })).to.be.revert(ethers)
    await assertLedger(staking)
  })

  it('answers each function only to the contract whose business it is', async () => {
    const { stakingPool, signers } = await fresh()
    const stranger = signers.deployer.address
    const calls = [
      { error: 'NotPoolRegistry', call: () => stakingPool.reserve(1) },
      { error: 'NotPoolRegistry', call: () => stakingPool.release(1, 1) },
      { error: 'NotPoolRegistry', call: () => stakingPool.writeOff(1, 1) },
      { error: 'NotPoolRegistry', call: () => stakingPool.depositToBeacon(1, STAKER, PUBLIC_KEY, SIGNATURE, ETH) },
      { error: 'NotStateCommitments', call: () => stakingPool.bookReport([0, 0], [0, 0], 1) },
      { error: 'NotWithdrawalQueue', call: () => stakingPool.payWithdrawals(0, 0) },
      { error: 'NotAVault', call: () => stakingPool.receiveCollected({ value: 1 }) },
      { error: 'NotWindDown', call: () => stakingPool.close() },
      { error: 'NotWindDown', call: () => stakingPool.sweep() },
    ]
    for (const { error, call } of calls) await expect(call()).to.be.revertedWithCustomError(stakingPool, error).withArgs(stranger)
  })

  it('pays no withdrawals from what is not there', async () => {
    const { stakingPool, queue } = await deposited(ETH)
    const address = await queue.getAddress()
    await networkHelpers.impersonateAccount(address)
    await networkHelpers.setBalance(address, ETH)
    const asQueue = stakingPool.connect(await ethers.getSigner(address))
    const free = await stakingPool.unreserved()
    await expect(asQueue.payWithdrawals(1n, free + 1n))
      .to.be.revertedWithCustomError(stakingPool, 'BufferTooSmall')
      .withArgs(free + 1n, free)
  })

  describe('reservations and beacon deposits', () => {
    it('reserves 32 ETH at a time, not a wei that is missing', async () => {
      const staking = await deposited(64n * ETH - DEAD_ETHER - 1n)
      const { stakingPool, registry } = staking
      await expect(registry.reserve(1))
        .to.emit(stakingPool, 'ReservationChanged')
        .withArgs(1, 32n * ETH, 32n * ETH)
      await expect(registry.reserve(2))
        .to.be.revertedWithCustomError(stakingPool, 'BufferTooSmall')
        .withArgs(32n * ETH, 32n * ETH - 1n)
      await registry.release(1, 31n * ETH)
      assert.equal(await stakingPool.reserved(), ETH)
      assert.equal(await stakingPool.reservation(1), ETH)
      await expect(registry.release(1, ETH + 1n))
        .to.be.revertedWithCustomError(stakingPool, 'ReservationTooSmall')
        .withArgs(1, ETH + 1n, ETH)
      await registry.reserve(2)
      assert.equal(await stakingPool.unreserved(), 31n * ETH - 1n)
    })

    it('leaves open withdrawals their ETH', async () => {
      const { stakingPool, registry, bondEther, queue, signers } = await deposited(40n * ETH)
      await bondEther.connect(signers.alice).approve(queue, 9n * ETH)
      await queue.connect(signers.alice).requestWithdrawal(9n * ETH)
      await expect(registry.reserve(1))
        .to.be.revertedWithCustomError(stakingPool, 'BufferTooSmall')
        .withArgs(32n * ETH, 31n * ETH + DEAD_ETHER)
    })

    it("deposits with the kind's vault as credentials; the deposit contract agrees with the root", async () => {
      const staking = await deposited(100n * ETH)
      const { stakingPool, registry, vaults, deposits } = staking
      await registry.reserve(1)
      await registry.reserve(2)
      for (const [poolId, kind] of [
        [1, STAKER],
        [2, BOND],
      ] as const) {
        const credentials = await stakingPool.withdrawalCredentials(kind)
        const vault = await vaults[kind]?.getAddress()
        assert.equal(credentials, `0x01${'00'.repeat(11)}${vault?.slice(2).toLowerCase()}`)
        assert.equal(await stakingPool.withdrawalVault(kind), vault)
        const before = await ethers.provider.getBalance(deposits)
        const sent = await (await registry.depositToBeacon(poolId, kind, PUBLIC_KEY, SIGNATURE, ETH)).wait()
        assert.equal((await ethers.provider.getBalance(deposits)) - before, ETH)
        // The contract's own log decodes to the deposit that we meant.
        const log = sent?.logs.find((entry) => entry.address === deposits)
        const type = ['bytes', 'bytes', 'bytes', 'bytes', 'bytes']
        const [pubkey, withdrawal, amount, signature] = ethers.AbiCoder.defaultAbiCoder().decode(type, log?.data ?? '0x')
        assert.deepEqual(
          [pubkey, withdrawal, signature, amount],
          [hexlify(PUBLIC_KEY), credentials, hexlify(SIGNATURE), hexlify(ssz.UintNum64.serialize(1_000_000_000))],
        )
        await registry.depositToBeacon(poolId, kind, PUBLIC_KEY, SIGNATURE, 31n * ETH)
        assert.equal(await stakingPool.reservation(poolId), 0n)
        await expect(registry.depositToBeacon(poolId, kind, PUBLIC_KEY, SIGNATURE, ETH)).to.be.revertedWithCustomError(
          stakingPool,
          'ReservationTooSmall',
        )
      }
      assert.equal(await stakingPool.buffered(), 36n * ETH + DEAD_ETHER)
      assert.equal(await stakingPool.reserved(), 0n)
      await assertLedger(staking)
    })

    it('remembers the sum of beacon deposits at every time', async () => {
      const { stakingPool, registry } = await deposited(100n * ETH)
      await registry.reserve(1)
      const now = async () => BigInt(await networkHelpers.time.latest())
      const none = await now()
      await registry.depositToBeacon(1, STAKER, PUBLIC_KEY, SIGNATURE, ETH)
      const first = await now()
      await networkHelpers.time.increase(1000)
      await registry.depositToBeacon(1, STAKER, PUBLIC_KEY, SIGNATURE, 31n * ETH)
      const second = await now()
      const at = (time: bigint) => stakingPool.beaconDeposits(STAKER, time)
      assert.deepEqual(await Promise.all([0n, none, first, second - 1n, second, second + 5n].map(at)), [
        0n,
        0n,
        ETH,
        ETH,
        32n * ETH,
        32n * ETH,
      ])
      assert.equal(await stakingPool.beaconDeposits(BOND, second), 0n)
    })
  })

  describe('reports', () => {
    it('A37 collects each arrival once, whatever arrives in between', async () => {
      const staking = await deposited(10n * ETH)
      const { stakingPool, vaults, signers } = staking
      const send = (value: bigint) => signers.bob.sendTransaction({ to: vaults[STAKER], value })
      await send(3n * ETH)
      // Two reports are made, of 3 and of 5 ETH of arrivals, and only then finalized; 1 more comes between.
      await send(2n * ETH)
      await report(staking, { arrivals: [3n * ETH, 0n] })
      assert.equal(await stakingPool.collected(STAKER), 3n * ETH)
      await send(ETH)
      await report(staking, { arrivals: [5n * ETH, 0n] })
      assert.equal(await stakingPool.collected(STAKER), 5n * ETH)
      await report(staking, { arrivals: [5n * ETH, 0n] })
      assert.equal(await stakingPool.collected(STAKER), 5n * ETH)
      assert.equal(await ethers.provider.getBalance(vaults[STAKER]), ETH)
      assert.equal(await stakingPool.buffered(), 15n * ETH + DEAD_ETHER)
      await assertLedger(staking)
    })

    it('never collects more than a vault holds, and nothing for arrivals below what came', async () => {
      const staking = await deposited(10n * ETH)
      const { stakingPool, vaults, signers } = staking
      await signers.bob.sendTransaction({ to: vaults[BOND], value: 2n * ETH })
      await report(staking, { arrivals: [0n, 7n * ETH] })
      assert.equal(await stakingPool.collected(BOND), 2n * ETH)
      await report(staking, { arrivals: [0n, ETH] })
      assert.equal(await stakingPool.collected(BOND), 2n * ETH)
      await report(staking, { arrivals: [0n, 0n] })
      assert.equal(await stakingPool.collected(BOND), 2n * ETH)
      await assertLedger(staking)
    })

    it('A13 principal that comes back is no profit; profit moves the index without a collection', async () => {
      const staking = await deposited(40n * ETH)
      const { stakingPool, bondEther, vaults, signers, registry } = staking
      await registry.reserve(1)
      await registry.depositToBeacon(1, STAKER, PUBLIC_KEY, SIGNATURE, 32n * ETH)
      await signers.bob.sendTransaction({ to: vaults[STAKER], value: 32n * ETH })
      // P = balances (0) + arrivals (32) − deposits (32) = 0
      await report(staking, { arrivals: [32n * ETH, 0n], profit: [0n, 0n] })
      assert.equal(await bondEther.rewardsIndex(), ONE)
      assert.equal(await stakingPool.buffered(), 40n * ETH + DEAD_ETHER)
      await report(staking, { arrivals: [32n * ETH, 0n], profit: [ETH / 10n, 0n] })
      assert.equal(await bondEther.totalPooledEther(), 40n * ETH + DEAD_ETHER + ETH / 10n)
      assert.equal(await stakingPool.buffered(), 40n * ETH + DEAD_ETHER)
      await assertLedger(staking)
    })

    it('A13 a bond deposit, a penalty and a release are no profit either', async () => {
      const staking = await deposited(40n * ETH)
      const { stakingPool, bondEther, signers, registry } = staking
      await stakingPool.connect(signers.producers).deposit({ value: 26n * ETH })
      await bondEther.connect(signers.producers).giveToCover(ETH)
      await registry.reserve(1)
      await registry.release(1, 32n * ETH)
      await report(staking, {})
      assert.equal(await bondEther.rewardsIndex(), ONE)
      await assertLedger(staking)
    })

    it('A10 forced ETH moves nothing, except in a vault, as profit that a report may clamp', async () => {
      const staking = await deposited(10n * ETH)
      const { stakingPool, bondEther, queue, vaults, addresses, signers } = staking
      for (const target of [addresses.stakingPool, addresses.bondEther, addresses.withdrawalQueue]) {
        const balance = await ethers.provider.getBalance(target)
        await networkHelpers.setBalance(target, balance + 1000n * ETH)
      }
      assert.equal(await stakingPool.buffered(), 10n * ETH + DEAD_ETHER)
      assert.equal(await stakingPool.unreserved(), 10n * ETH + DEAD_ETHER)
      assert.equal(await bondEther.rewardsIndex(), ONE)
      assert.equal(await queue.demand(), 0n)
      await report(staking, {})
      assert.equal(await bondEther.rewardsIndex(), ONE)
      // Forced into the vault: an arrival, and so profit to date, and clamped.
      await signers.bob.sendTransaction({ to: vaults[STAKER], value: 100n * ETH })
      const before = await bondEther.totalPooledEther()
      await report(staking, { arrivals: [100n * ETH, 0n], profit: [100n * ETH, 0n], epochs: 1n })
      assert.equal((await bondEther.totalPooledEther()) - before, (before * MAX_REPORT_GROWTH) / 1_000_000n)
      assert.equal(await stakingPool.buffered(), 110n * ETH + DEAD_ETHER)
      await assertLedger(staking)
    })

    it('A43 growth beyond the cap is recognised by later reports, to the last wei', async () => {
      const staking = await deposited(100n * ETH)
      const { stakingPool, bondEther } = staking
      const goal = 7n * ETH + 13n
      let booked = 0n
      for (let i = 0; i < 200 && booked < goal; i++) {
        const before = await bondEther.totalPooledEther()
        await report(staking, { profit: [goal, 0n], epochs: 1n })
        const grown = (await bondEther.totalPooledEther()) - before
        const most = (before * MAX_REPORT_GROWTH) / 1_000_000n
        assert.equal(grown, goal - booked < most ? goal - booked : most)
        booked = await stakingPool.recognised(STAKER)
      }
      assert.equal(booked, goal)
      assert.equal(await bondEther.totalPooledEther(), 107n * ETH + 13n + DEAD_ETHER)
      await assertLedger(staking)
    })

    it('A43 the cap holds for both kinds together, in proportion, and grows with the epochs', async () => {
      const staking = await deposited(100n * ETH)
      const { stakingPool, bondEther } = staking
      const pot = await bondEther.totalPooledEther()
      const cap = (pot * MAX_REPORT_GROWTH * 3n) / 1_000_000n
      await report(staking, { profit: [3n * ETH, ETH], epochs: 3n })
      const staker = (3n * ETH * cap) / (4n * ETH)
      assert.equal(await stakingPool.recognised(STAKER), staker)
      assert.equal(await stakingPool.recognised(BOND), cap - staker)
      await report(staking, { profit: [3n * ETH, ETH], epochs: 0n })
      assert.equal(await stakingPool.recognised(STAKER), staker)
    })

    it("A22 a loss of one kind does not widen the other's cap", async () => {
      const staking = await deposited(100n * ETH)
      const { stakingPool, bondEther, signers } = staking
      await stakingPool.connect(signers.producers).deposit({ value: 30n * ETH })
      const pot = await bondEther.totalPooledEther()
      const cap = (pot * MAX_REPORT_GROWTH) / 1_000_000n
      await report(staking, { profit: [20n * ETH, -10n * ETH], epochs: 1n })
      assert.equal(await stakingPool.recognised(STAKER), cap)
      assert.equal(await stakingPool.recognised(BOND), -10n * ETH)
      const index = await bondEther.rewardsIndex()
      assert.ok(index > ONE && index <= ONE + (ONE * cap) / (pot - 10n * ETH))
      await assertLedger(staking)
    })

    it('A43 a loss is recognised whole; one beyond everything leaves an index of a thousandth and halts nothing', async () => {
      const staking = await deposited(100n * ETH)
      const { stakingPool, bondEther, signers } = staking
      await report(staking, { profit: [-10n * ETH, 0n] })
      assert.equal(await bondEther.totalPooledEther(), 90n * ETH + DEAD_ETHER)
      for (let i = 0; i < 3; i++) {
        await report(staking, { profit: [-900n * ETH, -300n * ETH] })
        assert.equal(await bondEther.rewardsIndex(), ONE / 1000n)
        await assertLedger(staking)
      }
      await networkHelpers.setBalance(signers.bob.address, 2_000_000n * ETH)
      await stakingPool.connect(signers.bob).deposit({ value: 1_000_000n * ETH })
      assert.equal(await bondEther.balanceOf(signers.bob), 1_000_000n * ETH)
      await report(staking, { profit: [-80n * ETH, -10n * ETH], epochs: 1n })
      assert.ok((await bondEther.rewardsIndex()) > ONE / 1000n)
      await report(staking, { profit: [0n, 0n], epochs: 1n })
      await assertLedger(staking)
    })

    it('says what was booked', async () => {
      const staking = await deposited(100n * ETH)
      const { stakingPool, bondEther, vaults, signers } = staking
      await signers.bob.sendTransaction({ to: vaults[BOND], value: 2n * ETH })
      const pot = await bondEther.totalPooledEther()
      const booked = report(staking, { arrivals: [0n, 2n * ETH], profit: [-ETH, 3n * ETH], epochs: 100n })
      await expect(booked)
        .to.emit(stakingPool, 'Collected')
        .withArgs(BOND, 2n * ETH, 2n * ETH)
      await expect(booked).to.emit(stakingPool, 'ReportBooked').withArgs(STAKER, -ETH, -ETH)
      await expect(booked)
        .to.emit(stakingPool, 'ReportBooked')
        .withArgs(BOND, 3n * ETH, 3n * ETH)
      await expect(booked)
        .to.emit(bondEther, 'ProfitRecognised')
        .withArgs(2n * ETH, 0n, 0n, (ONE * (pot + 2n * ETH)) / pot)
    })
  })

  it('gas: deposits', async () => {
    const { stakingPool, signers } = await fresh()
    const used = async () => (await (await stakingPool.connect(signers.alice).deposit({ value: ETH })).wait())?.gasUsed ?? 0n
    const [first, repeated] = [await used(), await used()]
    console.log(`      deposit ${first}, again ${repeated}`)
    assert.ok(first <= 83_000n && repeated <= 57_000n)
  })
})
