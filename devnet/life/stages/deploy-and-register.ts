import { readBeaconChain } from '../../../deploy/beacon-facts.ts'
import { deployOpenPools } from '../../../deploy/deploy.ts'
import { devnet } from '../../../deploy/parameters/devnet.ts'
import {
  BlockProducers__factory,
  BondEther__factory,
  Cdt__factory,
  Exits__factory,
  Periods__factory,
  PoolRegistry__factory,
  Rewards__factory,
  Rotations__factory,
  StakingPool__factory,
  StateCommitments__factory,
  WithdrawalQueue__factory,
} from '../../../typechain-types/index.ts'
import { registerOperator, startOperator } from '../operators.ts'
import { accountAt } from '../people.ts'
import { ReferenceWatch } from '../reference-watch.ts'
import { until } from '../wait.ts'
import type { Contracts, Deployment, OnEthereum, Stage } from '../world.ts'

const BOND = '26'
const FIRST_PERIOD = 6n

/** Contracts, bonds, and the seven operator processes. */
export const deployAndRegisterStage: Stage<OnEthereum, Deployment> = {
  name: 'contracts and block producers',
  seconds: 120,
  async run(world, signal) {
    const { chain, provider, screen } = world
    await until(async () => ((await provider.getBlockNumber()) > 0 ? true : undefined), signal)
    screen.status('deploying')
    const beaconChain = await readBeaconChain(chain.beaconUrl)
    const {
      addresses,
      directory,
      contracts: deployed,
    } = await deployOpenPools({
      signer: accountAt(chain.mnemonic, 0).connect(provider),
      parameters: { ...beaconChain.facts, ...devnet, firstPeriod: FIRST_PERIOD },
      layouts: beaconChain.layouts,
    })
    const contracts: Contracts = {
      directory,
      bondEther: BondEther__factory.connect(addresses.bondEther, provider),
      stakingPool: StakingPool__factory.connect(addresses.stakingPool, provider),
      withdrawalQueue: WithdrawalQueue__factory.connect(addresses.withdrawalQueue, provider),
      blockProducers: BlockProducers__factory.connect(addresses.blockProducers, provider),
      periods: Periods__factory.connect(addresses.periods, provider),
      poolRegistry: PoolRegistry__factory.connect(addresses.poolRegistry, provider),
      exits: Exits__factory.connect(addresses.exits, provider),
      stateCommitments: StateCommitments__factory.connect(addresses.stateCommitments, provider),
      rotations: Rotations__factory.connect(addresses.rotations, provider),
      rewards: Rewards__factory.connect(addresses.rewards, provider),
      cdt: Cdt__factory.connect(addresses.cdt, provider),
      stakerVault: addresses.stakerVault,
      bondVault: addresses.bondVault,
    }
    const network = { executionUrl: chain.executionUrl, beaconUrl: chain.beaconUrl, directory: addresses.directory }
    const { poolRegistry } = contracts
    const references = new ReferenceWatch({
      beacon: world.beacon,
      boundaryEvery: Number(devnet.reportEpochs) * world.slotsPerEpoch,
      keys: async () => (await poolRegistry.queryFilter(poolRegistry.filters.DkgCompleted())).map(({ args }) => args.publicKey),
    })
    world.heads.each((head) => references.catchUp(head))
    screen.status(`${world.operators.length} block producers bond ${BOND} ETH each`)
    await Promise.all(world.operators.map((operator) => registerOperator(operator, network, BOND, world.processes)))
    screen.status('operators start')
    for (const operator of world.operators) {
      startOperator(operator, network, world)
    }
    const gas = deployed.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)
    const summary = `${deployed.length} contracts (${gas} gas), ${world.operators.length} operators start`
    return { added: { network, contracts, firstPeriod: Number(FIRST_PERIOD), references }, summary }
  },
}
