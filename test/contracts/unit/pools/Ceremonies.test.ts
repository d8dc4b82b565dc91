import assert from 'node:assert/strict'
import { expect } from 'chai'
import { keccak256, parseEther } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { aggregateG2, dkgDigest } from '../../../support/block-producers.ts'
import { bitsOf, keyOf, NO_SIGNATURE, rotationResult, signedBy } from '../../../support/ceremonies.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, fund } from '../../../support/pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const prover = new BeaconProver()
const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }

/** Pool 1 in its ceremony. */
async function drawn(choices = {}) {
  const pools = await openPools(connection, { ...SMALL, ...choices })
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 9; i++) producers.push(await pools.register(eth('2.6')))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: eth('64') })
  await pools.poolRegistry.requestPool()
  await draw({ pools, prover })
  const vault = [...(await pools.poolRegistry.vault(1n))]
  return { pools, producers, vault }
}
type World = Awaited<ReturnType<typeof drawn>>
const ofFour = () => drawn()

/** The same with a key that member 4 did not sign for. */
async function without4() {
  const world = await drawn()
  const { result, publicKey } = await dkgResult({ ...world, poolId: 1n }, { signers: [1, 2, 3] })
  await world.pools.poolRegistry.completeDkg(1n, result)
  return { ...world, result, publicKey }
}
/** What late members sign: the result as it stands. */
const lateSignature = (
  { pools, producers, vault, result }: Omit<Awaited<ReturnType<typeof without4>>, 'publicKey'>,
  signers: readonly number[],
  round = 0,
) => {
  const { groupKey, transcriptRoot, publicShares } = result
  const digest = dkgDigest(pools.judgeOf('poolRegistry'), {
    poolId: 1,
    round,
    groupKey,
    publicSharesHash: keccak256(publicShares),
    transcriptRoot,
  })
  return aggregateG2(signers.map((index) => keyOf(producers, vault[index - 1] ?? 0n).sign(digest)))
}
const failure = (world: World, { absent, signers, round = 0 }: { absent: bigint; signers: readonly number[]; round?: number }) =>
  signedBy(world, { vault: world.vault, signers, type: 'DkgFailure', value: { poolId: 1, round, absent } })

