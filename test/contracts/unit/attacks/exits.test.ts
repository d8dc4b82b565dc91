import { expect } from 'chai'
import { parseEther, toBeHex } from 'ethers'
import { network } from 'hardhat'
import systemContracts from '../../../../devnet/chain/execution/system-contracts.json' with { type: 'json' }
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'

const REQUESTS = systemContracts.withdrawalRequests.address
/** Calls system contracts at the end of a block (EIP-7002). */
const SYSTEM = '0xfffffffffffffffffffffffffffffffffffffffe'
/** Requests that a block takes from the queue (EIP-7002): `REQUEST_COUNT` is the contract's second word. */
const COUNT_SLOT = 1

describe('Exits that somebody else asks for', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pool: Pool
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(alice()).deposit({ value: parseEther('50') })
    // The first is of the bonds.
    await life.makePool()
    pool = await life.makePool()
    expect(pool.kind).to.equal(STAKER)
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const alice = () => at(life.people, 0)
  const balanceOf = (address: string) => life.ethers.provider.getBalance(address)
  /** What each bond, cover, an ETH of a staker and each contract that may hold others' ETH are worth. */
  const stand = async () => ({
    bonds: await Promise.all(life.producers.map(({ id }) => life.blockProducers.bondValue(id))),
    cover: await life.bondEther.coverShares(),
    index: await life.bondEther.rewardsIndex(),
    buffered: await balanceOf(life.addresses.stakingPool),
    vault: await balanceOf(life.addresses.stakerVault),
    queue: await balanceOf(life.addresses.withdrawalQueue),
    exits: await balanceOf(life.addresses.exits),
  })
  const feeNow = async () => (await life.ethers.getContractAt('WithdrawalVault', life.addresses.stakerVault)).exitFee()
  /** The block takes the request from the queue, and nothing happens to the validator. */
  const dropRequests = async () => {
    const system = await life.as(SYSTEM)
    await system.sendTransaction({ to: REQUESTS })
    expect(await life.ethers.provider.getStorage(REQUESTS, COUNT_SLOT)).to.equal(toBeHex(0, 32))
  }
  const stall = async () => {
    const { timestamp, state, validator } = await life.proveValidator(pool)
    return life.exits.proveStall(pool.id, timestamp, state, validator)
  }
  const close = async () => {
    const { timestamp, state, validator, balance } = await life.proveValidator(pool)
    return life.exits.closePool(pool.id, timestamp, state, validator, balance)
  }

  it('A23 dropped by the beacon chain: each costs who asked its fee, and nobody else anything; the one that is heard ends the pool', async () => {
    await life.bondEther.connect(alice()).approve(life.withdrawalQueue, parseEther('49'))
    await life.withdrawalQueue.connect(alice()).requestWithdrawal(parseEther('49'))
    await life.exits.requestLiquidation()
    expect(await life.drawLiquidation()).to.include(pool.id)
    const { deadline } = await life.exits.exit(pool.id)
    await life.toEpoch(Number(deadline) + 1)
    const before = await stand()
    const [first, second, third] = [at(life.people, 6), at(life.people, 7), at(life.people, 8)]

    // Dropped, twice, and dearer the second time.
    await expect(life.exits.connect(first).forceExit(pool.id, { value: 5n })).to.changeEtherBalances(
      life.ethers,
      [first, REQUESTS],
      [-1n, 1n],
    )
    await dropRequests()
    await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(650, 32))
    const dear = await feeNow()
    expect(dear).to.be.greaterThan(parseEther('0.0001'))
    await expect(life.exits.connect(second).forceExit(pool.id, { value: dear + 5n })).to.changeEtherBalances(
      life.ethers,
      [second, REQUESTS],
      [-dear, dear],
    )
    await dropRequests()
    expect(await stand()).to.deep.equal(before)
    expect((await life.poolRegistry.pool(pool.id)).state).to.equal(5n)

    // The vault that let it come to this pays the one dear fee and its penalty: stakers pay nothing.
    await stall()
    const vault = await life.poolRegistry.vault(pool.id)
    const charged = await stand()
    for (const [place, { id }] of life.producers.entries()) {
      const lost = at(before.bonds, place) - at(charged.bonds, place)
      expect(lost).to.be.closeTo(vault.includes(id) ? life.parameters.stallPenalty + (dear + 3n) / 4n : 0n, 10n ** 6n)
    }
    expect(await life.bondEther.balanceOf(first)).to.equal(0n)
    expect(await life.bondEther.balanceOf(second)).to.be.closeTo(dear, 10n ** 6n)
    expect(await life.bondEther.getPooledEthByShares(charged.cover - before.cover)).to.be.closeTo(
      4n * life.parameters.stallPenalty,
      10n ** 7n,
    )
    expect({ ...charged, bonds: before.bonds, cover: before.cover }).to.deep.equal(before)

    // Asked a third time and heard; a fee that was made good is not made good again.
    await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(0, 32))
    const fee = await feeNow()
    await expect(life.exits.connect(third).forceExit(pool.id, { value: fee })).to.changeEtherBalance(life.ethers, third, -fee)
    expect(await life.bondEther.balanceOf(third)).to.equal(0n)
    expect(await stand()).to.deep.equal(charged)
    const epoch = await life.epochNow()
    life.change(pool, { exitEpoch: epoch, withdrawableEpoch: epoch, balance: 0 })
    await life.arrive(STAKER, parseEther('32'))
    await close()
    expect((await life.poolRegistry.pool(pool.id)).state).to.equal(6n)
    const id = await life.reportNow()
    expect((await life.stateCommitments.commitment(id)).stakerProfit).to.equal(0n)
  })

  it('A46 by anyone once the network is wound down: reported as unauthorized, it costs nobody a bond and pays the reporter nothing', async () => {
    const reporter = at(life.people, 6)
    await life.networkHelpers.time.increaseTo(await life.windDown.startableAt())
    await life.windDown.start()
    await life.windDown.connect(at(life.people, 7)).forceExit(pool.id, { value: await feeNow() })
    const before = await stand()
    const epoch = await life.epochNow()
    life.change(pool, { exitEpoch: epoch, withdrawableEpoch: epoch + 2, balance: FULL - 1_000_000_000, effectiveBalance: FULL })
    const slashing = life.slashing.connect(reporter)
    const reported = await life.proveValidator(pool)
    await slashing.reportExit(pool.id, reported.timestamp, reported.state, reported.validator)
    await life.toSlot((epoch + 2) * SLOTS_PER_EPOCH + 1)
    const shown = await life.proveValidator(pool)
    await slashing.showBalance(pool.id, shown.timestamp, shown.state, shown.validator, shown.balance)
    await slashing.settle(pool.id)
    expect(await stand()).to.deep.equal(before)
    expect(await life.bondEther.balanceOf(reporter)).to.equal(0n)
    // Nor does the accusation keep anybody's bond.
    for (const [place, { id, owner }] of life.producers.entries()) {
      await life.blockProducers.connect(await life.as(owner)).withdrawBond(id)
      expect(await life.bondEther.balanceOf(owner)).to.be.closeTo(at(before.bonds, place), 10n ** 6n)
    }
  })
})
