import { expect } from 'chai'
import { keccak256, ZeroHash } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { pageOf, rootOfPage, wordOfPage } from '../../../support/pages.ts'

const { ethers } = await network.create()
const harness = await ethers.deployContract('BalancePagesHarness')
const PER_PAGE = 8
const [STAKER, BOND] = [0, 1]

const paged = (balances: readonly bigint[]) =>
  Array.from({ length: Math.ceil(balances.length / PER_PAGE) }, (_, i) => pageOf(balances.slice(i * PER_PAGE, (i + 1) * PER_PAGE)))

/** A report with pages of eight balances: those of staker pools, then those of bond pools. */
function reportOf(stakers: readonly bigint[], bonds: readonly bigint[]) {
  const [stakerPages, bondPages] = [paged(stakers), paged(bonds)]
  const report = {
    epoch: 0n,
    referenceSlot: 0n,
    blockRoot: ZeroHash,
    executionBlock: 0n,
    history: 0n,
    stakerArrivals: 0n,
    bondArrivals: 0n,
    stakerPools: stakers.length,
    bondPools: bonds.length,
    producers: 0,
    certificatesHash: keccak256('0x'),
    summariesRoot: ZeroHash,
    pageRoots: [...stakerPages, ...bondPages].map(rootOfPage),
  }
  const shown = (kind: number, ordinal: number) => {
    const page = at(kind === STAKER ? stakerPages : bondPages, Math.floor(ordinal / PER_PAGE))
    return wordOfPage(page, Math.floor((ordinal % PER_PAGE) / 4))
  }
  return { report, shown }
}

describe('BalancePages', () => {
  const balances = (count: number, from: bigint) => Array.from({ length: count }, (_, i) => from + BigInt(i))

  for (const [stakers, bonds] of [
    [0, 3],
    [1, 1],
    [7, 9],
    [8, 8],
    [9, 17],
    [18, 0],
  ] as const) {
    it(`finds each of ${stakers} staker pools and ${bonds} bond pools, and none besides`, async () => {
      const expected = { [STAKER]: balances(stakers, 32_000_000_000n), [BOND]: balances(bonds, 1_000_000_000n) }
      const { report, shown } = reportOf(expected[STAKER] ?? [], expected[BOND] ?? [])
      for (const kind of [STAKER, BOND]) {
        const count = expected[kind]?.length ?? 0
        for (let ordinal = 0; ordinal < count; ordinal++) {
          const { word, branch } = shown(kind, ordinal)
          expect(await harness.balanceIn(report, PER_PAGE, kind, ordinal, word, branch)).to.equal(expected[kind]?.[ordinal])
        }
        await expect(harness.balanceIn(report, PER_PAGE, kind, count, ZeroHash, []))
          .to.be.revertedWithCustomError(harness, 'NotInReport')
          .withArgs(count, count)
      }
    })
  }

  it('takes no word of another place, page or kind', async () => {
    const { report, shown } = reportOf(balances(16, 32_000_000_000n), balances(16, 1_000_000_000n))
    const { word, branch } = shown(STAKER, 0)
    for (const [kind, ordinal] of [
      [STAKER, 4],
      [STAKER, 8],
      [BOND, 0],
    ] as const) {
      await expect(harness.balanceIn(report, PER_PAGE, kind, ordinal, word, branch)).to.be.revertedWithCustomError(
        harness,
        'WrongPageBranch',
      )
    }
  })
})
