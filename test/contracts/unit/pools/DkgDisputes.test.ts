import assert from 'node:assert/strict'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { expect } from 'chai'
import { hexlify, parseEther, randomBytes } from 'ethers'
import { network } from 'hardhat'
import type { Hex, ProducerId } from '../../../../operator/core/ids.ts'
import type { Complaint, Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { Call } from '../../../../operator/core/ports/chain.ts'
import type { DealingDispute } from '../../../../operator/core/ports/disputes.ts'
import { disputeCall } from '../../../../operator/keeper/disputes.ts'
import { G } from '../../../../operator/protocol/bls/generators.ts'
import { g1ToCompressed, g1ToEip2537, multiply } from '../../../../operator/protocol/bls/points.ts'
import { bigIntToBytes } from '../../../../operator/protocol/bls/scalars.ts'
import { type Judgement, judgeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { NO_SIGNATURE, rotationResult } from '../../../support/ceremonies.ts'
import { makeCeremony, randomScalar } from '../../../support/dealings.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, proveValidator } from '../../../support/pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const prover = new BeaconProver()
const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }
const FAULT = { shape: 1n, 'join-key': 2n, commitment: 3n, 'share-range': 4n, share: 5n, 'constant-term': 6n } as const
const DEALER = 2
const MEMBER = 3

/** Pool 1 in its ceremony, with nine producers. */
async function drawn(by = prover, { count = 9, ...choices } = {}) {
  const pools = await openPools(connection, { ...SMALL, ...choices })
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < count; i++) producers.push(await pools.register(eth('2.6')))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: eth('64') })
  await pools.poolRegistry.requestPool()
  await draw({ pools, prover: by })
  const members = [...(await pools.poolRegistry.vault(1n))]
  const world = { pools, producers }
  return { ...world, members, made: makeCeremony(world, { poolId: 1n, members }) }
}
const load = () => networkHelpers.loadFixture(small)
const small = () => drawn()
type World = Awaited<ReturnType<typeof drawn>>
type Made = World['made']

const dispute = ({ pools }: World, made: Made, dealing: Dealing, complaint: Complaint) =>
  pools.dkgDisputes.disputeDealing(made.ceremony, made.signed(dealing), made.signedComplaint(dealing, complaint))

/** Bonds of a ceremony's dealer and complainer, in wei. */
const bonds = async ({ pools }: World, ids: readonly (bigint | undefined)[]) =>
  Promise.all(ids.map((id) => pools.blockProducers.bondValue(id ?? 0n)))

/** A point on the curve that is not in the subgroup. */
function outsideSubgroup(): Hex {
  const { Fp } = bls12_381.fields
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n)
    if (Fp.pow(square, (Fp.ORDER - 1n) / 2n) !== 1n) continue
    const y = Fp.sqrt(square)
    if (bls12_381.G1.Point.fromAffine({ x, y }).isTorsionFree()) continue
    return `0x${[x, y].map((value) => value.toString(16).padStart(128, '0')).join('')}`
  }
}
const INFINITY: Hex = `0x${'00'.repeat(128)}`
const OFF_CURVE: Hex = `0x${'00'.repeat(63)}05${'00'.repeat(63)}05`

