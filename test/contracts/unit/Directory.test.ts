import { expect } from 'chai'
import { parseEther, ZeroAddress, ZeroHash } from 'ethers'
import { network } from 'hardhat'
import type { DeploymentParameters } from '../../../deploy/parameters/types.ts'
import { CONTRACT_ORDER, type ContractName, type DeploymentAddresses, predictAddresses } from '../../../deploy/plan.ts'
import { openPools } from '../../support/open-pools.ts'

const connection = await network.create()
const { ethers } = connection

/** Of each parameter, the values next to its range: below it, unless it may be zero, and above it, unless nothing is. */
const OUTSIDE: Readonly<Partial<Record<keyof DeploymentParameters, readonly [bigint | undefined, bigint | undefined]>>> = {
  genesisTime: [0n, undefined],
  secondsPerSlot: [0n, 61n],
  slotsPerEpoch: [0n, 65n],
  epochsPerHistoricalVector: [31n, 2n ** 24n + 1n],
  shardCommitteePeriod: [undefined, 2n ** 16n + 1n],
  vaultSize: [3n, 129n],
  seatAllocation: [parseEther('0.01') - 1n, parseEther('32') + 1n],
  effectiveStake: [parseEther('12') - 1n, parseEther('2048') + 1n],
  minProducers: [3n, undefined],
  periodLength: [2n, 2n ** 16n + 1n],
  firstPeriod: [2n, 2n ** 40n + 1n],
  maxChurn: [0n, 1025n],
  committeeSize: [0n, 2049n],
  seedDelay: [0n, 1025n],
  ceremonyDeadline: [0n, 2n ** 16n + 1n],
  seatTail: [0n, 2n ** 16n + 1n],
  reportEpochs: [0n, 2n ** 16n + 1n],
  disputeDuration: [0n, 2n ** 16n + 1n],
  pagesDeadline: [0n, 2n ** 16n + 1n],
  maxReportGrowth: [0n, 1_000_001n],
  maxReportLoss: [0n, 1_000_001n],
  minDeposit: [0n, parseEther('32') + 1n],
  liquidationThreshold: [0n, parseEther('32000') + 1n],
  maxQueueWait: [0n, 2n ** 16n + 1n],
  maxLiquidationExecution: [0n, 2n ** 16n + 1n],
  stallPenalty: [0n, parseEther('12') + 1n],
  reporterShare: [undefined, 5_001n],
  genesisValidatorsRoot: [0n, undefined],
  ejectionBalance: [0n, 31_000_000_001n],
  minAuxCommitteeSize: [0n, 2049n],
  rotationMargin: [0n, 1025n],
  rotationPeriod: [13n, 2n ** 20n + 1n],
  voteDuration: [0n, 2n ** 16n + 1n],
  failedVotePenalty: [0n, parseEther('24') + 1n],
  reporterFee: [undefined, parseEther('12') + 1n],
  rewardsFee: [undefined, 5_001n],
  baseReward: [0n, 2n ** 16n + 1n],
  dkgReward: [0n, 2n ** 24n + 1n],
  dkgFailurePenalty: [0n, 10_001n],
  maxCdtDebt: [9n, 2n ** 31n],
  minPoolPerformance: [undefined, 10_001n],
  nominalPools: [0n, 2n ** 20n + 1n],
  cdtEmission: [0n, 2n ** 96n + 1n],
  cdtMinLock: [0n, 2n ** 20n + 1n],
  layoutDelay: [0n, 2n ** 20n + 1n],
  windDownAfter: [23n, 2n ** 20n + 1n],
}

/** What has to be otherwise for a parameter to be judged at these values. */
const BESIDES: Readonly<Partial<Record<string, Partial<DeploymentParameters>>>> = {
  seedDelay: { periodLength: 2_000n, firstPeriod: 2_000n },
  maxCdtDebt: { dkgFailurePenalty: 1n },
}

