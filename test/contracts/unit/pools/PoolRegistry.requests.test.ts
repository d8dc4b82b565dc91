import assert from 'node:assert/strict'
import { expect } from 'chai'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { openPools } from '../../../support/open-pools.ts'
import { draw } from '../../../support/pools.ts'
import { BOND, bonders, connection, eth, load, networkHelpers, SMALL, STAKER, STATE, stakers, world } from './PoolRegistry.support.ts'

/** The same, with seats for as many staker pools as the buffer pays for. */
const manySeats = () => world({ bond: eth('26'), deposit: eth('160'), choices: { seatAllocation: eth('6') } })

describe('PoolRegistry: requesting', () => {
  it('reserves 32 ETH and asks for a draw', async () => {
    const { pools } = await load(stakers)
    const call = pools.poolRegistry.requestPool()
    await expect(call).to.emit(pools.poolRegistry, 'PoolRequested').withArgs(1n, STAKER, 7n)
    await expect(call).to.emit(pools.vaultDraws, 'DrawRequested').withArgs(1n, 1n, 0n, 0n, 7n, false)
    assert.equal(await pools.stakingPool.reserved(), eth('32'))
    const pool = await pools.poolRegistry.pool(1n)
    assert.deepEqual([pool.kind, pool.state, pool.round, pool.publicKey], [STAKER, STATE.requested, 0n, '0x'])
    assert.equal(await pools.poolRegistry.poolCount(), 1n)
    assert.equal((await pools.poolRegistry.pool(2n)).state, 0n)
  })

  it('makes bond pools as long as the bonds pay for them, then staker pools', async () => {
    const { pools } = await load(bonders)
    const kinds: bigint[] = []
    for (let i = 0; i < 7; i++) {
      await pools.poolRegistry.requestPool()
      kinds.push((await pools.poolRegistry.pool(BigInt(i + 1))).kind)
    }
    assert.deepEqual(kinds, [BOND, BOND, BOND, BOND, BOND, STAKER, STAKER])
    assert.equal(await pools.poolRegistry.bondPoolCount(), 5n)
  })

  it('keeps a fifth of all seats free, those spoken for by undrawn pools included', async () => {
    const all = await load(stakers)
    const { poolRegistry } = all.pools
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    const refused = () =>
      expect(poolRegistry.requestPool()).to.be.revertedWithCustomError(poolRegistry, 'TooFewFreeSeats').withArgs(14n, 8n, 4n)
    await refused()
    await draw(all)
    await refused()
  })

  it('needs a period, its producers, 32 ETH, and no withdrawals waiting', async () => {
    const early = await openPools(connection, SMALL)
    await early.stakingPool.deposit({ value: eth('64') })
    await expect(early.poolRegistry.requestPool()).to.be.revertedWithCustomError(early.periods, 'BeforeFirstPeriod')
    for (let i = 0; i < 6; i++) await early.register(eth('2.6'))
    await early.toEpoch(5)
    await expect(early.poolRegistry.requestPool()).to.be.revertedWithCustomError(early.poolRegistry, 'TooFewProducers').withArgs(7n, 6n)

    const { pools } = await load(stakers)
    const { poolRegistry, stakingPool, bondEther, withdrawalQueue } = pools
    const [staker] = pools.people
    assert.ok(staker)
    await stakingPool.connect(staker).deposit({ value: eth('100') })
    await bondEther.connect(staker).approve(withdrawalQueue, eth('100'))
    await withdrawalQueue.connect(staker).requestWithdrawal(eth('99'))
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    await pools.blockProducers.addBond(1n, { value: eth('13') })
    // 278 + 13 came in, two pools took 64; a third leaves more than the demand, the next would eat into it.
    const demand = await withdrawalQueue.demand()
    const unreserved = await stakingPool.unreserved()
    assert.ok(unreserved > demand + eth('96'))
    await withdrawalQueue.connect(staker).requestWithdrawal(eth('1'))
    await bondEther.approve(withdrawalQueue, eth('150'))
    await withdrawalQueue.requestWithdrawal(eth('130'))
    await expect(poolRegistry.requestPool())
      .to.be.revertedWithCustomError(poolRegistry, 'WithdrawalsWaiting')
      .withArgs(await withdrawalQueue.demand(), await stakingPool.unreserved())
  })

  it('obeys only its contracts', async () => {
    const { pools } = await load(stakers)
    const { poolRegistry } = pools
    const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(poolRegistry, error)
    await refused(poolRegistry.startCeremony(1n, [1n]), 'NotVaultDraws')
    await refused(poolRegistry.cancel(1n), 'NotVaultDraws')
    await refused(poolRegistry.markExiting(1n), 'NotExits')
    await refused(poolRegistry.markClosed(1n), 'NotExits')
    await refused(poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE), 'WrongState')
    await refused(poolRegistry.registeredAt(STAKER, 0n), 'OrdinalOutOfRange')
    await refused(poolRegistry.activeAt(BOND, 0n), 'OrdinalOutOfRange')
  })
})

