import assert from 'node:assert/strict'
import { expect } from 'chai'
import { hexlify, keccak256, parseEther, randomBytes, solidityPackedKeccak256, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { bitsOf, NO_SIGNATURE, rotationResult, signedBy } from '../../../support/ceremonies.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, proveValidator } from '../../../support/pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const prover = new BeaconProver()
const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }
const IDLE = 0n
const REQUESTED = 1n
const DRAWN = 2n
const NOBODY = { absentNew: 0n, absentOld: 0n, byOld: false, signers: 0n, aggregateSignature: NO_SIGNATURE }

/** Pool 1 funded, with twelve producers of two seats each. */
async function funded() {
  const pools = await openPools(connection, SMALL)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 12; i++) producers.push(await pools.register(eth('2.6')))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: eth('64') })
  await pools.poolRegistry.requestPool()
  await draw({ pools, prover })
  const { result, publicKey } = await dkgResult({ pools, producers, poolId: 1n })
  await pools.poolRegistry.completeDkg(1n, result)
  const withdrawalCredentials = await pools.stakingPool.withdrawalCredentials(0)
  const { timestamp, state, proof } = await proveValidator({ pools, prover }, { publicKey, withdrawalCredentials })
  await pools.poolRegistry.fundPool(1n, timestamp, state, proof)
  const old = [...(await pools.poolRegistry.vault(1n))]
  return { pools, producers, old }
}
type World = Awaited<ReturnType<typeof funded>>

/** The vault's period is over, and a new one drawn. */
async function drawn() {
  const world = await funded()
  await world.pools.toEpoch(45)
  await startHandover(world)
  return { ...world, fresh: [...(await world.pools.rotations.rotation(1n)).members] }
}
async function startHandover({ pools }: World) {
  await pools.periods.freeze(9n)
  if ((await pools.rotations.rotation(1n)).state === IDLE) await pools.rotations.requestRotation(1n, 0)
  await draw({ pools, prover })
}
const hashOf = (members: readonly bigint[]) => solidityPackedKeccak256(['uint32[]'], [members])
const locked = async ({ pools }: World) => (await pools.blockProducers.seats()).locked
const live = async ({ pools }: World) => {
  const holders = await pools.blockProducers.holdersOf(1n)
  return holders.filter(({ until }) => until === 0n).map(({ producerId }) => producerId)
}
const sorted = (ids: readonly bigint[]) => [...ids].sort((a, b) => Number(a - b))

