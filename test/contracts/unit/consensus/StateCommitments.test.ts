import { expect } from 'chai'
import { type BaseContract, parseEther, ZeroHash } from 'ethers'
import { network } from 'hardhat'
import { reportDigest } from '../../../../operator/protocol/messages/report.ts'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { aggregateG2, g1, newKey } from '../../../support/block-producers.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { contentOf, type SignedReport, STAKER } from '../../../support/network-reports.ts'
import { pageOf, pointsOf, rootOfPage } from '../../../support/pages.ts'

const GWEI = 10n ** 9n
const FULL_GWEI = BigInt(FULL)

describe('StateCommitments', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pool: Pool
  let restore: () => Promise<void>
  let epoch: number
  let pageTree: BaseContract

  before(async () => {
    life = await startLife(await network.create())
    pageTree = await life.ethers.getContractAt('PageTreeHarness', life.addresses.stateCommitments)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool() // of the bonds
    pool = await life.makePool()
    await life.startPeriod(1)
    epoch = nextOnGrid(await life.epochNow())
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const nextOnGrid = (now: number) => (Math.floor(now / 4) + 1) * 4
  const refused = (call: Promise<unknown>, error: string, by: BaseContract = life.stateCommitments) =>
    expect(call).to.be.revertedWithCustomError(by, error)
  const resigned = async (signed: SignedReport, change: Partial<SignedReport['report']>): Promise<SignedReport> => {
    const report = { ...signed.report, ...change }
    return { ...signed, report, ...(await life.sign(report)) }
  }

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

  describe('bounds', () => {
    it('A22 A43 growth is clamped, the rest comes with later reports, none is lost', async () => {
      const gain = parseEther('1')
      life.change(pool, { balance: FULL + Number(gain / GWEI) })
      const start = await life.bondEther.totalPooledEther()
      let left = gain
      let last = await life.periods.startOf(0)
      for (let i = 0; left > 0n && i < 40; i++) {
        const pot = await life.bondEther.totalPooledEther()
        const id = await life.reportNow()
        await life.finalize(id)
        const { epoch: reported } = await life.stateCommitments.commitment(id)
        const most = (pot * 400n * (reported - last)) / 1_000_000n
        const grown = (await life.bondEther.totalPooledEther()) - pot
        expect(grown).to.equal(left < most ? left : most)
        left -= grown
        last = reported
      }
      expect(left).to.equal(0n)
      expect((await life.bondEther.totalPooledEther()) - start).to.equal(gain)
    })
    it('A22 a captured committee that reports any balance moves the index no further than the clamp', async () => {
      const pot = await life.bondEther.totalPooledEther()
      const index = await life.bondEther.rewardsIndex()
      const { id } = await life.postReport({ epoch, stakers: [2n ** 64n - 1n], bonds: [2n ** 64n - 1n] })
      await life.finalize(id)
      const epochs = BigInt(epoch) - (await life.periods.startOf(0))
      expect(await life.bondEther.rewardsIndex()).to.be.lessThanOrEqual(index + (index * 400n * epochs) / 1_000_000n + 1n)
      expect(await life.bondEther.totalPooledEther()).to.be.greaterThan(pot)
    })
    it('A22 a great loss waits twice the window', async () => {
      const window = 3n * BigInt(SLOTS_PER_EPOCH) * 60n
      const windowOf = async (balance: bigint) => {
        const { id } = await life.postReport({ epoch, stakers: [balance] })
        const { windowEnds } = await life.stateCommitments.commitment(id)
        const length = windowEnds - BigInt(await life.networkHelpers.time.latest())
        await restore()
        return length
      }
      const most = ((await life.bondEther.totalPooledEther()) * 50_000n) / 1_000_000n / GWEI
      expect(await windowOf(FULL_GWEI - most)).to.equal(window)
      expect(await windowOf(FULL_GWEI - most - 1n)).to.equal(2n * window)
    })
    it('A12 nobody leaves while a later commitment shows a lower profit', async () => {
      const alice = at(life.people, 0)
      await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('1'))
      await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('1'))
      await life.toSlot((epoch + 4) * SLOTS_PER_EPOCH + 6)
      const first = await life.postReport({ epoch: epoch + 4 })
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(false)
      life.change(pool, { balance: FULL - 1_000_000 })
      await life.toSlot((epoch + 8) * SLOTS_PER_EPOCH + 6)
      const second = await life.postReport({ epoch: epoch + 8 })
      await life.finalize(first.id)
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(true)
      expect(await life.withdrawalQueue.lastFinalizedId()).to.equal(0n)
      await expect(life.withdrawalQueue.finalize(10)).to.be.revertedWithCustomError(life.withdrawalQueue, 'FinalizationHeld')
      await life.finalize(second.id)
      expect(await life.withdrawalQueue.lastFinalizedId()).to.equal(1n)
      expect((await life.withdrawalQueue.request(1)).claimable).to.be.lessThan(parseEther('1'))
    })
  })

  it('A38 a top-up in flight is counted exactly once: deposited, queued, credited, eligible, active', async () => {
    const poolId = await life.requestPool()
    const profit = async () => {
      const id = await life.reportNow()
      return (await life.stateCommitments.commitment(id)).stakerProfit
    }
    await life.drawVault(poolId)
    const fresh = await life.completeDkg(poolId)
    expect(await profit(), 'registered').to.equal(0n)
    await life.fund(fresh)
    expect(await profit(), 'deposited and queued').to.equal(0n)
    life.change(fresh, { balance: FULL })
    expect(await profit(), 'credited, not yet eligible').to.equal(0n)
    life.change(fresh, { activationEligibilityEpoch: await life.epochNow() })
    expect(await profit(), 'eligible').to.equal(0n)
    life.change(fresh, { activationEpoch: await life.epochNow(), balance: FULL - 1_000 })
    expect(await profit(), 'active, with a first penalty').to.equal(-1_000n * GWEI)
  })

  it('A54 a foreign deposit to a pool’s key moves the profit by no more than it brought in', async () => {
    const poolId = await life.requestPool()
    await life.drawVault(poolId)
    const fresh = await life.completeDkg(poolId)
    const profitWith = async (balance: number) => {
      const back = await life.checkpoint()
      life.change(fresh, { balance })
      const id = await life.reportNow()
      const { stakerProfit } = await life.stateCommitments.commitment(id)
      await back()
      return stakerProfit
    }
    const ETH = 1_000_000_000
    const bounded = async (own: number, gifts: readonly number[]) => {
      for (const gift of gifts) {
        const profit = await profitWith(own + gift * ETH)
        expect(profit).to.be.lessThanOrEqual(BigInt(gift) * GWEI * BigInt(ETH))
        expect(profit).to.be.greaterThanOrEqual(0n)
      }
    }
    await bounded(ETH, [1, 30, 31, 100])
    await life.fund(fresh)
    await bounded(ETH, [0, 1, 30, 31, 32, 100])
    await bounded(FULL, [0, 1, 100])
    life.change(fresh, { activationEligibilityEpoch: await life.epochNow() })
    await bounded(FULL, [0, 1, 100])
  })
})
