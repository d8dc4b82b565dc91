import type { SecretKey } from '@chainsafe/blst'
import { ssz } from '@lodestar/types'
import { type ContractTransactionResponse, concat, getBytes, hexlify, keccak256, parseEther, ZeroHash } from 'ethers'
import type { NetworkConnection } from 'hardhat/types/network'
import type { DeploymentParameters } from '../../deploy/parameters/types.ts'
import type { ContractName } from '../../deploy/plan.ts'
import systemContracts from '../../devnet/chain/execution/system-contracts.json' with { type: 'json' }
import { BeaconProver, FORK_VERSION, type ProvenState, SLOTS_PER_EPOCH, type ValidatorRequest } from './beacon-prover.ts'
import { aggregateG2, digestOf, dkgDigest, g1, g2, newKey } from './block-producers.ts'
import { openPools, type RegisteredProducer } from './open-pools.ts'
import { pageOf, pointsOf, rootOfPage, wordOfPage } from './pages.ts'
import { randomBytes } from './randomness.ts'

export const STAKER = 0
export const BOND = 1
const GWEI = 10n ** 9n
const BEACON_ROOTS = systemContracts.beaconRoots.address
const PAGE_SIZE = 2048
const POINTS_PAGE_SIZE = 4096
/** Of a validator, in gwei. */
export const FULL = 32_000_000_000
const DOMAIN_DEPOSIT = Uint8Array.of(3, 0, 0, 0)

export type Pool = {
  readonly id: bigint
  readonly key: SecretKey
  readonly publicKey: string
  readonly kind: number
  readonly index: number
  readonly completed: ContractTransactionResponse
}

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

/** Ten producers whose bonds make one bond pool and room for six staker pools. */
const CHOICES = { effectiveStake: parseEther('4'), seatAllocation: parseEther('1') }
const PRODUCERS = 10
const BOND_OF_EACH = parseEther('4.1')

/**
 * A whole deployment in period 0 with a committee, and the hands to lead pools through their lives on a beacon chain that a
 * test writes: `validators` is its registry, `mixes` its randomness.
 */
