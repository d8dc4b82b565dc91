import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { digestOf } from '../../../support/block-producers.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { contentOf, type SignedReport, STAKER } from '../../../support/network-reports.ts'
import type { RegisteredProducer } from '../../../support/open-pools.ts'
import { toNextReport } from '../../../support/reports.ts'
import { bitmapOf, electorate, signTogether, VOTE } from '../../../support/voters.ts'

const UPHOLD = 0
const WRONG = 1
const UNAVAILABLE = 2
const OPEN = 2n
const UPHELD = 3n
const DROPPED = 4n
const CONVICTED = 5n
const PENALTY = parseEther('0.1')

describe('Votes', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let voters: Awaited<ReturnType<typeof electorate>>
  let pool: Pool
  let epoch: number
  let id: bigint
  let signed: SignedReport
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create(), { periodLength: 60n })
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    pool = await life.makePool()
    epoch = await toNextReport(life)
    voters = await electorate(life, 0n)
    ;({ id, signed } = await life.postReport({ epoch, stakers: [BigInt(FULL) + 1n] }))
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.votes, error)
  const some = (count: number, from = 0) => voters.eligible.slice(from, from + count)
  const stateOf = async () => (await life.votes.vote(id)).state
  const commitmentState = async () => (await life.stateCommitments.commitment(id)).state
  const bondOf = (position: number) => life.blockProducers.bondValue(at(voters.list, position).id)
  const toDeadline = async () => life.networkHelpers.time.increaseTo((await life.votes.vote(id)).deadline)
  const signers = async (): Promise<RegisteredProducer[]> => (await life.periods.committee(0))[0].map((member) => life.memberOf(member))
  const smallFirst = async () => (await voters.auxiliaries()).sort((a, b) => a.length - b.length)
  const nobodySlashed = async () => {
    for (const { id: producer } of voters.list) expect((await life.blockProducers.producer(producer)).slashed).to.equal(false)
  }

  it('has 7 of 10 producers vote: the committee of 3 has no say', () => {
    expect(voters.list).to.have.length(10)
    expect(voters.eligible).to.have.length(7)
  })

  describe('opening', () => {
    it('by a third of all, over several transactions: the commitment is frozen', async () => {
      await voters.cast(id, WRONG, some(2))
      const { places, signature } = await voters.sign(id, UNAVAILABLE, some(1, 2))
      // Words without ballots change nothing.
      await life.votes.cast(id, UNAVAILABLE, [...places, 0n], signature)
      expect(await commitmentState()).to.equal(2n)
      await expect(voters.cast(id, WRONG, some(1, 3)))
        .to.emit(life.votes, 'VoteOpened')
        .and.to.emit(life.stateCommitments, 'CommitmentFrozen')
        .and.to.emit(life.votes, 'BallotsCast')
        .withArgs(id, WRONG, bitmapOf(some(1, 3)))
      expect(await commitmentState()).to.equal(3n)
      const vote = await life.votes.vote(id)
      expect([vote.state, vote.eligible, vote.wrong, vote.unavailable, vote.openers]).to.deep.equal([OPEN, 7n, 3n, 1n, 4n])
    })

    it('by two thirds of one auxiliary committee, shown in as many calls as it takes', async () => {
      const [small] = await smallFirst()
      if (small === undefined) throw new Error('expected an auxiliary committee, got none')
      expect(small).to.have.length(3)
      await voters.cast(id, WRONG, [at(small, 0).position, at(small, 1).position])
      await life.votes.openByAuxiliary(id, [at(small, 0).index])
      // A41 shown twice it counts once.
      await life.votes.openByAuxiliary(id, [at(small, 0).index, at(small, 0).index])
      expect(await stateOf()).to.equal(1n)
      await refused(life.votes.openByAuxiliary(id, [at(small, 2).index]), 'NotAnOpener')
      await expect(life.votes.openByAuxiliary(id, [at(small, 1).index])).to.emit(life.votes, 'VoteOpened')
      expect(await commitmentState()).to.equal(3n)
    })

    it('not by as many of several auxiliary committees, nor of the commitment committee', async () => {
      const [first, second] = await voters.auxiliaries()
      const mixed = [at(first ?? [], 0), at(second ?? [], 0)]
      await voters.cast(
        id,
        WRONG,
        mixed.map(({ position }) => position),
      )
      await refused(
        life.votes.openByAuxiliary(
          id,
          mixed.map(({ index }) => index),
        ),
        'OtherAuxiliary',
      )
      for (const { index } of mixed) await life.votes.openByAuxiliary(id, [index])
      expect(await stateOf()).to.equal(1n)
      await expect(life.votes.openByAuxiliary(id, [0])).to.be.revertedWithCustomError(life.periods, 'NotAuxiliary')
    })

    it('A15 in the last block of the window, and not later', async () => {
      const members = at(await smallFirst(), 0).slice(0, 2)
      await voters.cast(
        id,
        WRONG,
        members.map(({ position }) => position),
      )
      const open = () =>
        life.votes.openByAuxiliary(
          id,
          members.map(({ index }) => index),
        )
      const { windowEnds } = await life.stateCommitments.commitment(id)
      const again = await life.checkpoint()
      await life.networkHelpers.time.increaseTo(windowEnds - 2n)
      await life.networkHelpers.time.setNextBlockTimestamp(windowEnds - 1n)
      await open()
      await expect(life.stateCommitments.finalizeState(id)).to.be.revertedWithCustomError(life.stateCommitments, 'WrongCommitmentState')
      expect(await commitmentState()).to.equal(3n)
      await again()
      await life.networkHelpers.time.increaseTo(windowEnds)
      await refused(voters.cast(id, WRONG, some(4)), 'NotInWindow')
      await expect(open()).to.be.revertedWithCustomError(life.stateCommitments, 'WindowOver')
      expect(await commitmentState()).to.equal(2n)
    })

    it('not with ballots in favour, nor of a commitment that has no window', async () => {
      await refused(voters.cast(id, UPHOLD, some(4)), 'VoteNotOpen')
      await refused(voters.cast(id + 1n, WRONG, some(4)), 'NotInWindow')
      await refused(life.votes.openByAuxiliary(id, [4]), 'WrongVoteState')
      await refused(life.votes.close(id), 'WrongVoteState')
      await life.finalize(id)
      await refused(voters.cast(id, WRONG, some(4)), 'NotInWindow')
    })

    it('A12 holds finalization and withdrawals', async () => {
      await voters.cast(id, WRONG, some(4))
      expect(await life.stateCommitments.withdrawalsHeld()).to.equal(true)
      const { windowEnds } = await life.stateCommitments.commitment(id)
      await life.networkHelpers.time.increaseTo(windowEnds)
      await expect(life.stateCommitments.finalizeState(id)).to.be.revertedWithCustomError(life.stateCommitments, 'WrongCommitmentState')
    })
  })

  describe('ballots', () => {
    it('A16 of the commitment committee do not count', async () => {
      await voters.cast(id, WRONG, voters.inCommittee)
      await voters.cast(id, WRONG, [...voters.inCommittee, ...some(3)])
      const vote = await life.votes.vote(id)
      expect([vote.state, vote.wrong]).to.deep.equal([1n, 3n])
    })

    it('A41 A16 count once, whoever gives them again and whatever they say the second time', async () => {
      await voters.cast(id, WRONG, some(3))
      await voters.cast(id, WRONG, some(3))
      await voters.cast(id, UNAVAILABLE, some(3))
      expect(await stateOf()).to.equal(1n)
      await voters.cast(id, WRONG, some(4))
      await voters.cast(id, UPHOLD, some(7))
      const vote = await life.votes.vote(id)
      expect([vote.state, vote.wrong, vote.upheld, vote.openers]).to.deep.equal([OPEN, 4n, 3n, 4n])
      expect(await life.votes.voters(id, 0)).to.deep.equal([at(bitmapOf(some(7)), 0), at(bitmapOf(some(4)), 0)])
    })

    it('A16 A53 of who was slashed, leaves, or fell below an effective stake do not count, nor spoil the others’', async () => {
      const [slashed, poor, leaver] = some(3).map((position) => at(voters.list, position))
      if (!slashed || !poor || !leaver) throw new Error('expected three voters')
      await life.blockProducers.connect(await life.as(life.addresses.disputes)).slashOut(slashed.id, life.addresses.disputes)
      await life.blockProducers
        .connect(await life.as(life.addresses.exits))
        .slashSeats(1, [poor.id], parseEther('0.5'), life.addresses.exits)
      await life.blockProducers.connect(await life.as(leaver.owner)).exit(leaver.id)
      await voters.cast(id, WRONG, some(6))
      const vote = await life.votes.vote(id)
      expect([vote.state, vote.wrong]).to.deep.equal([1n, 3n])
    })

    it('A18 for another commitment, ballot, content or contract are refused; A19 so are sums of keys that others made up', async () => {
      const { places, signature } = await voters.sign(id, WRONG, some(4))
      await refused(life.votes.cast(id, UNAVAILABLE, places, signature), 'InvalidBallots')
      await refused(life.votes.cast(id, WRONG, bitmapOf(some(5)), signature), 'InvalidBallots')
      await refused(life.votes.cast(id, WRONG, bitmapOf(some(3)), signature), 'InvalidBallots')
      const elsewhere = await voters.sign(id, WRONG, some(4), 'disputes')
      await refused(life.votes.cast(id, WRONG, places, elsewhere.signature), 'InvalidBallots')
      const other = signTogether(
        voters.list,
        some(4),
        digestOf(life.judgeOf('votes'), VOTE, {
          commitmentId: id + 1n,
          contentHash: (await life.stateCommitments.commitment(id)).contentHash,
          ballot: WRONG,
        }),
      )
      await refused(life.votes.cast(id, WRONG, places, other.signature), 'InvalidBallots')
      await expect(life.votes.cast(id, WRONG, [1n << 10n], signature)).to.be.revertedWithCustomError(life.periods, 'PositionOutOfRange')
    })
  })

  describe('a lie', () => {
    it('A20 A41 decided at once by two thirds of all who may vote, by no fewer: the signers are slashed out, the openers paid by equal parts', async () => {
      await voters.cast(id, WRONG, some(4))
      expect(await stateOf()).to.equal(OPEN)
      await expect(voters.cast(id, WRONG, some(1, 4)))
        .to.emit(life.votes, 'VoteClosed')
        .withArgs(id, CONVICTED, 0, 5, 0)
      expect(await commitmentState()).to.equal(5n)
      const index = await life.bondEther.rewardsIndex()
      await expect(life.votes.slashSigners(id, contentOf(signed), 2))
        .to.emit(life.votes, 'SignersJudged')
        .withArgs(id, 2, 3)
      const [position] = some(1)
      const owner = at(voters.list, position ?? 0).owner
      await expect(life.votes.payOpener(id, position ?? 0))
        .to.emit(life.votes, 'OpenerPaid')
        .withArgs(id, at(voters.list, position ?? 0).id, owner, (shares: bigint) => shares > 0n)
      const half = await life.bondEther.balanceOf(owner)
      await life.votes.slashSigners(id, contentOf(signed), 100)
      await life.votes.slashSigners(id, contentOf(signed), 100)
      for (const { id: member } of await signers()) expect((await life.blockProducers.producer(member)).slashed).to.equal(true)
      for (const opener of some(4)) {
        await life.votes.payOpener(id, opener)
        // 5 % of three bonds of 4.1 ETH, for four.
        expect(await life.bondEther.balanceOf(at(voters.list, opener).owner)).to.be.closeTo((parseEther('4.1') * 3n) / 80n, 10n ** 10n)
        await refused(life.votes.payOpener(id, opener), 'NothingToPay')
      }
      expect(half).to.be.closeTo((parseEther('4.1') * 2n) / 80n, 10n ** 10n)
      await refused(life.votes.payOpener(id, at(some(1, 4), 0)), 'NotAnOpener')
      // A39 nor does it lift the index.
      expect(await life.bondEther.rewardsIndex()).to.equal(index)
      await refused(life.votes.chargeOpeners(id, 0, 10), 'WrongVoteState')
    })

    it('A28 absent members are passed over, and no committee commits twice', async () => {
      await voters.cast(id, WRONG, some(5))
      await expect(life.votes.slashSigners(id, { ...contentOf(signed), absent: '0x07' }, 10)).to.be.revertedWithCustomError(
        life.stateCommitments,
        'WrongContent',
      )
      const next = await life.draftReport({ epoch })
      await expect(life.commit(next)).to.be.revertedWithCustomError(life.stateCommitments, 'CommitteeConvicted')
    })

    it('by majority at the deadline, not before', async () => {
      await voters.cast(id, WRONG, some(4))
      await voters.cast(id, UPHOLD, some(3, 4))
      await refused(life.votes.close(id), 'VoteNotOver')
      await toDeadline()
      await refused(voters.cast(id, UPHOLD, some(3, 4)), 'VoteOver')
      await life.votes.close(id)
      expect(await stateOf()).to.equal(CONVICTED)
      await refused(life.votes.close(id), 'WrongVoteState')
    })

    it('not by ballots for different reasons: that drops it, and slashes nobody', async () => {
      await voters.cast(id, WRONG, some(3))
      await voters.cast(id, UNAVAILABLE, some(3, 3))
      await toDeadline()
      await life.votes.close(id)
      expect([await stateOf(), await commitmentState()]).to.deep.equal([DROPPED, 5n])
      await refused(life.votes.slashSigners(id, contentOf(signed), 10), 'NoVerdict')
      await refused(life.votes.payOpener(id, at(some(1), 0)), 'WrongVoteState')
      await nobodySlashed()
    })
  })

  it('data that can’t be had drop it at once by two thirds, without slashing; the epoch is free again', async () => {
    await voters.cast(id, UNAVAILABLE, some(4))
    await voters.cast(id, UNAVAILABLE, some(1, 4))
    expect([await stateOf(), await commitmentState()]).to.deep.equal([DROPPED, 5n])
    await nobodySlashed()
    await refused(life.votes.chargeOpeners(id, 0, 10), 'WrongVoteState')
    await life.commit(await life.draftReport({ epoch }))
  })

  describe('a vote that fails', () => {
    it('A20 costs each opener the penalty, for cover, however often it is asked for; the commitment goes on', async () => {
      // Seven voters: three in favour are not enough against four, so an auxiliary committee opens it.
      const members = at(
        (await voters.auxiliaries()).sort((a, b) => a.length - b.length),
        0,
      ).slice(0, 2)
      const openers = members.map(({ position }) => position)
      const others = voters.eligible.filter((position) => !openers.includes(position))
      await voters.cast(id, WRONG, openers)
      await life.votes.openByAuxiliary(
        id,
        members.map(({ index }) => index),
      )
      await refused(life.votes.chargeOpeners(id, 0, 10), 'WrongVoteState')
      await voters.cast(id, UPHOLD, others)
      expect([await stateOf(), await commitmentState()]).to.deep.equal([UPHELD, 2n])
      const before = new Map(await Promise.all(voters.list.map(async (_, position) => [position, await bondOf(position)] as const)))
      const cover = await life.bondEther.coverShares()
      await expect(life.votes.chargeOpeners(id, 0, 1))
        .to.emit(life.votes, 'OpenersCharged')
        .withArgs(id, 0, 1n << BigInt(Math.min(...openers)))
        .and.to.emit(life.blockProducers, 'BondCharged')
        .withArgs(at(voters.list, Math.min(...openers)).id, (shares: bigint) => shares > 0n, ZeroAddress)
      await life.votes.chargeOpeners(id, 0, 10)
      await life.votes.chargeOpeners(id, 0, 10)
      await life.votes.chargeOpeners(id, 7, 10)
      for (const [position, bond] of before) {
        expect(bond - (await bondOf(position))).to.be.closeTo(openers.includes(position) ? PENALTY : 0n, 10n ** 9n)
      }
      expect(await life.bondEther.getPooledEthByShares((await life.bondEther.coverShares()) - cover)).to.be.closeTo(2n * PENALTY, 10n ** 9n)
      // One vote for each commitment, ever.
      await refused(voters.cast(id, WRONG, some(5)), 'WrongVoteState')
      await life.finalize(id)
    })
  })

  describe('A17 a vote without a quorum', () => {
    it('ends by its deadline: the commitment is dropped, nobody pays', async () => {
      const members = at(
        (await voters.auxiliaries()).sort((a, b) => a.length - b.length),
        0,
      ).slice(0, 2)
      await voters.cast(
        id,
        WRONG,
        members.map(({ position }) => position),
      )
      await life.votes.openByAuxiliary(
        id,
        members.map(({ index }) => index),
      )
      const [bonds, index] = [await life.blockProducers.totalBondValue(), await life.bondEther.rewardsIndex()]
      await refused(life.votes.close(id), 'VoteNotOver')
      await toDeadline()
      await life.votes.close(id)
      expect([await stateOf(), await commitmentState()]).to.deep.equal([DROPPED, 5n])
      await nobodySlashed()
      await refused(life.votes.chargeOpeners(id, 0, 10), 'WrongVoteState')
      // Neither signers nor openers are any poorer, nor stakers; and the epoch can be reported anew at once.
      expect([await life.blockProducers.totalBondValue(), await life.bondEther.rewardsIndex()]).to.deep.equal([bonds, index])
      await life.commit(await life.draftReport({ epoch }))
    })

    it('so does a tie', async () => {
      await voters.cast(id, WRONG, some(3))
      await voters.cast(id, UNAVAILABLE, some(1, 3))
      await voters.cast(id, UPHOLD, some(3, 4))
      await toDeadline()
      await life.votes.close(id)
      expect(await stateOf()).to.equal(DROPPED)
      await nobodySlashed()
    })
  })

  it('A28 a fraud proof decides what a vote is still about: the vote ends, and its openers neither pay nor are paid', async () => {
    await voters.cast(id, WRONG, some(4))
    const proof = [signed.proven.state, at(signed.proven.validators, pool.index), at(signed.proven.balances, pool.index)] as const
    await life.disputes.connect(at(life.people, 3)).disproveBalance(id, ...life.accuse(signed, STAKER, 0), ...proof)
    await refused(voters.cast(id, WRONG, some(1, 4)), 'NotInWindow')
    await life.votes.close(id)
    expect(await stateOf()).to.equal(DROPPED)
    await refused(life.votes.slashSigners(id, contentOf(signed), 10), 'NoVerdict')
  })
})