/** The dealing with another share for the member, or other bytes in its place. */
const withShare = (made: Made, dealing: Dealing, share = scalarBytes(77n)): Dealing => ({
  ...dealing,
  ciphertexts: dealing.ciphertexts.with(MEMBER - 1, made.encrypt(dealing.dealer, MEMBER, share)),
})
const scalarBytes = (value: bigint) => bigIntToBytes(value)

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
  after(() => prover.close())

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
      await expect(judged(bad, 1))
        .to.emit(dkgDisputes, 'DealerConvicted')
        .withArgs(1n, 0n, 0n, members[DEALER - 1], FAULT.commitment)
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
    await expect(dispute(world, made, dealing, complaint))
      .to.emit(world.pools.dkgDisputes, 'DealerConvicted')
      .withArgs(1n, 0n, 0n, world.members[DEALER - 1], FAULT['join-key'])
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

  it('A28 one fault is judged once, and pays the reporter its share', async () => {
    const world = await load()
    const { made, pools } = world
    const dealing = withShare(made, made.deal(DEALER))
    const complaint = made.complain(dealing, MEMBER)
    const [reporter] = pools.people
    assert.ok(reporter)
    const before = await pools.bondEther.balanceOf(reporter.address)
    await pools.dkgDisputes.connect(reporter).disputeDealing(made.ceremony, made.signed(dealing), made.signedComplaint(dealing, complaint))
    const gained = (await pools.bondEther.balanceOf(reporter.address)) - before
    assert.ok(gained > eth('0.05') && gained < eth('0.061'), `${gained}`)
    await expect(dispute(world, made, dealing, complaint)).to.be.revertedWithCustomError(pools.dkgDisputes, 'AlreadyJudged')
    const second = made.deal(DEALER)
    const again = withShare(made, second)
    await expect(dispute(world, made, again, made.complain(again, MEMBER))).to.be.revertedWithCustomError(
      pools.dkgDisputes,
      'AlreadyJudged',
    )
  })

  it('A28 a false complaint is charged once', async () => {
    const world = await load()
    const { made, pools } = world
    const dealing = made.deal(DEALER)
    const complaint = made.complain(dealing, MEMBER)
    await expect(dispute(world, made, dealing, complaint)).to.emit(pools.dkgDisputes, 'ComplainerCharged')
    await expect(dispute(world, made, dealing, complaint)).to.be.revertedWithCustomError(pools.dkgDisputes, 'AlreadyJudged')
  })

  it('A18 a dealing that the dealer did not sign convicts it of no commitment', async () => {
    const { made, pools } = await load()
    const dealing = made.deal(DEALER)
    const bad = { ...dealing, commitments: dealing.commitments.with(1, OFF_CURVE) }
    await expect(pools.dkgDisputes.disputeCommitment(made.ceremony, made.signed(bad, 4), 1)).to.be.revertedWithCustomError(
      pools.dkgDisputes,
      'WrongSigner',
    )
    await expect(pools.dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(bad), '0x')).to.be.revertedWithCustomError(
      pools.dkgDisputes,
      'UnknownCeremony',
    )
  })

  it('A18 what was signed for another pool, round, dealing or by another member convicts and charges nobody', async () => {
    const world = await load()
    const { made, pools, members } = world
    const { dkgDisputes } = pools
    const dealing = withShare(made, made.deal(DEALER))
    const complaint = made.complain(dealing, MEMBER)
    const wrongSigner = (call: Promise<unknown>) => expect(call).to.be.revertedWithCustomError(dkgDisputes, 'WrongSigner')
    const other = makeCeremony(world, { poolId: 1n, round: 1, members })
    const judged = (theDealing: object, theComplaint: object) =>
      dkgDisputes.disputeDealing(made.ceremony, theDealing as never, theComplaint as never)
    await wrongSigner(judged(other.signed(dealing), made.signedComplaint(dealing, complaint)))
    await wrongSigner(judged(made.signed(dealing), other.signedComplaint(dealing, complaint)))
    await wrongSigner(judged(made.signed(dealing, 4), made.signedComplaint(dealing, complaint)))
    await wrongSigner(judged(made.signed(dealing), made.signedComplaint(dealing, complaint, 4)))
    // A true complaint about one dealing, held against another that the dealer signs afterwards.
    const good = made.deal(DEALER)
    await wrongSigner(judged(made.signed(good), made.signedComplaint(dealing, complaint)))
    // A join key that its member did not sign, for the complainer and for the dealer.
    const foreign = { ...dealing, joinKeys: dealing.joinKeys.with(MEMBER - 1, made.joinKeys[0] ?? null) }
    const forged = { ...made.signedComplaint(foreign, complaint), joinSignature: made.signedComplaint(dealing, complaint).joinSignature }
    await wrongSigner(judged(made.signed(foreign), forged))
    await wrongSigner(
      judged({ ...made.signed(dealing), joinSignature: made.signed(made.deal(1)).joinSignature }, made.signedComplaint(dealing, complaint)),
    )
    const stranger = { ...made.ceremony, members: [...members.slice(0, 3), 99n] }
    await expect(
      dkgDisputes.disputeDealing(stranger, made.signed(dealing), made.signedComplaint(dealing, complaint)),
    ).to.be.revertedWithCustomError(dkgDisputes, 'UnknownCeremony')
    await expect(
      dkgDisputes.disputeDealing({ ...made.ceremony, kind: 2 }, made.signed(dealing), made.signedComplaint(dealing, complaint)),
    ).to.be.revertedWithCustomError(dkgDisputes, 'UnknownCeremony')
    await expect(judged({ ...made.signed(dealing), dealer: 0 }, made.signedComplaint(dealing, complaint))).to.be.revertedWithCustomError(
      dkgDisputes,
      'NoSuchMember',
    )
    for (const member of [0, 5]) {
      await expect(judged(made.signed(dealing), { ...made.signedComplaint(dealing, complaint), member })).to.be.revertedWithCustomError(
        dkgDisputes,
        'NoSuchMember',
      )
    }
  })

  it('A52 with too little gas, or a precompile repriced beyond what was given, nobody is convicted or charged', async () => {
    const world = await load()
    const { made, pools } = world
    const dealing = made.deal(DEALER)
    const bad = { ...dealing, commitments: dealing.commitments.with(1, outsideSubgroup()) }
    const wanted = ['ComplainerCharged', 'DealerConvicted']
    const snapshot = await networkHelpers.takeSnapshot()
    for (const [i, each] of [dealing, bad].entries()) {
      const args = [made.ceremony, made.signed(each), made.signedComplaint(each, made.complain(each, MEMBER))] as const
      const enough = await pools.dkgDisputes.disputeDealing.estimateGas(...args)
      let refused = 0
      for (let gasLimit = enough; gasLimit > 150_000n; gasLimit -= 25_000n) {
        const sent = await pools.dkgDisputes.disputeDealing(...args, { gasLimit }).catch(() => undefined)
        const receipt = await sent?.wait()
        if (receipt === undefined || receipt === null) refused++
        else {
          const names = receipt.logs.map((log) => pools.dkgDisputes.interface.parseLog(log)?.name).filter((name) => name !== undefined)
          assert.deepEqual(names, [wanted[i]], `with ${gasLimit} gas`)
        }
        await snapshot.restore()
      }
      assert.ok(refused > 5, `${refused} refused`)
    }
  })

  it('a convicted dealer counts no more in the round: the others make the key, and the vault is drawn anew at once', async () => {
    const world = await load()
    const { made, pools, producers } = world
    const { poolRegistry, rotations } = pools
    const dealing = withShare(made, made.deal(DEALER))
    const call = await dispute(world, made, dealing, made.complain(dealing, MEMBER))
    await expect(call).to.emit(poolRegistry, 'MembersBarred').withArgs(1n, 0n, 2n)
    const { result: withIt } = await dkgResult({ pools, producers, poolId: 1n })
    await expect(poolRegistry.completeDkg(1n, withIt)).to.be.revertedWithCustomError(poolRegistry, 'MemberExcluded').withArgs(2n)
    const { result } = await dkgResult({ pools, producers, poolId: 1n }, { signers: [1, 3, 4] })
    const completed = await poolRegistry.completeDkg(1n, result)
    await expect(completed).to.emit(poolRegistry, 'DkgCompleted')
    await expect(completed).to.emit(rotations, 'RotationRequested')
  })

  it('A32 a round that fails names who was proven bad, and a dealing of it is judged still', async () => {
    const world = await load()
    const { made, pools } = world
    const { poolRegistry } = pools
    const first = withShare(made, made.deal(DEALER))
    await dispute(world, made, first, made.complain(first, MEMBER))
    await pools.toEpoch((await poolRegistry.pool(1n)).deadline + 2n)
    await expect(poolRegistry.failDkg(1n, 0n, 0n, NO_SIGNATURE))
      .to.emit(poolRegistry, 'DkgFailed')
      .withArgs(1n, 0n, 2n)
    const other = made.deal(4)
    const late = withShare(made, other)
    await expect(dispute(world, made, late, made.complain(late, MEMBER))).to.emit(pools.dkgDisputes, 'DealerConvicted')
    assert.equal((await poolRegistry.pool(1n)).state, 1n)
  })

  it('after the pre-deposit the vault is drawn anew at once, after the funding the result stands', async () => {
    const world = await load()
    const { made, pools, producers } = world
    const { result, publicKey } = await dkgResult({ pools, producers, poolId: 1n })
    await pools.poolRegistry.completeDkg(1n, result)
    const dealing = withShare(made, made.deal(DEALER))
    const complaint = made.complain(dealing, MEMBER)
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(dispute(world, made, dealing, complaint)).to.emit(pools.rotations, 'RotationRequested')
    await snapshot.restore()
    const withdrawalCredentials = await pools.stakingPool.withdrawalCredentials(0)
    const { timestamp, state, proof } = await proveValidator({ pools, prover }, { publicKey, withdrawalCredentials })
    await pools.poolRegistry.fundPool(1n, timestamp, state, proof)
    await expect(dispute(world, made, dealing, complaint))
      .to.be.revertedWithCustomError(pools.dkgDisputes, 'TooLate')
      .withArgs(1n)
  })
})

