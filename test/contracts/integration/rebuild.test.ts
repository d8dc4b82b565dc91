import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import type { Hex, ProducerId } from '../../../operator/core/ids.ts'
import { cutPages, encodePoints, POINTS_PER_PAGE, provePoints } from '../../../operator/protocol/state/pages.ts'
import { NO_SIGNATURE } from '../../support/ceremonies.ts'
import { at, FULL, type NetworkLife, STAKER, startLife } from '../../support/network-life.ts'
import { ask, readEvents, rebuild } from '../../support/rebuilt-state.ts'

const FOREVER = 2n ** 256n - 1n

describe('Events', function () {
  this.timeout(180_000)
  let life: NetworkLife

  before(async () => {
    life = await startLife(await network.create(), { maxReportGrowth: 10_000n })
    await life.startPeriod(0)
  })
  after(() => life.prover.close())

  const alice = () => at(life.people, 0)
  const bob = () => at(life.people, 1)
  /** All that the events tell, and what the contracts say to it. */
  const compare = async () => {
    const rebuilt = rebuild(await readEvents(life), life.addresses)
    const asked = new Map<string, string>()
    for (const key of rebuilt.keys()) asked.set(key, await ask(life, key))
    expect(Object.fromEntries(rebuilt)).to.deep.equal(Object.fromEntries(asked))
    return rebuilt
  }
  const settle = async (points: readonly number[], id: number) => {
    const pages: readonly Hex[] = cutPages(points, POINTS_PER_PAGE).map(encodePoints)
    const proof = provePoints(pages, id as ProducerId)
    if (proof === undefined) throw new Error(`expected pages that reach to producer ${id}`)
    await life.rewards.settle(id, [{ word: proof.word, branch: [...proof.branch], pageRoots: [...proof.pageRoots] }])
  }

  it('tell all of pools, deposits, transfers and a failed ceremony', async () => {
    await life.stakingPool.connect(alice()).deposit({ value: parseEther('150') })
    await life.stakingPool.connect(bob()).depositFor(alice(), { value: parseEther('2') })
    await life.bondEther.connect(alice()).transfer(bob(), parseEther('30'))
    await life.bondEther.connect(bob()).giveToCover(10n ** 18n)
    await life.makePool()
    await life.makePool()
    const failing = await life.requestPool()
    await life.drawVault(failing)
    await life.toEpoch((await life.poolRegistry.pool(failing)).deadline + 2n)
    await life.poolRegistry.failDkg(failing, 0n, 0n, NO_SIGNATURE)
    const rebuilt = await compare()
    expect(rebuilt.get('poolRegistry.state.2')).to.equal('4')
    expect(rebuilt.size).to.be.greaterThan(60)
  })

  it('tell all of gains, losses, fees, points, CDT and withdrawals', async () => {
    const pool = at(life.validators, 1)
    const points = life.producers.map((_, place) => (place === 1 ? -700 : 900))
    life.validators[1] = { ...pool, balance: FULL + 50_000_000 }
    await life.finalize(await life.reportNow({ points }))
    for (const id of [1, 2, 3]) await settle(points, id)
    const owner = await life.as(at(life.producers, 0).owner)
    const locked = (await life.cdt.balanceOf(owner)) / 2n
    await life.cdt.connect(owner).approve(life.cdtStaking, FOREVER)
    await life.cdtStaking.connect(owner).lock(locked)
    await life.bondEther.connect(alice()).approve(life.withdrawalQueue, FOREVER)
    await life.withdrawalQueue.connect(alice()).requestWithdrawal(parseEther('3'))
    await life.withdrawalQueue.connect(alice()).requestWithdrawal(parseEther('4'))
    await life.withdrawalQueue.connect(alice()).transferFrom(alice(), bob(), 2)
    life.validators[1] = { ...pool, balance: FULL - 100_000_000 }
    life.validators[0] = { ...at(life.validators, 0), balance: FULL - 20_000_000 }
    await life.arrive(STAKER, parseEther('0.001'))
    await life.finalize(await life.reportNow())
    await life.withdrawalQueue.connect(alice()).claimWithdrawal(1)
    const rebuilt = await compare()
    expect(rebuilt.get('withdrawalQueue.lastFinalizedId')).to.equal('2')
    expect(rebuilt.get('rewards.debtOf.2')).to.equal('700')
  })

  it('tell all of slashing, leaving, dropped commitments and a liquidation', async () => {
    await life.blockProducers.connect(await life.as(life.addresses.disputes)).slashOut(5, ZeroAddress)
    await life.blockProducers.connect(await life.as(at(life.producers, 5).owner)).exit(6)
    const id = await life.reportNow({ stakers: [1n] })
    await life.stateCommitments.connect(await life.as(life.addresses.disputes)).dropDisputed(id, false)
    await life.withdrawalQueue.connect(alice()).requestWithdrawal(parseEther('110'))
    await life.exits.requestLiquidation()
    await life.drawLiquidation()
    const rebuilt = await compare()
    expect(rebuilt.get('blockProducers.status.5')).to.equal('1 true')
    expect(rebuilt.get('blockProducers.status.6')).to.equal('2 false')
    expect(rebuilt.get(`stateCommitments.state.${id}`)).to.equal('5')
    expect([...rebuilt].filter(([key, value]) => key.startsWith('poolRegistry.state') && value === '5').length).to.be.greaterThan(0)
  })
})
