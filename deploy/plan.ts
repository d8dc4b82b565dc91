import { type ContractFactory, getCreateAddress, type Signer } from 'ethers'
import { BeaconLayout__factory } from '../typechain-types/factories/contracts/consensus/BeaconLayout__factory.js'
import { Disputes__factory } from '../typechain-types/factories/contracts/consensus/Disputes__factory.js'
import { StateCommitments__factory } from '../typechain-types/factories/contracts/consensus/StateCommitments__factory.js'
import { Directory__factory } from '../typechain-types/factories/contracts/Directory__factory.js'
import { Exits__factory } from '../typechain-types/factories/contracts/pools/Exits__factory.js'
import { PoolRegistry__factory } from '../typechain-types/factories/contracts/pools/PoolRegistry__factory.js'
import { VaultDraws__factory } from '../typechain-types/factories/contracts/pools/VaultDraws__factory.js'
import { BlockProducers__factory } from '../typechain-types/factories/contracts/producers/BlockProducers__factory.js'
import { Periods__factory } from '../typechain-types/factories/contracts/producers/Periods__factory.js'
import { StakingPool__factory } from '../typechain-types/factories/contracts/staking/StakingPool__factory.js'
import { WithdrawalQueue__factory } from '../typechain-types/factories/contracts/staking/WithdrawalQueue__factory.js'
import { WithdrawalVault__factory } from '../typechain-types/factories/contracts/staking/WithdrawalVault__factory.js'
import { BondEther__factory } from '../typechain-types/factories/contracts/tokens/BondEther__factory.js'
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
] as const

export type ContractName = (typeof CONTRACT_ORDER)[number]
/** The Solidity struct `Addresses`. */
export type DeploymentAddresses = Readonly<Record<ContractName, string>>

/** Where each contract will stand when `deployer` sends them in order, the first with `firstNonce`. */
export function predictAddresses(deployer: string, firstNonce: number): DeploymentAddresses {
  const entries = CONTRACT_ORDER.map((name, index) => [name, getCreateAddress({ from: deployer, nonce: firstNonce + index })])
  return Object.fromEntries(entries) as Record<ContractName, string>
}

/** Init code of each contract, its constructor's arguments included. */
export async function initCodes(
  { addresses, parameters, layouts }: { addresses: DeploymentAddresses; parameters: DeploymentParameters; layouts: readonly LayoutRow[] },
  signer: Signer,
): Promise<Readonly<Record<ContractName, string>>> {
  const code = async <Arguments extends unknown[]>(factory: ContractFactory<Arguments>, ...args: Arguments): Promise<string> =>
    (await factory.getDeployTransaction(...args)).data
  return {
    directory: await code(new Directory__factory(signer), addresses, parameters),
    beaconLayout: await code(new BeaconLayout__factory(signer), [...layouts]),
    bondEther: await code(new BondEther__factory(signer), addresses, parameters),
    stakingPool: await code(new StakingPool__factory(signer), addresses, parameters),
    withdrawalQueue: await code(new WithdrawalQueue__factory(signer), addresses, parameters),
    stakerVault: await code(new WithdrawalVault__factory(signer), addresses, parameters),
    bondVault: await code(new WithdrawalVault__factory(signer), addresses, parameters),
    blockProducers: await code(new BlockProducers__factory(signer), addresses, parameters),
    periods: await code(new Periods__factory(signer), addresses, parameters),
    vaultDraws: await code(new VaultDraws__factory(signer), addresses, parameters),
    poolRegistry: await code(new PoolRegistry__factory(signer), addresses, parameters),
    exits: await code(new Exits__factory(signer), addresses, parameters),
    stateCommitments: await code(new StateCommitments__factory(signer), addresses, parameters),
    disputes: await code(new Disputes__factory(signer), addresses, parameters),
  }
}
