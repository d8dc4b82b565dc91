import type { Interface } from 'ethers'
// One by one: the index would load the bytecode of every contract as well.
import { IBeaconLayout__factory } from '../../../typechain-types/factories/contracts/interfaces/IBeaconLayout__factory.js'
import { IBlockProducers__factory } from '../../../typechain-types/factories/contracts/interfaces/IBlockProducers__factory.js'
import { IBondEther__factory } from '../../../typechain-types/factories/contracts/interfaces/IBondEther__factory.js'
import { ICdt__factory } from '../../../typechain-types/factories/contracts/interfaces/ICdt__factory.js'
import { ICdtStaking__factory } from '../../../typechain-types/factories/contracts/interfaces/ICdtStaking__factory.js'
import { ICeremonies__factory } from '../../../typechain-types/factories/contracts/interfaces/ICeremonies__factory.js'
import { IDirectory__factory } from '../../../typechain-types/factories/contracts/interfaces/IDirectory__factory.js'
import { IDisputes__factory } from '../../../typechain-types/factories/contracts/interfaces/IDisputes__factory.js'
import { IDkgDisputes__factory } from '../../../typechain-types/factories/contracts/interfaces/IDkgDisputes__factory.js'
import { IExits__factory } from '../../../typechain-types/factories/contracts/interfaces/IExits__factory.js'
import { INetworkViews__factory } from '../../../typechain-types/factories/contracts/interfaces/INetworkViews__factory.js'
import { IPeriods__factory } from '../../../typechain-types/factories/contracts/interfaces/IPeriods__factory.js'
import { IPoolRegistry__factory } from '../../../typechain-types/factories/contracts/interfaces/IPoolRegistry__factory.js'
import { IRewards__factory } from '../../../typechain-types/factories/contracts/interfaces/IRewards__factory.js'
import { IRotations__factory } from '../../../typechain-types/factories/contracts/interfaces/IRotations__factory.js'
import { ISlashing__factory } from '../../../typechain-types/factories/contracts/interfaces/ISlashing__factory.js'
import { IStakingPool__factory } from '../../../typechain-types/factories/contracts/interfaces/IStakingPool__factory.js'
import { IStateCommitments__factory } from '../../../typechain-types/factories/contracts/interfaces/IStateCommitments__factory.js'
import { IVaultDraws__factory } from '../../../typechain-types/factories/contracts/interfaces/IVaultDraws__factory.js'
import { IVotes__factory } from '../../../typechain-types/factories/contracts/interfaces/IVotes__factory.js'
import { IWindDown__factory } from '../../../typechain-types/factories/contracts/interfaces/IWindDown__factory.js'
import { IWithdrawalQueue__factory } from '../../../typechain-types/factories/contracts/interfaces/IWithdrawalQueue__factory.js'
import { IWithdrawalVault__factory } from '../../../typechain-types/factories/contracts/interfaces/IWithdrawalVault__factory.js'
import { IWrappedBondEther__factory } from '../../../typechain-types/factories/contracts/interfaces/IWrappedBondEther__factory.js'
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
  cdt: ICdt__factory.createInterface(),
  rewards: IRewards__factory.createInterface(),
  cdtStaking: ICdtStaking__factory.createInterface(),
  slashing: ISlashing__factory.createInterface(),
  windDown: IWindDown__factory.createInterface(),
  ceremonies: ICeremonies__factory.createInterface(),
  rotations: IRotations__factory.createInterface(),
  dkgDisputes: IDkgDisputes__factory.createInterface(),
  wrappedBondEther: IWrappedBondEther__factory.createInterface(),
  views: INetworkViews__factory.createInterface(),
  votes: IVotes__factory.createInterface(),
}
