import { expect } from 'chai'
import { parseEther } from 'ethers'
import { at } from '../../../support/at.ts'
import { FULL, type Pool } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'
import { bondPool, EPOCH_SECONDS, life, liquidate, refused, useNetwork } from './Exits.support.ts'

const close = async (pool: Pool) => {
  const { timestamp, state, validator, balance } = await life.proveValidator(pool)
  return life.exits.closePool(pool.id, timestamp, state, validator, balance)
}

describe('Exits', function () {
  this.timeout(600_000)
  useNetwork()

  describe('closing', () => {
    it('takes a withdrawable validator with nothing left, and releases the seats after their tail', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const vault = await life.poolRegistry.vault(pool.id)
      const locked = async () => (await life.blockProducers.producer(at(vault, 0))).lockedSeats
      const before = await locked()
      const epoch = await life.epochNow()
      await refused(close(pool), 'NotWithdrawn')
      life.change(pool, { balance: 0, exitEpoch: epoch, withdrawableEpoch: epoch + 2 })
      await refused(close(pool), 'NotWithdrawn')
      life.change(pool, { balance: FULL, exitEpoch: epoch, withdrawableEpoch: epoch })
      await refused(close(pool), 'NotWithdrawn')
      life.change(pool, { balance: 0 })
      await close(pool)
      expect((await life.poolRegistry.pool(pool.id)).state).to.equal(6n)
      expect(await life.poolRegistry.exitingCount()).to.equal(1n)
      expect(await locked()).to.equal(before)
      await life.networkHelpers.time.increase(12 * EPOCH_SECONDS)
      expect(await locked()).to.equal(before - parseEther('1'))
      await refused(close(pool), 'NotExiting')
    })

    it('A24 a top-up after the exit delays it, and hides nothing: the profit counts what the vault got', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const epoch = await life.epochNow()
      life.change(pool, { balance: 1_000_000_000, exitEpoch: epoch, withdrawableEpoch: epoch })
      await life.arrive(STAKER, parseEther('31.5'))
      await refused(close(pool), 'NotWithdrawn')
      const id = await life.reportNow()
      expect((await life.stateCommitments.commitment(id)).stakerProfit).to.equal(parseEther('0.5'))
      life.change(pool, { balance: 0 })
      await life.arrive(STAKER, parseEther('1'))
      await close(pool)
      const last = await life.reportNow()
      expect((await life.stateCommitments.commitment(last)).stakerProfit).to.equal(parseEther('0.5'))
    })

    it('not by the balance of another validator', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const epoch = await life.epochNow()
      life.change(pool, { exitEpoch: epoch, withdrawableEpoch: epoch })
      life.change(bondPool, { balance: 0 })
      const { proven, timestamp } = await life.stateAt(await life.nextSlot())
      const validator = at(proven.validators, pool.index)
      const empty = at(proven.balances, bondPool.index)
      await refused(life.exits.closePool(pool.id, timestamp, proven.state, validator, empty), 'WrongBalanceIndex')
    })
  })
})
