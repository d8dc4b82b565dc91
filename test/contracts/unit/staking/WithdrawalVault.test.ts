import assert from 'node:assert/strict'
import { expect } from 'chai'
import { hexlify, parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { randomBytes } from '../../../support/randomness.ts'
import { BOND, deployStaking, STAKER, type Staking } from '../../../support/staking.ts'

const { ethers, networkHelpers } = await network.create()
const fixture = () => deployStaking({ ethers })
const fresh = () => networkHelpers.loadFixture(fixture)

const SYSTEM = '0xfffffffffffffffffffffffffffffffffffffffe'
const ETH = parseEther('1')

/** What the execution layer does at the end of each block: takes queued requests and sets the next fee. */
async function endOfBlock({ exitRequests }: Staking): Promise<string> {
  await networkHelpers.impersonateAccount(SYSTEM)
  await networkHelpers.setBalance(SYSTEM, ETH)
  const system = await ethers.getSigner(SYSTEM)
  const requests = await system.call({ to: exitRequests })
  await system.sendTransaction({ to: exitRequests })
  return requests
}

describe('WithdrawalVault', () => {
  it('refuses a deployment with an address missing', async () => {
    const { addresses } = await fresh()
    for (const name of ['stakingPool', 'exits'] as const) {
      await expect(ethers.deployContract('WithdrawalVault', [{ ...addresses, [name]: ZeroAddress }])).to.be.revert(ethers)
    }
  })

  it('takes ETH from anyone and gives it to the StakingPool alone', async () => {
    const { vaults, stakingPool, reports, signers } = await fresh()
    const vault = vaults[STAKER]
    await signers.bob.sendTransaction({ to: vault, value: ETH })
    await expect(vault.connect(signers.bob).collect(1)).to.be.revertedWithCustomError(vault, 'NotStakingPool').withArgs(signers.bob.address)
    await reports.finalizeState(0, [ETH, 0], [0, 0], 1, 0)
    assert.equal(await ethers.provider.getBalance(vault), 0n)
    assert.equal(await stakingPool.collected(STAKER), ETH)
    assert.equal(await stakingPool.collected(BOND), 0n)
  })

  it('asks for exits by EIP-7002 on behalf of Exits alone, as a full exit of the key', async () => {
    const staking = await fresh()
    const { vaults, signers } = staking
    const vault = vaults[BOND]
    const publicKey = randomBytes(48)
    const fee = await vault.exitFee()
    await expect(vault.connect(signers.bob).requestExit(publicKey, { value: fee })).to.be.revertedWithCustomError(vault, 'NotExits')
    const request = vault.connect(signers.exits).requestExit(publicKey, { value: fee })
    await expect(request).to.emit(vault, 'ExitRequested').withArgs(hexlify(publicKey), fee)
    // source address ‖ public key ‖ amount 0
    const queued = await endOfBlock(staking)
    assert.equal(queued, `${(await vault.getAddress()).toLowerCase()}${hexlify(publicKey).slice(2)}${'00'.repeat(8)}`)
    assert.equal(await ethers.provider.getBalance(vault), 0n)
  })

  it('A23 a fee that rose reverts without a trace, and the exit can be asked again, and again', async () => {
    const staking = await fresh()
    const { vaults, signers } = staking
    const vault = vaults[STAKER].connect(signers.exits)
    const publicKey = randomBytes(48)
    const first = await vault.exitFee()
    assert.equal(first, 1n)
    for (let i = 0; i < 60; i++) await vault.requestExit(publicKey, { value: first })
    await endOfBlock(staking)
    const risen = await vault.exitFee()
    assert.ok(risen > first, `${risen}`)
    await expect(vault.requestExit(publicKey, { value: risen - 1n }))
      .to.be.revertedWithCustomError(vault, 'FeeTooLow')
      .withArgs(risen, risen - 1n)
    await expect(vault.requestExit(publicKey, { value: risen + 1n }))
      .to.be.revertedWithCustomError(vault, 'FeeTooHigh')
      .withArgs(risen, risen + 1n)
    const before = await ethers.provider.getBalance(staking.exitRequests)
    await vault.requestExit(publicKey, { value: risen })
    await vault.requestExit(publicKey, { value: risen })
    assert.equal((await ethers.provider.getBalance(staking.exitRequests)) - before, 2n * risen)
    assert.equal(await ethers.provider.getBalance(vault), 0n)
  })

  it('A13 the fee of an exit is not taken from arrivals', async () => {
    const { vaults, signers } = await fresh()
    const vault = vaults[STAKER]
    await signers.bob.sendTransaction({ to: vault, value: ETH })
    await vault.connect(signers.exits).requestExit(randomBytes(48), { value: await vault.exitFee() })
    assert.equal(await ethers.provider.getBalance(vault), ETH)
  })

  it('refuses a key of the wrong length, and a chain without EIP-7002', async () => {
    const { vaults, signers, exitRequests } = await fresh()
    const vault = vaults[STAKER].connect(signers.exits)
    for (const length of [0, 47, 49]) {
      await expect(vault.requestExit(randomBytes(length), { value: 1 })).to.be.revertedWithCustomError(vault, 'ExitRequestFailed')
    }
    await networkHelpers.setCode(exitRequests, '0x')
    await expect(vault.requestExit(randomBytes(48), { value: 1 })).to.be.revertedWithCustomError(vault, 'ExitFeeUnknown')
  })
})
