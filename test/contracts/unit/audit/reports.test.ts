import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { type SignedReport, STAKER } from '../../../support/network-reports.ts'

const FULL_GWEI = BigInt(FULL)

/** What a committee can do that nobody holds back: two thirds of it lie, or others use what it once signed. */
describe('Audit: a captured commitment committee', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let pool: Pool
  let restore: () => Promise<void>
  let epoch: number

  before(async () => {
    // One long period and a long window: a committee with much time.
    life = await startLife(await network.create(), { periodLength: 200n, disputeDuration: 150n })
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool() // of the bonds
    pool = await life.makePool()
    await jump()
    restore = await life.checkpoint()
  })
  beforeEach(async () => {
    await restore()
    epoch = Math.floor((await life.epochNow()) / 4) * 4
  })
  after(() => life.prover.close())

  const jump = async () => {
    epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
  }
  const disprove = async (id: bigint, signed: SignedReport) => {
    const { state, validators, balances } = signed.proven
    return life.disputes.disproveBalance(id, ...life.accuse(signed, STAKER, 0), state, at(validators, pool.index), at(balances, pool.index))
  }
  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.stateCommitments, error)

  it('A22 A28 a disproven report cannot be committed again by whoever kept its signature', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [1n] })
    await disprove(id, signed)
    await refused(life.commit(signed), 'WrongHistory')
  })

  it('A22 those who have lost their bonds to a lie commit no other', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [1n] })
    await disprove(id, signed)
    await refused(life.commit(await life.draftReport({ epoch, stakers: [2n] })), 'CommitteeConvicted')
    await jump()
    await refused(life.commit(await life.draftReport({ epoch, stakers: [2n] })), 'CommitteeConvicted')
  })

  it('A22 the committee of the next period goes on', async () => {
    const { id, signed } = await life.postReport({ epoch, stakers: [1n] })
    await disprove(id, signed)
    await life.startPeriod(1)
    await jump()
    const next = await life.reportNow()
    await life.finalize(next)
    expect(await life.stateCommitments.nextToFinalize()).to.equal(next + 1n)
  })

  it('A36 A43 reports dropped without end make no finalization dearer', async () => {
    // Two that wait, and behind them one epoch committed again and again without its pages.
    const first = await life.reportNow()
    await life.reportNow()
    const spam = async (times: number) => {
      await jump()
      for (let i = 0; i < times; i++) {
        await life.commit(await life.draftReport({ epoch }))
        const { pagesDeadline } = life.parameters
        await life.networkHelpers.time.increase(Number(pagesDeadline) * SLOTS_PER_EPOCH * 60 + 1)
        await life.stateCommitments.dropOverdue(await life.stateCommitments.commitmentCount())
      }
    }
    const cost = async (times: number) => {
      const back = await life.checkpoint()
      await spam(times)
      const receipt = await (await life.finalize(first)).wait()
      await back()
      return receipt?.gasUsed ?? 0n
    }
    const [few, many] = [await cost(1), await cost(6)]
    expect(many).to.equal(few)
  })

  it('A22 arrivals below what was collected already are refused: they would be a loss that no balance disproves', async () => {
    await life.arrive(STAKER, parseEther('32'))
    life.change(pool, { balance: 0 })
    await life.finalize(await life.reportNow())
    expect(await life.stakingPool.collected(STAKER)).to.equal(parseEther('32'))
    const index = await life.bondEther.rewardsIndex()
    await life.startPeriod(1)
    await jump()
    const lie = await life.draftReport({ epoch, arrivals: [0n, 0n] })
    await refused(life.commit(lie), 'ArrivalsBelowCollected')
    const id = await life.reportNow()
    await life.finalize(id)
    expect(await life.bondEther.rewardsIndex()).to.equal(index)
  })

  it('A15 a lie is disproven while its committee is convicted of another', async () => {
    const first = await life.postReport({ epoch, stakers: [FULL_GWEI + 1n] })
    await jump()
    const second = await life.postReport({ epoch, stakers: [FULL_GWEI + 2n] })
    await disprove(first.id, first.signed)
    await disprove(second.id, second.signed)
    expect((await life.stateCommitments.commitment(second.id)).state).to.equal(5n)
  })
})
