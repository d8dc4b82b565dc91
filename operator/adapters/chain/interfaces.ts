import type { Interface } from 'ethers'
import {
  IBeaconLayout__factory,
  IBlockProducers__factory,
  IBondEther__factory,
  IDirectory__factory,
  IDisputes__factory,
  IExits__factory,
  IPeriods__factory,
  IPoolRegistry__factory,
  IStakingPool__factory,
  IStateCommitments__factory,
  IVaultDraws__factory,
  IWithdrawalQueue__factory,
  IWithdrawalVault__factory,
} from '../../../typechain-types/index.ts'
import type { ContractName } from '../../core/ports/chain.ts'

/** ABI of each contract of a deployment. */
export const INTERFACES: Readonly<Record<ContractName, Interface>> = {
  directory: IDirectory__factory.createInterface(),
  beaconLayout: IBeaconLayout__factory.createInterface(),
  bondEther: IBondEther__factory.createInterface(),
  stakingPool: IStakingPool__factory.createInterface(),
  withdrawalQueue: IWithdrawalQueue__factory.createInterface(),
  stakerVault: IWithdrawalVault__factory.createInterface(),
  bondVault: IWithdrawalVault__factory.createInterface(),
  blockProducers: IBlockProducers__factory.createInterface(),
  periods: IPeriods__factory.createInterface(),
  vaultDraws: IVaultDraws__factory.createInterface(),
  poolRegistry: IPoolRegistry__factory.createInterface(),
  exits: IExits__factory.createInterface(),
  stateCommitments: IStateCommitments__factory.createInterface(),
  disputes: IDisputes__factory.createInterface(),
}
