import { concat, hexlify, keccak256, ZeroHash } from 'ethers'
import type { NetworkConnection } from 'hardhat/types/network'
import type { ContractName } from '../../deploy/plan.ts'
import systemContracts from '../../devnet/chain/execution/system-contracts.json' with { type: 'json' }
import { at } from './at.ts'
import { type BeaconProver, type ProvenState, SLOTS_PER_EPOCH, type ValidatorRequest } from './beacon-prover.ts'
import { aggregateG2, digestOf, g1, type g2 } from './block-producers.ts'
import type { OpenPools, RegisteredProducer } from './open-pools.ts'
import { pageOf, pointsOf, rootOfPage, wordOfPage } from './pages.ts'
import { randomBytes } from './randomness.ts'

export const STAKER = 0
export const BOND = 1
const GWEI = 10n ** 9n
const BEACON_ROOTS = systemContracts.beaconRoots.address
const PAGE_SIZE = 2048
const POINTS_PAGE_SIZE = 4096

export type ReportDraft = {
  readonly epoch: number
  /** Balances in gwei by ordinal; those of the beacon state when left out. */
  readonly stakers?: readonly bigint[]
  readonly bonds?: readonly bigint[]
  readonly arrivals?: readonly [bigint, bigint]
  /** Point deltas by producer id; all zero when left out. */
  readonly points?: readonly number[]
  /** The reference's execution block; made up when left out. */
  readonly execution?: { readonly number: bigint; readonly hash: string }
  readonly certificatesHash?: string
  readonly summariesRoot?: string
  /** Slot of the reference block: the epoch's first when left out. */
  readonly slot?: number
  /** Committee members, by place, that do not sign. */
  readonly absent?: readonly number[]
}

export type Report = {
  readonly epoch: bigint
  readonly referenceSlot: bigint
  readonly blockRoot: string
  readonly executionBlock: bigint
  readonly history: bigint
  readonly stakerArrivals: bigint
  readonly bondArrivals: bigint
  readonly stakerPools: number
  readonly bondPools: number
  readonly producers: number
  readonly certificatesHash: string
  readonly summariesRoot: string
  readonly pageRoots: string[]
}
export type SignedReport = {
  readonly report: Report
  readonly pages: readonly string[]
  readonly proven: ProvenState
  readonly executionHash: string
  readonly absent: string
  readonly absentKeys: readonly ReturnType<typeof g1>[]
  readonly signature: ReturnType<typeof g2>
}

