import { expect } from 'chai'
import { parseEther, ZeroHash } from 'ethers'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { contentOf, type SignedReport, STAKER } from '../../../support/network-reports.ts'
import { pageOf, pointsOf, rootOfPage } from '../../../support/pages.ts'
import { epoch, FULL_GWEI, life, pageTree, refused, resigned, restore, useNetwork } from './StateCommitments.support.ts'

describe('StateCommitments', function () {
  this.timeout(600_000)
  useNetwork()

  describe('A50 pages', () => {
    let signed: SignedReport
    beforeEach(async () => {
      signed = await life.draftReport({ epoch })
      await life.commit(signed)
    })
    it('cannot overlap, leave gaps, be replaced or be added up twice', async () => {
      const post = (page: number, data: string) => life.stateCommitments.postPage(1, contentOf(signed), page, data)
      await refused(post(1, at(signed.pages, 1)), 'WrongPage')
      await refused(post(3, at(signed.pages, 0)), 'WrongPage')
      await refused(post(0, at(signed.pages, 2)), 'WrongPageRoot')
      await refused(post(0, pageOf([FULL_GWEI, FULL_GWEI])), 'WrongPageRoot')
      await refused(post(0, '0x'), 'BadPageLength', pageTree)
      await refused(post(0, pageOf([FULL_GWEI + 1n])), 'WrongPageRoot')
      await post(0, at(signed.pages, 0))
      await refused(post(0, at(signed.pages, 0)), 'WrongPage')
      await post(1, at(signed.pages, 1))
      await post(2, at(signed.pages, 2))
      await refused(post(2, at(signed.pages, 2)), 'WrongCommitmentState')
      await refused(post(3, at(signed.pages, 2)), 'WrongCommitmentState')
      expect((await life.stateCommitments.commitment(1)).stakerProfit).to.equal(0n)
    })
    it('of the signed root but with more or fewer entries than there are pools or producers', async () => {
      await restore()
      for (const page of [0, 1, 2]) {
        const pages = [pageOf([FULL_GWEI]), pageOf([FULL_GWEI]), pointsOf(Array(10).fill(0))]
        pages[page] = page === 2 ? pointsOf(Array(11).fill(0)) : pageOf([FULL_GWEI, FULL_GWEI])
        const honest = await life.draftReport({ epoch })
        const other = { ...(await resigned(honest, { pageRoots: pages.map(rootOfPage) })), pages }
        await life.commit(other)
        for (const before of pages.keys()) if (before < page) await life.postPage(1n, other, before)
        await refused(life.postPage(1n, other, page), 'WrongPageLength')
        await restore()
      }
    })
    it('with another content than was committed', async () => {
      for (const change of [{ executionHash: ZeroHash }, { absent: '0x01' }, { report: { ...signed.report, stakerArrivals: 1n } }]) {
        await refused(life.postPage(1n, { ...signed, ...change }, 0), 'WrongContent')
      }
    })
    it('A55 of points that take more than a tenth of the largest debt from anybody', async () => {
      await restore()
      const most = Number(life.parameters.maxCdtDebt) / 10
      const points = Array<number>(10).fill(0)
      points[9] = -most - 1
      const cruel = await life.draftReport({ epoch, points })
      await life.commit(cruel)
      await life.postPage(1n, cruel, 0)
      await life.postPage(1n, cruel, 1)
      await refused(life.postPage(1n, cruel, 2), 'LossTooLarge')
      await life.networkHelpers.time.increase(2 * SLOTS_PER_EPOCH * 60)
      await life.stateCommitments.dropOverdue(1)
      points[9] = -most
      points[0] = 7
      points[1] = 5
      const { id } = await life.postReport({ epoch, points })
      expect((await life.stateCommitments.commitment(id)).positivePoints).to.equal(12n)
    })
    it('that do not come free their epoch after the deadline, not before', async () => {
      await refused(life.stateCommitments.finalizeState(1), 'WrongCommitmentState')
      await refused(life.stateCommitments.dropOverdue(1), 'DeadlineNotPassed')
      await refused(life.commit(signed), 'EpochNotAfter')
      await life.networkHelpers.time.increase(2 * SLOTS_PER_EPOCH * 60)
      await life.stateCommitments.dropOverdue(1)
      expect(await life.stateCommitments.nextToFinalize()).to.equal(2n)
      await refused(life.commit(signed), 'WrongHistory')
      await life.commit(await life.draftReport({ epoch }))
      expect(await life.stateCommitments.commitmentCount()).to.equal(2n)
      await refused(life.stateCommitments.dropOverdue(1), 'WrongCommitmentState')
    })
    it('a later commitment waits no longer than that, and is then the next', async () => {
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      const { id } = await life.postReport({ epoch: epoch + 4 })
      await refused(life.stateCommitments.finalizeState(id), 'NotNext')
      await life.stateCommitments.dropOverdue(1)
      await life.finalize(id)
      expect(await life.stateCommitments.nextToFinalize()).to.equal(3n)
    })
  })

  describe('finalization', () => {
    it('A15 not before the end of the window; a dispute in its last block still counts', async () => {
      const { id } = await life.postReport({ epoch })
      const { windowEnds } = await life.stateCommitments.commitment(id)
      await life.networkHelpers.time.increaseTo(windowEnds - 2n)
      await life.networkHelpers.time.setNextBlockTimestamp(windowEnds - 1n)
      await refused(life.stateCommitments.finalizeState(id), 'WindowOpen')
      const disputes = await life.as(life.addresses.disputes)
      await life.networkHelpers.time.setNextBlockTimestamp(windowEnds - 1n)
      await life.stateCommitments.connect(disputes).dropDisputed(id, true)
      await life.networkHelpers.time.setNextBlockTimestamp(windowEnds)
      await refused(life.stateCommitments.finalizeState(id), 'NotNext')
    })
    it('from the first block after the window', async () => {
      const { id } = await life.postReport({ epoch })
      const { windowEnds } = await life.stateCommitments.commitment(id)
      await life.networkHelpers.time.increaseTo(windowEnds - 1n)
      await life.networkHelpers.time.setNextBlockTimestamp(windowEnds)
      await expect(life.stateCommitments.finalizeState(id)).to.emit(life.stateCommitments, 'StateFinalized')
    })
    it('in order; a dropped one is passed over', async () => {
      const first = await life.postReport({ epoch })
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      const second = await life.postReport({ epoch: epoch + 4 })
      await refused(life.finalize(second.id), 'NotNext')
      await life.stateCommitments.connect(await life.as(life.addresses.disputes)).dropDisputed(first.id, false)
      await life.finalize(second.id)
      await refused(life.stateCommitments.finalizeState(second.id), 'NotNext')
    })
    it('only Disputes drops, and nothing that is final', async () => {
      const { id } = await life.postReport({ epoch })
      await refused(life.stateCommitments.dropDisputed(id, true), 'NotAJudge')
      await life.finalize(id)
      const disputes = await life.as(life.addresses.disputes)
      await refused(life.stateCommitments.connect(disputes).dropDisputed(id, true), 'WrongCommitmentState')
    })
    it('A37 ETH that arrives while several reports are pending is counted once', async () => {
      await life.arrive(STAKER, parseEther('0.004'))
      const first = await life.postReport({ epoch })
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      await life.arrive(STAKER, parseEther('0.002'))
      const second = await life.postReport({ epoch: epoch + 4 })
      expect((await life.stateCommitments.commitment(first.id)).stakerProfit).to.equal(parseEther('0.004'))
      expect((await life.stateCommitments.commitment(second.id)).stakerProfit).to.equal(parseEther('0.006'))
      await life.finalize(first.id)
      expect(await life.stakingPool.collected(STAKER)).to.equal(parseEther('0.004'))
      expect(await life.stakingPool.recognised(STAKER)).to.equal(parseEther('0.004'))
      await life.finalize(second.id)
      expect(await life.stakingPool.collected(STAKER)).to.equal(parseEther('0.006'))
      expect(await life.stakingPool.recognised(STAKER)).to.equal(parseEther('0.006'))
      expect(await life.ethers.provider.getBalance(life.addresses.stakerVault)).to.equal(0n)
    })
  })
})
