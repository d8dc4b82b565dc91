import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { FULL, startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'

/** What each seat pays beyond its part, so that rounding never leaves cover short. */
const GWEI = 10n ** 9n

describe('A vault that makes a deposit to its own key before the network does', function () {
  this.timeout(600_000)

  it('A01 has one ETH of the stakers’, which its bonds make good; the other 31 never leave, and no share is worth less', async () => {
    const life = await startLife(await network.create())
    await life.startPeriod(0)
    const { poolRegistry, stakingPool, bondEther, blockProducers, parameters } = life
    const [alice, reporter] = [at(life.people, 0), at(life.people, 3)]
    await stakingPool.connect(alice).deposit({ value: parseEther('100') })
    // The first is of the bonds, the second works.
    for (let i = 0; i < 2; i++) await life.makePool()
    const poolId = await life.requestPool()
    await life.drawVault(poolId)
    const sent = () => life.ethers.provider.getBalance(parameters.depositContract)
    const sentBefore = await sent()
    const pool = await life.completeDkg(poolId)
    expect(pool.kind).to.equal(STAKER)
    const thiefs = `0x01${'00'.repeat(11)}${'66'.repeat(20)}`
    life.change(pool, { withdrawalCredentials: thiefs })

    const stand = async () => ({
      bonds: await Promise.all(life.producers.map(({ id }) => blockProducers.bondValue(id))),
      alice: await bondEther.balanceOf(alice),
      cover: await bondEther.coverShares(),
      reporter: await bondEther.balanceOf(reporter),
      buffered: await stakingPool.buffered(),
      unreserved: await stakingPool.unreserved(),
    })
    const before = await stand()
    await expect(life.fund(pool)).to.be.revertedWithCustomError(poolRegistry, 'WrongCredentials')
    const { timestamp, state, validator } = await life.proveValidator(pool)
    const report = () => poolRegistry.connect(reporter).reportFrontRun(poolId, timestamp, state, validator)
    await report()

    // All that the thief's validator has of ours is one ETH.
    expect((await sent()) - sentBefore).to.equal(parseEther('1'))
    const after = await stand()
    expect(after.buffered).to.equal(before.buffered)
    expect(after.unreserved - before.unreserved).to.equal(parseEther('31'))
    expect(after.alice).to.equal(before.alice)
    // Each of its members pays a quarter of that and of the reporter's share; nobody else pays.
    const vault = await poolRegistry.vault(poolId)
    const each = (parseEther('1') * 10_000n) / (10_000n - parameters.reporterShare) / 4n
    for (const [place, { id }] of life.producers.entries()) {
      expect(at(before.bonds, place) - at(after.bonds, place)).to.be.closeTo(vault.includes(id) ? each : 0n, 2n * GWEI)
    }
    const covered = await bondEther.getPooledEthByShares(after.cover - before.cover)
    expect(covered).to.be.greaterThanOrEqual(parseEther('1'))
    expect(covered).to.be.closeTo(parseEther('1'), 8n * GWEI)
    expect(after.reporter - before.reporter).to.be.closeTo(4n * each - parseEther('1'), GWEI)

    // The report that recognises the loss costs the staker nothing, however much more the thief then gives to the key.
    life.change(pool, { balance: FULL })
    await life.finalize(await life.reportNow())
    expect(await stakingPool.recognised(STAKER)).to.equal(-parseEther('1'))
    const last = await stand()
    expect(last.alice).to.be.closeTo(before.alice, 1n)
    for (const [place, bond] of last.bonds.entries()) expect(bond).to.be.closeTo(at(after.bonds, place), 10n)
    // It was charged once, and the pool is at its end: right credentials, which no proof can show any more, would not fund it.
    await expect(report()).to.be.revertedWithCustomError(poolRegistry, 'WrongState')
    life.change(pool, { withdrawalCredentials: await stakingPool.withdrawalCredentials(STAKER) })
    await expect(life.fund(pool)).to.be.revertedWithCustomError(poolRegistry, 'WrongState')
    expect((await sent()) - sentBefore).to.equal(parseEther('1'))
    await life.prover.close()
  })
})
