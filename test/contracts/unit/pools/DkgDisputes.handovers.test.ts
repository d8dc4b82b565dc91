import assert from 'node:assert/strict'
import { expect } from 'chai'
import { hexlify, randomBytes } from 'ethers'
import { G } from '../../../../operator/protocol/bls/generators.ts'
import { g1ToCompressed, multiply } from '../../../../operator/protocol/bls/points.ts'
import { judgeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { rotationResult } from '../../../support/ceremonies.ts'
import { makeCeremony, randomScalar } from '../../../support/dealings.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, fund } from '../../../support/pools.ts'
import {
  connection,
  DEALER,
  dispute,
  drawn,
  eth,
  FAULT,
  lossesBy,
  MEMBER,
  networkHelpers,
  OF_A_PENALTY,
  OF_A_SEAT,
  outsideSubgroup,
  withShare,
} from './DkgDisputes.support.ts'

describe('DkgDisputes: handovers', () => {
  const again = new BeaconProver()
  after(() => again.close())

  /** Pool 1 funded, its handover drawn. */
  async function handover(choices = {}) {
    const world = await drawn(again, choices)
    const { pools, producers, members } = world
    const shares = members.map(randomScalar)
    const { result, publicKey } = await dkgResult(
      { pools, producers, poolId: 1n },
      { publicShares: shares.map((share) => g1ToCompressed(multiply(G, share))) },
    )
    await pools.poolRegistry.completeDkg(1n, result)
    await fund({ pools, prover: again }, 1n, publicKey)
    await pools.toEpoch(40)
    await pools.periods.freeze(9n)
    await pools.rotations.requestRotation(1n, 0)
    await draw({ pools, prover: again })
    const { members: fresh } = await pools.rotations.rotation(1n)
    const made = makeCeremony(world, { poolId: 1n, kind: 'rotation', round: 1, members: [...fresh], oldMembers: members })
    // Member of the old vault that deals: not the producer that complains.
    const place = members.findIndex((id) => id !== fresh[MEMBER - 1])
    return { ...world, made, shares, publicShares: result.publicShares, fresh: [...fresh], place, dealer: 5 + place }
  }
  const ofNine = () => handover()

  it('A33 a share that does not fit, a false complaint, and both off chain', async () => {
    const world = await networkHelpers.loadFixture(ofNine)
    const { made, pools, members, fresh, shares, dealer, place } = world
    const dealing = made.deal(dealer, shares[place])
    const bad = withShare(made, dealing)
    const snapshot = await networkHelpers.takeSnapshot()
    const convicted = await lossesBy(world, () =>
      expect(dispute(world, made, bad, made.complain(bad, MEMBER)))
        .to.emit(pools.dkgDisputes, 'DealerConvicted')
        .withArgs(1n, 1n, 1n, members[place], FAULT.share),
    )
    assert.deepEqual(convicted, { [`${members[place]}`]: OF_A_SEAT })
    assert.deepEqual(judgeComplaint(made.context, bad, made.complain(bad, MEMBER)), { guilty: 'dealer', fault: 'share' })
    await snapshot.restore()
    const charged = await lossesBy(world, () =>
      expect(dispute(world, made, dealing, made.complain(dealing, MEMBER))).to.emit(pools.dkgDisputes, 'ComplainerCharged'),
    )
    assert.deepEqual(charged, { [`${fresh[MEMBER - 1]}`]: OF_A_PENALTY })
    assert.deepEqual(judgeComplaint(made.context, dealing, made.complain(dealing, MEMBER)), { guilty: 'complainer', fault: 'none' })
    // Members of the new vault do not deal.
    await expect(dispute(world, made, made.deal(1), made.complain(dealing, MEMBER))).to.be.revertedWithCustomError(
      pools.dkgDisputes,
      'NoSuchMember',
    )
  })

  it('A34 who is in both vaults does not complain about itself', async () => {
    // Two vaults of four have somebody in common.
    const world = await handover({ count: 7, minProducers: 4n })
    const { made, pools, members, shares, fresh } = world
    const shared = members.findIndex((id) => fresh.includes(id))
    const own = made.deal(5 + shared, shares[shared])
    await expect(dispute(world, made, own, made.complain(own, 1 + fresh.indexOf(members[shared] ?? 0n))))
      .to.be.revertedWithCustomError(pools.dkgDisputes, 'OwnDealing')
      .withArgs(members[shared])
  })

  it('A33 a dealing of something else than the dealer’s share', async () => {
    const world = await networkHelpers.loadFixture(ofNine)
    const { made, pools, members, shares, publicShares, dealer, place } = world
    const { dkgDisputes } = pools
    const honest = made.deal(dealer, shares[place])
    await expect(dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(honest), publicShares)).to.be.revertedWithCustomError(
      dkgDisputes,
      'ConstantTermFits',
    )
    await expect(
      dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(honest), hexlify(randomBytes(48 * 4))),
    ).to.be.revertedWithCustomError(dkgDisputes, 'WrongPublicShares')
    const forged = made.signed(made.deal(dealer), dealer + 1)
    await expect(dkgDisputes.disputeConstantTerm(made.ceremony, forged, publicShares)).to.be.revertedWithCustomError(
      dkgDisputes,
      'WrongSigner',
    )
    const snapshot = await networkHelpers.takeSnapshot()
    for (const [dealing, fault] of [
      [made.deal(dealer), FAULT['constant-term']],
      [{ ...honest, commitments: honest.commitments.with(0, outsideSubgroup()) }, FAULT.commitment],
      [{ ...honest, commitments: honest.commitments.slice(1) }, FAULT.shape],
    ] as const) {
      const lost = await lossesBy(world, () =>
        expect(dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(dealing), publicShares))
          .to.emit(dkgDisputes, 'DealerConvicted')
          .withArgs(1n, 1n, 1n, members[place], fault),
      )
      assert.deepEqual(lost, { [`${members[place]}`]: OF_A_SEAT })
      await snapshot.restore()
    }
  })

  it('is open until the cutover, and not after', async () => {
    const world = await networkHelpers.loadFixture(ofNine)
    const { made, pools, shares, dealer, place } = world
    await pools.rotations.completeRotation(1n, await rotationResult(world, 1n))
    const bad = withShare(made, made.deal(dealer, shares[place]))
    const complaint = made.complain(bad, MEMBER)
    const cutover = await pools.rotations.cutoverOf(1n, 1n)
    await pools.toEpoch(cutover - 1n)
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(dispute(world, made, bad, complaint)).to.emit(pools.dkgDisputes, 'DealerConvicted')
    await snapshot.restore()
    // The public shares that the constant term is held against are the new vault's by then.
    await expect(pools.dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(bad), world.publicShares))
      .to.be.revertedWithCustomError(pools.dkgDisputes, 'VaultChanged')
      .withArgs(0n, 1n)
    await pools.toEpoch(cutover)
    await expect(dispute(world, made, bad, complaint)).to.be.revertedWithCustomError(pools.dkgDisputes, 'TooLate')
    await expect(pools.dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(bad), world.publicShares)).to.be.revertedWithCustomError(
      pools.dkgDisputes,
      'TooLate',
    )
  })
})

