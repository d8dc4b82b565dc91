import assert from 'node:assert/strict'
import { expect } from 'chai'
import { g1, g2, newKey } from '../../../support/block-producers.ts'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { g1FromAffine, g2FromAffine } from '../../../support/eip2537.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type DkgChoices, dkgResult, draw, proveValidator, randomRoot } from '../../../support/pools.ts'
import {
  connection,
  deposited,
  drawn,
  eth,
  fund,
  gasOf,
  load,
  networkHelpers,
  SMALL,
  STAKER,
  STATE,
  world,
} from './PoolRegistry.support.ts'

/** Three seats each: whichever vaults two pools draw, a third draw before their seats are free again finds its members. */
const roomy = () => world({ bond: eth('3.8'), deposit: eth('160'), choices: SMALL })

describe('PoolRegistry: the result of a ceremony', () => {
  const attempt = async (choices: DkgChoices, change: object = {}) => {
    const all = await load(drawn)
    const { result } = await dkgResult({ ...all, poolId: 1n }, choices)
    const before = await all.pools.stakingPool.buffered()
    const call = all.pools.poolRegistry.completeDkg(1n, { ...result, ...change })
    return { ...all.pools, call, before }
  }
  const refused = async (choices: DkgChoices, error: string, change: object = {}) => {
    const { poolRegistry, stakingPool, call, before } = await attempt(choices, change)
    await expect(call).to.be.revertedWithCustomError(poolRegistry, error)
    assert.equal(await stakingPool.buffered(), before)
    const { state, publicKey } = await poolRegistry.pool(1n)
    assert.deepEqual([state, publicKey, await poolRegistry.registeredCount(STAKER)], [STATE.ceremony, '0x', 0n])
  }

  it("registers the key and deposits 1 ETH with the protocol's credentials", async () => {
    const all = await load(drawn)
    const { poolRegistry, stakingPool } = all.pools
    const { result, publicKey } = await dkgResult({ ...all, poolId: 1n })
    const before = await deposited(all)
    const transaction = await poolRegistry.completeDkg(1n, result)
    await expect(transaction)
      .to.emit(poolRegistry, 'DkgCompleted')
      .withArgs(1n, 0n, publicKey, 0n, result.publicShares, result.transcriptRoot, 15n)
    await expect(transaction).to.emit(stakingPool, 'BeaconDeposit').withArgs(1n, STAKER, publicKey, eth('1'), eth('1'))
    assert.equal((await deposited(all)) - before, eth('1'))
    const pool = await poolRegistry.pool(1n)
    const { keccak256 } = connection.ethers
    assert.deepEqual([pool.state, pool.publicKey, pool.publicSharesHash], [STATE.registered, publicKey, keccak256(result.publicShares)])
    assert.equal(await poolRegistry.poolByKey(publicKey), 1n)
    assert.equal(await poolRegistry.registeredCount(STAKER), 1n)
    assert.equal(await poolRegistry.registeredAt(STAKER, 0n), 1n)
    const time = BigInt(await all.pools.now())
    assert.deepEqual(
      [await poolRegistry.registeredCountAt(STAKER, time), await poolRegistry.registeredCountAt(STAKER, time - 1n)],
      [1n, 0n],
    )
    // The first of its kind pays for the new lists too.
    withinGas(await gasOf(transaction), 750_000n)
  })

  it('A06 takes a threshold of the drawn vault, and nothing less', async () => {
    await refused({ signers: [1, 2] }, 'TooFewParticipants')
    const { call, poolRegistry } = await attempt({ signers: [2, 3, 4] })
    await expect(call).to.emit(poolRegistry, 'DkgCompleted')
    await refused({ signers: [1, 2, 3] }, 'InvalidAggregateSignature', { participation: 15n })
    await refused({ signers: [1, 2, 3] }, 'InvalidAggregateSignature', { participation: 0b1011n })
    await refused({ signers: [1, 2, 3] }, 'ParticipationOutOfRange', { participation: 0b10111n })
  })

  it("A06 A18 refuses strangers' signatures, and those for another pool, round or result", async () => {
    const stranger = newKey()
    await refused({}, 'InvalidAggregateSignature', { aggregateSignature: g2(stranger.sign(new Uint8Array(32))) })
    await refused({ signedPool: 2 }, 'InvalidAggregateSignature')
    await refused({ round: 1 }, 'InvalidAggregateSignature')
    await refused({}, 'InvalidAggregateSignature', { transcriptRoot: randomRoot() })
    await refused({}, 'InvalidAggregateSignature', { publicShares: `0x${'11'.repeat(192)}` })
    await refused({}, 'InvalidAggregateSignature', { groupKey: g1(newKey().toPublicKey()) })
    await refused({}, 'PublicSharesLength', { publicShares: `0x${'11'.repeat(191)}` })
  })

  it('A03 refuses a deposit signed for other credentials or another amount, or by another key', async () => {
    await refused({ credentials: randomRoot() }, 'InvalidDepositSignature')
    await refused({ gwei: 32_000_000_000n }, 'InvalidDepositSignature')
    await refused({}, 'InvalidDepositSignature', { depositSignature: g2(newKey().sign(new Uint8Array(32))) })
  })

  it('A03 refuses infinity and malformed points', async () => {
    const infinity = g2FromAffine({ x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } })
    await refused({}, 'PointAtInfinity', { depositSignature: infinity })
    await refused({}, 'PointAtInfinity', { aggregateSignature: infinity })
    const off = g2FromAffine({ x: { c0: 1n, c1: 1n }, y: { c0: 1n, c1: 1n } })
    await refused({}, 'PrecompileFailed', { depositSignature: off })
    await refused({}, 'PrecompileFailed', { aggregateSignature: off })
    // Under a signature that covers it: the key itself must be refused.
    await refused({}, 'InvalidAggregateSignature', { groupKey: g1FromAffine({ x: 0n, y: 0n }) })
  })

  it('A02 a key is registered once, for ever', async () => {
    const all = await load(roomy)
    const { poolRegistry } = all.pools
    await poolRegistry.requestPool()
    await poolRegistry.requestPool()
    await draw(all)
    const groupSecret = newKey()
    const { result, publicKey } = await dkgResult({ ...all, poolId: 1n }, { groupSecret })
    await poolRegistry.completeDkg(1n, result)
    await expect(poolRegistry.completeDkg(1n, result)).to.be.revertedWithCustomError(poolRegistry, 'WrongState')
    const { result: again } = await dkgResult({ ...all, poolId: 2n }, { groupSecret })
    const refusedAgain = async () => {
      const sent = await deposited(all)
      await expect(poolRegistry.completeDkg(2n, again)).to.be.revertedWithCustomError(poolRegistry, 'KeyTaken').withArgs(publicKey, 1n)
      // No second ETH went to the key, and it is still the first pool's.
      assert.equal(await deposited(all), sent)
      assert.equal(await poolRegistry.poolByKey(publicKey), 1n)
      assert.equal((await poolRegistry.pool(2n)).state, STATE.ceremony)
    }
    await refusedAgain()
    // Nor after its first pool has come to its end: front-run,
    const snapshot = await networkHelpers.takeSnapshot()
    const { timestamp, state, proof } = await proveValidator(all, { publicKey, withdrawalCredentials: randomRoot() })
    await poolRegistry.reportFrontRun(1n, timestamp, state, proof)
    await refusedAgain()
    // or funded, exited and closed,
    await snapshot.restore()
    await fund(all, 1n, { publicKey, withdrawalCredentials: await all.pools.stakingPool.withdrawalCredentials(STAKER) })
    const exits = poolRegistry.connect(await all.pools.as(all.pools.addresses.exits))
    await exits.markExiting(1n)
    await refusedAgain()
    await exits.markClosed(1n)
    await refusedAgain()
    // nor in a ceremony after one that failed; with a key of its own the pool comes to be all the same.
    await all.pools.toEpoch((await poolRegistry.pool(2n)).deadline + 2n)
    await poolRegistry.failDkg(2n, 0n, 0n, NO_SIGNATURE)
    await all.pools.periods.freeze(10n)
    await draw(all)
    const { result: later } = await dkgResult({ ...all, poolId: 2n }, { groupSecret })
    await expect(poolRegistry.completeDkg(2n, later)).to.be.revertedWithCustomError(poolRegistry, 'KeyTaken').withArgs(publicKey, 1n)
    const { result: own } = await dkgResult({ ...all, poolId: 2n }, {})
    await poolRegistry.completeDkg(2n, own)
    assert.equal((await poolRegistry.pool(2n)).state, STATE.registered)
  })

  it('A32 a silent member costs one deadline: then the seats are free and the next round is drawn', async () => {
    const all = await load(drawn)
    const { poolRegistry, vaultDraws, blockProducers, toEpoch, stakingPool } = all.pools
    const { deadline } = await poolRegistry.pool(1n)
    const { result } = await dkgResult({ ...all, poolId: 1n })
    await toEpoch(deadline)
    await expect(poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE))
      .to.be.revertedWithCustomError(poolRegistry, 'DeadlineNotPassed')
      .withArgs(deadline + 1n, deadline)
    await poolRegistry.completeDkg.staticCall(1n, result)
    await toEpoch(deadline + 1n)
    await expect(poolRegistry.completeDkg(1n, result))
      .to.be.revertedWithCustomError(poolRegistry, 'DeadlinePassed')
      .withArgs(deadline, deadline + 1n)
    await toEpoch(deadline + 2n)
    const before = (await blockProducers.seats()).locked
    const call = poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE)
    await expect(call).to.emit(poolRegistry, 'DkgFailed').withArgs(1n, 0n, 0n)
    await expect(call)
      .to.emit(vaultDraws, 'DrawRequested')
      .withArgs(2n, 1n, 1n, 1n, deadline + 4n, false)
    assert.deepEqual([before, (await blockProducers.seats()).locked], [4n, 0n])
    assert.equal(await stakingPool.reserved(), eth('32'))
    assert.deepEqual([...(await poolRegistry.vault(1n))], [])
    await all.pools.periods.freeze(9n)
    await draw(all)
    // The first round's signatures are worth nothing in the second.
    await expect(poolRegistry.completeDkg(1n, result)).to.be.revertedWithCustomError(poolRegistry, 'InvalidAggregateSignature')
    const { result: second } = await dkgResult({ ...all, poolId: 1n })
    await expect(poolRegistry.completeDkg(1n, second)).to.emit(poolRegistry, 'DkgCompleted')
    assert.equal((await poolRegistry.pool(1n)).round, 1n)
  })
})
