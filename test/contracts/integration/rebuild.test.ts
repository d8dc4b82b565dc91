import { expect } from 'chai'
import { parseEther, toBeHex, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import type { Hex, ProducerId } from '../../../operator/core/ids.ts'
import { cutPages, encodePoints, POINTS_PER_PAGE, provePoints } from '../../../operator/protocol/state/pages.ts'
import { at } from '../../support/at.ts'
import { FORK_VERSION, SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { type AttestationData, signAttestation } from '../../support/beacon-signatures.ts'
import { g1 } from '../../support/block-producers.ts'
import { NO_SIGNATURE, rotationResult } from '../../support/ceremonies.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../support/network-life.ts'
import { STAKER } from '../../support/network-reports.ts'
import { GENESIS_VALIDATORS_ROOT } from '../../support/open-pools.ts'
import { ask, readEvents, rebuild } from '../../support/rebuilt-state.ts'
import { electorate } from '../../support/voters.ts'

const FUNDED = 4n
const DRAWN = 2n
const FOREVER = 2n ** 256n - 1n

describe('Events', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let made: readonly Pool[]

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
    const wrong: string[] = []
    for (const [key, told] of rebuilt) {
      const asked = await ask(life, key)
      if (asked !== told) wrong.push(`${key}: events tell ${told}, the contract says ${asked}`)
    }
    expect(wrong).to.deep.equal([])
    return rebuilt
  }
  const settle = async (points: readonly number[], id: number) => {
    const pages: readonly Hex[] = cutPages(points, POINTS_PER_PAGE).map(encodePoints)
    const proof = provePoints(pages, id as ProducerId)
    if (proof === undefined) throw new Error(`expected pages that reach to producer ${id}`)
    await life.rewards.settle(id, [{ word: proof.word, branch: [...proof.branch], pageRoots: [...proof.pageRoots] }])
  }

  /** Pools of stakers that are active, so that their keys may be handed over. */
  const rotatable = async () => {
    const ids: bigint[] = []
    for (let id = 1n; id <= (await life.poolRegistry.poolCount()); id++) {
      const { state } = await life.poolRegistry.pool(id)
      if (state === FUNDED) ids.push(id)
    }
    return ids
  }

  it('tell all of pools, deposits, transfers and a failed ceremony', async () => {
    await life.stakingPool.connect(alice()).deposit({ value: parseEther('150') })
    await life.stakingPool.connect(bob()).depositFor(alice(), { value: parseEther('2') })
    await life.bondEther.connect(alice()).transfer(bob(), parseEther('30'))
    await life.bondEther.connect(bob()).giveToCover(10n ** 18n)
    made = [await life.makePool(), await life.makePool()]
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

  it('tell all of a handover, and of one that failed', async () => {
    const world = { pools: life, producers: [...life.producers] }
    const [poolId] = await rotatable()
    if (poolId === undefined) throw new Error(`expected a pool that is still active`)
    const handOver = async () => {
      const since = (await life.rotations.rotation(poolId)).since
      await life.toEpoch((since === 0n ? BigInt(await life.epochNow()) : since) + life.parameters.rotationPeriod + 1n)
      await life.periods.freeze(100)
      await life.rotations.requestRotation(poolId, 0)
      while ((await life.rotations.rotation(poolId)).state !== DRAWN) {
        const oldest = await life.vaultDraws.draw(await life.vaultDraws.nextDrawId())
        await life.drawVault(oldest.poolId)
      }
    }
    await handOver()
    expect((await compare()).get(`rotations.state.${poolId}`)).to.equal('2')
    await life.rotations.completeRotation(poolId, await rotationResult(world, poolId))
    expect((await compare()).get(`rotations.state.${poolId}`)).to.equal('0')
    await handOver()
    await life.toEpoch((await life.rotations.rotation(poolId)).deadline + 2n)
    await life.rotations.failRotation(poolId, { absentNew: 0n, absentOld: 0n, byOld: false, signers: 0n, aggregateSignature: NO_SIGNATURE })
    expect([...(await compare()).keys()].filter((key) => key.startsWith('rotations.cutover'))).to.deep.equal([
      `rotations.cutover.${poolId}`,
    ])
  })

  it('tell all of a vote that convicts', async () => {
    const lie = await life.reportNow({ stakers: (await life.balancesOf(STAKER, BigInt(await life.now()))).map((balance) => balance + 1n) })
    const { referenceTimestamp } = await life.stateCommitments.commitment(lie)
    const epoch = (referenceTimestamp - life.parameters.genesisTime) / (life.parameters.slotsPerEpoch * life.parameters.secondsPerSlot)
    const voters = await electorate(life, await life.periods.periodAt(epoch))
    const allowed = voters.eligible.filter((position) => ![5n, 6n].includes(at(voters.list, position).id))
    await voters.cast(lie, 1, allowed)
    expect((await compare()).get(`votes.state.${lie}`)).to.equal('5')
  })

  it('tell all of a fault of a pool: who is held for it, what is proven of it, and what it cost', async () => {
    const [poolId] = await rotatable()
    const pool = made.find(({ id }) => id === poolId)
    if (pool === undefined) throw new Error('expected a pool that is still active')
    const fork = { forkVersion: FORK_VERSION, genesisValidatorsRoot: GENESIS_VALIDATORS_ROOT }
    const [a, b] = [1, 2].map((block) => ({
      slot: 3 * SLOTS_PER_EPOCH,
      index: 0,
      beaconBlockRoot: toBeHex(block, 32),
      source: { epoch: 2, root: toBeHex(7, 32) },
      target: { epoch: 3, root: toBeHex(8, 32) },
    })) as [AttestationData, AttestationData]
    const sign = (data: AttestationData) => signAttestation(pool.key, data, fork)
    await life.slashing.slashAttestations(pool.id, g1(pool.key.toPublicKey()), a, sign(a), b, sign(b))
    const held = await compare()
    expect([held.get(`slashing.kind.${pool.id}`), held.get(`blockProducers.held.${pool.id}`)]).to.deep.equal(['1', 'true'])
    const epoch = await life.epochNow()
    const withdrawableEpoch = epoch + 6
    const balance = FULL - 1_000_000_000
    life.change(pool, { exitEpoch: epoch, withdrawableEpoch, balance, effectiveBalance: FULL, slashed: true })
    const gone = await life.proveValidator(pool)
    await life.slashing.reportExit(pool.id, gone.timestamp, gone.state, gone.validator)
    expect((await compare()).get(`slashing.withdrawableEpoch.${pool.id}`)).to.equal(String(withdrawableEpoch))
    await life.toSlot(withdrawableEpoch * SLOTS_PER_EPOCH + 1)
    const last = await life.proveValidator(pool)
    await life.slashing.showBalance(pool.id, last.timestamp, last.state, last.validator, last.balance)
    await life.slashing.settle(pool.id)
    const settled = await compare()
    const told = ['slashing.shown', 'slashing.settled', 'blockProducers.held'].map((key) => settled.get(`${key}.${pool.id}`))
    expect(told).to.deep.equal([`${withdrawableEpoch},${balance}`, 'true', 'false'])
  })

  it('tell all of the end', async () => {
    await life.networkHelpers.time.increaseTo((await life.windDown.startableAt()) + 1n)
    await life.windDown.start()
    await life.bondEther.connect(bob()).approve(life.windDown, FOREVER)
    await life.windDown.connect(bob()).redeem(parseEther('5'))
    const rebuilt = await compare()
    expect([rebuilt.get('windDown.started'), rebuilt.get(`windDown.unitsOf.${bob().address}`)]).to.deep.equal([
      'true',
      String(parseEther('5')),
    ])
  })
})
