import { expect } from 'chai'
import { concat, keccak256, parseEther } from 'ethers'
import { network } from 'hardhat'
import type { ProducerId } from '../../../operator/core/ids.ts'
import { cutPages, encodePoints, POINTS_PER_PAGE, provePoints } from '../../../operator/protocol/state/pages.ts'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { at, contentOf, startLife } from '../../support/network-life.ts'
import { pageOf, pointsOf, rootOfPage } from '../../support/pages.ts'

const COMMITTEE = 128
const ABSENT = [3, 17, 22, 35, 48, 61, 74, 90, 101, 120]

/** Reports at the sizes of a large network, against the figures that the network promises. */
describe('Gas of reports', function () {
  this.timeout(180_000)

  it('of a commitment by 128 members, 10 of them absent: 450k', async () => {
    const stakes = { effectiveStake: parseEther('1'), seatAllocation: parseEther('0.5'), minProducers: 24n }
    const life = await startLife(await network.create(), { ...stakes, committeeSize: BigInt(COMMITTEE), firstPeriod: 8n }, 2 * COMMITTEE)
    await life.toEpoch(await life.periods.startOf(0))
    while ((await life.periods.nextToFreeze()) === 0n) await life.periods.freeze(1)
    const seed = await life.seedAfter(Number(await life.periods.seedEpochOf(0)))
    await life.periods.proveSeed(0, seed.timestamp, seed.state, seed.randao)
    for (let formed = 0; formed < COMMITTEE; formed += 64) await life.periods.formCommittee(0, 64)
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    // The first of all commitments writes what others find written.
    await life.commit(await life.draftReport({ epoch }))
    await life.networkHelpers.time.increase(Number(life.parameters.pagesDeadline) * SLOTS_PER_EPOCH * 60 + 1)
    await life.stateCommitments.dropOverdue(1)
    const committed = await (await life.commit(await life.draftReport({ epoch, absent: ABSENT }))).wait()
    expect(committed?.gasUsed).to.be.lessThanOrEqual(450_000n)
    await life.prover.close()
  })

  it('of all pages of 10,240 pools and 5,000 producers: 60 a byte', async () => {
    const life = await startLife(await network.create())
    await life.startPeriod(0)
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    const signed = await life.draftReport({ epoch })
    await life.commit(signed)
    // The network is small, its report is made large: another content stands in for the one committed.
    const balances = pageOf(Array.from({ length: 2048 }, (_, i) => 32_000_000_000n + BigInt(i * 12_345)))
    const points = Array.from({ length: 5_000 }, (_, i) => (i % 11 === 0 ? -1_000 : 21_000 + ((i * 7_919) % 2_500)))
    const pages = [...Array<string>(5).fill(balances), ...cutPages(points, POINTS_PER_PAGE).map(pointsOf)]
    const sizes = { stakerPools: 10_240, bondPools: 0, producers: 5_000 }
    const large = { ...signed, pages, report: { ...signed.report, ...sizes, pageRoots: pages.map(rootOfPage) } }
    const { inputs } = life.stateCommitments.interface.getFunction('postPage')
    const coder = life.ethers.AbiCoder.defaultAbiCoder()
    const hashOf = (content: ReturnType<typeof contentOf>) => keccak256(coder.encode([at(inputs, 1)], [content]))
    const address = life.addresses.stateCommitments
    let replaced = false
    for (let slot = 0; slot < 16 && !replaced; slot++) {
      const place = BigInt(keccak256(coder.encode(['uint256', 'uint256'], [1, slot]))) + 1n
      replaced = (await life.ethers.provider.getStorage(address, place)) === hashOf(contentOf(signed))
      if (replaced) await life.networkHelpers.setStorageAt(address, place, hashOf(contentOf(large)))
    }
    expect(replaced).to.equal(true)
    let gas = 0n
    for (const page of pages.keys()) gas += (await (await life.postPage(1n, large, page)).wait())?.gasUsed ?? 0n
    const bytes = pages.reduce((sum, page) => sum + (page.length - 2) / 2, 0)
    expect(Number(gas) / bytes).to.be.lessThanOrEqual(60)
    await life.prover.close()
  })

  it('of settlements among 5,000 producers: 60k and 20k a report', async () => {
    const life = await startLife(await network.create())
    const pages = cutPages(Array<number>(5_000).fill(22_000), POINTS_PER_PAGE).map(encodePoints)
    const found = provePoints(pages, 1 as ProducerId)
    if (found === undefined) throw new Error('expected pages that reach to producer 1')
    const proof = { ...found, branch: [...found.branch], pageRoots: [...found.pageRoots] }
    const books = life.rewards.connect(await life.as(life.addresses.stateCommitments))
    for (let i = 1; i <= 40; i++) await books.bookReport(i, i, 4, 5_000, 10_000_000, keccak256(concat(proof.pageRoots)))
    const cost = async (reports: number) => (await (await life.rewards.settle(1, Array(reports).fill(proof))).wait())?.gasUsed
    // The first settlement of a producer, and of all, writes its account, its owner's balance and the supply.
    expect(await cost(1)).to.be.lessThanOrEqual(140_000n)
    for (const reports of [1, 2, 10, 20]) expect(await cost(reports)).to.be.lessThanOrEqual(60_000n + 20_000n * BigInt(reports))
    await life.prover.close()
  })
})