describe('Rotations: reasons', () => {
  it('a vault is drawn anew when its period is over, and not before', async () => {
    const { pools } = await networkHelpers.loadFixture(funded)
    const { rotations, poolRegistry, vaultDraws, toEpoch, parameters, timeOfSlot } = pools
    const registered = BigInt(
      Math.floor((Number((await poolRegistry.pool(1n)).registeredAt) - timeOfSlot(0)) / (timeOfSlot(8) - timeOfSlot(0))),
    )
    const due = registered + parameters.rotationPeriod
    await expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'NoReason').withArgs(1n, 0n, due)
    await toEpoch(due)
    const call = await rotations.requestRotation(1n, 0)
    await expect(call)
      .to.emit(rotations, 'RotationRequested')
      .withArgs(1n, 1n, due + 2n)
    await expect(call).to.emit(vaultDraws, 'DrawRequested')
    assert.equal((await vaultDraws.draw(2n)).rotation, true)
    await expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'WrongState').withArgs(1n, IDLE, REQUESTED)
  })

  it('a member that leaves, is slashed out, or can not pay for its newest seat is replaced', async () => {
    const world = await networkHelpers.loadFixture(funded)
    const { pools, old, producers } = world
    const { rotations, blockProducers, addresses, as } = pools
    const [first, second, third] = old
    const refused = async (place: number) =>
      expect(rotations.requestRotation(1n, place)).to.be.revertedWithCustomError(rotations, 'NoReason')
    const snapshot = await networkHelpers.takeSnapshot()

    const owner = producers.find(({ id }) => id === first)?.owner ?? ''
    await blockProducers.connect(await as(owner)).exit(first ?? 0n)
    await refused(1)
    await refused(99)
    await expect(rotations.requestRotation(1n, 0)).to.emit(rotations, 'RotationRequested')
    await snapshot.restore()

    await blockProducers.connect(await as(addresses.slashing)).slashOut(second ?? 0n, ZeroAddress)
    await refused(0)
    await expect(rotations.requestRotation(1n, 1)).to.emit(rotations, 'RotationRequested')
    await snapshot.restore()

    await blockProducers.connect(await as(addresses.exits)).slashSeats(1n, [third ?? 0n], eth('1.6'), ZeroAddress)
    assert.equal(await blockProducers.isUndercollateralized(third ?? 0n), true)
    await expect(rotations.requestRotation(1n, 2)).to.emit(rotations, 'RotationRequested')
  })

  it('so is one whose seat here is older than those that are remembered, when all of these are gone', async () => {
    const { pools, old } = await networkHelpers.loadFixture(funded)
    const { rotations, blockProducers, addresses, as } = pools
    const [, , third = 0n] = old
    // Ten are remembered: the newest two, and eight in a slot of their own.
    const others = Array.from({ length: 10 }, (_, at) => BigInt(11 + at))
    const draws = blockProducers.connect(await as(addresses.vaultDraws))
    for (const pool of others) await draws.lockSeats(pool, 0, [third])
    await blockProducers.connect(await as(addresses.exits)).slashSeats(1n, [third], eth('1.6'), ZeroAddress)
    await expect(rotations.requestRotation(1n, 2)).to.be.revertedWithCustomError(rotations, 'NoReason')
    const registry = blockProducers.connect(await as(addresses.poolRegistry))
    for (const pool of others) await registry.releaseSeats(pool, 0, [third], 0n)
    assert.equal(await blockProducers.newestSeat(third), 0n)
    assert.equal(await blockProducers.isUndercollateralized(third), true)
    await expect(rotations.requestRotation(1n, 2)).to.emit(rotations, 'RotationRequested')
  })

  it('only a pool that has a key can hand it over', async () => {
    const world = await networkHelpers.loadFixture(funded)
    const { rotations, poolRegistry, toEpoch, exits, as, addresses } = world.pools
    await poolRegistry.requestPool()
    await toEpoch(45)
    await expect(rotations.requestRotation(2n, 0)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver').withArgs(2n)
    await expect(rotations.requestRotation(9n, 0)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver').withArgs(9n)
    await exits.connect(await as(addresses.slashing)).drawOne(1n)
    await expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver').withArgs(1n)
  })

  it('becomes due for the vault meant, not for one that took over since', async () => {
    const { pools } = await networkHelpers.loadFixture(funded)
    const { rotations, addresses, as } = pools
    assert.deepEqual([await rotations.roundAt(1n, 0n), await rotations.cutoverOf(1n, 1n)], [0n, 0n])
    const registry = rotations.connect(await as(addresses.poolRegistry))
    await expect(registry.makeDue(1n, 1)).to.not.emit(rotations, 'RotationRequested')
    await expect(registry.makeDue(1n, 0)).to.emit(rotations, 'RotationRequested')
    // While one is under way it is only remembered.
    await expect(registry.makeDue(1n, 0)).to.not.emit(rotations, 'RotationRequested')
    assert.equal((await rotations.rotation(1n)).dueRound, 1n)
  })

  it('what other contracts may do, nobody else may', async () => {
    const { pools } = await networkHelpers.loadFixture(funded)
    const { rotations, poolRegistry, vaultDraws, exits } = pools
    await expect(rotations.makeDue(1n, 0)).to.be.revertedWithCustomError(rotations, 'NotAllowed')
    await expect(rotations.startCeremony(1n, [1n])).to.be.revertedWithCustomError(rotations, 'NotVaultDraws')
    await expect(rotations.cancel(1n)).to.be.revertedWithCustomError(rotations, 'NotVaultDraws')
    await expect(poolRegistry.replaceVault(1n, 1, [1n], keccak256('0x'))).to.be.revertedWithCustomError(poolRegistry, 'NotRotations')
    await expect(poolRegistry.bar(1n, 0, 1n)).to.be.revertedWithCustomError(poolRegistry, 'NotDkgDisputes')
    await expect(vaultDraws.request(1n, 1, 0)).to.be.revertedWithCustomError(vaultDraws, 'NotAllowed')
    await expect(exits.drawOne(1n)).to.be.revertedWithCustomError(exits, 'NotAllowed')
  })
})