describe('Ceremonies: members left out', () => {
  after(() => prover.close())

  it('stores nothing when all have signed', async () => {
    const world = await networkHelpers.loadFixture(ofFour)
    const { ceremonies, poolRegistry } = world.pools
    const { result } = await dkgResult({ ...world, poolId: 1n })
    await poolRegistry.completeDkg(1n, result)
    assert.equal((await ceremonies.openOf(1n)).deadline, 0n)
    await expect(ceremonies.nameMissing(1n)).to.be.revertedWithCustomError(ceremonies, 'NobodyMissing').withArgs(1n)
    await expect(ceremonies.addParticipation(1n, 8n, NO_SIGNATURE)).to.be.revertedWithCustomError(ceremonies, 'NobodyMissing')
  })

  it('may add their signatures until the deadline, once', async () => {
    const world = await networkHelpers.loadFixture(without4)
    const { ceremonies, poolRegistry, toEpoch } = world.pools
    const { deadline } = await poolRegistry.pool(1n)
    await toEpoch(deadline)
    await expect(ceremonies.addParticipation(1n, bitsOf([3, 4]), lateSignature(world, [3, 4])))
      .to.be.revertedWithCustomError(ceremonies, 'AlreadyParticipating')
      .withArgs(4n)
    await expect(ceremonies.nameMissing(1n)).to.be.revertedWithCustomError(ceremonies, 'DeadlineNotPassed').withArgs(deadline, deadline)
    await expect(ceremonies.addParticipation(1n, 8n, lateSignature(world, [4])))
      .to.emit(ceremonies, 'ParticipationAdded')
      .withArgs(1n, 0n, 8n)
    await expect(ceremonies.addParticipation(1n, 8n, lateSignature(world, [4]))).to.be.revertedWithCustomError(ceremonies, 'NobodyMissing')
  })

  it('may come one after the other, as long as any is missing', async () => {
    const world = await drawn({ vaultSize: 7n })
    const { ceremonies, poolRegistry } = world.pools
    const { result } = await dkgResult({ ...world, poolId: 1n }, { signers: [1, 2, 3, 4, 5] })
    await poolRegistry.completeDkg(1n, result)
    const late = { ...world, result }
    await ceremonies.addParticipation(1n, 64n, lateSignature(late, [7]))
    assert.equal((await ceremonies.openOf(1n)).participation, 95n)
    await expect(ceremonies.addParticipation(1n, 64n, lateSignature(late, [7])))
      .to.be.revertedWithCustomError(ceremonies, 'AlreadyParticipating')
      .withArgs(64n)
    await ceremonies.addParticipation(1n, 32n, lateSignature(late, [6]))
    await expect(ceremonies.nameMissing(1n)).to.be.revertedWithCustomError(ceremonies, 'NobodyMissing')
  })

  it('A18 nobody is added by a signature on anything else, nor by another’s, nor by none', async () => {
    const world = await networkHelpers.loadFixture(without4)
    const { ceremonies } = world.pools
    const refused = (bits: bigint, signature: typeof NO_SIGNATURE, error = 'InvalidAggregateSignature') =>
      expect(ceremonies.addParticipation(1n, bits, signature)).to.be.revertedWithCustomError(ceremonies, error)
    await refused(8n, lateSignature(world, [4], 1))
    await refused(8n, lateSignature(world, [3]))
    await refused(8n, failure(world, { absent: 0n, signers: [4] }))
    await refused(16n, lateSignature(world, [4]), 'ParticipationOutOfRange')
    await refused(0n, lateSignature(world, [4]), 'TooFewParticipants')
    await expect(ceremonies.open(1n, 0n, 9n, keccak256('0x'), 1n)).to.be.revertedWithCustomError(ceremonies, 'NotAllowed')
  })

  it('A32 who is missing at the deadline is named, and its vault drawn anew once the pool is funded', async () => {
    const world = await networkHelpers.loadFixture(without4)
    const { ceremonies, poolRegistry, rotations, toEpoch } = world.pools
    const { deadline } = await poolRegistry.pool(1n)
    await toEpoch(deadline + 1n)
    await expect(ceremonies.addParticipation(1n, 8n, lateSignature(world, [4])))
      .to.be.revertedWithCustomError(ceremonies, 'DeadlinePassed')
      .withArgs(deadline, deadline + 1n)
    const call = await ceremonies.nameMissing(1n)
    await expect(call).to.emit(ceremonies, 'MembersMissing').withArgs(1n, 0n, 8n)
    await expect(ceremonies.nameMissing(1n)).to.be.revertedWithCustomError(ceremonies, 'NobodyMissing')
    await expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver').withArgs(1n)
    await fund({ ...world, prover }, 1n, world.publicKey)
    await expect(rotations.requestRotation(1n, 0)).to.emit(rotations, 'RotationRequested')
  })

  it('A32 of a funded pool the vault is drawn anew as its missing member is named', async () => {
    const world = await networkHelpers.loadFixture(without4)
    const { ceremonies, poolRegistry, rotations, toEpoch } = world.pools
    await fund({ ...world, prover }, 1n, world.publicKey)
    await toEpoch((await poolRegistry.pool(1n)).deadline + 1n)
    await expect(ceremonies.nameMissing(1n)).to.emit(rotations, 'RotationRequested')
  })

  it('A32 the same of a handover', async () => {
    const world = await networkHelpers.loadFixture(without4)
    const { pools, producers } = world
    const { ceremonies, rotations, toEpoch } = pools
    await pools.ceremonies.addParticipation(1n, 8n, lateSignature(world, [4]))
    await fund({ pools, prover }, 1n, world.publicKey)
    await toEpoch(45)
    await pools.periods.freeze(9n)
    await rotations.requestRotation(1n, 0)
    await draw({ pools, prover })
    const { members, deadline } = await rotations.rotation(1n)
    const result = await rotationResult({ pools, producers }, 1n, { signers: [1, 2, 4] })
    await rotations.completeRotation(1n, result)
    const { publicShares, transcriptRoot } = result
    const value = { poolId: 1, round: 1, publicSharesHash: keccak256(publicShares), transcriptRoot }
    const late = signedBy({ pools, producers }, { vault: members, signers: [3], type: 'RotationResult', value })
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(ceremonies.addParticipation(1n, 4n, late))
      .to.emit(ceremonies, 'ParticipationAdded')
      .withArgs(1n, 1n, 4n)
    await snapshot.restore()
    await toEpoch(deadline + 1n)
    const call = await ceremonies.nameMissing(1n)
    await expect(call).to.emit(ceremonies, 'MembersMissing').withArgs(1n, 1n, 4n)
    await expect(call).to.emit(rotations, 'RotationRequested')
  })

  it('A32 who is missing stays so when another vault takes over in time: none of its members is added, or named', async () => {
    const world = await drawn({ ceremonyDeadline: 60n, rotationPeriod: 100n })
    const { pools, producers, vault } = world
    const { ceremonies, poolRegistry, rotations, toEpoch } = pools
    const { result, publicKey } = await dkgResult({ ...world, poolId: 1n }, { signers: [1, 2, 3] })
    await poolRegistry.completeDkg(1n, result)
    await fund({ pools, prover }, 1n, publicKey)
    const { deadline } = await poolRegistry.pool(1n)
    const leaver = producers.find(({ id }) => id === vault[0])
    await pools.blockProducers.connect(await pools.as(leaver?.owner ?? '')).exit(leaver?.id ?? 0n)
    await pools.periods.freeze(9n)
    await rotations.requestRotation(1n, 0)
    await draw({ pools, prover })
    await rotations.completeRotation(1n, await rotationResult({ pools, producers }, 1n))
    assert.equal((await ceremonies.openOf(1n)).round, 0n, 'of the vault before')
    const { groupKey, transcriptRoot, publicShares } = result
    const value = { poolId: 1, round: 0, groupKey, publicSharesHash: keccak256(publicShares), transcriptRoot }
    const members = [...(await poolRegistry.vault(1n))]
    const digest = dkgDigest(pools.judgeOf('poolRegistry'), value)
    const late = aggregateG2([keyOf(producers, members[3] ?? 0n).sign(digest)])
    await expect(ceremonies.addParticipation(1n, 8n, late))
      .to.be.revertedWithCustomError(ceremonies, 'VaultChanged')
      .withArgs(0n, 1n)
    await toEpoch(deadline + 1n)
    const call = await ceremonies.nameMissing(1n)
    await expect(call).to.emit(ceremonies, 'MembersMissing').withArgs(1n, 0n, 8n)
    await expect(call).to.not.emit(rotations, 'RotationRequested')
  })

  it('A32 who is missing from a result is named when the next vault’s result has members missing too', async () => {
    const world = await drawn({ ceremonyDeadline: 60n, rotationPeriod: 100n })
    const { pools, producers, vault } = world
    const { ceremonies, poolRegistry, rotations } = pools
    const { result, publicKey } = await dkgResult({ ...world, poolId: 1n }, { signers: [1, 2, 3] })
    await poolRegistry.completeDkg(1n, result)
    await fund({ pools, prover }, 1n, publicKey)
    const leaver = producers.find(({ id }) => id === vault[0])
    await pools.blockProducers.connect(await pools.as(leaver?.owner ?? '')).exit(leaver?.id ?? 0n)
    await pools.periods.freeze(9n)
    await rotations.requestRotation(1n, 0)
    await draw({ pools, prover })
    const call = await rotations.completeRotation(1n, await rotationResult({ pools, producers }, 1n, { signers: [1, 2, 4] }))
    await expect(call).to.emit(ceremonies, 'MembersMissing').withArgs(1n, 0n, 8n)
    const { round, participation } = await ceremonies.openOf(1n)
    assert.deepEqual([round, participation], [1n, 11n])
    await expect(call).to.not.emit(rotations, 'RotationRequested')
  })
})

