import assert from 'node:assert/strict'
import { expect } from 'chai'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { makeCeremony } from '../../../support/dealings.ts'
import { dkgResult, fund } from '../../../support/pools.ts'
import {
  DEALER,
  dispute,
  eth,
  load,
  lossesBy,
  MEMBER,
  networkHelpers,
  OF_A_PENALTY,
  OFF_CURVE,
  outsideSubgroup,
  prover,
  withShare,
} from './DkgDisputes.support.ts'

describe('DkgDisputes: key generation', () => {
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
    const { made, pools, members } = world
    const dealing = made.deal(DEALER)
    const complaint = made.complain(dealing, MEMBER)
    const index = await pools.bondEther.rewardsIndex()
    const lost = await lossesBy(world, async () => {
      await expect(dispute(world, made, dealing, complaint)).to.emit(pools.dkgDisputes, 'ComplainerCharged')
      await expect(dispute(world, made, dealing, complaint)).to.be.revertedWithCustomError(pools.dkgDisputes, 'AlreadyJudged')
      const another = made.deal(DEALER)
      await expect(dispute(world, made, another, made.complain(another, MEMBER))).to.be.revertedWithCustomError(
        pools.dkgDisputes,
        'AlreadyJudged',
      )
    })
    assert.deepEqual(lost, { [`${members[MEMBER - 1]}`]: OF_A_PENALTY })
    assert.equal(await pools.bondEther.rewardsIndex(), index)
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

  it('a convicted dealer counts no more in the round: the others make the key, and the vault is drawn anew once it is funded', async () => {
    const world = await load()
    const { made, pools, producers } = world
    const { poolRegistry, rotations } = pools
    const dealing = withShare(made, made.deal(DEALER))
    const call = await dispute(world, made, dealing, made.complain(dealing, MEMBER))
    await expect(call).to.emit(poolRegistry, 'MembersBarred').withArgs(1n, 0n, 2n)
    const { result: withIt } = await dkgResult({ pools, producers, poolId: 1n })
    await expect(poolRegistry.completeDkg(1n, withIt)).to.be.revertedWithCustomError(poolRegistry, 'MemberExcluded').withArgs(2n)
    const { result, publicKey } = await dkgResult({ pools, producers, poolId: 1n }, { signers: [1, 3, 4] })
    await expect(poolRegistry.completeDkg(1n, result)).to.emit(poolRegistry, 'DkgCompleted')
    await expect(rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(rotations, 'NothingToHandOver').withArgs(1n)
    await fund({ pools, prover }, 1n, publicKey)
    await expect(rotations.requestRotation(1n, 0)).to.emit(rotations, 'RotationRequested')
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

  it('after the pre-deposit the vault is drawn anew once the pool is funded, after the funding the result stands', async () => {
    const world = await load()
    const { made, pools, producers } = world
    const { result, publicKey } = await dkgResult({ pools, producers, poolId: 1n })
    await pools.poolRegistry.completeDkg(1n, result)
    const dealing = withShare(made, made.deal(DEALER))
    const complaint = made.complain(dealing, MEMBER)
    const snapshot = await networkHelpers.takeSnapshot()
    await dispute(world, made, dealing, complaint)
    await fund({ pools, prover }, 1n, publicKey)
    await expect(pools.rotations.requestRotation(1n, 0)).to.emit(pools.rotations, 'RotationRequested')
    await snapshot.restore()
    await fund({ pools, prover }, 1n, publicKey)
    await expect(pools.rotations.requestRotation(1n, 0)).to.be.revertedWithCustomError(pools.rotations, 'NoReason')
    await expect(dispute(world, made, dealing, complaint))
      .to.be.revertedWithCustomError(pools.dkgDisputes, 'TooLate')
      .withArgs(1n)
  })
})
