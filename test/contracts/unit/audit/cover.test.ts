import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { BOND, deployStaking, STAKER } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const ETH = parseEther('1')
const LATER = 2n ** 40n

/** 100 ETH of a staker, `cover` of them given to cover, and 1 ETH written off. */
async function written(cover: bigint) {
  const staking = await networkHelpers.loadFixture(fixture)
  const { bondEther, stakingPool, signers } = staking
  await stakingPool.connect(signers.alice).deposit({ value: 100n * ETH })
  if (cover > 0n) await bondEther.connect(signers.alice).giveToCover(await bondEther.getSharesByPooledEth(cover))
  await expect(stakingPool.connect(signers.registry).writeOff(1, ETH)).to.emit(stakingPool, 'LossWrittenOff').withArgs(1, ETH)
  const writtenAt = BigInt(await networkHelpers.time.latest())
  const report = async (reference: bigint, stakerProfit: bigint, bondProfit = 0n) => {
    await staking.reports.finalizeState(reference, [0n, 0n], [stakerProfit, bondProfit], 225n, 0)
    const recognised = (await stakingPool.recognised(STAKER)) + (await stakingPool.recognised(BOND))
    assert.equal(await bondEther.totalPooledEther(), (await stakingPool.buffered()) + recognised)
    return { recognised: await stakingPool.recognised(STAKER), cover: await bondEther.balanceOf(bondEther) }
  }
  return { ...staking, report, writtenAt }
}
const fixture = () => deployStaking({ ethers })

describe('Audit: losses written off', () => {
  it('wait for the report whose reference lies after them, and count once', async () => {
    const { report, writtenAt, bondEther } = await written(2n * ETH)
    const index = await bondEther.rewardsIndex()
    assert.deepEqual(await report(writtenAt - 1n, 0n), { recognised: 0n, cover: 2n * ETH })
    const after = await report(writtenAt, -ETH)
    assert.equal(after.recognised, -ETH)
    assert.ok(after.cover <= ETH && after.cover > ETH - 10n)
    assert.equal((await bondEther.rewardsIndex()) / 10n ** 9n, index / 10n ** 9n)
    assert.deepEqual(await report(LATER, -ETH), after)
  })

  it('are borne by cover also when the gains of the same report are larger', async () => {
    const { report, bondEther } = await written(2n * ETH)
    const index = await bondEther.rewardsIndex()
    const [shares, cover] = [await bondEther.totalShares(), await bondEther.coverShares()]
    const burned = (await bondEther.getSharesByPooledEth(ETH)) + 1n
    assert.equal((await report(LATER, 2n * ETH)).recognised, 2n * ETH)
    const lost = cover - (await bondEther.coverShares())
    assert.ok(lost >= burned - 1n && lost <= burned, `cover lost ${lost} shares of ${burned}`)
    assert.equal(shares - (await bondEther.totalShares()), lost)
    // 99 ETH are left of what was there, and gain three.
    assert.equal((await bondEther.rewardsIndex()) / 10n ** 12n, (index * 102n) / 99n / 10n ** 12n)
  })

  it('fall on all holders where cover is empty', async () => {
    const { report } = await written(0n)
    assert.equal((await report(LATER, -ETH)).recognised, -ETH)
    assert.equal((await report(LATER + 1n, -ETH)).recognised, -ETH)
  })

  it('A43 with everything else lost too, stop no report', async () => {
    const { report, bondEther } = await written(60n * ETH)
    const { recognised } = await report(LATER, -500n * ETH, -500n * ETH)
    assert.ok(recognised < 0n)
    assert.ok((await bondEther.rewardsIndex()) > 0n)
    await report(LATER + 1n, -500n * ETH, -500n * ETH)
  })

  it('A22 A39 that a lying report does not show lift the index by no more than growth may', async () => {
    const { report, bondEther, parameters } = await written(2n * ETH)
    const index = await bondEther.rewardsIndex()
    await report(LATER, 0n)
    const most = (index * BigInt(1_000_000 + Number(parameters.maxReportGrowth) * 225)) / 1_000_000n
    assert.ok((await bondEther.rewardsIndex()) <= most)
  })
})
