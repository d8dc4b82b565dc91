import type { SecretKey } from '@chainsafe/blst'
import { ssz } from '@lodestar/types'
import { type ContractTransactionResponse, getBytes, hexlify, keccak256, parseEther } from 'ethers'
import type { NetworkConnection } from 'hardhat/types/network'
import type { DeploymentParameters } from '../../deploy/parameters/types.ts'
import { at } from './at.ts'
import { BeaconProver, FORK_VERSION, SLOTS_PER_EPOCH, type ValidatorRequest } from './beacon-prover.ts'
import { aggregateG2, dkgDigest, g1, g2, newKey } from './block-producers.ts'
import { type ReportDraft, reportHands } from './network-reports.ts'
import { openPools, type RegisteredProducer } from './open-pools.ts'
import { randomBytes } from './randomness.ts'

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

  const reports = reportHands({ connection, pools, prover, validators, memberOf })

  /** A report of the next epoch on the grid, in a period with a committee. @returns its id */
  const reportNow = async (draft: Partial<ReportDraft> = {}) => {
    const grid = Number(pools.parameters.reportEpochs)
    const epoch = ((await epochNow()) / grid + 1) | 0
    const period = await pools.periods.periodAt(epoch * grid)
    if ((await pools.periods.startOf(period)) > (await epochNow()) || !(await hasCommittee(period))) await startPeriod(Number(period))
    if ((await epochNow()) <= epoch * grid) await pools.toEpoch(epoch * grid + 1)
    const { id } = await reports.postReport({ epoch: epoch * grid, ...draft })
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
    ...reports,
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
    reportNow,
    checkpoint,
    drawLiquidation,
    proveValidator,
    dormant,
    arrive,
  }
}

export type NetworkLife = Awaited<ReturnType<typeof startLife>>

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
