import { expect } from 'chai'
import { at } from '../../../support/at.ts'
import { FULL } from '../../../support/network-life.ts'
import {
  ACTIVE,
  bondsOf,
  CLOSED,
  double,
  EXIT,
  EXITING,
  enter,
  eth,
  fault,
  leave,
  life,
  mine,
  NONE,
  near,
  pool,
  refused,
  report,
  reporter,
  show,
  stateOf,
  useNetwork,
} from './PoolFaults.support.ts'

describe('Slashing: faults of pools', function () {
  this.timeout(600_000)
  useNetwork()

  describe('an exit that nobody asked for', () => {
    it('is charged 1.5 times the loss, at least the stall penalty of the vault', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(6)
      await expect(report()).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, EXIT, reporter().address)
      expect(await stateOf()).to.equal(EXITING)
      near(await life.bondEther.balanceOf(reporter().address), eth('0.1'))
      await enter(withdrawable)
      await show()
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 0n, eth('0.4'))
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('0.1'))
    })

    it('A25 A46 a validator that has not begun to exit is left alone', async () => {
      await refused(report(), 'NotExiting')
      expect(await stateOf()).to.equal(ACTIVE)
    })

    it('A46 an ejection is none, and the pool can be closed', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(4, 15_900_000_000, { effectiveBalance: 16_000_000_000 })
      await expect(report()).to.not.emit(life.slashing, 'PoolFault')
      expect([await stateOf(), (await fault()).kind]).to.deep.equal([EXITING, NONE])
      await refused(report(), 'NothingNew')
      await enter(withdrawable)
      life.change(pool, { balance: 0 })
      const { timestamp, state, validator, balance } = await life.proveValidator(pool)
      await life.exits.closePool(pool.id, timestamp, state, validator, balance)
      expect(await stateOf()).to.equal(CLOSED)
      expect(await bondsOf(members)).to.deep.equal(before)
    })

    it('A46 a top-up after an ejection does not frame the vault', async () => {
      const withdrawable = await leave(4, FULL, { effectiveBalance: FULL })
      await enter(withdrawable + 1)
      await expect(report()).to.not.emit(life.slashing, 'PoolFault')
      expect([await stateOf(), (await fault()).kind]).to.deep.equal([EXITING, NONE])
    })

    it('a state from after the withdrawable epoch does not launder one that an earlier state still shows', async () => {
      const withdrawable = await leave(4)
      const early = await life.proveValidator(pool)
      await enter(withdrawable + 1)
      await report()
      expect((await fault()).kind).to.equal(NONE)
      await mine().reportExit(pool.id, early.timestamp, early.state, early.validator)
      expect((await fault()).kind).to.equal(EXIT)
    })

    it('A46 after a draw it is what was asked for; a state from before the draw still tells', async () => {
      const early = async () => {
        await leave(20)
        return life.proveValidator(pool)
      }
      const proof = await early()
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(eth('106'))
      await life.exits.requestLiquidation()
      await life.drawLiquidation()
      expect(await stateOf()).to.equal(EXITING)
      await refused(report(), 'NothingNew')
      const bring = () => mine().reportExit(pool.id, proof.timestamp, proof.state, proof.validator)
      await expect(bring()).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, EXIT, reporter().address)
    })

    it('A46 a forced exit is none', async () => {
      const withdraw = life.withdrawalQueue.connect(at(life.people, 0))
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await withdraw.requestWithdrawal(eth('106'))
      await life.exits.requestLiquidation()
      await life.drawLiquidation()
      const { deadline } = await life.exits.exit(pool.id)
      await life.toEpoch(deadline + 1n)
      await life.exits.forceExit(pool.id, { value: 1n })
      await leave(8)
      await refused(report(), 'NothingNew')
      expect((await fault()).kind).to.equal(NONE)
    })

    it('during a pending draw changes nothing of it: the pool goes afterwards', async () => {
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(eth('60'))
      await life.exits.requestLiquidation()
      await refused(life.slashing.liquidate(pool.id), 'NotLiquidatable')
      await double()
      expect(await stateOf()).to.equal(ACTIVE)
      await expect(life.slashing.liquidate(pool.id)).to.be.revertedWithCustomError(life.exits, 'DrawPending')
      await life.drawLiquidation()
      if ((await stateOf()) === ACTIVE) await life.slashing.liquidate(pool.id)
      expect(await stateOf()).to.equal(EXITING)
      await refused(life.slashing.liquidate(pool.id), 'NotLiquidatable')
    })

    it('only Slashing takes pools out', async () => {
      await expect(life.exits.drawOne(pool.id)).to.be.revertedWithCustomError(life.exits, 'NotAllowed')
    })
  })
})
