import { expect } from 'chai'
import { ZeroHash } from 'ethers'
import { network } from 'hardhat'
import { reportDigest } from '../../../../operator/protocol/messages/report.ts'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { aggregateG2, g1, newKey } from '../../../support/block-producers.ts'
import { startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'
import { epoch, FULL_GWEI, life, refused, resigned, useNetwork } from './StateCommitments.support.ts'

describe('StateCommitments', function () {
  this.timeout(600_000)
  useNetwork()

  describe('what is committed', () => {
    it('keeps the report, and opens the window with its last page', async () => {
      const signed = await life.draftReport({ epoch })
      await expect(life.commit(signed)).to.emit(life.stateCommitments, 'StateCommitted')
      const open = await life.stateCommitments.commitment(1)
      expect(open.state).to.equal(1n)
      expect(open.epoch).to.equal(BigInt(epoch))
      await expect(life.postPage(1n, signed, 0))
        .to.emit(life.stateCommitments, 'PagePosted')
        .withArgs(1n, 0, at(signed.pages, 0))
      await life.postPage(1n, signed, 1)
      expect((await life.stateCommitments.commitment(1)).state).to.equal(1n)
      await expect(life.postPage(1n, signed, 2)).to.emit(life.stateCommitments, 'CommitmentPending')
      const pending = await life.stateCommitments.commitment(1)
      expect(pending.state).to.equal(2n)
      expect(pending.stakerProfit).to.equal(0n)
      expect(pending.bondProfit).to.equal(0n)
    })

    it('signs the digest that operators sign', async () => {
      const { report } = await life.draftReport({ epoch })
      const domain = { chainId: 31337n, contract: life.addresses.stateCommitments }
      expect(await life.stateCommitments.digest(report)).to.equal(reportDigest(domain as never, report as never))
    })

    it('with no pool to report, its points are all it has', async () => {
      const empty = await startLife(await network.create())
      await empty.startPeriod(0)
      const id = await empty.reportNow()
      const made = await empty.stateCommitments.commitment(id)
      expect([made.state, made.pagesPosted]).to.deep.equal([2n, 1n])
      await empty.finalize(id)
      expect(await empty.stateCommitments.lastFinalizedReference()).to.be.greaterThan(0n)
      await empty.prover.close()
    })

    it('goes on with one of three absent, and not with two', async () => {
      await refused(life.commit(await life.draftReport({ epoch, absent: [0, 2] })), 'TooFewSigners')
      await life.commit(await life.draftReport({ epoch, absent: [1] }))
    })
  })

  describe('A14 a report that is stale, from the future, a duplicate or out of order', () => {
    it('off the grid', async () => {
      await refused(life.commit(await resigned(await life.draftReport({ epoch }), { epoch: BigInt(epoch - 1) })), 'EpochOffGrid')
    })
    it('from the future', async () => {
      const signed = await life.draftReport({ epoch })
      await refused(life.commit(await resigned(signed, { epoch: BigInt(epoch + 4) })), 'EpochInFuture')
    })
    it('a duplicate, or before the last', async () => {
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      await life.commit(await life.draftReport({ epoch: epoch + 4 }))
      await refused(life.commit(await life.draftReport({ epoch: epoch + 4 })), 'EpochNotAfter')
      await refused(life.commit(await life.draftReport({ epoch })), 'EpochNotAfter')
    })
    it('too old for EIP-4788 to tell its reference', async () => {
      const signed = await life.draftReport({ epoch })
      await life.networkHelpers.time.increase(8191 * 60)
      await refused(life.commit(signed), 'BoundaryTooOld')
    })
  })

  describe('A42 a commitment with the root of another slot than the reference', () => {
    it('the block before the boundary, when there is one at it', async () => {
      const right = await life.draftReport({ epoch })
      const early = await life.prover.prove({ slot: epoch * SLOTS_PER_EPOCH - 1, validators: life.validators })
      const wrong = await resigned(right, { blockRoot: early.blockRoot, referenceSlot: early.state.header.slot })
      await refused(life.commit({ ...wrong, proven: early }), 'WrongReference')
    })
    it('the block after the boundary', async () => {
      await life.toSlot(epoch * SLOTS_PER_EPOCH + 8)
      const right = await life.draftReport({ epoch })
      const late = await life.prover.prove({ slot: epoch * SLOTS_PER_EPOCH + 1, validators: life.validators })
      await life.anchor(late)
      const wrong = await resigned(right, { blockRoot: late.blockRoot, referenceSlot: late.state.header.slot })
      await refused(life.commit({ ...wrong, proven: late }), 'WrongReference')
    })
    it('missed slots before the boundary: the last block before it', async () => {
      const signed = await life.draftReport({ epoch, slot: epoch * SLOTS_PER_EPOCH - 3 })
      await life.commit(signed)
      expect((await life.stateCommitments.commitment(1)).referenceTimestamp).to.equal(BigInt(life.timeOfSlot(epoch * SLOTS_PER_EPOCH - 3)))
    })
    it('missed slots after the boundary: the same reference, from a later slot', async () => {
      const far = (epoch + 4) * SLOTS_PER_EPOCH
      await life.toSlot(far + 5)
      const signed = await life.draftReport({ epoch: epoch + 4 })
      // Only the block of slot `far` + 4 tells its parent.
      await life.forgetRoot(far + 1)
      await refused(life.commit(signed), 'NoBlockAfter')
      await life.anchor({
        ...signed.proven,
        state: { ...signed.proven.state, header: { ...signed.proven.state.header, slot: BigInt(far + 3) } },
      })
      await life.commit(signed)
    })
    it('with points of more or fewer producers than were registered then', async () => {
      const registered = Number(await life.blockProducers.countAt(life.timeOfSlot(epoch * SLOTS_PER_EPOCH)))
      for (const count of [registered - 1, registered + 1]) {
        const signed = await life.draftReport({ epoch, points: Array<number>(count).fill(0) })
        await refused(life.commit(signed), 'WrongProducerCount')
      }
    })
    it('a header with another slot, or of another block', async () => {
      const signed = await life.draftReport({ epoch })
      await refused(life.commit(await resigned(signed, { referenceSlot: signed.report.referenceSlot - 1n })), 'WrongReferenceSlot')
      const other = await life.prover.prove({ slot: epoch * SLOTS_PER_EPOCH - 1, validators: life.validators })
      await refused(life.commit({ ...signed, proven: other }), 'WrongReference')
    })
  })

  describe('A18 a signature for something else is refused', () => {
    it('by the committee of another period', async () => {
      const signed = await life.draftReport({ epoch })
      const [committee] = await life.periods.committee(await life.periods.periodAt(epoch))
      const strangers = life.producers.filter(({ id }) => !committee.includes(id)).slice(0, 3)
      const digest = await life.stateCommitments.digest(signed.report)
      const signature = aggregateG2(strangers.map(({ key }) => key.sign(Buffer.from(digest.slice(2), 'hex'))))
      await refused(life.commit({ ...signed, signature }), 'InvalidAggregateSignature')
    })
    it('over another report, with another list of absent members, or for another contract', async () => {
      const signed = await life.draftReport({ epoch })
      const other = await life.draftReport({ epoch, absent: [1] })
      await refused(
        life.commit({ ...signed, report: { ...signed.report, stakerArrivals: 0n, pageRoots: [ZeroHash, ZeroHash, ZeroHash] } }),
        'InvalidAggregateSignature',
      )
      await refused(life.commit({ ...signed, absent: other.absent, absentKeys: other.absentKeys }), 'InvalidAggregateSignature')
      await refused(life.commit({ ...signed, signature: await life.signFor('disputes', signed.report) }), 'InvalidAggregateSignature')
    })
    it('a bitfield too long, or with bits beyond the committee', async () => {
      const signed = await life.draftReport({ epoch })
      const other = await life.draftReport({ epoch, absent: [1] })
      await refused(life.commit({ ...other, absentKeys: [] }), 'KeyCount', life.blockProducers)
      await refused(life.commit({ ...signed, absentKeys: other.absentKeys }), 'KeyCount', life.blockProducers)
      await refused(life.commit({ ...other, absentKeys: [g1(newKey().toPublicKey())] }), 'NotTheKeyOf', life.blockProducers)
      const { absentKeys } = await life.draftReport({ epoch, absent: [0] })
      await refused(life.commit({ ...other, absentKeys }), 'NotTheKeyOf', life.blockProducers)
      await refused(life.commit({ ...signed, absent: '0x0000' }), 'AbsentLength', life.periods)
      await refused(life.commit({ ...signed, absent: '0x08' }), 'AbsentBeyondCommittee', life.periods)
    })
  })

  describe('what the contract knows itself', () => {
    it('pools of each kind', async () => {
      await refused(life.commit(await life.draftReport({ epoch, stakers: [] })), 'WrongPoolCount')
      await refused(life.commit(await life.draftReport({ epoch, bonds: [FULL_GWEI, FULL_GWEI] })), 'WrongPoolCount')
      await refused(life.commit(await resigned(await life.draftReport({ epoch }), { pageRoots: [ZeroHash] })), 'WrongPageCount')
    })
    it('A22 arrivals are never above the real ones', async () => {
      await refused(life.commit(await life.draftReport({ epoch, arrivals: [1n, 0n] })), 'ArrivalsAboveReal')
      await refused(life.commit(await life.draftReport({ epoch, arrivals: [0n, 1n] })), 'ArrivalsAboveReal')
      await life.arrive(STAKER, 5n)
      await life.commit(await life.draftReport({ epoch, arrivals: [5n, 0n] }))
    })
  })
})
