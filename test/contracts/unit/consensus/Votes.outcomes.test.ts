import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { at } from '../../../support/at.ts'
import { contentOf, STAKER } from '../../../support/network-reports.ts'
import type { RegisteredProducer } from '../../../support/open-pools.ts'
import {
  commitmentState,
  epoch,
  id,
  life,
  OPEN,
  pool,
  refused,
  signed,
  some,
  stateOf,
  UNAVAILABLE,
  UPHELD,
  UPHOLD,
  useVote,
  voters,
  WRONG,
} from './Votes.support.ts'

const DROPPED = 4n
const CONVICTED = 5n
const PENALTY = parseEther('0.1')
const bondOf = (position: number) => life.blockProducers.bondValue(at(voters.list, position).id)
const toDeadline = async () => life.networkHelpers.time.increaseTo((await life.votes.vote(id)).deadline)
const signers = async (): Promise<RegisteredProducer[]> => (await life.periods.committee(0))[0].map((member) => life.memberOf(member))

const nobodySlashed = async () => {
  for (const { id: producer } of voters.list) expect((await life.blockProducers.producer(producer)).slashed).to.equal(false)
}

describe('Votes', function () {
  this.timeout(600_000)
  useVote()

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