/** The hands of a committee: reports of the beacon chain that a test writes, true or not, from the draft to their finalization. */
export function reportHands({
  connection: { ethers, networkHelpers },
  pools,
  prover,
  validators,
  memberOf,
}: {
  readonly connection: NetworkConnection
  readonly pools: OpenPools
  readonly prover: BeaconProver
  readonly validators: readonly ValidatorRequest[]
  readonly memberOf: (id: bigint) => RegisteredProducer
}) {
  /** What an honest observer reports of a registered pool at a reference (gwei). */
  const balanceAt = async (poolId: bigint, timestamp: bigint): Promise<bigint> => {
    const pool = await pools.poolRegistry.pool(poolId)
    if (pool.fundedAt === 0n || pool.fundedAt > timestamp) return pool.frontRun && pool.closedAt <= timestamp ? 0n : 10n ** 9n
    const validator = validators.find(({ publicKey }) => publicKey === pool.publicKey)
    const balance = BigInt(validator?.balance ?? 10 ** 9)
    return validator?.activationEligibilityEpoch === undefined && balance < 32n * GWEI ? balance + 31n * GWEI : balance
  }
  const balancesOf = async (kind: number, timestamp: bigint): Promise<bigint[]> => {
    const balances: bigint[] = []
    const count = await pools.poolRegistry.registeredCountAt(kind, timestamp)
    for (let i = 0; i < count; i++) balances.push(await balanceAt(await pools.poolRegistry.registeredAt(kind, i), timestamp))
    return balances
  }
  const arrivalsOf = async (kind: number) =>
    (await ethers.provider.getBalance(await pools.stakingPool.withdrawalVault(kind))) + (await pools.stakingPool.collected(kind))

  const COMMITMENT = [
    { name: 'epoch', type: 'uint64' },
    { name: 'referenceSlot', type: 'uint64' },
    { name: 'blockRoot', type: 'bytes32' },
    { name: 'executionBlock', type: 'uint64' },
    { name: 'history', type: 'uint32' },
    { name: 'stakerArrivals', type: 'uint256' },
    { name: 'bondArrivals', type: 'uint256' },
    { name: 'stakerPools', type: 'uint32' },
    { name: 'bondPools', type: 'uint32' },
    { name: 'producers', type: 'uint32' },
    { name: 'certificatesHash', type: 'bytes32' },
    { name: 'summariesRoot', type: 'bytes32' },
    { name: 'pagesHash', type: 'bytes32' },
  ]
  /** A report of the beacon chain as it is now, signed by the committee; with lies where the draft has them. */
  const draftReport = async (draft: ReportDraft): Promise<SignedReport> => {
    const boundary = draft.epoch * SLOTS_PER_EPOCH
    const slot = draft.slot ?? boundary
    const proven = await prover.prove({ slot, validators })
    await pools.anchor({ ...proven, state: { ...proven.state, header: { ...proven.state.header, slot: BigInt(boundary) } } })
    const timestamp = BigInt(pools.timeOfSlot(slot))
    const stakers = draft.stakers ?? (await balancesOf(STAKER, timestamp))
    const bonds = draft.bonds ?? (await balancesOf(BOND, timestamp))
    const points = draft.points ?? Array<number>(Number(await pools.blockProducers.countAt(timestamp))).fill(0)
    const pages = [
      ...cut(stakers, PAGE_SIZE).map(pageOf),
      ...cut(bonds, PAGE_SIZE).map(pageOf),
      ...cut(points, POINTS_PAGE_SIZE).map(pointsOf),
    ]
    const execution = draft.execution ?? { number: BigInt(await ethers.provider.getBlockNumber()), hash: hexlify(randomBytes(32)) }
    await pools.anchorExecution(execution)
    const [stakerArrivals, bondArrivals] = draft.arrivals ?? [await arrivalsOf(STAKER), await arrivalsOf(BOND)]
    const report = {
      epoch: BigInt(draft.epoch),
      referenceSlot: BigInt(slot),
      blockRoot: proven.blockRoot,
      executionBlock: execution.number,
      history: await pools.stateCommitments.history(),
      stakerArrivals,
      bondArrivals,
      stakerPools: stakers.length,
      bondPools: bonds.length,
      producers: points.length,
      certificatesHash: draft.certificatesHash ?? keccak256('0x'),
      summariesRoot: draft.summariesRoot ?? ZeroHash,
      pageRoots: pages.map(rootOfPage),
    }
    return { ...(await sign(report, draft.absent ?? [])), report, pages, proven, executionHash: execution.hash }
  }
  const sign = async (report: Report, absentPlaces: readonly number[] = [], judge: ContractName = 'stateCommitments') => {
    const [committee] = await pools.periods.committee(await pools.periods.periodAt(report.epoch))
    const { pageRoots, ...rest } = report
    const digest = digestOf(pools.judgeOf(judge), { Commitment: COMMITMENT }, { ...rest, pagesHash: keccak256(concat(pageRoots)) })
    const signers = committee.filter((_, place) => !absentPlaces.includes(place))
    const absentKeys = absentPlaces.map((place) => g1(memberOf(at(committee, place)).key.toPublicKey()))
    const bits = new Uint8Array(Math.ceil(committee.length / 8))
    for (const place of absentPlaces) bits[place >> 3] = (bits[place >> 3] ?? 0) | (1 << (place & 7))
    return { absent: hexlify(bits), absentKeys, signature: aggregateG2(signers.map((id) => memberOf(id).key.sign(digest))) }
  }
  /** The same report signed for another contract. */
  const signFor = async (judge: ContractName, report: Report) => (await sign(report, [], judge)).signature
  const commit = async ({ report, proven, absent, absentKeys, signature }: SignedReport) =>
    pools.stateCommitments.commitState(report, proven.state.header, absent, [...absentKeys], signature)
  const postPage = async (id: bigint, signed: SignedReport, page: number) =>
    pools.stateCommitments.postPage(id, contentOf(signed), page, at(signed.pages, page))
  /** Commits a report and posts its pages. @returns its id */
  const postReport = async (draft: ReportDraft) => {
    const signed = await draftReport(draft)
    await commit(signed)
    const id = await pools.stateCommitments.commitmentCount()
    for (const page of signed.pages.keys()) await postPage(id, signed, page)
    return { id, signed }
  }
  /** What a commitment is kept by the hash of, as its event tells. */
  const committedContent = async (id: bigint) => {
    const [committed] = await pools.stateCommitments.queryFilter(pools.stateCommitments.filters.StateCommitted(id))
    if (committed === undefined) throw new Error(`expected a commitment ${id}`)
    const { report, executionHash, absent } = committed.args.content
    const {
      epoch,
      referenceSlot,
      blockRoot,
      executionBlock,
      history,
      stakerArrivals,
      bondArrivals,
      stakerPools,
      bondPools,
      producers: count,
      certificatesHash,
      summariesRoot,
    } = report
    const sums = { stakerArrivals, bondArrivals, stakerPools, bondPools, producers: count, certificatesHash, summariesRoot }
    const pageRoots = [...report.pageRoots]
    return { report: { epoch, referenceSlot, blockRoot, executionBlock, history, ...sums, pageRoots }, executionHash, absent }
  }
  /** What Disputes takes to judge entry `ordinal` of a report's balances of a kind. */
  const accuse = (signed: SignedReport, kind: number, ordinal: number) => {
    const stakerPages = Math.ceil(signed.report.stakerPools / PAGE_SIZE)
    const page = at(signed.pages, Math.floor(ordinal / PAGE_SIZE) + (kind === STAKER ? 0 : stakerPages))
    return [contentOf(signed), { kind, ordinal, ...wordOfPage(page, Math.floor((ordinal % PAGE_SIZE) / 4)) }] as const
  }
  /** As if a slot had no block. */
  const forgetRoot = async (slot: number) => networkHelpers.setStorageAt(BEACON_ROOTS, BigInt(pools.timeOfSlot(slot)) % 8191n, ZeroHash)
  /** Lets the window of a pending commitment pass and finalizes it. */
  const finalize = async (id: bigint) => {
    const { windowEnds } = await pools.stateCommitments.commitment(id)
    if (BigInt(await networkHelpers.time.latest()) < windowEnds) await networkHelpers.time.increaseTo(windowEnds)
    return pools.stateCommitments.finalizeState(id)
  }
  return {
    balanceAt,
    balancesOf,
    arrivalsOf,
    draftReport,
    sign,
    signFor,
    commit,
    postPage,
    postReport,
    committedContent,
    accuse,
    forgetRoot,
    finalize,
  }
}

function cut<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** What a commitment is kept by the hash of, as the contracts take it. */
export function contentOf({ report, executionHash, absent }: SignedReport) {
  return { report, executionHash, absent }
}
