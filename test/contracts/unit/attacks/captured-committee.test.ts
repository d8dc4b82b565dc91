import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import type { Hex, ProducerId } from '../../../../operator/core/ids.ts'
import { provePoints } from '../../../../operator/protocol/state/pages.ts'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { contentOf, type SignedReport, STAKER } from '../../../support/network-reports.ts'

const GWEI = 10n ** 9n
const FULL_GWEI = BigInt(FULL)
const YEAR = 365n * 24n * 3600n
/** Most points that a page can hold for one producer. */
const MOST_POINTS = 2 ** 31 - 1

describe('A commitment committee that is captured whole, with several reports pending at once', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pool: Pool

  before(async () => {
    // A window in which three reports can be committed, in a period of one committee.
    life = await startLife(await network.create(), { periodLength: 200n, disputeDuration: 12n })
    await life.startPeriod(0)
    await life.stakingPool.connect(alice()).deposit({ value: parseEther('100') })
    await life.makePool() // of the bonds
    pool = await life.makePool()
  })
  after(() => life.prover.close())

  const alice = () => at(life.people, 0)
  const reporter = () => at(life.people, 3)
  const nextEpoch = async () => {
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    return epoch
  }
  const disprove = async (id: bigint, signed: SignedReport) => {
    const { state, validators, balances } = signed.proven
    const disputes = life.disputes.connect(reporter())
    await disputes.disproveBalance(id, ...life.accuse(signed, STAKER, 0), state, at(validators, pool.index), at(balances, pool.index))
    await disputes.slashSigners(id, contentOf(signed), 100)
  }

  it('A22 moves the index within a window by one bound, not by one for each report, mints no more than the emission, and loses its bonds', async () => {
    const { bondEther, stateCommitments, withdrawalQueue, rewards, cdt, blockProducers, parameters } = life
    const [committee] = await life.periods.committee(0)
    const honest = life.producers.filter(({ id }) => !committee.includes(id))
    await bondEther.connect(alice()).approve(withdrawalQueue, parseEther('1'))
    await withdrawalQueue.connect(alice()).requestWithdrawal(parseEther('1'))
    const [pot, held] = [await bondEther.totalPooledEther(), await bondEther.balanceOf(alice())]
    const bonds = () => Promise.all(honest.map(({ id }) => blockProducers.bondValue(id)))
    const before = await bonds()

    // A stair: each report a whole bound below the one before, with all the points there can be for its signers.
    const step = (pot * parameters.maxReportLoss) / 1_000_000n / GWEI
    const points = life.producers.map(({ id }) => (committee.includes(id) ? MOST_POINTS : 0))
    const stair: { readonly id: bigint; readonly signed: SignedReport }[] = []
    for (let i = 1n; i <= 3n; i++) stair.push(await life.postReport({ epoch: await nextEpoch(), stakers: [FULL_GWEI - step * i], points }))
    const [first, second, third] = [at(stair, 0), at(stair, 1), at(stair, 2)]
    const window = parameters.disputeDuration * BigInt(SLOTS_PER_EPOCH) * parameters.secondsPerSlot
    const endOf = async ({ id }: { readonly id: bigint }) => (await stateCommitments.commitment(id)).windowEnds
    expect((await endOf(second)) - (await endOf(first))).to.be.greaterThan(window)
    expect((await endOf(third)) - (await endOf(first))).to.be.greaterThan(window)

    // Nobody disputes the first. It takes its bound, from every share alike, and nobody is paid at that price.
    await life.finalize(first.id)
    expect(pot - (await bondEther.totalPooledEther())).to.equal(step * GWEI)
    expect(await stateCommitments.withdrawalsHeld()).to.equal(true)
    expect(await withdrawalQueue.lastFinalizedId()).to.equal(0n)
    for (const { id } of [second, third]) await expect(stateCommitments.finalizeState(id)).to.be.revert(life.ethers)
    await life.networkHelpers.time.increaseTo((await endOf(first)) + window - 1n)
    await expect(stateCommitments.finalizeState(second.id)).to.be.revertedWithCustomError(stateCommitments, 'WindowOpen')

    // Its points share one emission, that of the time which the report covers.
    for (const { id } of life.producers) {
      const proof = provePoints(pagesOf(first.signed), Number(id) as ProducerId)
      if (proof === undefined) throw new Error(`expected points of producer ${id}`)
      await rewards.settle(id, [{ word: proof.word, branch: [...proof.branch], pageRoots: [...proof.pageRoots] }])
    }
    const { referenceTimestamp } = await rewards.report(1)
    const from = parameters.genesisTime + (await life.periods.startOf(0)) * BigInt(SLOTS_PER_EPOCH) * parameters.secondsPerSlot
    const emission = (parameters.cdtEmission * (referenceTimestamp - from)) / YEAR
    expect(await cdt.totalSupply()).to.be.lessThanOrEqual(emission)
    expect(await cdt.totalSupply()).to.be.greaterThan((emission * 999n) / 1000n)

    // Anybody disproves the rest while it waits: the signers lose everything, the index does not move by that.
    const index = await bondEther.rewardsIndex()
    await disprove(second.id, second.signed)
    await disprove(third.id, third.signed)
    for (const id of committee) expect(await blockProducers.bondValue(id)).to.equal(0n)
    expect(await bondEther.rewardsIndex()).to.equal(index)
    expect(await bondEther.balanceOf(reporter())).to.be.greaterThan(parseEther('0.5'))

    // The next committee tells the truth, and everybody else has what it had.
    await life.startPeriod(1)
    await life.finalize(await life.reportNow())
    expect(await bondEther.totalPooledEther()).to.be.closeTo(pot - (await paidOut()), 10n)
    expect(await bondEther.balanceOf(alice())).to.be.closeTo(held, 10n)
    for (const [place, bond] of (await bonds()).entries()) expect(bond).to.be.closeTo(at(before, place), 10n)
    expect((await withdrawalQueue.request(1)).claimable).to.be.closeTo(parseEther('1'), 10n)
  })

  const paidOut = async () => (await life.withdrawalQueue.request(1)).claimable
  /** Points are on the last page: there are few producers. */
  const pagesOf = ({ pages }: SignedReport): readonly Hex[] => [at(pages, pages.length - 1) as Hex]
})
