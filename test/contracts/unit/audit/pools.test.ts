import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'

const GWEI = 10n ** 9n
const EPOCH_SECONDS = SLOTS_PER_EPOCH * 60
const STATE = { ceremony: 2n, exiting: 5n, closed: 6n, cancelled: 7n }

describe('Audit: pools that come to nothing', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let funded: Pool
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create(), { maxReportGrowth: 100_000n })
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool() // of the bonds
    funded = await life.makePool()
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.poolRegistry, error)
  const register = async () => {
    const poolId = await life.requestPool()
    await life.drawVault(poolId)
    return life.completeDkg(poolId)
  }
  const abandon = async (pool: Pool) => {
    const { timestamp, state, validator } = await life.proveValidator(pool)
    return life.poolRegistry.abandonPool(pool.id, timestamp, state, validator)
  }
  /** As after a stranger's gift of 31 ETH: active, then gone again before anyone funded it. */
  const spend = async (pool: Pool, how: object) => {
    const epoch = await life.epochNow()
    life.change(pool, { balance: FULL, effectiveBalance: FULL, activationEligibilityEpoch: epoch, activationEpoch: epoch, ...how })
    return epoch
  }

  describe('a validator of ours that is spent before it is funded', () => {
    const spent = async () => {
      const pool = await register()
      const epoch = await spend(pool, { slashed: true })
      life.change(pool, { exitEpoch: epoch + 1, withdrawableEpoch: epoch + 3 })
      return pool
    }

    it('A05 is not funded, nor is it front-run; abandoned, it keeps no ETH from others', async () => {
      const pool = await spent()
      await refused(life.fund(pool), 'ValidatorNotFresh')
      const { timestamp, state, validator } = await life.proveValidator(pool)
      await refused(life.poolRegistry.reportFrontRun(pool.id, timestamp, state, validator), 'CredentialsAreOurs')
      const before = await life.stakingPool.unreserved()
      await expect(abandon(pool)).to.emit(life.poolRegistry, 'PoolAbandoned').withArgs(pool.id, pool.index)
      expect((await life.stakingPool.unreserved()) - before).to.equal(parseEther('31'))
      expect(await life.stakingPool.reservation(pool.id)).to.equal(0n)
      expect((await life.poolRegistry.pool(pool.id)).state).to.equal(STATE.exiting)
      await refused(abandon(pool), 'WrongState')
    })

    it('charges nobody: its vault was asked for nothing', async () => {
      const pool = await register()
      await spend(pool, {})
      // A state in which it was long active and had not exited stays provable for a day.
      await life.networkHelpers.time.increase(40 * EPOCH_SECONDS)
      const old = await life.proveValidator(pool)
      const epoch = await life.epochNow()
      life.change(pool, { exitEpoch: epoch, withdrawableEpoch: epoch + 1 })
      await abandon(pool)
      await expect(life.exits.proveStall(pool.id, old.timestamp, old.state, old.validator)).to.be.revertedWithCustomError(
        life.exits,
        'NotDrawn',
      )
      await expect(life.exits.forceExit(pool.id, { value: 1n })).to.be.revertedWithCustomError(life.exits, 'NotDrawn')
    })

    it('closes when its ETH came back, and releases its seats', async () => {
      const pool = await spent()
      await abandon(pool)
      expect(await life.poolRegistry.exitingCount()).to.equal(1n)
      life.change(pool, { balance: 0 })
      await life.networkHelpers.time.increase(4 * EPOCH_SECONDS)
      const { timestamp, state, validator, balance } = await life.proveValidator(pool)
      await expect(life.exits.closePool(pool.id, timestamp, state, validator, balance)).to.emit(life.blockProducers, 'SeatReleased')
      expect((await life.poolRegistry.pool(pool.id)).state).to.equal(STATE.closed)
      expect(await life.poolRegistry.exitingCount()).to.equal(0n)
    })

    it('A13 A54 is reported with what it has: its 1 ETH does not count twice when it comes back', async () => {
      const pool = await spent()
      await abandon(pool)
      life.change(pool, { balance: 0 })
      await life.arrive(STAKER, parseEther('32'))
      await life.startPeriod(1)
      const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
      await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
      const back = await life.checkpoint()
      const right = await life.postReport({ epoch, stakers: [BigInt(FULL), 0n] })
      // 31 ETH of profit: the stranger's gift.
      expect((await life.stateCommitments.commitment(right.id)).stakerProfit).to.equal(parseEther('31'))
      const disprove = async ({ id, signed }: typeof right) => {
        const { state, validators, balances } = signed.proven
        return life.disputes.disproveBalance(
          id,
          ...life.accuse(signed, STAKER, 1),
          state,
          at(validators, pool.index),
          at(balances, pool.index),
        )
      }
      await expect(disprove(right)).to.be.revertedWithCustomError(life.disputes, 'NothingWrong')
      await back()
      await expect(disprove(await life.postReport({ epoch, stakers: [BigInt(FULL), GWEI] }))).to.emit(life.disputes, 'BalanceDisproven')
    })

    it('A34 changes no liquidation that was requested before', async () => {
      const pool = await spent()
      const alice = at(life.people, 0)
      await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('90'))
      await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('90'))
      await life.exits.requestLiquidation()
      await abandon(pool)
      expect(await life.drawLiquidation()).to.include(funded.id)
    })

    it('only such a one: not a fresh one, not a stranger’s', async () => {
      const pool = await register()
      await refused(abandon(pool), 'ValidatorFresh')
      life.change(pool, { slashed: true, withdrawalCredentials: `0x01${'00'.repeat(11)}${'66'.repeat(20)}` })
      await refused(abandon(pool), 'WrongCredentials')
      await refused(abandon(funded), 'WrongState')
    })
  })

  describe('a front-run key', () => {
    it('A01 A39 is made good from the bonds though rewards of the same report outweigh it', async () => {
      const pool = await register()
      life.change(pool, { withdrawalCredentials: `0x01${'00'.repeat(11)}${'66'.repeat(20)}` })
      const { timestamp, state, validator } = await life.proveValidator(pool)
      await life.poolRegistry.reportFrontRun(pool.id, timestamp, state, validator)
      const [index, pot, cover] = await Promise.all([
        life.bondEther.rewardsIndex(),
        life.bondEther.totalPooledEther(),
        life.bondEther.coverShares(),
      ])
      life.change(funded, { balance: FULL + 2_000_000_000 })
      await life.finalize(await life.reportNow())
      // Cover pays for the 1 ETH at the old index; all others share two whole ETH of rewards, less the fee on the one net of the loss.
      const kept = (index * (pot + parseEther('0.9'))) / (pot - parseEther('1'))
      expect(await life.bondEther.rewardsIndex()).to.be.closeTo(kept, 10n ** 12n)
      expect(await life.stakingPool.recognised(STAKER)).to.equal(parseEther('1'))
      const burned = cover - (await life.bondEther.coverShares())
      expect((burned * index) / 10n ** 30n).to.be.closeTo(parseEther('1'), 10n ** 12n)
      // Once.
      await life.finalize(await life.reportNow())
      expect(await life.bondEther.rewardsIndex()).to.be.closeTo(kept, 10n ** 12n)
    })
  })

  describe('a ceremony that fails while withdrawals wait', () => {
    const fail = async (poolId: bigint) => {
      const { deadline } = await life.poolRegistry.pool(poolId)
      await life.toEpoch(deadline + 2n)
      return life.poolRegistry.failDkg(poolId, 0n, 0n, NO_SIGNATURE)
    }
    const ask = async (ether: string) => {
      const alice = at(life.people, 0)
      await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther(ether))
      await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther(ether))
    }

    it('A32 gives its 32 ETH back: members who never finish a ceremony hold no stakers’ ETH', async () => {
      const poolId = await life.requestPool()
      await life.drawVault(poolId)
      await ask('90')
      const locked = (await life.blockProducers.seats()).locked
      await expect(fail(poolId)).to.emit(life.poolRegistry, 'PoolCancelled').withArgs(poolId)
      expect((await life.poolRegistry.pool(poolId)).state).to.equal(STATE.cancelled)
      expect(await life.stakingPool.reservation(poolId)).to.equal(0n)
      expect(locked - (await life.blockProducers.seats()).locked).to.equal(life.parameters.vaultSize)
      // Nothing is left behind that would keep the next pool from its seats or its draw.
      await life.stakingPool.deposit({ value: parseEther('150') })
      const next = await life.requestPool()
      await life.drawVault(next)
      expect((await life.poolRegistry.pool(next)).state).to.equal(STATE.ceremony)
    })

    it('A32 is drawn anew as long as the buffer pays them', async () => {
      const poolId = await life.requestPool()
      await life.drawVault(poolId)
      await ask('5')
      await expect(fail(poolId)).to.emit(life.vaultDraws, 'DrawRequested')
    })
  })
})
