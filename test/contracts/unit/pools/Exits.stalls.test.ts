import { expect } from 'chai'
import { dataSlice, parseEther, toBeHex, ZeroAddress, zeroPadValue } from 'ethers'
import systemContracts from '../../../../devnet/chain/execution/system-contracts.json' with { type: 'json' }
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import type { Pool } from '../../../support/network-life.ts'
import { bondPool, life, liquidate, refused, stakerPools, useNetwork } from './Exits.support.ts'

const REQUESTS = systemContracts.withdrawalRequests.address

const pastDeadline = async (pool: Pool) => {
  const { deadline } = await life.exits.exit(pool.id)
  if ((await life.epochNow()) <= Number(deadline)) await life.toEpoch(Number(deadline) + 1)
}

const stall = async (pool: Pool) => {
  const { timestamp, state, validator } = await life.proveValidator(pool)
  return life.exits.proveStall(pool.id, timestamp, state, validator)
}

describe('Exits', function () {
  this.timeout(600_000)
  useNetwork()

  describe('A26 anyone can exit a stalled pool', () => {
    it('in an epoch after the deadline, not before, and no other pool', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const force = (id: bigint) => life.exits.connect(at(life.people, 7)).forceExit(id, { value: 1n })
      await refused(force(pool.id), 'BeforeDeadline')
      await life.toEpoch((await life.exits.exit(pool.id)).deadline)
      await refused(force(pool.id), 'BeforeDeadline')
      await pastDeadline(pool)
      await refused(force(bondPool.id), 'NotExiting')
      await expect(force(pool.id)).to.emit(life.exits, 'ExitForced').withArgs(pool.id, at(life.people, 7).address, 1n)
    })

    it('by a request of the vault for the whole validator, as EIP-7002 queues it', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      await life.exits.forceExit(pool.id, { value: 1n })
      const slot = (index: number) => life.ethers.provider.getStorage(REQUESTS, 4 + index)
      expect(await slot(0)).to.equal(zeroPadValue(life.addresses.stakerVault, 32).toLowerCase())
      expect(await slot(1)).to.equal(dataSlice(pool.publicKey, 0, 32))
      expect(dataSlice(await slot(2), 0, 16)).to.equal(dataSlice(pool.publicKey, 32))
      expect(dataSlice(await slot(2), 16, 24)).to.equal('0x0000000000000000')
    })

    it('A23 after a rise of the fee or an underpayment the exit is asked for again, at what it costs then', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const [first, second] = [at(life.people, 7), at(life.people, 8)]
      await life.exits.connect(first).forceExit(pool.id, { value: 1n })
      await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(100, 32))
      const fee = await (await life.ethers.getContractAt('WithdrawalVault', life.addresses.stakerVault)).exitFee()
      expect(fee).to.be.greaterThan(100n)
      await expect(life.exits.connect(second).forceExit(pool.id, { value: fee - 1n })).to.be.revertedWithCustomError(
        life.exits,
        'FeeTooLow',
      )
      await expect(life.exits.connect(second).forceExit(pool.id, { value: fee + parseEther('1') })).to.changeEtherBalance(
        life.ethers,
        second,
        -fee,
      )
      const made = await life.exits.exit(pool.id)
      expect([made.feePaid, made.feePayer]).to.deep.equal([fee, second.address])
      expect(await life.ethers.provider.getBalance(life.addresses.exits)).to.equal(0n)
    })

    it('A29 a payer that takes no refund blocks only itself', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const payer = await life.as(life.addresses.directory)
      await expect(life.exits.connect(payer).forceExit(pool.id, { value: 2n }))
        .to.be.revertedWithCustomError(life.exits, 'RefundFailed')
        .withArgs(payer.address, 1n)
      await life.exits.connect(payer).forceExit(pool.id, { value: 1n })
    })

    it('A28 A29 a payer that calls again from inside of its refund pays twice, is compensated once, and takes nothing of others', async () => {
      const [pool, other] = (await liquidate()) as [Pool, Pool]
      await pastDeadline(pool)
      const { timestamp, state, validator } = await life.proveValidator(pool)
      // So that the first call itself charges the vault for the fee.
      await life.exits.proveStall(pool.id, timestamp, state, validator)
      await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(650, 32))
      const fee = await (await life.ethers.getContractAt('WithdrawalVault', life.addresses.stakerVault)).exitFee()
      const hostile = await life.ethers.deployContract('Reenterer')
      const address = await hostile.getAddress()
      const vault = await life.poolRegistry.vault(pool.id)
      const bonds = () => Promise.all(vault.map((id) => life.blockProducers.bondValue(id)))
      const [before, index] = [await bonds(), await life.bondEther.rewardsIndex()]
      const buffered = await life.ethers.provider.getBalance(life.addresses.stakingPool)
      const force = life.exits.interface.encodeFunctionData('forceExit', [pool.id])
      await hostile.arm(life.addresses.exits, fee + 5n, force)
      await hostile.act(life.addresses.exits, fee * 3n, force, { value: fee * 3n })
      expect([await hostile.entered(), await hostile.succeeded()]).to.deep.equal([1n, true])
      // What it sent beyond two fees is back, but for what the second call sent beyond its own: an account that is not armed any more.
      expect(await life.ethers.provider.getBalance(address)).to.equal(fee)
      expect(await life.bondEther.balanceOf(address)).to.be.closeTo(fee, 10n ** 6n)
      for (const [i, bond] of (await bonds()).entries()) expect(at(before, i) - bond).to.be.closeTo((fee + 3n) / 4n, 10n ** 6n)
      expect((await life.exits.exit(pool.id)).feePaid).to.equal(fee)
      expect(await life.bondEther.rewardsIndex()).to.equal(index)
      expect(await life.ethers.provider.getBalance(life.addresses.stakingPool)).to.equal(buffered)
      expect(await life.ethers.provider.getBalance(life.addresses.exits)).to.equal(0n)
      // The other pool's exit is as it was.
      expect((await life.exits.exit(other.id)).feePayer).to.equal(ZeroAddress)
    })
  })

  describe('a stall', () => {
    const bondsOf = async (pool: Pool) =>
      Promise.all((await life.poolRegistry.vault(pool.id)).map((id) => life.blockProducers.bondValue(id)))

    it('costs each seat the penalty and its part of the fee, which goes to who paid it; once', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const stalled = await life.proveValidator(pool)
      const payer = at(life.people, 7)
      await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(650, 32))
      await life.exits.connect(payer).forceExit(pool.id, { value: parseEther('40') })
      const { feePaid } = await life.exits.exit(pool.id)
      const before = await bondsOf(pool)
      const index = await life.bondEther.rewardsIndex()
      await expect(life.exits.connect(payer).proveStall(pool.id, stalled.timestamp, stalled.state, stalled.validator))
        .to.emit(life.exits, 'StallProven')
        .withArgs(pool.id, payer.address)
      const after = await bondsOf(pool)
      const each = parseEther('0.1') + (feePaid + 3n) / 4n
      expect(each).to.be.greaterThan(parseEther('0.101'))
      for (const [i, bond] of before.entries()) expect(bond - at(after, i)).to.be.closeTo(each, 10n ** 6n)
      expect(await life.bondEther.balanceOf(payer)).to.be.closeTo(feePaid, 10n ** 6n)
      expect(await life.bondEther.rewardsIndex()).to.equal(index)
      await refused(stall(pool), 'StallAlreadyProven')
    })

    it('A28 costs no more of a fee that somebody drove up than of the penalty', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const stalled = await life.proveValidator(pool)
      await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(750, 32))
      const payer = at(life.people, 7)
      await life.exits.connect(payer).forceExit(pool.id, { value: parseEther('1000') })
      expect((await life.exits.exit(pool.id)).feePaid).to.be.greaterThan(parseEther('10'))
      const before = await bondsOf(pool)
      await life.exits.proveStall(pool.id, stalled.timestamp, stalled.state, stalled.validator)
      for (const [i, bond] of (await bondsOf(pool)).entries()) expect(at(before, i) - bond).to.be.closeTo(parseEther('0.2'), 10n ** 6n)
      expect(await life.bondEther.balanceOf(payer)).to.be.closeTo(parseEther('0.4'), 10n ** 7n)
    })

    it('A25 is none when the exit was initiated, however long the queue', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const epoch = await life.epochNow()
      life.change(pool, { exitEpoch: epoch + 100_000, withdrawableEpoch: epoch + 100_256 })
      const before = await bondsOf(pool)
      await refused(stall(pool), 'ExitInitiated')
      // Nor for the fee of whoever forces an exit that is under way, long after.
      await life.exits.connect(at(life.people, 7)).forceExit(pool.id, { value: 1n })
      await life.toEpoch((await life.epochNow()) + 30)
      await refused(stall(pool), 'ExitInitiated')
      expect(await bondsOf(pool)).to.deep.equal(before)
      expect(await life.bondEther.balanceOf(at(life.people, 7))).to.equal(0n)
    })

    it('A46 is none of a validator ejected or slashed', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const epoch = await life.epochNow()
      life.change(pool, { slashed: true, exitEpoch: epoch + 4, withdrawableEpoch: epoch + 8192 })
      await refused(stall(pool), 'ExitInitiated')
    })

    it('A46 is proven only by a state from the deadline on', async () => {
      const [pool] = (await liquidate()) as [Pool]
      life.change(pool, { activationEpoch: 1 })
      const { deadline } = await life.exits.exit(pool.id)
      const end = Number(deadline) * SLOTS_PER_EPOCH
      await life.toSlot(end + 4)
      const early = await life.stateAt(end - 1)
      const prove = ({ timestamp, proven }: typeof early) =>
        life.exits.proveStall(pool.id, timestamp, proven.state, at(proven.validators, pool.index))
      await refused(prove(early), 'ProofBeforeDeadline')
      await prove(await life.stateAt(end))
    })

    it('A46 waits until the validator was old enough to exit for as long', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const epoch = await life.epochNow()
      life.change(pool, { activationEpoch: epoch - 11 })
      await refused(stall(pool), 'ProofBeforeDeadline')
      await life.toEpoch(epoch + 1)
      await stall(pool)
    })

    it('A46 is none of a validator that is not activated', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      life.dormant(pool)
      await refused(stall(pool), 'ProofBeforeDeadline')
    })

    it('proven before the exit is forced makes the seats pay for it then, once', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      await stall(pool)
      await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(100, 32))
      const [first, second] = [at(life.people, 7), at(life.people, 8)]
      await life.exits.connect(first).forceExit(pool.id, { value: 10_000n })
      const { feePaid } = await life.exits.exit(pool.id)
      expect(await life.bondEther.balanceOf(first)).to.be.closeTo(feePaid, 5n)
      const bonds = await bondsOf(pool)
      await life.networkHelpers.setStorageAt(REQUESTS, 0, toBeHex(200, 32))
      await life.exits.connect(second).forceExit(pool.id, { value: 10_000_000n })
      expect(await bondsOf(pool)).to.deep.equal(bonds)
      expect(await life.bondEther.balanceOf(second)).to.equal(0n)
    })

    it('is not shown by another pool’s validator', async () => {
      const [pool] = (await liquidate()) as [Pool]
      await pastDeadline(pool)
      const other = at(
        stakerPools.filter(({ id }) => id !== pool.id),
        0,
      )
      const { timestamp, state, validator } = await life.proveValidator(other)
      await refused(life.exits.proveStall(pool.id, timestamp, state, validator), 'WrongPublicKey')
      await refused(life.exits.proveStall(bondPool.id, timestamp, state, validator), 'NotExiting')
      // Nor by what its validator is not.
      const own = await life.proveValidator(pool)
      const bent = { ...own.validator, validator: { ...own.validator.validator, effectiveBalance: 31_000_000_000n } }
      await expect(life.exits.proveStall(pool.id, own.timestamp, own.state, bent)).to.revert(life.ethers)
    })
  })
})
