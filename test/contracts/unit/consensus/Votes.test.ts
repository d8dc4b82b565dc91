import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { digestOf } from '../../../support/block-producers.ts'
import { startLife } from '../../../support/network-life.ts'
import { toNextReport } from '../../../support/reports.ts'
import { bitmapOf, electorate, signTogether, VOTE } from '../../../support/voters.ts'
import {
  commitmentState,
  id,
  life,
  OPEN,
  refused,
  some,
  stateOf,
  UNAVAILABLE,
  UPHELD,
  UPHOLD,
  useVote,
  voters,
  WRONG,
} from './Votes.support.ts'

const smallFirst = async () => (await voters.auxiliaries()).sort((a, b) => a.length - b.length)

describe('Votes', function () {
  this.timeout(600_000)
  useVote()

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