describe('Rotations: a handover', () => {
  it('locks the new vault’s seats beside the old one’s; who is in both keeps one', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { pools, old, fresh } = world
    const union = new Set([...old, ...fresh])
    assert.deepEqual(sorted(await live(world)), sorted([...union]))
    assert.equal(await locked(world), BigInt(union.size))
    assert.deepEqual([...(await pools.poolRegistry.vault(1n))], old)
    assert.equal(await pools.rotations.drawnHashOf(1n, 1), hashOf(fresh))
    const [told] = await pools.rotations.queryFilter(pools.rotations.filters.RotationDrawn(1n))
    assert.deepEqual([told?.args.round, [...(told?.args.members ?? [])]], [1n, fresh])
  })

  it('fixes the cutover, replaces the vault, and sends those that leave into their tail from there', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { pools, old, fresh } = world
    const { rotations, poolRegistry, blockProducers, parameters, timeOfSlot } = pools
    const result = await rotationResult(world, 1n)
    const now = (await rotations.rotation(1n)).deadline - parameters.ceremonyDeadline
    const cutover = now + parameters.rotationMargin + 1n
    const call = await rotations.completeRotation(1n, result)
    await expect(call).to.emit(rotations, 'RotationCompleted').withArgs(1n, 1n, cutover, result.publicShares, result.transcriptRoot, 15n)
    assert.equal((await pools.ceremonies.openOf(1n)).deadline, 0n, 'nobody is missing')
    await expect(call).to.emit(poolRegistry, 'VaultReplaced').withArgs(1n, 1n, fresh)
    const pool = await poolRegistry.pool(1n)
    assert.deepEqual([pool.round, pool.publicSharesHash], [1n, keccak256(result.publicShares)])
    assert.deepEqual([...(await poolRegistry.vault(1n))], fresh)
    assert.deepEqual([await poolRegistry.vaultHashOf(1n, 0), await poolRegistry.vaultHashOf(1n, 1)], [hashOf(old), hashOf(fresh)])
    assert.deepEqual(sorted(await live(world)), sorted(fresh))
    const tail = BigInt(timeOfSlot(Number(cutover) * 8)) + parameters.seatTail * 8n * parameters.secondsPerSlot
    const leaving = old.filter((id) => !fresh.includes(id))
    const holders = await blockProducers.holdersOf(1n)
    assert.deepEqual(sorted(holders.filter(({ until }) => until === tail).map(({ producerId }) => producerId)), sorted(leaving))
    assert.equal(await locked(world), 4n + BigInt(leaving.length))
    await networkHelpers.time.increaseTo(tail + 1n)
    assert.equal(await locked(world), 4n)
    // Which vault a certificate of an epoch is of.
    assert.equal(await rotations.cutoverOf(1n, 1), cutover)
    assert.deepEqual([await rotations.roundAt(1n, cutover - 1n), await rotations.roundAt(1n, cutover)], [0n, 1n])
    // The next one counts from the cutover.
    await expect(rotations.requestRotation(1n, 0))
      .to.be.revertedWithCustomError(rotations, 'NoReason')
      .withArgs(1n, 0n, cutover + parameters.rotationPeriod)
  })

  it('A06 A18 only the new vault’s threshold, for this round and this contract, completes it', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { pools, old, fresh } = world
    const { rotations } = pools
    const refused = (result: object, error: string) =>
      expect(rotations.completeRotation(1n, result as never)).to.be.revertedWithCustomError(rotations, error)
    await refused(await rotationResult(world, 1n, { signers: [1, 2] }), 'TooFewParticipants')
    await refused(await rotationResult(world, 1n, { round: 2n }), 'InvalidAggregateSignature')
    await refused(await rotationResult(world, 1n, { judge: pools.judgeOf('rotations') }), 'InvalidAggregateSignature')
    const good = await rotationResult(world, 1n)
    await refused({ ...good, participation: 31n }, 'ParticipationOutOfRange')
    await refused({ ...good, publicShares: hexlify(randomBytes(48 * 3)) }, 'PublicSharesLength')
    await refused({ ...good, publicShares: hexlify(randomBytes(48 * 4)) }, 'InvalidAggregateSignature')
    const value = { poolId: 1, round: 1, publicSharesHash: keccak256(good.publicShares), transcriptRoot: good.transcriptRoot }
    const byOld = signedBy(world, { vault: old, signers: [1, 2, 3], type: 'RotationResult', value })
    if (old.join() !== fresh.join()) await refused({ ...good, participation: 7n, aggregateSignature: byOld }, 'InvalidAggregateSignature')
    await rotations.completeRotation(1n, good)
    await refused(good, 'WrongState')
  })

  it('is too late after its deadline', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { rotations, toEpoch } = world.pools
    const { deadline } = await rotations.rotation(1n)
    const good = await rotationResult(world, 1n)
    await toEpoch(deadline + 1n)
    await expect(rotations.completeRotation(1n, good))
      .to.be.revertedWithCustomError(rotations, 'DeadlinePassed')
      .withArgs(deadline, deadline + 1n)
  })

  it('A34 a chain of handovers, each from the vault before', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { rotations, toEpoch, poolRegistry, parameters } = world.pools
    const cutovers: bigint[] = []
    for (let round = 1; round <= 4; round++) {
      await rotations.completeRotation(1n, await rotationResult(world, 1n))
      const { since } = await rotations.rotation(1n)
      cutovers.push(since)
      assert.equal((await poolRegistry.pool(1n)).round, BigInt(round))
      assert.equal(await rotations.oldRoundOf(1n, round), BigInt(round - 1))
      await toEpoch(since + parameters.rotationPeriod)
      await startHandover(world)
    }
    for (const [i, cutover] of cutovers.entries()) {
      assert.equal(await rotations.roundAt(1n, cutover), BigInt(i + 1))
      assert.equal(await rotations.cutoverOf(1n, i + 1), cutover)
    }
    assert.equal((await live(world)).length, new Set([...(await poolRegistry.vault(1n)), ...(await rotations.rotation(1n)).members]).size)
  })
})

