import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import type { Hex, ProducerId } from '../../../operator/core/ids.ts'
import { cutPages, encodePoints, POINTS_PER_PAGE, provePoints } from '../../../operator/protocol/state/pages.ts'
import { at } from '../../support/at.ts'
import { rotationResult } from '../../support/ceremonies.ts'
import { type NetworkLife, startLife } from '../../support/network-life.ts'

const FUNDED_STAKER_POOL = { state: 4n, kind: 0n }
const DEBT = 700

/** Nothing is stood in for: reports, settlements, handovers and tails are the contracts’ own. */
describe('A bond', () => {
  let life: NetworkLife
  let poolId: bigint
  let vault: readonly bigint[]
  /** Sits in this pool alone. */
  let leaver: bigint

  before(async () => {
    life = await startLife(await network.create(), { maxReportGrowth: 10_000n })
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    await life.makePool()
    for (poolId = 1n; ; poolId++) {
      const { state, kind } = await life.poolRegistry.pool(poolId)
      if (state === FUNDED_STAKER_POOL.state && kind === FUNDED_STAKER_POOL.kind) break
    }
    vault = [...(await life.poolRegistry.vault(poolId))]
    const elsewhere = await life.poolRegistry.vault(poolId === 1n ? 2n : 1n)
    leaver = at(
      vault.filter((id) => !elsewhere.includes(id)),
      0,
    )
  })
  after(() => life.prover.close())

  const proofOf = (points: readonly number[], id: bigint) => {
    const pages: readonly Hex[] = cutPages(points, POINTS_PER_PAGE).map(encodePoints)
    const proof = provePoints(pages, Number(id) as ProducerId)
    if (proof === undefined) throw new Error(`expected pages that reach to producer ${id}`)
    return { word: proof.word, branch: [...proof.branch], pageRoots: [...proof.pageRoots] }
  }
  /** A report with these deltas, the same for all but one; settled for that one and for a second one. */
  const report = async (ofLeaver: number, others: number, alsoFor: bigint) => {
    const points = life.producers.map(({ id }) => (id === leaver ? ofLeaver : others))
    await life.finalize(await life.reportNow({ points }))
    for (const id of [leaver, alsoFor]) await life.rewards.settle(id, [proofOf(points, id)])
  }
  const ownerOf = (id: bigint) => life.as(life.memberOf(id).owner)
  const withdraw = async () => life.blockProducers.connect(await ownerOf(leaver)).withdrawBond(leaver)
  const refused = async (error: string) => {
    const owner = life.blockProducers.connect(await ownerOf(leaver))
    await expect(owner.withdrawBond(leaver)).to.be.revertedWithCustomError(life.blockProducers, error)
  }

  it('A27 A45 leaves only after its seat, its tail, the report that covers the tail, and its debt; then whole, and nobody else’s with it', async () => {
    const payer = at(life.producers, leaver === 1n ? 1 : 0).id
    await report(-DEBT, 900, payer)
    expect(await life.rewards.debtOf(leaver)).to.equal(DEBT)
    await refused('NotLeaving')
    await life.blockProducers.connect(await ownerOf(leaver)).exit(leaver)
    await refused('SeatsHeldStill')

    // The others take the pool over without it.
    await life.rotations.requestRotation(poolId, vault.indexOf(leaver))
    await life.periods.freeze(100)
    await life.drawVault(poolId)
    const world = { pools: life, producers: [...life.producers] }
    await life.rotations.completeRotation(poolId, await rotationResult(world, poolId))
    expect(await life.poolRegistry.vault(poolId)).to.not.include(leaver)
    await refused('SeatsHeldStill')
    const holders = await life.blockProducers.holdersOf(poolId)
    const tail = holders.find(({ producerId }) => producerId === leaver)?.until ?? 0n
    expect(tail).to.be.greaterThan(BigInt(await life.now()))
    await life.networkHelpers.time.increaseTo(tail - 2n)
    await refused('SeatsHeldStill')
    await life.networkHelpers.time.increaseTo(tail)
    await life.periods.freeze(100)
    await life.periods.freeze(100)

    // The tail is over; what happened in it is not settled.
    await refused('NotSettled')
    await life.rewards.settle(leaver, [])
    await refused('NotSettled')
    await report(0, 900, payer)
    expect(await life.rewards.settledThrough(leaver)).to.be.greaterThanOrEqual(tail)
    await refused('InDebt')

    // Anybody repays it; the last point counts.
    const cdt = await life.cdt.balanceOf(life.memberOf(payer).owner)
    await life.rewards.connect(await ownerOf(payer)).repay(leaver, DEBT - 1)
    await refused('InDebt')
    await life.rewards.connect(await ownerOf(payer)).repay(leaver, 1)
    expect(await life.cdt.balanceOf(life.memberOf(payer).owner)).to.be.lessThan(cdt)

    const others = life.producers.filter(({ id }) => id !== leaver)
    const bonds = () => Promise.all(others.map(({ id }) => life.blockProducers.bondValue(id)))
    const [mine, before, index] = [await life.blockProducers.bondValue(leaver), await bonds(), await life.bondEther.rewardsIndex()]
    await withdraw()
    expect(await life.bondEther.balanceOf(life.memberOf(leaver).owner)).to.be.closeTo(mine, 10n)
    expect(mine).to.be.greaterThan(parseEther('4'))
    for (const [place, bond] of (await bonds()).entries()) expect(bond).to.be.closeTo(at(before, place), 10n)
    expect(await life.bondEther.rewardsIndex()).to.equal(index)
    await refused('NotLeaving')
    expect(await life.blockProducers.bondValue(leaver)).to.equal(0n)
  })
})
