import { readFile } from 'node:fs/promises'
import type { HardhatEthers } from '@nomicfoundation/hardhat-ethers/types'
import { getCreateAddress, parseEther } from 'ethers'
import { CONTRACT_ORDER, type ContractName } from '../../deploy/plan.ts'

/** Kinds of pools, as in the contracts. */
export const STAKER = 0
export const BOND = 1

export const DEAD_ETHER = 1000n
export const SHARES_PER_WEI = 1000n
export const ONE = 10n ** 27n

export const SECONDS_PER_SLOT = 12
export const SLOTS_PER_EPOCH = 32
export const REPORT_EPOCHS = 225
/** Seconds between two possible references of reports. */
export const INTERVAL = SECONDS_PER_SLOT * SLOTS_PER_EPOCH * REPORT_EPOCHS
/** Parts per million an epoch: wide enough that a test of something else is not clamped. */
export const MAX_REPORT_GROWTH = 1000n

type SystemContracts = {
  readonly depositContract: { readonly address: string; readonly code: string }
  readonly withdrawalRequests: { readonly address: string; readonly code: string }
}

/** Mainnet's own deposit contract and EIP-7002 contract: address and runtime code. */
export async function systemContracts(): Promise<SystemContracts> {
  const path = new URL('../../devnet/chain/execution/system-contracts.json', import.meta.url)
  return JSON.parse(await readFile(path, 'utf8')) as SystemContracts
}

export function parameters({ genesisTime, depositContract }: { readonly genesisTime: number; readonly depositContract: string }) {
  return {
    genesisTime,
    secondsPerSlot: SECONDS_PER_SLOT,
    slotsPerEpoch: SLOTS_PER_EPOCH,
    epochsPerHistoricalVector: 65_536,
    shardCommitteePeriod: 256,
    genesisForkVersion: '0x00000000',
    genesisValidatorsRoot: `0x${'67'.repeat(32)}`,
    ejectionBalance: 16_000_000_000,
    depositContract,
    vaultSize: 24,
    seatAllocation: parseEther('2'),
    effectiveStake: parseEther('10'),
    minProducers: 48,
    firstPeriod: 100,
    periodLength: 225,
    maxChurn: 64,
    committeeSize: 128,
    minAuxCommitteeSize: 128,
    seedDelay: 4,
    ceremonyDeadline: 24,
    seatTail: 900,
    rotationPeriod: 6_300,
    rotationMargin: 6,
    reportEpochs: REPORT_EPOCHS,
    disputeDuration: 450,
    pagesDeadline: 38,
    voteDuration: 450,
    failedVotePenalty: parseEther('0.1'),
    maxReportGrowth: MAX_REPORT_GROWTH,
    maxReportLoss: 10_000,
    minDeposit: parseEther('0.01'),
    liquidationThreshold: parseEther('32'),
    maxQueueWait: 1575,
    maxLiquidationExecution: 221,
    stallPenalty: parseEther('0.1'),
    reporterShare: 500,
    reporterFee: parseEther('0.1'),
    rewardsFee: 1_000,
    baseReward: 100,
    dkgReward: 1_000,
    dkgFailurePenalty: 5_000,
    maxCdtDebt: 315_000,
    minPoolPerformance: 9_000,
    nominalPools: 100,
    cdtEmission: parseEther('150000000'),
    cdtMinLock: 1_575,
    layoutDelay: 1_575,
    windDownAfter: 6_300,
  }
}

/**
 * The staking contracts and tokens, wired as deployed; ReportsHarness stands for StateCommitments, and plain accounts for
 * BlockProducers, PoolRegistry, Exits and Rewards. No fee on rewards unless it is given: a test of something else reads easier.
 */
export async function deployStaking({ ethers, rewardsFee = 0n }: { readonly ethers: HardhatEthers; readonly rewardsFee?: bigint }) {
  const [deployer, producers, registry, exits, alice, bob, carol, rewards] = await ethers.getSigners()
  if (!deployer || !producers || !registry || !exits || !alice || !bob || !carol || !rewards) throw new Error('expected eight signers')
  const { depositContract, withdrawalRequests } = await systemContracts()
  for (const { address, code } of [depositContract, withdrawalRequests]) {
    await ethers.provider.send('hardhat_setCode', [address, code])
  }
  const block = await ethers.provider.getBlock('latest')
  const now = block?.timestamp ?? 0
  // The next report interval starts soon after the deployment.
  const genesisTime = now - 10 * INTERVAL - Math.floor(INTERVAL / 2)
  const nonce = await deployer.getNonce()
  const at = (offset: number) => getCreateAddress({ from: deployer.address, nonce: nonce + offset })
  const unused = '0x0000000000000000000000000000000000000001'
  const addresses = {
    ...(Object.fromEntries(CONTRACT_ORDER.map((name) => [name, unused])) as Record<ContractName, string>),
    bondEther: at(0),
    stakingPool: at(1),
    withdrawalQueue: at(2),
    stakerVault: at(3),
    bondVault: at(4),
    blockProducers: producers.address,
    poolRegistry: registry.address,
    exits: exits.address,
    stateCommitments: at(5),
    cdt: at(6),
    rewards: rewards.address,
    cdtStaking: at(7),
    windDown: at(8),
    wrappedBondEther: at(9),
  }
  const given = { ...parameters({ genesisTime, depositContract: depositContract.address }), rewardsFee }
  const bondEther = await ethers.deployContract('BondEther', [addresses, given])
  const stakingPool = await ethers.deployContract('StakingPool', [addresses, given], { value: DEAD_ETHER })
  const queue = await ethers.deployContract('WithdrawalQueue', [addresses, given])
  const stakerVault = await ethers.deployContract('WithdrawalVault', [addresses])
  const bondVault = await ethers.deployContract('WithdrawalVault', [addresses])
  const reports = await ethers.deployContract('ReportsHarness', [addresses.stakingPool, addresses.withdrawalQueue])
  const cdt = await ethers.deployContract('Cdt', [addresses])
  const cdtStaking = await ethers.deployContract('CdtStaking', [addresses, given])
  const windDown = await ethers.deployContract('WindDown', [addresses, given])
  const wrapped = await ethers.deployContract('WrappedBondEther', [addresses])
  return {
    addresses,
    parameters: given,
    bondEther,
    stakingPool,
    queue,
    vaults: [stakerVault, bondVault] as const,
    reports,
    cdt,
    cdtStaking,
    windDown,
    wrapped,
    deposits: depositContract.address,
    exitRequests: withdrawalRequests.address,
    signers: { deployer, producers, registry, exits, alice, bob, carol, rewards },
    genesisTime,
  }
}

export type Staking = Awaited<ReturnType<typeof deployStaking>>
