import { expect } from 'chai'
import { concat, keccak256, parseEther } from 'ethers'
import type { ProducerId } from '../../../operator/core/ids.ts'
import { bigIntToBytes } from '../../../operator/protocol/bls/scalars.ts'
import { cutPages, encodePoints, POINTS_PER_PAGE, provePoints } from '../../../operator/protocol/state/pages.ts'
import { at } from '../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../support/beacon-prover.ts'
import { makeCeremony } from '../../support/dealings.ts'
import { GasSnapshot } from '../../support/gas-snapshot.ts'
import { startLife } from '../../support/network-life.ts'
import { contentOf } from '../../support/network-reports.ts'
import { pageOf, pointsOf, rootOfPage } from '../../support/pages.ts'
import { useSeed } from '../../support/randomness.ts'
import { steadyChain } from '../../support/steady-chain.ts'

const COMMITTEE = 128
const VAULT = 24
const ABSENT = [3, 17, 22, 35, 48, 61, 74, 90, 101, 120]

/** What depends on how large the network is, at the sizes of a large one. */
describe('Gas at size', function () {
  this.timeout(1_200_000)
  const gas = new GasSnapshot()
  after(() => {
    useSeed()
    gas.save()
  })

  it('of a vault of 24 of 256, and a commitment by 128 members, 10 of them absent', async () => {
    const stakes = { effectiveStake: parseEther('0.1'), seatAllocation: parseEther('0.1'), failedVotePenalty: parseEther('0.01') }
    const small = { ...stakes, stallPenalty: parseEther('0.01'), reporterFee: parseEther('0.01') }
    const sizes = { vaultSize: BigInt(VAULT), minProducers: 48n, committeeSize: BigInt(COMMITTEE), firstPeriod: 12n }
    const life = await startLife(await steadyChain('gas of 256'), { ...small, ...sizes }, 2 * COMMITTEE, parseEther('0.11'))
    await life.toEpoch(await life.periods.startOf(0))
    while ((await life.periods.nextToFreeze()) === 0n) await life.periods.freeze(1)
    const seed = await life.seedAfter(Number(await life.periods.seedEpochOf(0)))
    await life.periods.proveSeed(0, seed.timestamp, seed.state, seed.randao)
    for (let formed = 0; formed < COMMITTEE; formed += 64) await life.periods.formCommittee(0, 64)

    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('64') })
    // The first slashing of all writes what others find written.
    await life.bondEther.connect(at(life.people, 0)).giveToCover(1_000n)
    const poolId = await life.requestPool()
    await gas.costs('selectVaults, 24 of 256', life.drawVault(poolId))
    const made = makeCeremony({ pools: life, producers: life.producers }, { poolId, members: [...(await life.poolRegistry.vault(poolId))] })
    const dealing = made.deal(2)
    const other = { ...dealing, ciphertexts: dealing.ciphertexts.with(2, made.encrypt(2, 3, bigIntToBytes(77n))) }
    const back = await life.checkpoint()
    for (const [name, judged] of [['a bad dealing', other] as const, ['a good dealing', dealing] as const]) {
      const complaint = made.signedComplaint(judged, made.complain(judged, 3))
      await gas.costs(`disputeDealing, t = 16, ${name}`, life.dkgDisputes.disputeDealing(made.ceremony, made.signed(judged), complaint))
      await back()
    }
    const { completed } = await life.completeDkg(poolId)
    await gas.costs('completeDkg, n = 24', Promise.resolve(completed))

    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    // The first of all commitments writes what others find written.
    await life.commit(await life.draftReport({ epoch }))
    await life.networkHelpers.time.increase(Number(life.parameters.pagesDeadline) * SLOTS_PER_EPOCH * 60 + 1)
    await life.stateCommitments.dropOverdue(1)
    await gas.costs('commitState, committee of 128, 10 absent', life.commit(await life.draftReport({ epoch, absent: ABSENT })))
    await life.prover.close()
  })

  it('of all pages of 10,240 pools and 5,000 producers', async () => {
    const life = await startLife(await steadyChain('gas of pages'))
    await life.startPeriod(0)
    const epoch = (Math.floor((await life.epochNow()) / 4) + 1) * 4
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    const signed = await life.draftReport({ epoch })
    await life.commit(signed)
    // The network is small, its report is made large: another content stands in for the one committed.
    const balances = pageOf(Array.from({ length: 2048 }, (_, i) => 32_000_000_000n + BigInt(i * 12_345)))
    const points = Array.from({ length: 5_000 }, (_, i) => (i % 11 === 0 ? -1_000 : 21_000 + ((i * 7_919) % 2_500)))
    const pages = [...Array<string>(5).fill(balances), ...cutPages(points, POINTS_PER_PAGE).map(pointsOf)]
    const sizes = { stakerPools: 10_240, bondPools: 0, producers: 5_000 }
    const large = { ...signed, pages, report: { ...signed.report, ...sizes, pageRoots: pages.map(rootOfPage) } }
    const { inputs } = life.stateCommitments.interface.getFunction('postPage')
    const coder = life.ethers.AbiCoder.defaultAbiCoder()
    const hashOf = (content: ReturnType<typeof contentOf>) => keccak256(coder.encode([at(inputs, 1)], [content]))
    const address = life.addresses.stateCommitments
    let replaced = false
    for (let slot = 0; slot < 16 && !replaced; slot++) {
      const place = BigInt(keccak256(coder.encode(['uint256', 'uint256'], [1, slot]))) + 1n
      replaced = (await life.ethers.provider.getStorage(address, place)) === hashOf(contentOf(signed))
      if (replaced) await life.networkHelpers.setStorageAt(address, place, hashOf(contentOf(large)))
    }
    expect(replaced).to.equal(true)
    let used = 0n
    for (const page of pages.keys()) used += (await (await life.postPage(1n, large, page)).wait())?.gasUsed ?? 0n
    const bytes = pages.reduce((sum, page) => sum + (page.length - 2) / 2, 0)
    gas.check('all pages of 10,240 pools and 5,000 producers, a byte', Math.round((Number(used) / bytes) * 100) / 100)
    await life.prover.close()
  })

  it('of settlements among 5,000 producers', async () => {
    const life = await startLife(await steadyChain('gas of settlements'))
    const pages = cutPages(Array<number>(5_000).fill(22_000), POINTS_PER_PAGE).map(encodePoints)
    const found = provePoints(pages, 1 as ProducerId)
    if (found === undefined) throw new Error('expected pages that reach to producer 1')
    const proof = { ...found, branch: [...found.branch], pageRoots: [...found.pageRoots] }
    const books = life.rewards.connect(await life.as(life.addresses.stateCommitments))
    for (let i = 1; i <= 40; i++) await books.bookReport(i, i, 4, 5_000, 10_000_000, keccak256(concat(proof.pageRoots)))
    const settle = (reports: number) => life.rewards.settle(1, Array(reports).fill(proof))
    // The first settlement of a producer, and of all, writes its account, its owner's balance and the supply.
    await gas.costs('settle, the first ever', settle(1))
    for (const reports of [1, 2, 10, 20]) await gas.costs(`settle, ${reports} report${reports > 1 ? 's' : ''}`, settle(reports))
    await life.prover.close()
  })
})
