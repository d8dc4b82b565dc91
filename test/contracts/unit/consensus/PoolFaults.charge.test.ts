import { expect } from 'chai'
import { at } from '../../../support/at.ts'
import { FULL } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'
import { pageOf, wordOfPage } from '../../../support/pages.ts'
import {
  bondOf,
  bondsOf,
  CLOSED,
  double,
  enter,
  eth,
  fault,
  holders,
  leave,
  life,
  mine,
  near,
  other,
  pool,
  refused,
  report,
  reporter,
  root,
  show,
  stateOf,
  useNetwork,
} from './PoolFaults.support.ts'

describe('Slashing: faults of pools', function () {
  this.timeout(600_000)
  useNetwork()

  describe('the charge', () => {
    it('A44 is 1.5 times the loss, from members and ex-members in their tail alike', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const [gone = 0n] = members
      const draws = life.blockProducers.connect(await life.as(life.addresses.vaultDraws))
      const registry = life.blockProducers.connect(await life.as(life.addresses.poolRegistry))
      const newcomer = at(
        life.producers.filter(({ id }) => !members.includes(id)),
        0,
      ).id
      await draws.lockSeats(pool.id, STAKER, [...members.slice(1), newcomer])
      await registry.releaseSeats(pool.id, STAKER, [gone], await life.now())
      const all = [...members, newcomer]
      const before = await bondsOf(all)
      const cover = await life.bondEther.coverShares()

      const withdrawable = await leave(6, FULL - 2_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled')
      // 3 ETH over five seats of 1 ETH, the reporter's fee among it.
      for (const [i, value] of (await bondsOf(all)).entries()) near(value, (before[i] ?? 0n) - eth('0.6'))
      near(await life.bondEther.getPooledEthByShares((await life.bondEther.coverShares()) - cover), eth('2.9'))
      near(await life.bondEther.balanceOf(reporter().address), eth('0.1'))
    })

    it('A44 takes nobody for more than its seat', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(6, FULL - 16_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      await life.slashing.settle(pool.id)
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('1'))
    })

    it('A44 spares who took a seat after the fault', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const late = at(
        life.producers.filter(({ id }) => !members.includes(id)),
        0,
      ).id
      const withdrawable = await leave(6, FULL - 1_000_000_000, { slashed: true })
      await report()
      await life.blockProducers.connect(await life.as(life.addresses.vaultDraws)).lockSeats(pool.id, STAKER, [late])
      const before = await bondOf(late)
      await enter(withdrawable)
      await show()
      await life.slashing.settle(pool.id)
      expect(await bondOf(late)).to.be.at.least(before)
    })

    it('A28 takes no more than a bond has left', async () => {
      const [poor = 0n, ...rich] = await life.poolRegistry.vault(pool.id)
      const registry = life.blockProducers.connect(await life.as(life.addresses.poolRegistry))
      await registry.slashSeats(1n, [poor], eth('4'), at(life.people, 9).address)
      const outside = life.producers.map(({ id }) => id).filter((id) => id !== poor && !rich.includes(id))
      const [before, beforeOutside, index] = [await bondsOf(rich), await bondsOf(outside), await life.bondEther.rewardsIndex()]
      const withdrawable = await leave(6, FULL - 16_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      await life.slashing.settle(pool.id)
      expect(await bondOf(poor)).to.equal(0n)
      // What it can't pay nobody else pays: the other seats pay what a seat is, and no other bond anything.
      for (const [place, bond] of (await bondsOf(rich)).entries()) near(bond, at(before, place) - eth('1'))
      for (const [place, bond] of (await bondsOf(outside)).entries()) near(bond, at(beforeOutside, place))
      expect(await life.bondEther.rewardsIndex()).to.equal(index)
      await refused(life.slashing.settle(pool.id), 'NoFault')
    })

    it('A27 A44 seats answer until it is settled: neither closing nor their tail’s end frees them before', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const [gone = 0n, stays = 0n] = members
      const registry = life.blockProducers.connect(await life.as(life.addresses.poolRegistry))
      await registry.releaseSeats(pool.id, STAKER, [gone], await life.now())
      const locked = async (id: bigint) => (await life.blockProducers.producer(id)).lockedSeats
      const [before, beforeStays] = [await locked(gone), await locked(stays)]
      const withdrawable = await leave(4, FULL - 1_000_000_000, { slashed: true })
      await expect(report()).to.emit(life.slashing, 'ExitSeen').withArgs(pool.id, withdrawable)
      await enter(withdrawable)
      await expect(show())
        .to.emit(life.slashing, 'BalanceShown')
        .withArgs(pool.id, withdrawable, FULL - 1_000_000_000)
      life.change(pool, { balance: 0 })
      await enter(withdrawable + 1)
      const { timestamp, state, validator, balance } = await life.proveValidator(pool)
      await life.blockProducers.connect(await life.as(life.addresses.vaultDraws)).lockSeats(pool.id, STAKER, [gone])
      await life.exits.closePool(pool.id, timestamp, state, validator, balance)
      expect(await stateOf()).to.equal(CLOSED)
      await life.toEpoch((await life.epochNow()) + 13)
      expect(await locked(stays)).to.equal(beforeStays)
      expect(await locked(gone)).to.equal(before)
      const bond = await bondOf(gone)
      await life.slashing.settle(pool.id)
      near(await bondOf(gone), bond - eth('0.35'))
      expect(await locked(stays)).to.equal(beforeStays - eth('1'))
      expect(await locked(gone)).to.equal(before - eth('1'))
      expect(await holders()).to.deep.equal([])
    })

    it('A24 a top-up after the exit disguises nothing: balances from after the withdrawable epoch say nothing', async () => {
      const withdrawable = await leave(4, FULL - 1_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      expect((await fault()).balance).to.equal(BigInt(FULL) - 1_000_000_000n)
      // Electra credits it in the epoch after the withdrawable one at the earliest.
      life.change(pool, { balance: FULL })
      await enter(withdrawable + 1)
      await refused(show(), 'BalanceTooLate')
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 1_000_000_000n, eth('1.5'))
    })

    it('A24 the sweep in the withdrawable epoch is no total loss', async () => {
      const withdrawable = await leave(4, FULL, { slashed: true })
      await report()
      await enter(withdrawable - 1)
      await show()
      life.change(pool, { balance: 0 })
      await enter(withdrawable)
      await refused(show(), 'BalanceTooLate')
      const wait = 2 * Number(life.parameters.reportEpochs) + 2 * Number(life.parameters.disputeDuration)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
      await life.toEpoch(withdrawable + wait - 1)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
      await life.toEpoch(withdrawable + wait)
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 0n, eth('0.1'))
    })

    it('the latest balance counts: one from before the correlated penalty is outdone', async () => {
      const withdrawable = await leave(20, FULL - 100_000_000, { slashed: true })
      await report()
      const first = await life.proveValidator(pool)
      const bring = () => mine().showBalance(pool.id, first.timestamp, first.state, first.validator, first.balance)
      await bring()
      await refused(bring(), 'NothingNew')
      life.change(pool, { balance: FULL - 5_000_000_000 })
      await enter(withdrawable - 1)
      await show()
      expect((await fault()).balance).to.equal(BigInt(FULL) - 5_000_000_000n)
      await refused(bring(), 'NothingNew')
      // Another validator's is none of ours.
      const { timestamp, state, validator } = await life.proveValidator(pool)
      const { balance } = await life.proveValidator(other)
      await refused(mine().showBalance(pool.id, timestamp, state, validator, balance), 'WrongBalanceIndex')
      const strange = await life.proveValidator(other)
      await refused(mine().showBalance(pool.id, strange.timestamp, strange.state, strange.validator, strange.balance), 'WrongPublicKey')
    })

    it('a slashing while it exits puts the end off', async () => {
      const withdrawable = await leave(10)
      await double()
      await report()
      await enter(withdrawable - 1)
      life.change(pool, { slashed: true, withdrawableEpoch: withdrawable + 30, balance: FULL - 1_000_000_000 })
      await report()
      expect((await fault()).withdrawableEpoch).to.equal(BigInt(withdrawable + 30))
      await show()
      await enter(withdrawable)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
    })

    it('knows the end from a finalized report when nobody shows a state', async () => {
      await double()
      const withdrawable = await leave(60, FULL - 1_000_000_000, { slashed: true })
      const id = await life.reportNow()
      const { epoch } = await life.stateCommitments.commitment(id)
      expect(Number(epoch)).to.be.lessThan(withdrawable)
      const { ordinal } = await life.poolRegistry.pool(pool.id)
      const balances = await life.balancesOf(STAKER, (await life.stateCommitments.commitment(id)).referenceTimestamp)
      const { word, branch } = wordOfPage(pageOf(balances), Number(ordinal) >> 2)
      const content = await life.committedContent(id)
      const bring = () => mine().showReportedBalance(pool.id, id, content, word, branch)
      await refused(mine().showReportedBalance(pool.id, id + 1n, content, word, branch), 'NotFinalized')
      await refused(bring(), 'NotFinalized')
      await life.finalize(id)
      // When it becomes withdrawable is not known yet.
      await refused(bring(), 'BalanceTooLate')
      await refused(life.slashing.settle(pool.id), 'NotExiting')
      await report()
      await refused(mine().showReportedBalance(pool.id, id, content, root(1), branch), 'WrongPageBranch')
      await bring()
      expect([...(await fault())].slice(4, 6)).to.deep.equal([epoch, BigInt(FULL) - 1_000_000_000n])
      await refused(bring(), 'NothingNew')
    })

    it('A27 is not waited for for ever: without any balance near the end the last one shown is taken', async () => {
      const withdrawable = await leave(30, FULL - 1_000_000_000, { slashed: true })
      await report()
      await show()
      const giveUp = withdrawable + Number(life.parameters.windDownAfter)
      await life.toEpoch(giveUp - 1)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
      await life.toEpoch(giveUp)
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 1_000_000_000n, eth('1.5'))
    })

    it('A27 and none at all is no loss, but ends', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(30, FULL - 1_000_000_000, { slashed: true })
      await report()
      await life.toEpoch(withdrawable + Number(life.parameters.windDownAfter))
      await life.slashing.settle(pool.id)
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('0.025'))
      expect((await holders()).every(({ held }) => !held)).to.equal(true)
    })
  })
})