describe('PoolRegistry: to the last wei and seat', () => {
  async function tight(producers: number, bond: bigint) {
    const pools = await openPools(connection, { seatAllocation: eth('4'), effectiveStake: eth('4'), stallPenalty: eth('0.1') })
    for (let i = 0; i < producers; i++) await pools.register(bond)
    await pools.toEpoch(pools.parameters.firstPeriod)
    await pools.stakingPool.deposit({ value: eth('200') })
    return pools
  }

  it('bonds of 32 ETH pay for a bond pool, and not a second one', async () => {
    const { poolRegistry, blockProducers } = await tight(8, eth('4'))
    assert.equal(await blockProducers.totalBondValue(), eth('32'))
    for (const kind of [BOND, STAKER]) {
      await poolRegistry.requestPool()
      assert.equal((await poolRegistry.pool(await poolRegistry.poolCount())).kind, kind)
    }
  })

  it('four of five seats may be taken; a cancelled pool leaves them', async () => {
    const { poolRegistry, blockProducers, addresses, as } = await tight(10, eth('8.1'))
    // 20 seats, of which 16 may be taken: those of four pools; two pools are the bonds' own.
    assert.deepEqual([...(await blockProducers.seats())], [20n, 0n])
    for (let i = 0; i < 6; i++) await poolRegistry.requestPool()
    await expect(poolRegistry.requestPool()).to.be.revertedWithCustomError(poolRegistry, 'TooFewFreeSeats').withArgs(20n, 16n, 4n)
    await poolRegistry.connect(await as(addresses.vaultDraws)).cancel(6n)
    await poolRegistry.requestPool()
    await expect(poolRegistry.requestPool()).to.be.revertedWithCustomError(poolRegistry, 'TooFewFreeSeats')
  })
})

describe('PoolRegistry: bond pools whose ceremony fails', () => {
  it('A32 are drawn anew while their ETH is free, and cancelled while withdrawals wait for it', async () => {
    const { pools, prover } = await load(manySeats)
    const { poolRegistry, vaultDraws, withdrawalQueue, bondEther } = pools
    await poolRegistry.requestPool()
    await draw({ pools, prover })
    assert.equal((await poolRegistry.pool(1n)).kind, BOND)
    // With the other pools that the buffer pays for, less is free than the stakers may ask for.
    for (let i = 0; i < 7; i++) await poolRegistry.requestPool()
    await pools.toEpoch((await poolRegistry.pool(1n)).deadline + 2n)
    const fail = () => poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE)
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(fail()).to.emit(vaultDraws, 'DrawRequested')
    assert.equal((await poolRegistry.pool(1n)).state, STATE.requested)
    await snapshot.restore()
    const wanted = (await pools.stakingPool.unreserved()) + eth('1')
    await bondEther.approve(withdrawalQueue, wanted)
    await withdrawalQueue.requestWithdrawal(wanted)
    await expect(fail()).to.emit(poolRegistry, 'PoolCancelled').withArgs(1n)
    assert.equal((await poolRegistry.pool(1n)).state, STATE.cancelled)
  })
})
