import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroHash } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { g1, g2, newKey } from '../../../support/block-producers.ts'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { g1FromAffine, g2FromAffine } from '../../../support/eip2537.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { compressed, type DkgChoices, dkgResult, draw, proveValidator, randomRoot } from '../../../support/pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const prover = new BeaconProver()
const [STAKER, BOND] = [0n, 1n]
const STATE = { requested: 1n, ceremony: 2n, registered: 3n, funded: 4n, exiting: 5n, closed: 6n, cancelled: 7n }

/** Bonds a tenth of the devnet's: together they pay for no bond pool, so every pool is the stakers'. */
const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }

async function world({ bond, deposit, choices = {} }: { bond: bigint; deposit: bigint; choices?: object }) {
  const pools = await openPools(connection, choices)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 7; i++) producers.push(await pools.register(bond))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: deposit })
  const exits = pools.poolRegistry.connect(await pools.as(pools.addresses.exits))
  return { pools, prover, producers, exits }
}
type World = Awaited<ReturnType<typeof world>>

/** Stakers' ETH for pools, and bonds that pay for none. */
const stakers = () => world({ bond: eth('2.6'), deposit: eth('160'), choices: SMALL })
/** Bonds of 182 ETH: five bond pools come first. */
const bonders = () => world({ bond: eth('26'), deposit: eth('160') })
/** The same, with seats for as many staker pools as the buffer pays for. */
const manySeats = () => world({ bond: eth('26'), deposit: eth('160'), choices: { seatAllocation: eth('6') } })
/** One staker pool with its vault drawn. */
async function drawn() {
  const all = await stakers()
  await all.pools.poolRegistry.requestPool()
  await draw(all)
  return all
}
/** The same, its key made and registered. */
async function registered() {
  const all = await drawn()
  const { result, publicKey } = await dkgResult({ ...all, poolId: 1n })
  await all.pools.poolRegistry.completeDkg(1n, result)
  const credentials = await all.pools.stakingPool.withdrawalCredentials(STAKER)
  return { ...all, publicKey, credentials }
}
async function bondRegistered() {
  const all = await bonders()
  await all.pools.poolRegistry.requestPool()
  await draw(all)
  const { result, publicKey } = await dkgResult({ ...all, poolId: 1n })
  await all.pools.poolRegistry.completeDkg(1n, result)
  return { ...all, publicKey, credentials: await all.pools.stakingPool.withdrawalCredentials(BOND) }
}
const load = <T>(fixture: () => Promise<T>) => networkHelpers.loadFixture(fixture)
const gasOf = async (transaction: { wait: () => Promise<{ gasUsed: bigint } | null> }) => (await transaction.wait())?.gasUsed ?? 0n
const fund = async ({ pools, prover }: World, poolId: bigint, validator: { publicKey: string; withdrawalCredentials: string }) => {
  const { timestamp, state, proof } = await proveValidator({ pools, prover }, validator)
  return pools.poolRegistry.fundPool(poolId, timestamp, state, proof)
}
const deposited = ({ pools }: World) => connection.ethers.provider.getBalance(pools.parameters.depositContract)

after(() => prover.close())

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
    const all = await load(stakers)
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