describe('Ceremonies: rounds that fail', () => {
  const again = new BeaconProver()
  after(() => again.close())

  it('A32 a threshold names who was absent, and nobody can be quicker without a name', async () => {
    const world = await networkHelpers.loadFixture(ofFour)
    const { poolRegistry, toEpoch } = world.pools
    const { deadline } = await poolRegistry.pool(1n)
    await toEpoch(deadline + 1n)
    // The silent one's own attempt to share its penalty among all.
    await expect(poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE)).to.be.revertedWithCustomError(poolRegistry, 'DeadlineNotPassed')
    const naming = failure(world, { absent: 8n, signers: [1, 2, 3] })
    await expect(poolRegistry.failDkg(1n, 8n, 7n, naming))
      .to.emit(poolRegistry, 'DkgFailed')
      .withArgs(1n, 0n, 8n)
  })

  it('A32 fewer than a threshold, the named, or other words name nobody', async () => {
    const world = await networkHelpers.loadFixture(ofFour)
    const { poolRegistry, toEpoch } = world.pools
    await toEpoch((await poolRegistry.pool(1n)).deadline + 1n)
    const refused = (absent: bigint, signers: readonly number[], error: string, said = absent, round = 0) =>
      expect(
        poolRegistry.failDkg(1n, absent, bitsOf(signers), failure(world, { absent: said, signers, round })),
      ).to.be.revertedWithCustomError(poolRegistry, error)
    await refused(8n, [1, 2], 'TooFewParticipants')
    await refused(8n, [1, 2, 4], 'MemberExcluded')
    await refused(16n, [1, 2, 3], 'ParticipationOutOfRange')
    await refused(8n, [1, 2, 3], 'InvalidAggregateSignature', 4n)
    await refused(8n, [1, 2, 3], 'InvalidAggregateSignature', 8n, 1)
  })
})
