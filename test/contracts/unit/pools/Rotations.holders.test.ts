import assert from 'node:assert/strict'
import { expect } from 'chai'
import { drawn, funded, IDLE, NOBODY, networkHelpers, type World } from './Rotations.support.ts'

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
