import { expect } from 'chai'
import { network } from 'hardhat'

const { ethers } = await network.create()
const row = (firstEpoch: bigint, forkVersion: string, forkGindex = 269n) => ({
  firstEpoch,
  forkVersion,
  forkGindex,
  validatorsGindex: 75n,
  balancesGindex: 76n,
  randaoMixesGindex: 77n,
})

describe('BeaconLayout', () => {
  const refused = async (rows: ReturnType<typeof row>[], error: string) => {
    const factory = await ethers.getContractFactory('BeaconLayout')
    await expect(factory.deploy(rows)).to.be.revertedWithCustomError(factory, error)
  }

  it('gives the row in force at an epoch, and none before the first', async () => {
    const layout = await ethers.deployContract('BeaconLayout', [[row(10n, '0x05000000'), row(20n, '0x06000000')]])
    await expect(layout.layoutAt(9)).to.be.revertedWithCustomError(layout, 'NoRow').withArgs(9)
    for (const [epoch, version] of [
      [10, '0x05000000'],
      [19, '0x05000000'],
      [20, '0x06000000'],
      [2n ** 64n - 1n, '0x06000000'],
    ] as const) {
      expect((await layout.layoutAt(epoch)).forkVersion).to.equal(version)
    }
    expect(await layout.rows()).to.have.length(2)
  })

  it('refuses rows out of order, incomplete, or none', async () => {
    await refused([], 'NoRow')
    await refused([row(10n, '0x05000000'), row(10n, '0x06000000')], 'RowsOutOfOrder')
    await refused([row(10n, '0x05000000'), row(9n, '0x06000000')], 'RowsOutOfOrder')
    await refused([row(10n, '0x05000000', 0n)], 'RowIncomplete')
  })
})
