import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { openPools } from '../../../support/open-pools.ts'
import { signPermit } from '../../../support/permit.ts'

const connection = await network.create()
const { ethers, networkHelpers } = connection
const CDT = parseEther('1')

async function fixture() {
  const pools = await openPools(connection)
  const [alice, bob] = pools.people
  assert.ok(alice && bob)
  const rewards = pools.cdt.connect(await pools.as(pools.addresses.rewards))
  return { ...pools, alice, bob, asRewards: rewards }
}
const fresh = () => networkHelpers.loadFixture(fixture)

describe('Cdt', () => {
  it('starts with nothing', async () => {
    const { cdt, addresses } = await fresh()
    assert.equal(await cdt.totalSupply(), 0n)
    assert.equal(await cdt.decimals(), 18n)
    assert.equal(await cdt.symbol(), 'CDT')
    await expect(ethers.deployContract('Cdt', [{ ...addresses, rewards: ZeroAddress }])).to.be.revert(ethers)
  })

  it('is minted and burned by Rewards', async () => {
    const { cdt, asRewards, alice } = await fresh()
    await expect(asRewards.mint(alice, 5n * CDT))
      .to.emit(cdt, 'Transfer')
      .withArgs(ZeroAddress, alice.address, 5n * CDT)
    await expect(asRewards.burn(alice, 2n * CDT))
      .to.emit(cdt, 'Transfer')
      .withArgs(alice.address, ZeroAddress, 2n * CDT)
    assert.equal(await cdt.balanceOf(alice), 3n * CDT)
    assert.equal(await cdt.totalSupply(), 3n * CDT)
    await expect(asRewards.burn(alice, 3n * CDT + 1n)).to.be.revertedWithCustomError(cdt, 'ERC20InsufficientBalance')
  })

  it('A08 A22 nobody but Rewards mints or burns: not holders, not their contracts, not the deployer', async () => {
    const { cdt, asRewards, deployer, alice, bob, as, addresses } = await fresh()
    await asRewards.mint(alice, CDT)
    const others = await Promise.all(
      [addresses.stateCommitments, addresses.blockProducers, addresses.directory, addresses.cdt].map((address) => as(address)),
    )
    for (const caller of [deployer, alice, bob, ...others]) {
      const token = cdt.connect(caller)
      await expect(token.mint(caller, 1n)).to.be.revertedWithCustomError(cdt, 'NotRewards').withArgs(caller.address)
      await expect(token.burn(alice, 1n)).to.be.revertedWithCustomError(cdt, 'NotRewards').withArgs(caller.address)
    }
    await cdt.connect(alice).transfer(bob, CDT / 2n)
    await cdt.connect(bob).transfer(cdt, CDT / 4n)
    assert.equal(await cdt.totalSupply(), CDT)
    // Every function that changes state was tried, or only moves what is there.
    const changing = cdt.interface.fragments.filter((f) => f.type === 'function' && !('constant' in f && f.constant === true))
    assert.deepEqual(changing.map((f) => ('name' in f ? f.name : '')).toSorted(), [
      'approve',
      'burn',
      'mint',
      'permit',
      'transfer',
      'transferFrom',
    ])
  })

  it('takes EIP-2612 permits, once each', async () => {
    const { cdt, asRewards, alice, bob } = await fresh()
    await asRewards.mint(alice, CDT)
    const { value, deadline, v, r, s } = await signPermit(cdt, { owner: alice, spender: bob.address, value: CDT })
    await cdt.permit(alice, bob, value, deadline, v, r, s)
    await cdt.connect(bob).transferFrom(alice, bob, CDT)
    assert.equal(await cdt.balanceOf(bob), CDT)
    await expect(cdt.permit(alice, bob, value, deadline, v, r, s)).to.be.revertedWithCustomError(cdt, 'ERC2612InvalidSigner')
  })
})
