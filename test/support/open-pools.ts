import type { SecretKey } from '@chainsafe/blst'
import { parseEther, zeroPadValue } from 'ethers'
import type { NetworkConnection } from 'hardhat/types/network'
import { deployOpenPools as deploy } from '../../deploy/deploy.ts'
import { devnet } from '../../deploy/parameters/devnet.ts'
import type { DeploymentParameters } from '../../deploy/parameters/types.ts'
import type { ContractName } from '../../deploy/plan.ts'
import systemContracts from '../../devnet/chain/execution/system-contracts.json' with { type: 'json' }
import { EPOCHS_PER_HISTORICAL_VECTOR, LAYOUT_ROW, type ProvenState, SLOTS_PER_EPOCH } from './beacon-prover.ts'
import { g1, newKey, proofOfPossession } from './block-producers.ts'
import { randomWallet } from './randomness.ts'

const SECONDS_PER_SLOT = 60
const BEACON_ROOTS = systemContracts.beaconRoots.address
const RING = 8191n
export const GENESIS_VALIDATORS_ROOT = `0x${'67'.repeat(32)}`

/** The devnet's choices, on the minimal preset. */
const PARAMETERS: Omit<DeploymentParameters, 'genesisTime'> = {
  ...devnet,
  secondsPerSlot: BigInt(SECONDS_PER_SLOT),
  slotsPerEpoch: BigInt(SLOTS_PER_EPOCH),
  epochsPerHistoricalVector: BigInt(EPOCHS_PER_HISTORICAL_VECTOR),
  shardCommitteePeriod: 4n,
  genesisForkVersion: '0x00000001',
  genesisValidatorsRoot: GENESIS_VALIDATORS_ROOT,
  ejectionBalance: 16_000_000_000n,
  depositContract: systemContracts.depositContract.address,
  firstPeriod: 5n,
}

export type RegisteredProducer = {
  readonly id: bigint
  readonly owner: string
  readonly operator: string
  /** Of `operator`. */
  readonly operatorKey: string
  readonly key: SecretKey
}

export type OpenPools = Awaited<ReturnType<typeof openPools>>

/**
 * All contracts of a deployment on a fresh chain whose beacon genesis is now, and the hands to move it: time by slots, beacon
 * block roots in EIP-4788's ring, any address as sender.
 */
export async function openPools({ ethers, networkHelpers }: NetworkConnection, choices: Partial<DeploymentParameters> = {}) {
  const [deployer, ...people] = await ethers.getSigners()
  if (deployer === undefined) throw new Error('expected a signer, got none')
  await networkHelpers.setCode(systemContracts.depositContract.address, systemContracts.depositContract.code)
  await networkHelpers.setCode(systemContracts.history.address, systemContracts.history.code)
  await networkHelpers.setCode(systemContracts.withdrawalRequests.address, systemContracts.withdrawalRequests.code)
  const genesisTime = (await networkHelpers.time.latest()) + 1
  const parameters = { ...PARAMETERS, rotationPeriod: 32n, ...choices, genesisTime: BigInt(genesisTime) }
  await networkHelpers.time.setNextBlockTimestamp(genesisTime)

  const { addresses } = await deploy({ signer: deployer, parameters, layouts: [LAYOUT_ROW] })
  const contracts = {
    beaconLayout: await ethers.getContractAt('BeaconLayout', addresses.beaconLayout),
    bondEther: await ethers.getContractAt('BondEther', addresses.bondEther),
    stakingPool: await ethers.getContractAt('StakingPool', addresses.stakingPool),
    withdrawalQueue: await ethers.getContractAt('WithdrawalQueue', addresses.withdrawalQueue),
    blockProducers: await ethers.getContractAt('BlockProducers', addresses.blockProducers),
    periods: await ethers.getContractAt('Periods', addresses.periods),
    vaultDraws: await ethers.getContractAt('VaultDraws', addresses.vaultDraws),
    poolRegistry: await ethers.getContractAt('PoolRegistry', addresses.poolRegistry),
    exits: await ethers.getContractAt('Exits', addresses.exits),
    stateCommitments: await ethers.getContractAt('StateCommitments', addresses.stateCommitments),
    disputes: await ethers.getContractAt('Disputes', addresses.disputes),
    cdt: await ethers.getContractAt('Cdt', addresses.cdt),
    rewards: await ethers.getContractAt('Rewards', addresses.rewards),
    cdtStaking: await ethers.getContractAt('CdtStaking', addresses.cdtStaking),
    slashing: await ethers.getContractAt('Slashing', addresses.slashing),
    ceremonies: await ethers.getContractAt('Ceremonies', addresses.ceremonies),
    rotations: await ethers.getContractAt('Rotations', addresses.rotations),
    dkgDisputes: await ethers.getContractAt('DkgDisputes', addresses.dkgDisputes),
    windDown: await ethers.getContractAt('WindDown', addresses.windDown),
    wrappedBondEther: await ethers.getContractAt('WrappedBondEther', addresses.wrappedBondEther),
    views: await ethers.getContractAt('NetworkViews', addresses.views),
    votes: await ethers.getContractAt('Votes', addresses.votes),
  }
  const { chainId } = await ethers.provider.getNetwork()
  const judgeOf = (name: ContractName) => ({ chainId, verifyingContract: addresses[name] })
  const timeOfSlot = (slot: number) => genesisTime + slot * SECONDS_PER_SLOT

  /** A signer for any address, a contract's included, with ETH for gas. */
  const as = async (address: string) => {
    await networkHelpers.impersonateAccount(address)
    await networkHelpers.setBalance(address, parseEther('1000'))
    return ethers.getSigner(address)
  }
  /** Time of the latest block. */
  const now = () => networkHelpers.time.latest()
  /** Mines a block at the time of `slot`. */
  const toSlot = async (slot: number) => networkHelpers.time.increaseTo(timeOfSlot(slot))
  const toEpoch = async (epoch: number | bigint) => toSlot(Number(epoch) * SLOTS_PER_EPOCH)
  /** Makes EIP-4788 know a state's block. @returns the timestamp to ask it by */
  const anchor = async ({ blockRoot, state }: ProvenState): Promise<bigint> => {
    const timestamp = BigInt(timeOfSlot(Number(state.header.slot) + 1))
    await networkHelpers.setStorageAt(BEACON_ROOTS, timestamp % RING, zeroPadValue(ethers.toBeHex(timestamp), 32))
    await networkHelpers.setStorageAt(BEACON_ROOTS, (timestamp % RING) + RING, blockRoot)
    return timestamp
  }
  /** Makes EIP-2935 know a block by this hash. */
  const anchorExecution = async ({ number, hash }: { readonly number: bigint; readonly hash: string }) =>
    networkHelpers.setStorageAt(systemContracts.history.address, number % RING, hash)
  const register = async (bond = parseEther('26')): Promise<RegisteredProducer> => {
    const key = newKey()
    const owner = randomWallet().address
    const { address: operator, privateKey: operatorKey } = randomWallet()
    const possession = proofOfPossession(judgeOf('blockProducers'), { owner, operator, key })
    const signer = await as(owner)
    await contracts.blockProducers.connect(signer).register(operator, g1(key.toPublicKey()), possession, '/ip4/127.0.0.1', { value: bond })
    return { id: await contracts.blockProducers.producerOf(operator), owner, operator, operatorKey, key }
  }
  return {
    ...contracts,
    addresses,
    parameters,
    deployer,
    people,
    judgeOf,
    timeOfSlot,
    as,
    now,
    toSlot,
    toEpoch,
    anchor,
    anchorExecution,
    register,
  }
}
