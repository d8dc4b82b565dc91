import { type ContractDeployTransaction, getCreateAddress } from 'ethers'
import { BeaconLayout__factory } from '../typechain-types/factories/contracts/consensus/BeaconLayout__factory.js'
import { Disputes__factory } from '../typechain-types/factories/contracts/consensus/Disputes__factory.js'
import { Rewards__factory } from '../typechain-types/factories/contracts/consensus/Rewards__factory.js'
import { Slashing__factory } from '../typechain-types/factories/contracts/consensus/Slashing__factory.js'
import { StateCommitments__factory } from '../typechain-types/factories/contracts/consensus/StateCommitments__factory.js'
import { Votes__factory } from '../typechain-types/factories/contracts/consensus/Votes__factory.js'
import { Directory__factory } from '../typechain-types/factories/contracts/Directory__factory.js'
import { Ceremonies__factory } from '../typechain-types/factories/contracts/pools/Ceremonies__factory.js'
import { DkgDisputes__factory } from '../typechain-types/factories/contracts/pools/DkgDisputes__factory.js'
import { Exits__factory } from '../typechain-types/factories/contracts/pools/Exits__factory.js'
import { PoolRegistry__factory } from '../typechain-types/factories/contracts/pools/PoolRegistry__factory.js'
import { Rotations__factory } from '../typechain-types/factories/contracts/pools/Rotations__factory.js'
import { VaultDraws__factory } from '../typechain-types/factories/contracts/pools/VaultDraws__factory.js'
import { BlockProducers__factory } from '../typechain-types/factories/contracts/producers/BlockProducers__factory.js'
import { Periods__factory } from '../typechain-types/factories/contracts/producers/Periods__factory.js'
import { StakingPool__factory } from '../typechain-types/factories/contracts/staking/StakingPool__factory.js'
import { WindDown__factory } from '../typechain-types/factories/contracts/staking/WindDown__factory.js'
import { WithdrawalQueue__factory } from '../typechain-types/factories/contracts/staking/WithdrawalQueue__factory.js'
import { WithdrawalVault__factory } from '../typechain-types/factories/contracts/staking/WithdrawalVault__factory.js'
import { BondEther__factory } from '../typechain-types/factories/contracts/tokens/BondEther__factory.js'
import { Cdt__factory } from '../typechain-types/factories/contracts/tokens/Cdt__factory.js'
import { CdtStaking__factory } from '../typechain-types/factories/contracts/tokens/CdtStaking__factory.js'
import { WrappedBondEther__factory } from '../typechain-types/factories/contracts/tokens/WrappedBondEther__factory.js'
import { NetworkViews__factory } from '../typechain-types/factories/contracts/views/NetworkViews__factory.js'
import type { DeploymentParameters, LayoutRow } from './parameters/types.ts'

/**
 * The contracts of a deployment, in order of their nonces. The directory comes first: it refuses parameters out of range
 * before anything else costs gas, and its block is the one from which clients read events.
 */
export const CONTRACT_ORDER = [
  'directory',
  'beaconLayout',
  'bondEther',
  'stakingPool',
  'withdrawalQueue',
  'stakerVault',
  'bondVault',
  'blockProducers',
  'periods',
  'vaultDraws',
  'poolRegistry',
  'exits',
  'stateCommitments',
  'disputes',
  'cdt',
  'rewards',
  'cdtStaking',
  'slashing',
  'windDown',
  'ceremonies',
  'rotations',
  'dkgDisputes',
  'wrappedBondEther',
  'views',
  'votes',
] as const

export type ContractName = (typeof CONTRACT_ORDER)[number]
/** The Solidity struct `Addresses`. */
export type DeploymentAddresses = Readonly<Record<ContractName, string>>

export interface DeploymentPlan {
  readonly addresses: DeploymentAddresses
  readonly parameters: DeploymentParameters
  readonly layouts: readonly LayoutRow[]
}

/** Where each contract will stand when `deployer` sends them in order, the first with `firstNonce`. */
export function predictAddresses(deployer: string, firstNonce: number): DeploymentAddresses {
  const entries = CONTRACT_ORDER.map((name, index) => [name, getCreateAddress({ from: deployer, nonce: firstNonce + index })])
  return Object.fromEntries(entries) as Record<ContractName, string>
}

/** What creates a contract: init code with the constructor's arguments, and the wei sent with it. */
export interface Creation {
  readonly data: string
  readonly value: bigint
}

/** Of StakingPool: the first deposit, whose shares nobody owns, so that no later depositor can be rounded away. */
const DEAD_ETHER = 1_000n

/** How each contract is created. */
export async function planCreations({ addresses, parameters, layouts }: DeploymentPlan): Promise<Readonly<Record<ContractName, Creation>>> {
  const common = [addresses, parameters] as const
  return {
    directory: await creationOf(new Directory__factory().getDeployTransaction(...common)),
    beaconLayout: await creationOf(new BeaconLayout__factory().getDeployTransaction(...common, [...layouts])),
    bondEther: await creationOf(new BondEther__factory().getDeployTransaction(...common)),
    stakingPool: await creationOf(new StakingPool__factory().getDeployTransaction(...common, { value: DEAD_ETHER })),
    withdrawalQueue: await creationOf(new WithdrawalQueue__factory().getDeployTransaction(...common)),
    stakerVault: await creationOf(new WithdrawalVault__factory().getDeployTransaction(addresses)),
    bondVault: await creationOf(new WithdrawalVault__factory().getDeployTransaction(addresses)),
    blockProducers: await creationOf(new BlockProducers__factory().getDeployTransaction(...common)),
    periods: await creationOf(new Periods__factory().getDeployTransaction(...common)),
    vaultDraws: await creationOf(new VaultDraws__factory().getDeployTransaction(...common)),
    poolRegistry: await creationOf(new PoolRegistry__factory().getDeployTransaction(...common)),
    exits: await creationOf(new Exits__factory().getDeployTransaction(...common)),
    stateCommitments: await creationOf(new StateCommitments__factory().getDeployTransaction(...common)),
    disputes: await creationOf(new Disputes__factory().getDeployTransaction(...common)),
    cdt: await creationOf(new Cdt__factory().getDeployTransaction(addresses)),
    rewards: await creationOf(new Rewards__factory().getDeployTransaction(...common)),
    cdtStaking: await creationOf(new CdtStaking__factory().getDeployTransaction(...common)),
    slashing: await creationOf(new Slashing__factory().getDeployTransaction(...common)),
    windDown: await creationOf(new WindDown__factory().getDeployTransaction(...common)),
    ceremonies: await creationOf(new Ceremonies__factory().getDeployTransaction(...common)),
    rotations: await creationOf(new Rotations__factory().getDeployTransaction(...common)),
    dkgDisputes: await creationOf(new DkgDisputes__factory().getDeployTransaction(...common)),
    wrappedBondEther: await creationOf(new WrappedBondEther__factory().getDeployTransaction(addresses)),
    views: await creationOf(new NetworkViews__factory().getDeployTransaction(...common)),
    votes: await creationOf(new Votes__factory().getDeployTransaction(...common)),
  }
}

async function creationOf(transaction: Promise<ContractDeployTransaction>): Promise<Creation> {
  const { data, value } = await transaction
  return { data, value: value ?? 0n }
}
