import assert from 'node:assert/strict'
import { expect } from 'chai'
import { ZeroHash } from 'ethers'
import { newKey } from '../../../support/block-producers.ts'
import { compressed, dkgResult, draw, proveValidator, randomRoot } from '../../../support/pools.ts'
import { BOND, bonders, deposited, eth, fund, load, registered, STAKER, STATE } from './PoolRegistry.support.ts'

async function bondRegistered() {
  const all = await bonders()
  await all.pools.poolRegistry.requestPool()
  await draw(all)
  const { result, publicKey } = await dkgResult({ ...all, poolId: 1n })
  await all.pools.poolRegistry.completeDkg(1n, result)
  return { ...all, publicKey, credentials: await all.pools.stakingPool.withdrawalCredentials(BOND) }
}

describe('PoolRegistry: funding', () => {
  it('deposits the other 31 ETH once the validator is proven', async () => {
    const all = await load(registered)
    const { poolRegistry, stakingPool } = all.pools
    const before = await deposited(all)
    const transaction = await fund(all, 1n, { publicKey: all.publicKey, withdrawalCredentials: all.credentials })
    await expect(transaction).to.emit(poolRegistry, 'PoolFunded').withArgs(1n, 1n)
    await expect(transaction).to.emit(stakingPool, 'BeaconDeposit').withArgs(1n, STAKER, all.publicKey, eth('31'), eth('32'))
    assert.equal((await deposited(all)) - before, eth('31'))
    assert.equal(await stakingPool.reserved(), 0n)
    assert.equal((await poolRegistry.pool(1n)).state, STATE.funded)
    assert.equal(await poolRegistry.activeCount(STAKER), 1n)
    assert.equal(await poolRegistry.activeAt(STAKER, 0n), 1n)
  })

  it('A01 a key front-run with other credentials never gets the 31 ETH; bonds make stakers whole', async () => {
    const all = await load(registered)
    const { poolRegistry, stakingPool, blockProducers, bondEther, people } = all.pools
    const [reporter] = people
    assert.ok(reporter)
    const foreign = randomRoot()
    const validator = { publicKey: all.publicKey, withdrawalCredentials: foreign }
    await expect(fund(all, 1n, validator))
      .to.be.revertedWithCustomError(poolRegistry, 'WrongCredentials')
      .withArgs(all.credentials, foreign)
    const { timestamp, state, proof } = await proveValidator(all, validator)
    const transaction = await poolRegistry.connect(reporter).reportFrontRun(1n, timestamp, state, proof)
    await expect(transaction).to.emit(poolRegistry, 'PoolFrontRun').withArgs(1n, foreign)
    await expect(transaction).to.emit(poolRegistry, 'PoolClosed').withArgs(1n)
    const covered = await bondEther.getPooledEthByShares(await bondEther.coverShares())
    assert.ok(covered >= eth('1') && covered < eth('1.0001'), `${covered}`)
    const share = await bondEther.balanceOf(reporter.address)
    assert.ok(share > eth('0.0526') && share < eth('0.0527'), `${share}`)
    assert.equal(await stakingPool.reserved(), 0n)
    const pool = await poolRegistry.pool(1n)
    assert.deepEqual([pool.state, pool.frontRun, pool.closedAt], [STATE.closed, true, BigInt(await all.pools.now())])
    // The vault's seats answer until their tail is over.
    assert.equal((await blockProducers.seats()).locked, 4n)
    await expect(fund(all, 1n, { ...validator, withdrawalCredentials: all.credentials })).to.be.revertedWithCustomError(
      poolRegistry,
      'WrongState',
    )
  })

  it('A01 A32 who front-ran its own key does not hand the pool over before that is shown: it pays itself', async () => {
    const all = await load(registered)
    const { poolRegistry, rotations, blockProducers, as } = all.pools
    const vault = [...(await poolRegistry.vault(1n))]
    const leaver = all.producers.find(({ id }) => id === vault[0])
    await blockProducers.connect(await as(leaver?.owner ?? '')).exit(leaver?.id ?? 0n)
    await expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver').withArgs(1n)
    const { timestamp, state, proof } = await proveValidator(all, { publicKey: all.publicKey, withdrawalCredentials: randomRoot() })
    const before = await blockProducers.bondValue(vault[0] ?? 0n)
    await poolRegistry.reportFrontRun(1n, timestamp, state, proof)
    assert.ok((await blockProducers.bondValue(vault[0] ?? 0n)) < before)
  })

  it('A01 a front-run bond pool is charged as if its seats had locked', async () => {
    const all = await load(bondRegistered)
    const { poolRegistry, bondEther } = all.pools
    const { timestamp, state, proof } = await proveValidator(all, { publicKey: all.publicKey, withdrawalCredentials: randomRoot() })
    await poolRegistry.reportFrontRun(1n, timestamp, state, proof)
    assert.ok((await bondEther.getPooledEthByShares(await bondEther.coverShares())) >= eth('1'))
    assert.equal(await poolRegistry.bondPoolCount(), 0n)
  })

  it('A01 credentials that are ours are no front-run; each kind has its own', async () => {
    const all = await load(bondRegistered)
    const { poolRegistry, stakingPool } = all.pools
    const stakerCredentials = await stakingPool.withdrawalCredentials(STAKER)
    await expect(fund(all, 1n, { publicKey: all.publicKey, withdrawalCredentials: stakerCredentials }))
      .to.be.revertedWithCustomError(poolRegistry, 'WrongCredentials')
      .withArgs(all.credentials, stakerCredentials)
    const { timestamp, state, proof } = await proveValidator(all, { publicKey: all.publicKey, withdrawalCredentials: all.credentials })
    await expect(poolRegistry.reportFrontRun(1n, timestamp, state, proof))
      .to.be.revertedWithCustomError(poolRegistry, 'CredentialsAreOurs')
      .withArgs(all.credentials)
  })

  it("A04 a proof of anything but the validator's record reverts", async () => {
    const all = await load(registered)
    const { poolRegistry } = all.pools
    const ours = { publicKey: all.publicKey, withdrawalCredentials: all.credentials }
    const sent = await deposited(all)
    const { timestamp, state, proof } = await proveValidator(all, ours)
    const refused = (change: object, error: string) =>
      expect(poolRegistry.fundPool(1n, timestamp, state, { ...proof, ...change })).to.be.revertedWithCustomError(poolRegistry, error)
    await refused({ index: 0n }, 'LeafNotProven')
    await refused({ branch: proof.branch.slice(1) }, 'BadBranchLength')
    await refused({ validator: { ...proof.validator, withdrawalCredentials: randomRoot() } }, 'LeafNotProven')
    await refused({ validator: { ...proof.validator, pubkeyRoot: ZeroHash } }, 'WrongPublicKey')
    // A state without the validator: its deposit may be pending there for all one knows.
    const elsewhere = await proveValidator(all, { publicKey: compressed(newKey()), withdrawalCredentials: all.credentials })
    const call = poolRegistry.fundPool(1n, elsewhere.timestamp, elsewhere.state, proof)
    await expect(call).to.be.revertedWithCustomError(poolRegistry, 'LeafNotProven')
    // The 31 ETH wait where they were, and go with the right proof.
    assert.deepEqual([(await deposited(all)) - sent, await all.pools.stakingPool.reserved()], [0n, eth('31')])
    await fund(all, 1n, ours)
    assert.deepEqual([(await deposited(all)) - sent, await all.pools.stakingPool.reserved()], [eth('31'), 0n])
  })

  it('A05 a slashed or exiting validator, an old state or another fork reverts', async () => {
    const all = await load(registered)
    const { poolRegistry, toSlot } = all.pools
    const ours = { publicKey: all.publicKey, withdrawalCredentials: all.credentials }
    const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(poolRegistry, error)
    await refused(fund(all, 1n, { ...ours, slashed: true } as never), 'ValidatorNotFresh')
    await refused(fund(all, 1n, { ...ours, exitEpoch: 99 } as never), 'ValidatorNotFresh')
    const registeredSlot = Math.floor(((await all.pools.now()) - all.pools.timeOfSlot(0)) / 60)
    await toSlot(registeredSlot + 3)
    const old = await proveValidator(all, ours, registeredSlot)
    await refused(poolRegistry.fundPool(1n, old.timestamp, old.state, old.proof), 'ProofTooOld')
    const foreign = await all.prover.prove({ slot: registeredSlot + 2, forkVersion: '0x06000001', validators: [ours] })
    const [proof] = foreign.validators
    assert.ok(proof)
    await refused(poolRegistry.fundPool(1n, await all.pools.anchor(foreign), foreign.state, proof), 'ForkVersionNotProven')
    const young = await proveValidator(all, ours, registeredSlot + 1)
    await expect(poolRegistry.fundPool(1n, young.timestamp, young.state, young.proof)).to.emit(poolRegistry, 'PoolFunded')
  })

  it('A54 a foreign deposit to the key, before ours or with ours, changes nothing that the contracts count', async () => {
    const all = await load(registered)
    const { stakingPool, bondEther } = all.pools
    const [index, total] = [await bondEther.rewardsIndex(), await stakingPool.beaconDeposits(STAKER, 2n ** 40n)]
    // A stranger topped the validator up to 40 ETH before it was funded.
    const transaction = await fund(all, 1n, {
      publicKey: all.publicKey,
      withdrawalCredentials: all.credentials,
      effectiveBalance: 32_000_000_000,
      balance: 40_000_000_000,
    } as never)
    await expect(transaction).to.emit(stakingPool, 'BeaconDeposit').withArgs(1n, STAKER, all.publicKey, eth('31'), eth('32'))
    assert.equal(await bondEther.rewardsIndex(), index)
    assert.equal((await stakingPool.beaconDeposits(STAKER, 2n ** 40n)) - total, eth('31'))
  })
})
