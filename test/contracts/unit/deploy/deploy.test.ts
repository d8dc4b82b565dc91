import assert from 'node:assert/strict'
import { expect } from 'chai'
import { getBytes, parseEther } from 'ethers'
import { network } from 'hardhat'
import { type Deployment, deployOpenPools } from '../../../../deploy/deploy.ts'
import { DeployError } from '../../../../deploy/errors.ts'
import { devnet } from '../../../../deploy/parameters/devnet.ts'
import { mainnet } from '../../../../deploy/parameters/mainnet.ts'
import { CONTRACT_ORDER } from '../../../../deploy/plan.ts'
import { LAYOUT_ROW } from '../../../support/beacon-prover.ts'
import { INSTRUMENTED, withinGas } from '../../../support/gas-bounds.ts'

/** EIP-170: most bytes of a contract. */
const MAX_CODE_SIZE = 24_576
/** EIP-7825: most gas of a transaction. */
const MAX_TRANSACTION_GAS = 16_777_216n

const { ethers } = await network.create()
const [deployer] = await ethers.getSigners()
assert.ok(deployer)
const facts = {
  genesisTime: 1_606_824_023n,
  secondsPerSlot: 12n,
  slotsPerEpoch: 32n,
  epochsPerHistoricalVector: 65_536n,
  shardCommitteePeriod: 256n,
  genesisForkVersion: '0x00000000',
  genesisValidatorsRoot: `0x${'67'.repeat(32)}`,
  ejectionBalance: 16_000_000_000n,
  depositContract: '0x00000000219ab540356cBB839Cbe05303d7705Fa',
  firstPeriod: 2n ** 40n,
}

for (const [name, choices] of Object.entries({ devnet, mainnet })) {
  describe(`deployOpenPools with the parameters of ${name}`, () => {
    let deployment: Deployment

    before(async () => {
      deployment = await deployOpenPools({ signer: deployer, parameters: { ...facts, ...choices }, layouts: [LAYOUT_ROW] })
    })

    it('puts every contract where all the others expect it', async () => {
      const directory = await deployment.directory.addresses()
      for (const contract of CONTRACT_ORDER) expect(directory[contract]).to.equal(deployment.addresses[contract])
      expect(await deployment.directory.deploymentBlock()).to.be.greaterThan(0n)
    })

    it('stays under EIP-170 with every contract, and under EIP-7825 with every transaction', async () => {
      for (const { name: contract, address, gasUsed } of deployment.contracts) {
        const size = getBytes(await ethers.provider.getCode(address)).length
        expect(size, contract).to.be.greaterThan(0)
        if (!INSTRUMENTED) expect(size, contract).to.be.lessThanOrEqual(MAX_CODE_SIZE)
        withinGas(gasUsed, MAX_TRANSACTION_GAS, contract)
      }
    })
  })
}

describe('a deployment that fails', () => {
  it('names the contract and the reason', async () => {
    const parameters = { ...facts, ...mainnet, seatAllocation: parseEther('33') }
    await assert.rejects(deployOpenPools({ signer: deployer, parameters, layouts: [LAYOUT_ROW] }), (error) => {
      assert.ok(error instanceof DeployError)
      assert.equal(error.code, 'DEPLOYMENT_FAILED')
      assert.equal(error.data.name, 'directory')
      return true
    })
  })
})