describe('Directory', () => {
  let deployed: Awaited<ReturnType<typeof openPools>>

  before(async () => {
    deployed = await openPools(connection)
  })

  const create = async (changes: { parameters?: Partial<DeploymentParameters>; addresses?: Partial<DeploymentAddresses> }) => {
    const nonce = await deployed.deployer.getNonce()
    const addresses = { ...predictAddresses(deployed.deployer.address, nonce), ...changes.addresses }
    return ethers.deployContract('Directory', [addresses, { ...deployed.parameters, ...changes.parameters }], deployed.deployer)
  }
  const refused = async (changes: Parameters<typeof create>[0], error: string) => {
    // Got first: a refusal must find its expectation there.
    const factory = await ethers.getContractFactory('Directory')
    await expect(create(changes)).to.be.revertedWithCustomError(factory, error)
  }

  it('gives clients everything that was fixed', async () => {
    const directory = await ethers.getContractAt('Directory', deployed.addresses.directory)
    const { parameters, addresses } = { parameters: await directory.parameters(), addresses: await directory.addresses() }
    for (const [name, value] of Object.entries(deployed.parameters))
      expect(parameters[name as keyof DeploymentParameters], name).to.equal(value)
    for (const name of CONTRACT_ORDER) expect(addresses[name], name).to.equal(deployed.addresses[name])
    const receipt = await ethers.provider.getTransactionReceipt(
      (await ethers.provider.getBlock(await directory.deploymentBlock()))?.transactions[0] ?? '',
    )
    expect(receipt?.contractAddress).to.equal(deployed.addresses.directory)
  })

  it('takes the network it was written for', async () => {
    await create({})
  })

  for (const [name, values] of Object.entries(OUTSIDE)) {
    it(`refuses ${name} outside its range`, async () => {
      const factory = await ethers.getContractFactory('Directory')
      const [below, above] = values
      const least = below === undefined ? 0n : below + 1n
      for (const value of values) {
        if (value === undefined) continue
        await expect(create({ parameters: { ...BESIDES[name], [name]: name === 'genesisValidatorsRoot' ? ZeroHash : value } }))
          .to.be.revertedWithCustomError(factory, 'ParameterOutOfRange')
          .withArgs(name, value, least, above === undefined ? () => true : above - 1n)
      }
    })
  }

  it('refuses a beacon chain that has not begun', async () => {
    await refused({ parameters: { genesisTime: 2n ** 63n } }, 'ParameterOutOfRange')
  })

  it('refuses a vector whose length is no power of two, and no deposit contract', async () => {
    await refused({ parameters: { epochsPerHistoricalVector: 65n } }, 'NotAPowerOfTwo')
    await refused({ parameters: { depositContract: ZeroAddress } }, 'AddressMissing')
  })

  it('refuses a missing address, and to stand elsewhere than said', async () => {
    for (const name of CONTRACT_ORDER.filter((other) => other !== 'directory')) {
      await refused({ addresses: { [name]: ZeroAddress } }, 'AddressMissing')
    }
    await refused({ addresses: { directory: deployed.addresses.exits } }, 'WrongAddress')
  })

  it('no constructor takes a zero for an address that it needs', async () => {
    const needs: Readonly<Partial<Record<ContractName, readonly ContractName[]>>> = {
      stateCommitments: ['blockProducers', 'periods', 'poolRegistry', 'stakingPool', 'withdrawalQueue', 'bondEther', 'disputes'],
      disputes: ['beaconLayout', 'blockProducers', 'periods', 'poolRegistry', 'stateCommitments'],
      exits: ['beaconLayout', 'blockProducers', 'poolRegistry', 'stakingPool', 'withdrawalQueue', 'stakerVault', 'bondVault'],
    }
    const contracts = { stateCommitments: 'StateCommitments', disputes: 'Disputes', exits: 'Exits' } as const
    for (const [name, contract] of Object.entries(contracts)) {
      const factory = await ethers.getContractFactory(contract)
      for (const missing of needs[name as ContractName] ?? []) {
        const addresses = { ...deployed.addresses, [missing]: ZeroAddress }
        await expect(factory.deploy(addresses, deployed.parameters), `${name} without ${missing}`).to.be.revertedWithCustomError(
          factory,
          'ZeroAddress',
        )
      }
    }
  })
})