describe('Votes: few producers', function () {
  this.timeout(600_000)
  for (const [committeeSize, formed] of [
    [8n, 5],
    [4n, 4],
  ] as const) {
    it(`leave a vote to at least the half that a commitment committee of up to ${committeeSize} is not drawn from`, async () => {
      const life = await startLife(await network.create(), { periodLength: 60n, committeeSize })
      await life.startPeriod(0)
      const epoch = await toNextReport(life)
      const { id } = await life.postReport({ epoch })
      const voters = await electorate(life, 0n)
      expect(voters.inCommittee).to.have.length(formed)
      await voters.cast(id, WRONG, voters.eligible.slice(0, 4))
      expect((await life.votes.vote(id)).eligible).to.equal(BigInt(10 - formed))
      await life.prover.close()
    })
  }
})

describe('Votes: many producers', function () {
  this.timeout(600_000)
  it('A36 256 ballots, 128 openers shown or charged fit in a transaction each', async () => {
    const life = await startLife(await network.create(), { minAuxCommitteeSize: 20n }, 30)
    await life.startPeriod(0)
    const epoch = await toNextReport(life)
    const { id } = await life.postReport({ epoch })
    const voters = await electorate(life, 0n)
    const gasOfCast = async (count: number) => {
      const { places, signature } = await voters.sign(id, WRONG, voters.eligible.slice(0, count))
      return life.votes.cast.estimateGas(id, WRONG, places, signature)
    }
    const LIMIT = 16_777_216n
    const few = await gasOfCast(2)
    const ballot = ((await gasOfCast(9)) - few) / 7n
    expect(few + 254n * ballot).to.be.lessThan(LIMIT)

    const members = at(await voters.auxiliaries(), 0)
    await voters.cast(id, WRONG, voters.eligible.slice(0, 9))
    const shown = members.filter(({ position }) => voters.eligible.slice(0, 9).includes(position)).map(({ index }) => index)
    const one = await life.votes.openByAuxiliary.estimateGas(id, shown.slice(0, 1))
    const each = ((await life.votes.openByAuxiliary.estimateGas(id, shown)) - one) / BigInt(shown.length - 1)
    expect(one + 127n * each).to.be.lessThan(LIMIT)

    await voters.cast(id, WRONG, voters.eligible.slice(9, 10))
    expect((await life.votes.vote(id)).state).to.equal(OPEN)
    await voters.cast(id, UPHOLD, voters.eligible.slice(10))
    await life.networkHelpers.time.increaseTo((await life.votes.vote(id)).deadline)
    await life.votes.close(id)
    expect((await life.votes.vote(id)).state).to.equal(UPHELD)
    const first = await life.votes.chargeOpeners.estimateGas(id, 0, 1)
    const charge = ((await life.votes.chargeOpeners.estimateGas(id, 0, 9)) - first) / 8n
    expect(first + 127n * charge).to.be.lessThan(LIMIT)
    await life.prover.close()
  })
})
