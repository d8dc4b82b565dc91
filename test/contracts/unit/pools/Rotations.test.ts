import assert from 'node:assert/strict'
import { expect } from 'chai'
import { hexlify, keccak256, randomBytes, solidityPackedKeccak256, ZeroAddress } from 'ethers'
import { rotationResult, signedBy } from '../../../support/ceremonies.ts'
import { drawn, eth, funded, IDLE, live, locked, networkHelpers, REQUESTED, sorted, startHandover } from './Rotations.support.ts'

const hashOf = (members: readonly bigint[]) => solidityPackedKeccak256(['uint32[]'], [members])

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