/** Tails that one producer outside of the vaults leaves in the pool, counted from these times. */
async function leaveTails({ pools, producers }: World, times: readonly bigint[]) {
  const inside = (await pools.blockProducers.holdersOf(1n)).map(({ producerId }) => producerId)
  const outsider = producers.find(({ id }) => !inside.includes(id))
  assert.ok(outsider !== undefined)
  const draws = pools.blockProducers.connect(await pools.as(pools.addresses.vaultDraws))
  const rotations = pools.blockProducers.connect(await pools.as(pools.addresses.rotations))
  for (const from of times) {
    await draws.lockSeats(1n, 0n, [outsider.id])
    await rotations.releaseSeats(1n, 0n, [outsider.id], from)
  }
}
const holders = async ({ pools }: World) => BigInt((await pools.blockProducers.holdersOf(1n)).length)

describe('Rotations: who answers for a pool', () => {
  /** Pool 1 with a vault of four and ten tails, one of them over before the others; its vault's period is over. */
  async function crowded() {
    const world = await funded()
    const { pools } = world
    await pools.toEpoch(45)
    await pools.periods.freeze(9n)
    const from = BigInt(await networkHelpers.time.latest()) + 1_000n
    await leaveTails(world, [from - 500n, ...Array<bigint>(9).fill(from)])
    const tail = pools.parameters.seatTail * pools.parameters.slotsPerEpoch * pools.parameters.secondsPerSlot
    return { ...world, roomAt: from + tail }
  }

  it('A36 is no more than four vaults’ worth: no other is drawn until enough tails are over', async () => {
    const world = await networkHelpers.loadFixture(crowded)
    const { rotations } = world.pools
    assert.equal(await holders(world), 14n)
    const refused = expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'TooManyHolders')
    await refused.withArgs(1n, 12n, 14n, world.roomAt)
    // What calls for another vault does so later too.
    const ceremonies = rotations.connect(await world.pools.as(world.pools.addresses.ceremonies))
    await expect(ceremonies.makeDue(1n, 0)).to.not.emit(rotations, 'RotationRequested')
    const { state, dueRound } = await rotations.rotation(1n)
    assert.deepEqual([state, dueRound], [IDLE, 1n])
    await networkHelpers.time.increaseTo(world.roomAt)
    await expect(rotations.requestRotation(1n, 0)).to.emit(rotations, 'RotationRequested')
  })

  it('A36 just as many may answer', async () => {
    const world = await funded()
    await world.pools.toEpoch(45)
    await world.pools.periods.freeze(9n)
    await leaveTails(world, Array<bigint>(8).fill(BigInt(await networkHelpers.time.latest()) + 1_000n))
    assert.equal(await holders(world), 12n)
    await expect(world.pools.rotations.requestRotation(1n, 0)).to.emit(world.pools.rotations, 'RotationRequested')
  })

  it('A36 a handover fails without another where there is no room: the vault stays, and it may be asked for later', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { rotations, poolRegistry, parameters, toEpoch, periods } = world.pools
    const { deadline } = await rotations.rotation(1n)
    await toEpoch(deadline + 2n)
    await periods.freeze(9n)
    const from = BigInt(await networkHelpers.time.latest()) + 1_000n
    await leaveTails(world, Array<bigint>(9).fill(from))
    const call = await rotations.failRotation(1n, NOBODY)
    await expect(call).to.emit(rotations, 'RotationFailed')
    await expect(call).to.not.emit(rotations, 'RotationRequested')
    const { state, failures, dueRound } = await rotations.rotation(1n)
    assert.deepEqual([state, failures, dueRound], [IDLE, 1n, 1n])
    assert.deepEqual([...(await poolRegistry.vault(1n))], world.old)
    await networkHelpers.time.increaseTo(from + parameters.seatTail * parameters.slotsPerEpoch * parameters.secondsPerSlot)
    await expect(rotations.requestRotation(1n, 99)).to.emit(rotations, 'RotationRequested')
  })
})