describe('DkgDisputes: handovers', () => {
  const again = new BeaconProver()
  after(() => again.close())

  /** Pool 1 registered, its handover drawn. */
  async function handover(choices = {}) {
    const world = await drawn(again, choices)
    const { pools, producers, members } = world
    const shares = members.map(randomScalar)
    const { result } = await dkgResult(
      { pools, producers, poolId: 1n },
      { publicShares: shares.map((share) => g1ToCompressed(multiply(G, share))) },
    )
    await pools.poolRegistry.completeDkg(1n, result)
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
    const { made, pools, members, shares, dealer, place } = world
    const dealing = made.deal(dealer, shares[place])
    const bad = withShare(made, dealing)
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(dispute(world, made, bad, made.complain(bad, MEMBER)))
      .to.emit(pools.dkgDisputes, 'DealerConvicted')
      .withArgs(1n, 1n, 1n, members[place], FAULT.share)
    assert.deepEqual(judgeComplaint(made.context, bad, made.complain(bad, MEMBER)), { guilty: 'dealer', fault: 'share' })
    await snapshot.restore()
    await expect(dispute(world, made, dealing, made.complain(dealing, MEMBER))).to.emit(pools.dkgDisputes, 'ComplainerCharged')
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
      await expect(dkgDisputes.disputeConstantTerm(made.ceremony, made.signed(dealing), publicShares))
        .to.emit(dkgDisputes, 'DealerConvicted')
        .withArgs(1n, 1n, 1n, members[place], fault)
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
