import assert from 'node:assert/strict'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { deployStaking } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const ETH = parseEther('1')
const LATER = 2n ** 40n
const EPOCHS = 225n
/** Of rounding: shares that bear a loss are rounded up. */
const DUST = 1_000n

/** 60 ETH of a staker, 40 ETH of bonds, 5 ETH in cover. */
async function bonded() {
  const staking = await deployStaking({ ethers })
  const { stakingPool, bondEther, signers } = staking
  await stakingPool.connect(signers.alice).deposit({ value: 60n * ETH })
  await stakingPool.connect(signers.producers).deposit({ value: 40n * ETH })
  await stakingPool.connect(signers.bob).deposit({ value: 5n * ETH })
  await bondEther.connect(signers.bob).giveToCover(await bondEther.sharesOf(signers.bob))
  const report = (stakers: bigint, bonds: bigint) => staking.reports.finalizeState(LATER, [0n, 0n], [stakers, bonds], EPOCHS, 0)
  const stand = async () => ({
    stakers: await bondEther.balanceOf(signers.alice),
    bonds: await bondEther.balanceOf(signers.producers),
    cover: await bondEther.balanceOf(bondEther),
  })
  return { ...staking, report, stand }
}

function near(actual: bigint, expected: bigint, what: string): void {
  const off = actual > expected ? actual - expected : expected - actual
  assert.ok(off <= DUST, `${what}: expected ${expected}, got ${actual}`)
}

describe('Audit: losses of bond pools', () => {
  it('A49 are borne by the bonds: producers who run their own pools into the ground cost stakers and cover nothing', async () => {
    const { report, stand } = await networkHelpers.loadFixture(bonded)
    await report(0n, -32n * ETH)
    const { stakers, bonds, cover } = await stand()
    near(stakers, 60n * ETH, 'stakers')
    near(bonds, 8n * ETH, 'bonds')
    near(cover, 5n * ETH, 'cover')
    assert.ok(stakers >= 60n * ETH - 1n)
  })

  it('A49 come to stakers only beyond the last wei of the bonds, and to cover before them', async () => {
    const { report, stand } = await networkHelpers.loadFixture(bonded)
    await report(0n, -47n * ETH)
    const { stakers, bonds, cover } = await stand()
    near(bonds, 0n, 'bonds')
    near(cover, 0n, 'cover')
    near(stakers, 58n * ETH, 'stakers')
  })

  it('A49 cannot be set off against what staker pools earned in the same report', async () => {
    const { report, stand } = await networkHelpers.loadFixture(bonded)
    // Within what growth may be, so that nothing is clamped.
    await report(ETH, -ETH)
    const { stakers, bonds, cover } = await stand()
    // 104 ETH of shares are left to share 105 ETH, the bonds' 39 among them.
    near(stakers, (60n * 105n * ETH) / 104n, 'stakers')
    near(bonds, (39n * 105n * ETH) / 104n, 'bonds')
    near(cover, (5n * 105n * ETH) / 104n, 'cover')
  })

  it('A49 are recognised once, however often they are reported, and a recovery is not the bonds’ alone', async () => {
    const { report, stand } = await networkHelpers.loadFixture(bonded)
    await report(0n, -10n * ETH)
    const after = await stand()
    await report(0n, -10n * ETH)
    assert.deepEqual(await stand(), after)
    await report(0n, 0n)
    const { stakers, bonds } = await stand()
    // What they paid in shares does not come back to them: all share the gain.
    near(stakers, (60n * 105n * ETH) / 95n, 'stakers')
    near(bonds, (30n * 105n * ETH) / 95n, 'bonds')
  })
})
