import assert from 'node:assert/strict'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { type NetworkLife, startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'

const GIFT = parseEther('1000')
const FOREVER = 2n ** 256n - 1n

describe('A10 ETH forced into a contract', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create(), { maxReportGrowth: 10_000n })
    await life.startPeriod(0)
    await life.stakingPool.connect(alice()).deposit({ value: parseEther('150') })
    await life.makePool()
    await life.bondEther.connect(alice()).approve(life.withdrawalQueue, FOREVER)
    await life.withdrawalQueue.connect(alice()).requestWithdrawal(parseEther('3'))
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const alice = () => at(life.people, 0)
  const bob = () => at(life.people, 1)
  /** As a selfdestruct or a coinbase would: no code runs. */
  const force = async (address: string) => life.networkHelpers.setBalance(address, (await life.ethers.provider.getBalance(address)) + GIFT)
  /** Every rate that somebody could buy or sell at, and every sum that decides what happens next. */
  const rates = async () => ({
    index: await life.bondEther.rewardsIndex(),
    pooled: await life.bondEther.totalPooledEther(),
    buffered: await life.stakingPool.buffered(),
    unreserved: await life.stakingPool.unreserved(),
    wrapped: await life.wrappedBondEther.convertToAssets(10n ** 18n),
    unitValue: await life.blockProducers.unitValue(),
    seats: [...(await life.blockProducers.seats())],
    demand: await life.withdrawalQueue.demand(),
    held: await life.stateCommitments.withdrawalsHeld(),
    startable: await life.windDown.startableAt(),
    fees: await life.cdtStaking.heldShares(),
  })

  it('moves no rate, whichever contract it is', async () => {
    const before = await rates()
    for (const [name, address] of Object.entries(life.addresses)) {
      await force(address)
      assert.deepEqual(await rates(), before, name)
      await restore()
    }
  })

  it('into every one of them at once blocks nothing: deposits, pools, reports, withdrawals, bonds go on', async () => {
    const { stakerVault, bondVault } = life.addresses
    for (const address of Object.values(life.addresses)) if (address !== stakerVault && address !== bondVault) await force(address)
    const index = await life.bondEther.rewardsIndex()
    await life.stakingPool.connect(bob()).deposit({ value: parseEther('40') })
    await life.makePool()
    await life.finalize(await life.reportNow())
    assert.equal(await life.bondEther.rewardsIndex(), index)
    const before = await life.ethers.provider.getBalance(life.addresses.withdrawalQueue)
    await life.withdrawalQueue.connect(alice()).claimWithdrawal(1)
    const paid = before - (await life.ethers.provider.getBalance(life.addresses.withdrawalQueue))
    assert.ok(paid <= parseEther('3') && paid > parseEther('3') - 10n, `${paid}`)
    await life.blockProducers.connect(bob()).addBond(1n, { value: parseEther('1') })
  })

  it('into a withdrawal vault is an arrival: capped, reported and finalized like rewards, for all stakers alike', async () => {
    await force(life.addresses.stakerVault)
    const index = await life.bondEther.rewardsIndex()
    await life.finalize(await life.reportNow())
    // 1 % an epoch at most; what is above comes with later reports.
    const recognised = await life.stakingPool.recognised(STAKER)
    assert.ok(recognised > 0n && recognised < GIFT / 10n, `${recognised}`)
    assert.ok((await life.bondEther.rewardsIndex()) > index)
    assert.ok((await life.stakingPool.buffered()) >= GIFT)
  })

  it('into WindDown is everybody’s who redeems, in proportion', async () => {
    await life.networkHelpers.time.increaseTo(await life.windDown.startableAt())
    await life.windDown.start()
    const shares = (await life.bondEther.sharesOf(alice())) / 4n
    const units = await life.windDown.totalUnits()
    await life.bondEther.connect(alice()).approve(life.windDown, FOREVER)
    await life.windDown.connect(alice()).redeem(shares)
    const before = await life.windDown.claimable(alice())
    await force(life.addresses.windDown)
    assert.ok((await life.windDown.claimable(alice())) - before - (GIFT * shares) / units <= 1n)
  })
})
