import assert from 'node:assert/strict'
import { expect } from 'chai'
import { ZeroAddress } from 'ethers'
import { bitsOf, rotationResult, signedBy } from '../../../support/ceremonies.ts'
import { draw } from '../../../support/pools.ts'
import { drawn, funded, IDLE, live, locked, NOBODY, networkHelpers, prover, REQUESTED, sorted, startHandover } from './Rotations.support.ts'

const DRAWN = 2n

describe('Rotations: handovers that fail', () => {
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