export async function startLife(
  connection: NetworkConnection,
  choices: Partial<DeploymentParameters> = {},
  producerCount = PRODUCERS,
  bondOfEach = BOND_OF_EACH,
) {
  const pools = await openPools(connection, { ...CHOICES, ...choices })
  const prover = new BeaconProver()
  const { ethers, networkHelpers } = connection
  const validators: ValidatorRequest[] = []
  const mixes = new Map<number, string>()
  const producers: RegisteredProducer[] = []
  const members = new Map<bigint, RegisteredProducer>()
  /** Registers a producer that may then sit in vaults and committees. */
  const register = async (bond?: bigint): Promise<RegisteredProducer> => {
    const producer = await pools.register(bond)
    members.set(producer.id, producer)
    return producer
  }
  for (let i = 0; i < producerCount; i++) producers.push(await register(bondOfEach))

  const mixOf = (epoch: number): string => {
    const mix = mixes.get(epoch) ?? hexlify(randomBytes(32))
    mixes.set(epoch, mix)
    return mix
  }
  const epochNow = async () =>
    Math.floor(
      ((await networkHelpers.time.latest()) - Number(pools.parameters.genesisTime)) /
        (SLOTS_PER_EPOCH * Number(pools.parameters.secondsPerSlot)),
    )

  /** The beacon state of a slot, known to EIP-4788; with the mix of `epoch` when asked. */
  const stateAt = async (slot: number, epoch?: number) => {
    const proven = await prover.prove({
      slot,
      forkVersion: FORK_VERSION,
      validators,
      mixes: epoch === undefined ? [] : [{ epoch, mix: mixOf(epoch) }],
    })
    return { proven, timestamp: await pools.anchor(proven) }
  }
  /** A state that holds the final mix of an epoch, from the first slot after it. */
  const seedAfter = async (epoch: number) => {
    if ((await epochNow()) <= epoch) await pools.toSlot((epoch + 1) * SLOTS_PER_EPOCH + 1)
    const { proven, timestamp } = await stateAt((epoch + 1) * SLOTS_PER_EPOCH, epoch)
    return { timestamp, state: proven.state, randao: at(proven.mixes, 0) }
  }
  const startPeriod = async (period: number) => {
    const start = Number(await pools.periods.startOf(period))
    if ((await epochNow()) < start) await pools.toEpoch(start)
    await pools.periods.freeze(100)
    const seed = await seedAfter(start - 1)
    await pools.periods.proveSeed(period, seed.timestamp, seed.state, seed.randao)
    await pools.periods.formCommittee(period, 100)
  }

  const requestPool = async () => {
    await pools.poolRegistry.requestPool()
    return BigInt(await pools.poolRegistry.poolCount())
  }
  /** Carries out the oldest draw, which must be this pool's, and all others of its seed epoch. */
  const drawVault = async (poolId: bigint) => {
    const drawId = await pools.vaultDraws.nextDrawId()
    const oldest = await pools.vaultDraws.draw(drawId)
    if (oldest.poolId !== poolId) throw new Error(`expected the oldest draw to be of pool ${poolId}, got ${oldest.poolId}`)
    const seed = await seedAfter(Number(await pools.vaultDraws.seedEpochOf(drawId)))
    return pools.vaultDraws.selectVaults(seed.timestamp, seed.state, seed.randao, 128n)
  }
  /** The vault's key, as a ceremony would leave it: the members sign the result, the key signs the deposit. */
  const completeDkg = async (poolId: bigint): Promise<Pool> => {
    const key = newKey()
    const publicKey = hexlify(key.toPublicKey().toBytes(true))
    const { kind, round } = await pools.poolRegistry.pool(poolId)
    const vault = await pools.poolRegistry.vault(poolId)
    const publicShares = hexlify(randomBytes(48 * vault.length))
    const credentials = await pools.stakingPool.withdrawalCredentials(kind)
    const depositRoot = depositSigningRoot({ publicKey, credentials, forkVersion: pools.parameters.genesisForkVersion })
    const outcome = {
      poolId: Number(poolId),
      round: Number(round),
      groupKey: g1(key.toPublicKey()),
      transcriptRoot: hexlify(randomBytes(32)),
    }
    const digest = dkgDigest(pools.judgeOf('poolRegistry'), { ...outcome, publicSharesHash: keccak256(publicShares) })
    const completed = await pools.poolRegistry.completeDkg(poolId, {
      groupKey: outcome.groupKey,
      depositSignature: g2(key.sign(depositRoot)),
      publicShares,
      transcriptRoot: outcome.transcriptRoot,
      participation: (1n << BigInt(vault.length)) - 1n,
      aggregateSignature: aggregateG2(vault.map((id) => memberOf(id).key.sign(digest))),
    })
    const index = validators.push({ publicKey, withdrawalCredentials: credentials }) - 1
    return { id: poolId, key, publicKey, kind: Number(kind), index, completed }
  }
  const fund = async (pool: Pool) => {
    const { proven, timestamp } = await stateAt(await nextSlot())
    return pools.poolRegistry.fundPool(pool.id, timestamp, proven.state, at(proven.validators, pool.index))
  }
  /** From a buffer of 32 ETH to an active validator of 32 ETH. */
  const makePool = async () => {
    const poolId = await requestPool()
    await drawVault(poolId)
    const pool = await completeDkg(poolId)
    await fund(pool)
    const epoch = await epochNow()
    change(pool, { balance: FULL, effectiveBalance: FULL, activationEligibilityEpoch: epoch, activationEpoch: epoch })
    return pool
  }
  const change = (pool: Pool, to: Partial<ValidatorRequest>) => {
    validators[pool.index] = { ...at(validators, pool.index), ...to }
  }
  /** A slot after which the next block may come: the one before now. */
  const nextSlot = async () => {
    const slot =
      Math.floor(((await networkHelpers.time.latest()) - Number(pools.parameters.genesisTime)) / Number(pools.parameters.secondsPerSlot)) +
      1
    await pools.toSlot(slot + 1)
    return slot
  }
  const memberOf = (id: bigint): RegisteredProducer => {
    const member = members.get(id)
    if (member === undefined) throw new Error(`expected a registered producer, got ${id}`)
    return member
  }

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

  /** A report of the next epoch on the grid, in a period with a committee. @returns its id */
  const reportNow = async (draft: Partial<ReportDraft> = {}) => {
    const grid = Number(pools.parameters.reportEpochs)
    const epoch = ((await epochNow()) / grid + 1) | 0
    const period = await pools.periods.periodAt(epoch * grid)
    if ((await pools.periods.startOf(period)) > (await epochNow()) || !(await hasCommittee(period))) await startPeriod(Number(period))
    if ((await epochNow()) <= epoch * grid) await pools.toEpoch(epoch * grid + 1)
    const { id } = await postReport({ epoch: epoch * grid, ...draft })
    return id
  }
  const hasCommittee = async (period: bigint) =>
    pools.periods.committee(period).then(
      () => true,
      () => false,
    )
  /** Proves the pending liquidation's seed and draws. @returns ids of the pools drawn */
  const drawLiquidation = async () => {
    const drawId = await pools.exits.drawCount()
    const seed = await seedAfter(Number(await pools.exits.seedEpochOf(drawId)))
    await pools.exits.drawLiquidation(drawId, seed.timestamp, seed.state, seed.randao)
    const events = await pools.exits.queryFilter(pools.exits.filters.LiquidationDrawn(drawId))
    return events.map(({ args }) => args.poolId)
  }
  /** A pool's validator and balance in a state of now. */
  const proveValidator = async (pool: Pool) => {
    const { proven, timestamp } = await stateAt(await nextSlot())
    return { timestamp, state: proven.state, validator: at(proven.validators, pool.index), balance: at(proven.balances, pool.index) }
  }
  /** Makes a pool's validator one that is not activated yet. */
  const dormant = (pool: Pool) => {
    const { activationEpoch: _, ...rest } = at(validators, pool.index)
    validators[pool.index] = rest
  }
  /** ETH that the beacon chain sends to a kind's vault, without a call. */
  const arrive = async (kind: number, amount: bigint) => {
    const vault = await pools.stakingPool.withdrawalVault(kind)
    await networkHelpers.setBalance(vault, (await ethers.provider.getBalance(vault)) + amount)
  }

  /** Remembers chain and beacon chain. @returns what brings both back, any number of times */
  const checkpoint = async () => {
    const snapshot = await networkHelpers.takeSnapshot()
    const kept = [...validators]
    return async () => {
      await snapshot.restore()
      validators.splice(0, validators.length, ...kept)
    }
  }

  return {
    ...pools,
    register,
    ethers,
    networkHelpers,
    prover,
    producers,
    validators,
    memberOf,
    mixOf,
    epochNow,
    stateAt,
    seedAfter,
    startPeriod,
    requestPool,
    drawVault,
    completeDkg,
    fund,
    makePool,
    change,
    nextSlot,
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
    reportNow,
    checkpoint,
    drawLiquidation,
    proveValidator,
    dormant,
    arrive,
  }
}

export type NetworkLife = Awaited<ReturnType<typeof startLife>>

/** The element at an index that is there. */
export function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error(`expected an item at ${index} of ${items.length}`)
  return item
}

function cut<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** What a commitment is kept by the hash of, as the contracts take it. */
export function contentOf({ report, executionHash, absent }: SignedReport) {
  return { report, executionHash, absent }
}

/** What a validator's key signs for its deposit of 1 ETH (consensus spec, DepositMessage under DOMAIN_DEPOSIT). */
function depositSigningRoot(deposit: {
  readonly publicKey: string
  readonly credentials: string
  readonly forkVersion: string
}): Uint8Array {
  const message = { pubkey: getBytes(deposit.publicKey), withdrawalCredentials: getBytes(deposit.credentials), amount: 10 ** 9 }
  const forkData = { currentVersion: getBytes(deposit.forkVersion), genesisValidatorsRoot: new Uint8Array(32) }
  const domain = new Uint8Array(32)
  domain.set(DOMAIN_DEPOSIT)
  domain.set(ssz.phase0.ForkData.hashTreeRoot(forkData).subarray(0, 28), 4)
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot: ssz.phase0.DepositMessage.hashTreeRoot(message), domain })
}
