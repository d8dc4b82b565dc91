import assert from 'node:assert/strict'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { expect } from 'chai'
import type { Hex, ProducerId } from '../../../../operator/core/ids.ts'
import type { Complaint, Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { Call } from '../../../../operator/core/ports/chain.ts'
import type { DealingDispute } from '../../../../operator/core/ports/disputes.ts'
import { disputeCall } from '../../../../operator/keeper/disputes.ts'
import { G } from '../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../../../operator/protocol/bls/points.ts'
import { type Judgement, judgeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { randomScalar } from '../../../support/dealings.ts'
import {
  DEALER,
  dispute,
  eth,
  FAULT,
  load,
  lossesBy,
  type Made,
  MEMBER,
  networkHelpers,
  OF_A_SEAT,
  OFF_CURVE,
  outsideSubgroup,
  scalarBytes,
  type World,
  withShare,
} from './DkgDisputes.support.ts'

/** Bonds of a ceremony's dealer and complainer, in wei. */
const bonds = async ({ pools }: World, ids: readonly (bigint | undefined)[]) =>
  Promise.all(ids.map((id) => pools.blockProducers.bondValue(id ?? 0n)))
const INFINITY: Hex = `0x${'00'.repeat(128)}`

async function assertConvicted(world: World, made: Made, dealing: Dealing, fault: keyof typeof FAULT) {
  const { pools, members } = world
  const complaint = made.complain(dealing, MEMBER)
  const [dealer, member] = [members[DEALER - 1], members[MEMBER - 1]]
  const before = await bonds(world, [dealer, member])
  const call = dispute(world, made, dealing, complaint)
  await expect(call).to.emit(pools.dkgDisputes, 'DealerConvicted').withArgs(1n, 0n, 0n, dealer, FAULT[fault])
  const after = await bonds(world, [dealer, member])
  assert.ok((before[0] ?? 0n) - (after[0] ?? 0n) >= eth('1.2'), 'the dealer lost its seat')
  assert.ok((before[0] ?? 0n) - (after[0] ?? 0n) < eth('1.2') + 10n ** 9n, 'and no more')
  assert.ok((after[1] ?? 0n) >= (before[1] ?? 0n), 'the complainer lost nothing')
  // Off chain everybody comes to the same judgement.
  assert.deepEqual(judgeComplaint(made.context, dealing, complaint), { guilty: 'dealer', fault } as Judgement)
}

async function assertCharged(world: World, made: Made, dealing: Dealing, complaint: Complaint, fault: 'none' | 'proof') {
  const { pools, members } = world
  const [dealer, member] = [members[DEALER - 1], members[MEMBER - 1]]
  const before = await bonds(world, [dealer, member])
  await expect(dispute(world, made, dealing, complaint))
    .to.emit(pools.dkgDisputes, 'ComplainerCharged')
    .withArgs(1n, 0n, 0n, member, dealer)
  const after = await bonds(world, [dealer, member])
  assert.ok((after[0] ?? 0n) >= (before[0] ?? 0n), 'the dealer lost nothing')
  const lost = (before[1] ?? 0n) - (after[1] ?? 0n)
  assert.ok(lost >= pools.parameters.stallPenalty && lost < pools.parameters.stallPenalty + 10n ** 9n, `the complainer lost ${lost}`)
  assert.deepEqual(judgeComplaint(made.context, dealing, complaint), { guilty: 'complainer', fault })
}

describe('DkgDisputes: key generation', () => {
  it('A33 a true complaint takes the dealer’s seat: a share that does not fit', async () => {
    const world = await load()
    await assertConvicted(world, world.made, withShare(world.made, world.made.deal(DEALER)), 'share')
  })

  it('A33 a share at or above the group’s order', async () => {
    const world = await load()
    const { made } = world
    await assertConvicted(world, made, withShare(made, made.deal(DEALER), scalarBytes(bls12_381.fields.Fr.ORDER)), 'share-range')
  })

  it('A33 commitments that are infinity, off the curve or outside the subgroup', async () => {
    for (const point of [INFINITY, OFF_CURVE, outsideSubgroup()]) {
      const world = await load()
      const dealing = world.made.deal(DEALER)
      await assertConvicted(world, world.made, { ...dealing, commitments: dealing.commitments.with(1, point) }, 'commitment')
    }
  })

  it('A33 a commitment that everybody can see is none convicts without a complaint', async () => {
    const world = await load()
    const { made, pools, members } = world
    const { dkgDisputes } = pools
    const dealing = made.deal(DEALER)
    const judged = (each: Dealing, place: number) => dkgDisputes.disputeCommitment(made.ceremony, made.signed(each), place)
    await expect(judged(dealing, 1)).to.be.revertedWithCustomError(dkgDisputes, 'CommitmentIsValid').withArgs(1n)
    await expect(judged(dealing, 3)).to.be.revertedWithCustomError(dkgDisputes, 'NoSuchCommitment').withArgs(3n)
    const snapshot = await networkHelpers.takeSnapshot()
    for (const point of [INFINITY, OFF_CURVE, outsideSubgroup()]) {
      const bad = { ...dealing, commitments: dealing.commitments.with(1, point) }
      await expect(judged(bad, 0)).to.be.revertedWithCustomError(dkgDisputes, 'CommitmentIsValid')
      const lost = await lossesBy(world, () =>
        expect(judged(bad, 1))
          .to.emit(dkgDisputes, 'DealerConvicted')
          .withArgs(1n, 0n, 0n, members[DEALER - 1], FAULT.commitment),
      )
      assert.deepEqual(lost, { [`${members[DEALER - 1]}`]: OF_A_SEAT })
      await snapshot.restore()
    }
  })

  it('A33 lists of other lengths than the vault’s', async () => {
    const world = await load()
    const dealing = world.made.deal(DEALER)
    const snapshot = await networkHelpers.takeSnapshot()
    for (const bent of [
      { ...dealing, commitments: dealing.commitments.slice(1) },
      { ...dealing, commitments: [...dealing.commitments, dealing.commitments[0] ?? INFINITY] },
      { ...dealing, ciphertexts: dealing.ciphertexts.slice(1) },
      { ...dealing, joinKeys: dealing.joinKeys.slice(0, 3) },
    ]) {
      await assertConvicted(world, world.made, bent, 'shape')
      await snapshot.restore()
    }
  })

  it('A33 lists of other lengths convict without a complaint too', async () => {
    const { made, pools, members } = await load()
    const bent = made.deal(DEALER)
    await expect(pools.dkgDisputes.disputeCommitment(made.ceremony, made.signed({ ...bent, commitments: bent.commitments.slice(1) }), 0))
      .to.emit(pools.dkgDisputes, 'DealerConvicted')
      .withArgs(1n, 0n, 0n, members[DEALER - 1], FAULT.shape)
  })

  it('A33 a complainer whose own join key is no point is charged, not the dealer', async () => {
    const world = await load()
    const { made } = world
    const complaint = made.complain(made.deal(DEALER), MEMBER)
    const dealing = { ...made.deal(DEALER), joinKeys: made.joinKeys.with(MEMBER - 1, outsideSubgroup()) }
    await assertCharged(world, made, dealing, complaint, 'proof')
  })

  it('A33 a dealer whose own join key is no point', async () => {
    const world = await load()
    const { made } = world
    const complaint = made.complain(made.deal(DEALER), MEMBER)
    const dealing = { ...made.deal(DEALER), joinKeys: made.joinKeys.with(DEALER - 1, outsideSubgroup()) }
    const lost = await lossesBy(world, () =>
      expect(dispute(world, made, dealing, complaint))
        .to.emit(world.pools.dkgDisputes, 'DealerConvicted')
        .withArgs(1n, 0n, 0n, world.members[DEALER - 1], FAULT['join-key']),
    )
    assert.deepEqual(lost, { [`${world.members[DEALER - 1]}`]: OF_A_SEAT })
    assert.deepEqual(judgeComplaint(made.context, dealing, complaint), { guilty: 'dealer', fault: 'join-key' })
  })

  it('A33 a false complaint costs the complainer, not the dealer', async () => {
    const world = await load()
    const dealing = world.made.deal(DEALER)
    await assertCharged(world, world.made, dealing, world.made.complain(dealing, MEMBER), 'none')
  })

  it('A34 nobody complains about its own dealing: a charge is not to be had for the asking', async () => {
    const world = await load()
    const { made, pools, members } = world
    const dealing = made.deal(DEALER)
    for (const own of [dealing, { ...dealing, ciphertexts: dealing.ciphertexts.with(DEALER - 1, dealing.ciphertexts[0] ?? '0x') }]) {
      await expect(dispute(world, made, own, made.complain(own, DEALER)))
        .to.be.revertedWithCustomError(pools.dkgDisputes, 'OwnDealing')
        .withArgs(members[DEALER - 1])
    }
  })

  it('A33 a complaint with another point, a malformed one or a bent proof costs the complainer, however bad the dealing', async () => {
    const world = await load()
    const { made } = world
    const dealing = withShare(made, made.deal(DEALER))
    const complaint = made.complain(dealing, MEMBER)
    const { proof } = complaint
    const order = bls12_381.fields.Fr.ORDER
    const bent: Complaint[] = [
      { ...complaint, sharedPoint: g1ToEip2537(multiply(G, randomScalar())) },
      { ...complaint, sharedPoint: outsideSubgroup() },
      { ...complaint, sharedPoint: OFF_CURVE },
      { ...complaint, sharedPoint: INFINITY },
      { ...complaint, proof: { ...proof, response: proof.challenge } },
      { ...complaint, proof: { ...proof, response: `0x${(BigInt(proof.response) + order).toString(16).padStart(64, '0')}` } },
    ]
    const snapshot = await networkHelpers.takeSnapshot()
    for (const each of bent) {
      await assertCharged(world, made, dealing, each, 'proof')
      await snapshot.restore()
    }
  })

  it('A33 takes what operators send: a complaint, or a commitment that is none', async () => {
    const world = await load()
    const { made, pools, members } = world
    const { dkgDisputes } = pools
    const ids = members.map((id) => Number(id) as ProducerId)
    const ceremony = { poolId: made.context.poolId, kind: 'dkg', round: 0, members: ids, oldMembers: [] } as const
    const raised = (dealing: Dealing, against?: Complaint): DealingDispute => {
      const { signature: dealingSignature, joinSignature: dealerJoin } = made.signed(dealing)
      const signed = against && made.signedComplaint(dealing, against)
      return {
        ...ceremony,
        ...{ dealing, dealingSignature, dealerJoin },
        against: against && signed ? { complaint: against, signature: signed.signature, memberJoin: signed.joinSignature } : { place: 1 },
      }
    }
    const judged = ({ method, args }: Call) =>
      dkgDisputes.getFunction(method as 'disputeDealing')(...(args as never as [never, never, never]))
    const bad = withShare(made, made.deal(DEALER))
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(judged(disputeCall(raised(bad, made.complain(bad, MEMBER)))))
      .to.emit(dkgDisputes, 'DealerConvicted')
      .withArgs(1n, 0n, 0n, members[DEALER - 1], FAULT.share)
    await snapshot.restore()
    const honest = made.deal(DEALER)
    await expect(judged(disputeCall(raised(honest, made.complain(honest, MEMBER)))))
      .to.emit(dkgDisputes, 'ComplainerCharged')
      .withArgs(1n, 0n, 0n, members[MEMBER - 1], members[DEALER - 1])
    const broken = { ...honest, commitments: honest.commitments.with(1, INFINITY) }
    await expect(judged(disputeCall(raised(broken))))
      .to.emit(dkgDisputes, 'DealerConvicted')
      .withArgs(1n, 0n, 0n, members[DEALER - 1], FAULT.commitment)
  })
})