describe('Rotations: handovers that fail', () => {
  after(() => prover.close())

  it('A32 leave the old vault in charge and free the new seats; a threshold of either vault names who was absent', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { pools, old, fresh } = world
    const { rotations, poolRegistry, toEpoch } = pools
    const { deadline } = await rotations.rotation(1n)
    const name = (byOld: boolean, signers: readonly number[], absentNew: bigint, absentOld: bigint) => ({
      absentNew,
      absentOld,
      byOld,
      signers: bitsOf(signers),
      aggregateSignature: signedBy(world, {
        vault: byOld ? old : fresh,
        signers,
        type: 'RotationFailure',
        value: { poolId: 1, round: 1, absentNew, absentOld },
      }),
    })
    await toEpoch(deadline)
    await expect(rotations.failRotation(1n, name(true, [1, 2, 3], 2n, 0n)))
      .to.be.revertedWithCustomError(rotations, 'DeadlineNotPassed')
      .withArgs(deadline, deadline)
    await toEpoch(deadline + 1n)
    await expect(rotations.failRotation(1n, NOBODY)).to.be.revertedWithCustomError(rotations, 'DeadlineNotPassed')
    const refused = (naming: typeof NOBODY, error: string) =>
      expect(rotations.failRotation(1n, naming)).to.be.revertedWithCustomError(rotations, error)
    await refused(name(true, [1, 2], 2n, 0n), 'TooFewParticipants')
    await expect(rotations.failRotation(1n, name(true, [1, 2, 3], 0n, 4n)))
      .to.be.revertedWithCustomError(rotations, 'SignerAbsent')
      .withArgs(4n)
    await refused(name(false, [1, 2, 3], 16n, 0n), 'ParticipationOutOfRange')
    await refused({ ...name(false, [1, 2, 3], 8n, 0n), byOld: old.join() !== fresh.join() }, 'InvalidAggregateSignature')
    await refused({ ...name(false, [1, 2, 3], 8n, 0n), absentNew: 0n, absentOld: 8n }, 'InvalidAggregateSignature')
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(rotations.failRotation(1n, name(true, [1, 2, 3], 2n, 8n)))
      .to.emit(rotations, 'RotationFailed')
      .withArgs(1n, 1n, 2n, 8n)
    await snapshot.restore()
    await pools.periods.freeze(9n)
    const call = await rotations.failRotation(1n, name(false, [1, 2, 3], 8n, 1n))
    await expect(call).to.emit(rotations, 'RotationFailed').withArgs(1n, 1n, 8n, 1n)
    await expect(call).to.emit(rotations, 'RotationRequested')
    assert.deepEqual([...(await poolRegistry.vault(1n))], old)
    assert.deepEqual(sorted(await live(world)), sorted(old))
    assert.equal(await locked(world), 4n)
    const again = await rotations.rotation(1n)
    assert.deepEqual([again.state, again.round, again.oldRound, again.failures], [REQUESTED, 2n, 0n, 1n])
  })

  it('after the third in a row the pool is liquidated; a success in between begins the count anew', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { rotations, exits, poolRegistry, toEpoch } = world.pools
    const fail = async () => {
      const { deadline } = await rotations.rotation(1n)
      await toEpoch(deadline + 2n)
      await world.pools.periods.freeze(9n)
      return rotations.failRotation(1n, NOBODY)
    }
    await fail()
    await startHandover(world)
    await fail()
    await startHandover(world)
    assert.equal((await rotations.rotation(1n)).failures, 2n)
    const snapshot = await networkHelpers.takeSnapshot()
    const third = await fail()
    await expect(third).to.emit(exits, 'LiquidationDrawn')
    await expect(third).to.emit(poolRegistry, 'PoolExiting').withArgs(1n)
    assert.equal((await rotations.rotation(1n)).state, IDLE)
    assert.equal(await locked(world), 4n)
    await snapshot.restore()
    await rotations.completeRotation(1n, await rotationResult(world, 1n))
    assert.equal((await rotations.rotation(1n)).failures, 0n)
  })

  it('a pool drawn for liquidation in the midst of it exits with its old vault; the new seats are free again', async () => {
    const world = await networkHelpers.loadFixture(drawn)
    const { rotations, exits, as, addresses, toEpoch } = world.pools
    await expect(rotations.dropRotation(1n)).to.be.revertedWithCustomError(rotations, 'StillWanted').withArgs(1n)
    const good = await rotationResult(world, 1n)
    await exits.connect(await as(addresses.slashing)).drawOne(1n)
    await expect(rotations.completeRotation(1n, good)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver')
    const snapshot = await networkHelpers.takeSnapshot()
    await toEpoch((await rotations.rotation(1n)).deadline + 2n)
    await expect(rotations.failRotation(1n, NOBODY)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver')
    await snapshot.restore()
    await expect(rotations.dropRotation(1n)).to.emit(rotations, 'RotationDropped').withArgs(1n, 1n)
    assert.deepEqual(sorted(await live(world)), sorted(world.old))
    await expect(rotations.dropRotation(1n)).to.be.revertedWithCustomError(rotations, 'WrongState').withArgs(1n, DRAWN, IDLE)
  })

  it('A51 a draw for a pool that exits meanwhile, or one that finds too few, locks nothing and holds nobody up', async () => {
    const world = await networkHelpers.loadFixture(funded)
    const { pools } = world
    const { rotations, exits, as, addresses, toEpoch, vaultDraws, blockProducers } = pools
    await toEpoch(45)
    await pools.periods.freeze(9n)
    await rotations.requestRotation(1n, 0)
    const snapshot = await networkHelpers.takeSnapshot()
    await exits.connect(await as(addresses.slashing)).drawOne(1n)
    const { transaction } = await draw({ pools, prover })
    await expect(transaction).to.emit(vaultDraws, 'DrawCancelled')
    await expect(transaction).to.emit(rotations, 'RotationDropped').withArgs(1n, 1n)
    assert.equal(await locked(world), 4n)
    await snapshot.restore()

    const slashing = blockProducers.connect(await as(addresses.slashing))
    for (let id = 1n; id <= 9n; id++) await slashing.slashOut(id, ZeroAddress)
    const { transaction: empty } = await draw({ pools, prover })
    await expect(empty).to.emit(rotations, 'RotationDropped').withArgs(1n, 1n)
    assert.deepEqual([await vaultDraws.nextDrawId(), (await rotations.rotation(1n)).state], [3n, IDLE])
    assert.equal(await locked(world), 4n)
    // It may be asked for again at once.
    await expect(rotations.requestRotation(1n, 99)).to.emit(rotations, 'RotationRequested')
  })
})
