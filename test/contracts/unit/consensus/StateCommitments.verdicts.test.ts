import { expect } from 'chai'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { epoch, life, refused, useNetwork } from './StateCommitments.support.ts'

describe('StateCommitments', function () {
  this.timeout(600_000)
  useNetwork()

  describe('a vote', () => {
    const judge = async () => life.stateCommitments.connect(await life.as(life.addresses.disputes))
    const state = async (id: bigint) => (await life.stateCommitments.commitment(id)).state

    it('A12 A15 holds what it is on, what comes after, and all withdrawals, until it is over', async () => {
      const first = await life.postReport({ epoch })
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      const second = await life.postReport({ epoch: epoch + 4 })
      await life.toSlot((epoch + 8) * SLOTS_PER_EPOCH + 6)
      const third = await life.postReport({ epoch: epoch + 8 })
      // In the last second of its window.
      const { windowEnds } = await life.stateCommitments.commitment(third.id)
      await life.finalize(first.id)
      const judges = await judge()
      await life.networkHelpers.time.setNextBlockTimestamp(windowEnds - 1n)
      await expect(judges.freeze(third.id)).to.emit(life.stateCommitments, 'CommitmentFrozen').withArgs(third.id)
      expect(await state(third.id)).to.equal(3n)
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(true)
      await expect(life.withdrawalQueue.finalize(1)).to.be.revertedWithCustomError(life.withdrawalQueue, 'FinalizationHeld')
      await life.finalize(second.id)
      await refused(life.finalize(third.id), 'WrongCommitmentState')
      await life.networkHelpers.time.increase(1_000_000)
      await refused(life.stateCommitments.finalizeState(third.id), 'WrongCommitmentState')
      await expect(judges.unfreeze(third.id)).to.emit(life.stateCommitments, 'CommitmentUnfrozen').withArgs(third.id)
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(false)
      await life.stateCommitments.finalizeState(third.id)
    })
    it('cannot be opened before the pages are in, after the window, or twice', async () => {
      const judges = await judge()
      const signed = await life.draftReport({ epoch })
      await life.commit(signed)
      await refused(judges.freeze(1), 'WrongCommitmentState')
      for (const page of signed.pages.keys()) await life.postPage(1n, signed, page)
      await refused(judges.unfreeze(1), 'WrongCommitmentState')
      await judges.freeze(1)
      await refused(judges.freeze(1), 'WrongCommitmentState')
      await judges.unfreeze(1)
      const { windowEnds } = await life.stateCommitments.commitment(1)
      await life.networkHelpers.time.increaseTo(windowEnds)
      await refused(judges.freeze(1), 'WindowOver')
    })
    it('belongs to the judges', async () => {
      const { id } = await life.postReport({ epoch })
      await refused(life.stateCommitments.freeze(id), 'NotAJudge')
      await refused(life.stateCommitments.unfreeze(id), 'NotAJudge')
      await refused(life.stateCommitments.dropDisputed(id, false), 'NotAJudge')
    })
    it('drops without a conviction: the committee reports the epoch anew, under signatures made since', async () => {
      const { id, signed } = await life.postReport({ epoch })
      const judges = await judge()
      await judges.freeze(id)
      await expect(judges.dropDisputed(id, false)).to.emit(life.stateCommitments, 'CommitmentDropped').withArgs(id, epoch, false)
      await refused(life.commit(signed), 'WrongHistory')
      await life.finalize((await life.postReport({ epoch })).id)
    })
    it('convicts: the period’s committee reports no more, the next period’s goes on', async () => {
      const { id } = await life.postReport({ epoch })
      const judges = await judge()
      await judges.freeze(id)
      await judges.dropDisputed(id, true)
      await refused(life.commit(await life.draftReport({ epoch })), 'CommitteeConvicted')
      await life.startPeriod(2)
      await life.finalize(await life.reportNow())
    })
  })

  describe('members slashed', () => {
    const strike = async (period: bigint, place: number) => {
      const [committee] = await life.periods.committee(period)
      const disputes = await life.as(life.addresses.disputes)
      await life.blockProducers.connect(disputes).slashOut(at(committee, place), life.addresses.disputes)
      return life.periods.strike(period, place)
    }
    it('A16 count as absent from the moment they are struck, and no signature of theirs adds to the two thirds', async () => {
      const period = await life.periods.periodAt(epoch)
      const whole = await life.draftReport({ epoch })
      const without = await life.draftReport({ epoch, absent: [1] })
      await strike(period, 1)
      await refused(life.commit(whole), 'StruckNotAbsent', life.periods)
      // Its key is out of the sum already.
      await refused(life.commit(without), 'KeyCount', life.blockProducers)
      await refused(life.commit({ ...whole, absent: '0x02' }), 'InvalidAggregateSignature')
      await life.commit({ ...without, absentKeys: [] })
    })
    it('A43 with fewer than two thirds left, the period’s reports are passed over and the next committee goes on', async () => {
      const period = await life.periods.periodAt(epoch)
      await strike(period, 0)
      await strike(period, 2)
      await refused(life.commit({ ...(await life.draftReport({ epoch, absent: [0, 2] })), absentKeys: [] }), 'TooFewSigners')
      const index = await life.bondEther.rewardsIndex()
      await life.startPeriod(2)
      const id = await life.reportNow()
      await life.finalize(id)
      expect(await life.stateCommitments.nextToFinalize()).to.equal(id + 1n)
      expect(await life.bondEther.rewardsIndex()).to.equal(index)
    })
    it('A43 a period whose seed nobody proved has no committee, and holds up no later one', async () => {
      await life.toEpoch((await life.periods.startOf(3)) + 70n)
      await life.startPeriod(Number(await life.periods.periodAt(await life.epochNow())))
      const id = await life.reportNow()
      await life.finalize(id)
      expect(await life.stateCommitments.nextToFinalize()).to.equal(id + 1n)
    })
  })
})
