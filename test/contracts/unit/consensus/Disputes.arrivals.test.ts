import { expect } from 'chai'
import { AbiCoder, hexlify, keccak256, parseEther } from 'ethers'
import { network } from 'hardhat'
import { headerOf } from '../../../../scripts/dispute/execution-proofs.ts'
import { at } from '../../../support/at.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type NetworkLife, startLife } from '../../../support/network-life.ts'
import { BOND, contentOf, STAKER } from '../../../support/network-reports.ts'
import { randomBytes } from '../../../support/randomness.ts'
import { nextReportEpoch, proveArrivals, referenceBlock } from '../../../support/reports.ts'

/** Of StakingPool's ledgers; see `Disputes`. */
const LEDGERS_SLOT = 1n
const collectedSlot = (kind: number) => BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [kind, LEDGERS_SLOT])))
const DROPPED = 5n

describe('Disputes: arrivals', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let epoch: number
  let block: Awaited<ReturnType<typeof referenceBlock>>
  let restore: () => Promise<void>

  before(async () => {
    // Two reports can be pending at once.
    life = await startLife(await network.create(), { disputeDuration: 8n, periodLength: 40n })
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    await life.makePool()
    await life.arrive(STAKER, 700n)
    await life.arrive(BOND, 90n)
    await reference()
    await life.arrive(STAKER, 50n)
    await life.arrive(BOND, 5n)
    const first = { epoch, block }
    const back = await life.checkpoint()
    restore = async () => {
      ;({ epoch, block } = first)
      await back()
    }
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  /** The reference of the next report, in a block of the real chain. */
  const reference = async () => {
    epoch = await nextReportEpoch(life)
    block = await referenceBlock(life, epoch)
  }
  const report = async (arrivals: readonly [bigint, bigint], execution = block) => {
    await life.toSlot(epoch * 8 + 6)
    return life.postReport({ epoch, arrivals, execution })
  }
  const disprove = async ({ id, signed }: Awaited<ReturnType<typeof report>>, kind = STAKER, from = block) => {
    const proof = await proveArrivals(life, { kind, slot: collectedSlot(kind), block: from })
    return life.disputes.connect(at(life.people, 3)).disproveArrivals(id, contentOf(signed), kind, proof)
  }
  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.disputes, error)

  it('convicts of more than arrived by the reference, and of less', async () => {
    for (const [arrivals, kind, actual] of [
      [[750n, 90n], STAKER, 700n],
      [[699n, 90n], STAKER, 700n],
      [[700n, 95n], BOND, 90n],
      [[700n, 0n], BOND, 90n],
    ] as const) {
      const back = await life.checkpoint()
      const made = await report(arrivals)
      await expect(disprove(made, kind))
        .to.emit(life.disputes, 'ArrivalsDisproven')
        .withArgs(made.id, kind, arrivals[kind], actual, at(life.people, 3).address)
      expect((await life.stateCommitments.commitment(made.id)).state).to.equal(DROPPED)
      const [committee] = await life.periods.committee(await life.periods.periodAt(epoch))
      for (const member of committee) expect((await life.blockProducers.producer(member)).slashed).to.equal(true)
      expect(await life.bondEther.balanceOf(at(life.people, 3))).to.be.greaterThan(0n)
      await refused(disprove(made, kind), 'NotDisputable')
      await back()
    }
  })

  it('A20 right arrivals convict nobody, though more has come since', async () => {
    const made = await report([700n, 90n])
    await refused(disprove(made, STAKER), 'ArrivalsRight')
    await refused(disprove(made, BOND), 'ArrivalsRight')
  })

  it('A42 another block than the reference’s is a lie by itself', async () => {
    await life.toSlot(epoch * 8 + 2)
    const number = BigInt(await life.ethers.provider.getBlockNumber())
    const later = { ...(await headerOf(life.ethers.provider, number)), number }
    const made = await report([750n, 95n], later)
    await expect(disprove(made, STAKER, later))
      .to.emit(life.disputes, 'ArrivalsDisproven')
      .withArgs(made.id, STAKER, 750n, 0n, at(life.people, 3).address)
  })

  it('takes no other header, account or slot for the right one', async () => {
    const made = await report([700n, 90n])
    const other = { ...block, header: (await headerOf(life.ethers.provider, block.number - 1n)).header }
    await refused(disprove(made, STAKER, other), 'WrongHeader')
    const content = contentOf(made.signed)
    const proof = await proveArrivals(life, { kind: STAKER, slot: collectedSlot(STAKER), block })
    const ofBonds = await proveArrivals(life, { kind: BOND, slot: collectedSlot(BOND), block })
    for (const wrong of [
      { ...proof, vaultAccount: ofBonds.vaultAccount },
      { ...proof, poolAccount: proof.vaultAccount },
      { ...proof, vaultAccount: proof.poolAccount },
      { ...proof, vaultAccount: [] },
      { ...proof, collected: [] },
      { ...proof, collected: proof.poolAccount },
    ]) {
      await expect(life.disputes.disproveArrivals(made.id, content, STAKER, wrong)).to.revert(life.ethers)
    }
    const tampered = { ...content, executionHash: hexlify(randomBytes(32)) }
    await expect(life.disputes.disproveArrivals(made.id, tampered, STAKER, proof)).to.be.revertedWithCustomError(
      life.stateCommitments,
      'WrongContent',
    )
    expect((await life.blockProducers.producer(1)).slashed).to.equal(false)
  })

  it('A37 what was collected by the reference counts, what was collected since does not', async () => {
    const first = await report([700n, 90n])
    await reference()
    await life.arrive(STAKER, 1_000n)
    const second = await report([750n, 95n])
    const block2 = block
    // The first is finalized while the second can be disputed: what it collects was not collected at the second's reference.
    await life.finalize(first.id)
    expect(await life.stakingPool.collected(STAKER)).to.equal(700n)
    const stored = await life.ethers.provider.getStorage(life.stakingPool, collectedSlot(STAKER))
    expect(BigInt(stored) & ((1n << 128n) - 1n)).to.equal(700n)
    await refused(disprove(second, STAKER, block2), 'ArrivalsRight')
    await refused(disprove(second, BOND, block2), 'ArrivalsRight')
    await life.finalize(second.id)
    // Collected in part, the rest still in the vault.
    await reference()
    await life.arrive(STAKER, 10n)
    const third = await report([1_760n, 95n])
    await expect(disprove(third))
      .to.emit(life.disputes, 'ArrivalsDisproven')
      .withArgs(third.id, STAKER, 1_760n, 1_750n, at(life.people, 3).address)
  })

  it('A52 a proof given too little gas convicts nobody', async () => {
    const made = await report([700n, 90n])
    const proof = await proveArrivals(life, { kind: STAKER, slot: collectedSlot(STAKER), block })
    const call = [made.id, contentOf(made.signed), STAKER, proof] as const
    for (let gasLimit = 180_000; gasLimit <= 1_200_000; gasLimit += 60_000) {
      await expect(life.disputes.disproveArrivals.staticCall(...call, { gasLimit })).to.revert(life.ethers)
    }
  })

  it('A36 costs little', async () => {
    const made = await report([699n, 90n])
    const receipt = await (await disprove(made)).wait()
    withinGas(receipt?.gasUsed, 2_500_000n)
  })
})
