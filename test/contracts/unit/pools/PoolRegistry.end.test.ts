import assert from 'node:assert/strict'
import { expect } from 'chai'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, proveValidator, randomRoot } from '../../../support/pools.ts'
import { BOND, bonders, connection, eth, fund, gasOf, load, networkHelpers, prover, registered, STATE } from './PoolRegistry.support.ts'

describe('PoolRegistry: the end', () => {
  it('keeps registered pools in order and takes exiting ones out of the active list', async () => {
    const all = await load(bonders)
    const { pools, exits } = all
    const { poolRegistry } = pools
    const credentials = await pools.stakingPool.withdrawalCredentials(BOND)
    for (let i = 0; i < 4; i++) await poolRegistry.requestPool()
    await draw(all)
    const times: number[] = []
    for (const poolId of [2n, 4n, 1n, 3n]) {
      const { result, publicKey } = await dkgResult({ ...all, poolId })
      await poolRegistry.completeDkg(poolId, result)
      times.push(await pools.now())
      await fund(all, poolId, { publicKey, withdrawalCredentials: credentials })
    }
    const at = (list: 'registeredAt' | 'activeAt', count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => poolRegistry[list](BOND, BigInt(i))))
    assert.deepEqual(await at('registeredAt', 4), [2n, 4n, 1n, 3n])
    assert.deepEqual(await at('activeAt', 4), [2n, 4n, 1n, 3n])
    for (const [i, time] of times.entries()) {
      assert.equal(await poolRegistry.registeredCountAt(BOND, BigInt(time)), BigInt(i + 1))
      assert.equal(await poolRegistry.registeredCountAt(BOND, BigInt(time - 1)), BigInt(i))
    }
    await expect(exits.markExiting(4n)).to.emit(poolRegistry, 'PoolExiting').withArgs(4n)
    assert.deepEqual(await at('activeAt', 3), [2n, 3n, 1n])
    await exits.markExiting(1n)
    assert.deepEqual(await at('activeAt', 2), [2n, 3n])
    assert.deepEqual([await poolRegistry.exitingCount(), await poolRegistry.bondPoolCount()], [2n, 2n])
    await expect(exits.markExiting(1n)).to.be.revertedWithCustomError(poolRegistry, 'WrongState')
    await expect(exits.markClosed(2n)).to.be.revertedWithCustomError(poolRegistry, 'WrongState')
    await expect(exits.markClosed(4n)).to.emit(poolRegistry, 'PoolClosed').withArgs(4n)
    assert.deepEqual([await poolRegistry.exitingCount(), await poolRegistry.registeredCount(BOND)], [1n, 4n])
  })

  it('releases the seats of a closed staker pool after their tail', async () => {
    const all = await load(registered)
    const { poolRegistry, blockProducers, parameters } = all.pools
    await fund(all, 1n, { publicKey: all.publicKey, withdrawalCredentials: all.credentials })
    await all.exits.markExiting(1n)
    await expect(all.exits.markClosed(1n)).to.emit(blockProducers, 'SeatReleased')
    assert.equal((await poolRegistry.pool(1n)).state, STATE.closed)
    assert.equal((await blockProducers.seats()).locked, 4n)
    await networkHelpers.time.increase(Number(parameters.seatTail * parameters.slotsPerEpoch * parameters.secondsPerSlot))
    assert.equal((await blockProducers.seats()).locked, 0n)
  })
})

describe('PoolRegistry: the largest vault', () => {
  it('A36 no function of a vault of 128 takes more than 16,777,216 gas', async function () {
    this.timeout(600_000)
    const pools = await openPools(connection, {
      vaultSize: 128n,
      minProducers: 128n,
      firstPeriod: 12n,
      seatAllocation: eth('0.05'),
      effectiveStake: eth('0.1'),
      stallPenalty: eth('0.05'),
      reporterFee: eth('0.05'),
    })
    const producers: RegisteredProducer[] = []
    for (let i = 0; i < 150; i++) producers.push(await pools.register(eth('0.1')))
    await pools.toEpoch(pools.parameters.firstPeriod)
    await pools.stakingPool.deposit({ value: eth('64') })
    const used: Record<string, bigint> = {}
    await pools.periods.freeze(1n)
    await pools.poolRegistry.requestPool()
    used.selectVault = await gasOf((await draw({ pools, prover })).transaction)
    const snapshot = await networkHelpers.takeSnapshot()
    await pools.toEpoch((await pools.poolRegistry.pool(1n)).deadline + 2n)
    used.failDkg = await gasOf(await pools.poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE))
    await snapshot.restore()
    const signers = Array.from({ length: 128 }, (_, i) => i + 1)
    const { result, publicKey } = await dkgResult({ pools, producers, poolId: 1n }, { signers })
    used.completeDkg = await gasOf(await pools.poolRegistry.completeDkg(1n, result))
    const { timestamp, state, proof } = await proveValidator({ pools, prover }, { publicKey, withdrawalCredentials: randomRoot() })
    const vault = [...(await pools.poolRegistry.vault(1n))]
    assert.equal(new Set(vault).size, 128)
    used.reportFrontRun = await gasOf(await pools.poolRegistry.reportFrontRun(1n, timestamp, state, proof))
    // Its seats are in their tail now: who the vault was is still known, in its order.
    assert.deepEqual([...(await pools.poolRegistry.vault(1n))], vault)
    for (const [name, gas] of Object.entries(used)) {
      withinGas(gas, 16_777_216n, name)
    }
  })
})