describe('DkgDisputes: a vault of 24', () => {
  it('A36 judges a dealing of degree 15 for at most 700,000 gas', async function () {
    this.timeout(600_000)
    const tiny = { seatAllocation: eth('0.08'), effectiveStake: eth('0.16'), stallPenalty: eth('0.01'), reporterFee: eth('0.01') }
    const late = new BeaconProver()
    const pools = await openPools(connection, { ...tiny, vaultSize: 24n, minProducers: 48n, maxChurn: 64n, firstPeriod: 12n })
    const producers: RegisteredProducer[] = []
    for (let i = 0; i < 48; i++) producers.push(await pools.register(eth('0.17')))
    await pools.toEpoch(12)
    await pools.stakingPool.deposit({ value: eth('64') })
    await pools.periods.freeze(9n)
    await pools.poolRegistry.requestPool()
    await draw({ pools, prover: late })
    await late.close()
    const members = [...(await pools.poolRegistry.vault(1n))]
    const made = makeCeremony({ pools, producers }, { poolId: 1n, members })
    const honest = made.deal(DEALER)
    const gas: Record<string, bigint> = {}
    const snapshot = await networkHelpers.takeSnapshot()
    for (const [name, dealing] of Object.entries({
      'a bad share': withShare(made, honest),
      'a good one': honest,
    })) {
      const args = [made.ceremony, made.signed(dealing), made.signedComplaint(dealing, made.complain(dealing, MEMBER))] as const
      const gasLimit = await pools.dkgDisputes.disputeDealing.estimateGas(...args)
      const sent = await pools.dkgDisputes.disputeDealing(...args, { gasLimit })
      gas[name] = (await sent.wait())?.gasUsed ?? 0n
      await snapshot.restore()
    }
    const none = { ...honest, commitments: honest.commitments.with(15, outsideSubgroup()) }
    const sent = await pools.dkgDisputes.disputeCommitment(made.ceremony, made.signed(none), 15)
    gas['a bad commitment'] = (await sent.wait())?.gasUsed ?? 0n
    for (const [name, used] of Object.entries(gas)) withinGas(used, 700_001n, name)
  })
})
