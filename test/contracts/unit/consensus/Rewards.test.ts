import { expect } from 'chai'
import { concat, parseEther, ZeroHash } from 'ethers'
import { network } from 'hardhat'
import type { Hex, ProducerId } from '../../../../operator/core/ids.ts'
import { cutPages, encodePoints, POINTS_PER_PAGE, provePoints } from '../../../../operator/protocol/state/pages.ts'
import { at } from '../../../support/at.ts'
import { type NetworkLife, startLife } from '../../../support/network-life.ts'
import { pageLevels, pointsOf, rootOfPage } from '../../../support/pages.ts'

const PRODUCERS = 10

describe('Rewards', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create(), {}, PRODUCERS)
    await life.startPeriod(0)
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.rewards, error)
  /** Finalizes a report with these deltas (by producer id, the rest 0). @returns its point pages */
  const report = async (deltas: Readonly<Record<number, number>>) => {
    const count = Number(await life.blockProducers.producerCount())
    const points = Array.from({ length: count }, (_, place) => deltas[place + 1] ?? 0)
    await life.finalize(await life.reportNow({ points }))
    return cutPages(points, POINTS_PER_PAGE).map(encodePoints)
  }
  const prove = (pages: readonly Hex[], id: number) => {
    const proof = provePoints(pages, id as ProducerId)
    if (proof === undefined) throw new Error(`expected pages that reach to producer ${id}`)
    return { word: proof.word, branch: [...proof.branch], pageRoots: [...proof.pageRoots] }
  }
  const cdtOf = async (id: number) => life.cdt.balanceOf(at(life.producers, id - 1).owner)
  const rateOf = async (number: number) => (await life.rewards.report(number)).rate
  /** CDT wei of the time that a report covers. */
  const emissionOf = async (number: number) => {
    const { referenceTimestamp } = await life.rewards.report(number)
    const before = number === 1 ? await life.periods.startOf(0) : undefined
    const epochSeconds = life.parameters.slotsPerEpoch * life.parameters.secondsPerSlot
    const from =
      before === undefined
        ? (await life.rewards.report(number - 1)).referenceTimestamp
        : life.parameters.genesisTime + before * epochSeconds
    return (life.parameters.cdtEmission * (referenceTimestamp - from)) / (365n * 24n * 3600n)
  }
  const nominalPoints = async (epochs: bigint) =>
    epochs * life.parameters.nominalPools * life.parameters.vaultSize * life.parameters.baseReward

  it('a page of points holds as many as operators put into it', async () => {
    expect(await life.stateCommitments.POINTS_PER_PAGE()).to.equal(BigInt(POINTS_PER_PAGE))
  })

  describe('the rate', () => {
    it('is the emission of the time covered over the nominal points, while fewer are earned', async () => {
      await report({ 1: 5 })
      const epochSeconds = life.parameters.slotsPerEpoch * life.parameters.secondsPerSlot
      const epochOf = async (number: number) =>
        ((await life.rewards.report(number)).referenceTimestamp - life.parameters.genesisTime) / epochSeconds
      const first = (await epochOf(1)) - (await life.periods.startOf(0))
      expect(await rateOf(1)).to.be.closeTo((await emissionOf(1)) / (await nominalPoints(first)), 1n)
      await report({})
      const second = (await epochOf(2)) - (await epochOf(1))
      expect(await rateOf(2)).to.be.closeTo((await emissionOf(2)) / (await nominalPoints(second)), 1n)
    })
    it('A22 is the emission over the points earned, when they are more: all of them mint no more than it', async () => {
      const most = 2 ** 31 - 1
      const pages = await report(Object.fromEntries(Array.from({ length: PRODUCERS }, (_, i) => [i + 1, most])))
      for (let id = 1; id <= PRODUCERS; id++) await life.rewards.settle(id, [prove(pages, id)])
      const [minted, emission] = [await life.cdt.totalSupply(), await emissionOf(1)]
      expect(minted).to.be.lessThanOrEqual(emission)
      expect(minted).to.be.greaterThan((emission * 999n) / 1000n)
    })
    it('only StateCommitments books', async () => {
      await refused(life.rewards.bookReport(1, 1, 1, 1, 1, ZeroHash), 'NotStateCommitments')
    })
    it('of a report that covers no time is nothing', async () => {
      const books = life.rewards.connect(await life.as(life.addresses.stateCommitments))
      await books.bookReport(1, 1, 0, PRODUCERS, 0, ZeroHash)
      expect(await rateOf(1)).to.equal(0n)
      await refused(life.rewards.repay(1, 1), 'NoRate')
    })
  })

  describe('A21 a settlement', () => {
    it('gives the owner its points’ worth, report by report, in one call or in many', async () => {
      const pages = [await report({ 3: 200 }), await report({ 3: 50, 4: 9 }), await report({ 3: 1 })]
      const [first, second, third] = [at(pages, 0), at(pages, 1), at(pages, 2)]
      const due = 200n * (await rateOf(1)) + 50n * (await rateOf(2)) + (await rateOf(3))
      const back = await life.checkpoint()
      await expect(life.rewards.settle(3, [prove(first, 3), prove(second, 3), prove(third, 3)]))
        .to.emit(life.rewards, 'Settled')
        .withArgs(3, 3, due, 0)
      expect(await cdtOf(3)).to.equal(due)
      await back()
      for (const page of pages) await life.rewards.settle(3, [prove(page, 3)])
      expect(await cdtOf(3)).to.equal(due)
      expect(await life.rewards.settledThrough(3)).to.equal((await life.rewards.report(3)).referenceTimestamp)
      expect(await life.rewards.settledThrough(4)).to.equal(0n)
    })
    it('cannot be replayed', async () => {
      const pages = await report({ 1: 100, 2: 100 })
      await life.rewards.settle(1, [prove(pages, 1)])
      const due = 100n * (await rateOf(1))
      await refused(life.rewards.settle(1, [prove(pages, 1)]), 'NothingToSettle')
      await report({ 1: 7 })
      await refused(life.rewards.settle(1, [prove(pages, 1)]), 'WrongPointPages')
      expect([await cdtOf(1), await life.cdt.totalSupply()]).to.deep.equal([due, due])
      // Nobody else's part is less for it.
      await life.rewards.settle(2, [prove(pages, 2)])
      expect(await cdtOf(2)).to.equal(due)
      await restore()
      const once = await report({ 1: 100 })
      await refused(life.rewards.settle(1, [prove(once, 1), prove(once, 1)]), 'NothingToSettle')
      expect(await life.cdt.totalSupply()).to.equal(0n)
    })
    it('cannot skip a report, a negative one least of all', async () => {
      const bad = await report({ 2: -1000 })
      const good = await report({ 2: 1500 })
      await refused(life.rewards.settle(2, [prove(good, 2)]), 'WrongPointPages')
      await refused(life.rewards.settle(2, [prove(good, 2), prove(bad, 2)]), 'WrongPointPages')
      expect([await cdtOf(2), await life.rewards.debtOf(2), await life.rewards.nextReport(2)]).to.deep.equal([0n, 0n, 1n])
      await life.rewards.settle(2, [prove(bad, 2), prove(good, 2)])
      expect([await cdtOf(2), await life.rewards.debtOf(2)]).to.deep.equal([500n * (await rateOf(2)), 0n])
    })
    it('cannot use a zero root, or roots of its own', async () => {
      const pages = await report({ 2: 10 })
      const proof = prove(pages, 2)
      const rich = [pointsOf(Array(PRODUCERS).fill(1_000_000)) as Hex]
      await refused(life.rewards.settle(2, [prove(rich, 2)]), 'WrongPointPages')
      for (const pageRoots of [[], [ZeroHash], [...proof.pageRoots, ZeroHash], [ZeroHash, ...proof.pageRoots]]) {
        await refused(life.rewards.settle(2, [{ ...proof, pageRoots }]), 'WrongPointPages')
      }
      // A word of zeros, which an empty branch would prove against a zero root.
      await refused(life.rewards.settle(2, [{ word: ZeroHash, branch: [], pageRoots: [ZeroHash] }]), 'WrongPointPages')
      expect(await life.cdt.totalSupply()).to.equal(0n)
    })
    it('cannot pass off another’s delta, an inner node, or padding', async () => {
      const pages = await report({ 1: 10, 2: -5, 9: 50 })
      const own = prove(pages, 2)
      const other = prove(pages, 9)
      expect(own.word).not.to.equal(other.word)
      await refused(life.rewards.settle(2, [other]), 'PointsNotProven')
      await refused(life.rewards.settle(2, [{ ...own, word: concat([`0x${'7f'.repeat(32)}`]) }]), 'PointsNotProven')
      // The node above the two words as a word, with a branch one shorter.
      const [node] = at(pageLevels(at(pages, 0)), 1)
      const pageTree = await life.ethers.getContractAt('PageTreeHarness', life.addresses.rewards)
      await expect(life.rewards.settle(2, [{ ...own, word: node ?? '', branch: [] }])).to.be.revertedWithCustomError(
        pageTree,
        'BadBranchLength',
      )
      await expect(life.rewards.settle(PRODUCERS + 1, [other])).to.be.revertedWithCustomError(life.rewards, 'NothingToSettle')
      expect(await life.cdt.totalSupply()).to.equal(0n)
      await life.rewards.settle(2, [own])
      expect([await cdtOf(2), await life.rewards.debtOf(2)]).to.deep.equal([0n, 5n])
    })
    it('is anyone’s to call; with no proofs it changes nothing', async () => {
      const pages = await report({ 1: 10 })
      const stranger = life.rewards.connect(at(life.people, 5))
      await expect(stranger.settle(1, [])).to.emit(life.rewards, 'Settled').withArgs(1, 0, 0, 0)
      await stranger.settle(1, [prove(pages, 1)])
      expect(await cdtOf(1)).to.equal(10n * (await rateOf(1)))
    })
    it('of who came late starts with the first report that has it', async () => {
      for (let i = 0; i < 3; i++) await report({ 1: 1 })
      const late = await life.register(parseEther('4.1'))
      await life.startPeriod(Number(await life.periods.periodAt(await life.epochNow())) + 1)
      const id = Number(late.id)
      expect(await life.rewards.nextReport(id)).to.equal(4n)
      const pages = await report({ [id]: 6 })
      const { producers } = await life.rewards.report(4)
      expect(producers).to.equal(BigInt(id))
      await life.rewards.settle(id, [prove(pages, id)])
      expect(await life.cdt.balanceOf(late.owner)).to.equal(6n * (await rateOf(4)))
      expect(await life.rewards.nextReport(id)).to.equal(5n)
    })
  })

  describe('debt', () => {
    const most = 1_000 // a tenth of maxCdtDebt
    /** Brings a producer to a debt of `times` × the most that one report takes. */
    const indebt = async (id: number, times: number) => {
      for (let i = 0; i < times; i++) await life.rewards.settle(id, [prove(await report({ [id]: -most }), id)])
    }

    it('A45 is kept in points: points repay it before they mint', async () => {
      await indebt(2, 1)
      expect(await life.rewards.debtOf(2)).to.equal(1_000n)
      await life.rewards.settle(2, [prove(await report({ 2: 400 }), 2)])
      expect([await life.rewards.debtOf(2), await cdtOf(2)]).to.deep.equal([600n, 0n])
      await life.rewards.settle(2, [prove(await report({ 2: 700 }), 2)])
      expect([await life.rewards.debtOf(2), await cdtOf(2)]).to.deep.equal([0n, 100n * (await rateOf(3))])
    })
    it('A45 is repaid by burning CDT at the last rate, by anyone, never more than there is', async () => {
      const [payer] = [at(life.producers, 0)]
      await life.rewards.settle(1, [prove(await report({ 1: 5_000 }), 1)])
      await indebtFrom(2)
      const owner = life.rewards.connect(await life.as(payer.owner))
      const [held, rate] = [await cdtOf(1), await rateOf(2)]
      await expect(owner.repay(2, 300))
        .to.emit(life.rewards, 'DebtRepaid')
        .withArgs(2, payer.owner, 300, 300n * rate, 700)
      await owner.repay(2, 10n ** 30n)
      expect(await life.rewards.debtOf(2)).to.equal(0n)
      expect(await cdtOf(1)).to.equal(held - 1_000n * rate)
      await owner.repay(2, 1)
      expect(await cdtOf(1)).to.equal(held - 1_000n * rate)
    })
    /** After one report that producer 2 has nothing in: another, with a debt. */
    const indebtFrom = async (id: number) => {
      const second = await report({ [id]: -most })
      const first = pointsOf(Array.from({ length: PRODUCERS }, (_, place) => (place === 0 ? 5_000 : 0))) as Hex
      await life.rewards.settle(id, [prove([first], id), prove(second, id)])
    }
    it('nobody without CDT repays', async () => {
      await indebt(2, 1)
      await expect(life.rewards.connect(at(life.people, 4)).repay(2, 1)).to.be.revertedWithCustomError(life.cdt, 'ERC20InsufficientBalance')
      expect(await life.rewards.debtOf(2)).to.equal(1_000n)
    })
    it('A55 one report forces nobody out, though it takes from everybody all it can', async () => {
      const everybody = Array.from({ length: PRODUCERS }, (_, place) => place + 1)
      const bonds = () => Promise.all(everybody.map((id) => life.blockProducers.bondValue(id)))
      const before = await bonds()
      const cruel = await report(Object.fromEntries(everybody.map((id) => [id, -most])))
      for (const id of everybody) {
        await expect(life.rewards.settle(id, [prove(cruel, id)])).not.to.emit(life.rewards, 'ForcedOut')
        expect((await life.rewards.account(id)).forcedOut).to.equal(false)
        expect((await life.blockProducers.producer(id)).status).to.equal(1n)
      }
      expect(await bonds()).to.deep.equal(before)
    })
    it('A31 forces out at its maximum, exactly once', async () => {
      await indebt(2, 9)
      expect((await life.rewards.account(2)).forcedOut).to.equal(false)
      expect((await life.blockProducers.producer(2)).status).to.equal(1n)
      const last = await report({ 2: -most })
      const settled = life.rewards.settle(2, [prove(last, 2)])
      await expect(settled).to.emit(life.rewards, 'ForcedOut').withArgs(2, 10_000)
      await expect(settled).to.emit(life.blockProducers, 'ExitRequested').withArgs(2, true)
      expect((await life.blockProducers.producer(2)).status).to.equal(2n)
      await expect(life.rewards.settle(2, [])).not.to.emit(life.rewards, 'ForcedOut')
      await expect(life.rewards.settle(2, [prove(await report({ 2: -most }), 2)])).not.to.emit(life.rewards, 'ForcedOut')
      // Points that repay it take nothing back, and a new debt forces out nobody twice.
      await life.rewards.settle(2, [prove(await report({ 2: 20_000 }), 2)])
      expect((await life.rewards.account(2)).forcedOut).to.equal(true)
      expect((await life.blockProducers.producer(2)).status).to.equal(2n)
    })
    it('A31 A45 one who left on its own keeps its debt, and is not forced out a second time', async () => {
      await indebt(2, 9)
      const owner = await life.as(at(life.producers, 1).owner)
      await life.blockProducers.connect(owner).exit(2)
      const settled = life.rewards.settle(2, [prove(await report({ 2: -most }), 2)])
      await expect(settled).to.emit(life.rewards, 'ForcedOut')
      await expect(settled).not.to.emit(life.blockProducers, 'ExitRequested')
      expect(await life.rewards.debtOf(2)).to.equal(10_000n)
    })
    it('with seats, as many times the debt is borne', async () => {
      await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
      const pool = await life.makePool()
      const [member] = await life.poolRegistry.vault(pool.id)
      const second = await life.makePool()
      const both = (await life.poolRegistry.vault(second.id)).find((id) => id === member)
      const id = Number(both ?? member)
      const seats = both === undefined ? 1 : 2
      expect(await life.blockProducers.seatCount(id)).to.equal(BigInt(seats))
      await indebt(id, 10)
      expect((await life.rewards.account(id)).forcedOut).to.equal(seats === 1)
      if (seats > 1) await indebt(id, 10)
      expect((await life.rewards.account(id)).forcedOut).to.equal(true)
    })
  })

  it('proves points on pages of 5,000 producers, on both sides of the break', async () => {
    const points = Array.from({ length: 5_000 }, (_, place) => (place % 2 === 0 ? place : -place % 1_000))
    const pages = cutPages(points, POINTS_PER_PAGE).map(encodePoints)
    const { pageRoots } = prove(pages, 1)
    expect(pageRoots).to.deep.equal(pages.map(rootOfPage))
    const books = life.rewards.connect(await life.as(life.addresses.stateCommitments))
    await books.bookReport(1, 1, 4, 5_000, 1, life.ethers.keccak256(concat(pageRoots)))
    for (const id of [1, 2, 8, 9, 4_095, 4_096, 4_097, 4_098, 4_999, 5_000]) {
      const before = await life.rewards.debtOf(id)
      const point = at(points, id - 1)
      if (id > PRODUCERS && point > 0) continue // nobody is there to be paid
      await life.rewards.settle(id, [prove(pages, id)])
      expect((await life.rewards.debtOf(id)) - before, `producer ${id}`).to.equal(point < 0 ? BigInt(-point) : 0n)
    }
  })
})
