import { expect } from 'chai'
import { dataSlice, parseEther, toBeHex, ZeroAddress, zeroPadValue } from 'ethers'
import { network } from 'hardhat'
import systemContracts from '../../../../devnet/chain/execution/system-contracts.json' with { type: 'json' }
import { toRoot } from '../../../../operator/core/parse.ts'
import { seedOf, shuffledIndex } from '../../../../operator/protocol/shuffle.ts'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { BOND, STAKER } from '../../../support/network-reports.ts'

const REQUESTS = systemContracts.withdrawalRequests.address
const EPOCH_SECONDS = SLOTS_PER_EPOCH * 60
const VECTOR = 64
/** EIP-7825: most gas of a transaction. */
const MAX_TRANSACTION_GAS = 16_777_216n

describe('Exits', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let bondPool: Pool
  let stakerPools: Pool[]
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('138') })
    bondPool = await life.makePool()
    stakerPools = []
    for (let i = 0; i < 4; i++) stakerPools.push(await life.makePool())
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.exits, error)
  const ask = async (ether: string) => {
    const alice = at(life.people, 0)
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther(ether))
    await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther(ether))
  }
  /** The buffer has 19 ETH: 10 of the staker's and 9 of the bonds. */
  const liquidate = async (ether = '60') => {
    await ask(ether)
    await life.exits.requestLiquidation()
    const ids = await life.drawLiquidation()
    return ids.map((id) =>
      at(
        [bondPool, ...stakerPools].filter((pool) => pool.id === id),
        0,
      ),
    )
  }
  const pastDeadline = async (pool: Pool) => {
    const { deadline } = await life.exits.exit(pool.id)
    if ((await life.epochNow()) <= Number(deadline)) await life.toEpoch(Number(deadline) + 1)
  }
  const stall = async (pool: Pool) => {
    const { timestamp, state, validator } = await life.proveValidator(pool)
    return life.exits.proveStall(pool.id, timestamp, state, validator)
  }
  const close = async (pool: Pool) => {
    const { timestamp, state, validator, balance } = await life.proveValidator(pool)
    return life.exits.closePool(pool.id, timestamp, state, validator, balance)
  }

  describe('demand', () => {
    it('is what neither the buffer, the vaults, exits nor a pending draw will pay', async () => {
      const free = await life.stakingPool.unreserved()
      await ask('60')
      const demand = await life.withdrawalQueue.demand()
      expect(await life.exits.unmetDemand()).to.equal(demand - free)
      await life.arrive(STAKER, parseEther('1'))
      await life.arrive(BOND, parseEther('2'))
      expect(await life.exits.unmetDemand()).to.equal(demand - free - parseEther('3'))
      await life.exits.requestLiquidation()
      expect((await life.exits.draw(1)).stakerCount).to.equal(2n)
      expect(await life.exits.unmetDemand()).to.equal(0n)
      await ask('30')
      const left = (await life.withdrawalQueue.demand()) - free - parseEther('67')
      expect(await life.exits.unmetDemand()).to.equal(left)
      await life.drawLiquidation()
      expect(await life.exits.unmetDemand()).to.equal(left)
    })

    it('below the threshold waits until it has waited too long', async () => {
      await refused(life.exits.requestLiquidation(), 'NoUnmetDemand')
      const free = await life.stakingPool.unreserved()
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, parseEther('60'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(free + parseEther('0.5'))
      await refused(life.exits.requestLiquidation(), 'NoUnmetDemand')
      const oldest = Number(await life.withdrawalQueue.oldestRequestedAt())
      await life.networkHelpers.time.increaseTo(oldest + 4 * EPOCH_SECONDS - 2)
      await refused(life.exits.requestLiquidation(), 'NoUnmetDemand')
      await life.networkHelpers.time.increaseTo(oldest + 4 * EPOCH_SECONDS)
      await expect(life.exits.requestLiquidation())
        .to.emit(life.exits, 'LiquidationRequested')
        .withArgs(1, 1, () => true)
      expect((await life.exits.draw(1)).stakerCount).to.equal(1n)
    })

    it('draws as many pools as it takes, and none more', async () => {
      const alice = at(life.people, 0)
      const free = await life.stakingPool.unreserved()
      await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther('100'))
      await life.withdrawalQueue.connect(alice).requestWithdrawal(free + parseEther('32'))
      expect(await life.exits.unmetDemand()).to.equal(parseEther('32'))
      const drawn = () => life.exits.requestLiquidation().then(async () => life.exits.draw(1))
      const keep = await life.networkHelpers.takeSnapshot()
      const exact = await drawn()
      expect(exact.stakerCount + exact.bondCount).to.equal(1n)
      await keep.restore()
      await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther('0.01'))
      const beyond = await drawn()
      expect(beyond.stakerCount + beyond.bondCount).to.equal(2n)
    })

    it('has one draw at a time, and none without pools', async () => {
      await ask('60')
      await life.exits.requestLiquidation()
      await refused(life.exits.requestLiquidation(), 'DrawPending')
      const empty = await startLife(await network.create())
      await empty.startPeriod(0)
      await empty.stakingPool.connect(at(empty.people, 0)).deposit({ value: parseEther('40') })
      await empty.requestPool()
      await empty.bondEther.connect(at(empty.people, 0)).approve(empty.withdrawalQueue, parseEther('39'))
      // The bonds' 41 ETH and the 40 are reserved for two pools, but for 17.
      await empty.requestPool()
      await empty.withdrawalQueue.connect(at(empty.people, 0)).requestWithdrawal(parseEther('39'))
      await expect(empty.exits.requestLiquidation()).to.be.revertedWithCustomError(empty.exits, 'NothingToLiquidate')
      await empty.prover.close()
    })

    it('takes bond pools first when the bonds no longer pay for them', async () => {
      const disputes = await life.as(life.addresses.disputes)
      for (const { id } of life.producers.slice(0, 3)) await life.blockProducers.connect(disputes).slashOut(id, at(life.people, 4))
      const drawn = await liquidate()
      expect(drawn.map(({ kind }) => kind)).to.deep.equal([STAKER, BOND])
    })

    it('takes bond pools also when the staker pools are too few', async () => {
      const bob = at(life.people, 1)
      await life.stakingPool.connect(bob).deposit({ value: parseEther('30') })
      await life.requestPool() // reserves 32 ETH of the buffer
      await life.bondEther.connect(bob).approve(life.withdrawalQueue, parseEther('30'))
      await life.withdrawalQueue.connect(bob).requestWithdrawal(parseEther('29'))
      expect((await liquidate('137')).map(({ kind }) => kind)).to.deep.equal([STAKER, STAKER, STAKER, STAKER, BOND])
    })
  })

  describe('the draw', () => {
    it('A34 is of the pools that were active when it was requested, whatever is funded meanwhile', async () => {
      await life.stakingPool.connect(at(life.people, 1)).deposit({ value: parseEther('64') })
      const registered: Pool[] = []
      for (let i = 0; i < 2; i++) {
        const poolId = await life.requestPool()
        await life.drawVault(poolId)
        registered.push(await life.completeDkg(poolId))
      }
      await ask('60')
      await life.exits.requestLiquidation()
      const active: bigint[] = []
      for (let i = 0; i < 4; i++) active.push(await life.poolRegistry.activeAt(STAKER, i))
      const { seedEpoch } = await life.exits.draw(1)
      const seed = await life.seedAfter(Number(seedEpoch))
      const expected = [0, 1].map((place) =>
        at(active, shuffledIndex(place, active.length, seedOf(toRoot(seed.randao.mix), { kind: 'liquidation', n: 1n }))),
      )
      const alone = await life.checkpoint()
      await life.exits.drawLiquidation(1, seed.timestamp, seed.state, seed.randao)
      expect(await drawnOf(1)).to.deep.equal(expected)

      await alone()
      // Whoever knows the mix by now can fund a pool: it is in the list, and not in the draw.
      for (const pool of registered) await life.fund(pool)
      expect(await life.poolRegistry.activeCount(STAKER)).to.equal(6n)
      const later = await life.stateAt((Number(seedEpoch) + 3) * SLOTS_PER_EPOCH, Number(seedEpoch))
      await life.exits.drawLiquidation(1, later.timestamp, later.proven.state, at(later.proven.mixes, 0))
      expect(await drawnOf(1)).to.deep.equal(expected)
    })

    it('A35 has one seed: no state up to its epoch, none from where the vector has come round', async () => {
      await ask('60')
      await life.exits.requestLiquidation()
      const { seedEpoch } = await life.exits.draw(1)
      const epoch = Number(seedEpoch)
      await life.toEpoch(epoch + 2)
      const early = await life.stateAt((epoch + 1) * SLOTS_PER_EPOCH - 1, epoch)
      await refused(life.exits.drawLiquidation(1, early.timestamp, early.proven.state, at(early.proven.mixes, 0)), 'SeedNotYetKnown')
      const other = await life.stateAt((epoch + 1) * SLOTS_PER_EPOCH, epoch - 1)
      await refused(life.exits.drawLiquidation(1, other.timestamp, other.proven.state, at(other.proven.mixes, 0)), 'LeafNotProven')

      // Once the vector has come round the next epoch in the same place counts, though an old state may still be provable.
      await life.toEpoch(epoch + VECTOR)
      expect(await life.exits.seedEpochOf(1)).to.equal(BigInt(epoch + VECTOR))
      const old = await life.stateAt((epoch + VECTOR) * SLOTS_PER_EPOCH - 1, epoch)
      await refused(life.exits.drawLiquidation(1, old.timestamp, old.proven.state, at(old.proven.mixes, 0)), 'SeedNotYetKnown')
      const next = await life.seedAfter(epoch + VECTOR)
      await life.exits.drawLiquidation(1, next.timestamp, next.state, next.randao)
      expect(await drawnOf(1)).to.have.length(2)
    })

    it('happens once, and only when requested', async () => {
      await ask('60')
      await life.exits.requestLiquidation()
      const seed = await life.seedAfter(Number((await life.exits.draw(1)).seedEpoch))
      const draw = (id: number) => life.exits.drawLiquidation(id, seed.timestamp, seed.state, seed.randao)
      await refused(draw(0), 'OutOfOrder')
      await refused(draw(2), 'OutOfOrder')
      await draw(1)
      await refused(draw(1), 'OutOfOrder')
    })

    it('gives each vault the same time', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const { deadline, drawnAt } = await life.exits.exit(pool.id)
      expect(deadline).to.equal(BigInt((await life.epochNow()) + 8))
      expect(drawnAt).to.equal(BigInt(await life.networkHelpers.time.latest()))
    })

    const drawnOf = async (drawId: number) =>
      (await life.exits.queryFilter(life.exits.filters.LiquidationDrawn(drawId))).map(({ args }) => args.poolId)
  })

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

    it('A23 a rise of the fee, an underpayment or a dropped request leaves the pool retryable', async () => {
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

  describe('closing', () => {
    it('takes a withdrawable validator with nothing left, and releases the seats after their tail', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const vault = await life.poolRegistry.vault(pool.id)
      const locked = async () => (await life.blockProducers.producer(at(vault, 0))).lockedSeats
      const before = await locked()
      const epoch = await life.epochNow()
      await refused(close(pool), 'NotWithdrawn')
      life.change(pool, { balance: 0, exitEpoch: epoch, withdrawableEpoch: epoch + 2 })
      await refused(close(pool), 'NotWithdrawn')
      life.change(pool, { balance: FULL, exitEpoch: epoch, withdrawableEpoch: epoch })
      await refused(close(pool), 'NotWithdrawn')
      life.change(pool, { balance: 0 })
      await close(pool)
      expect((await life.poolRegistry.pool(pool.id)).state).to.equal(6n)
      expect(await life.poolRegistry.exitingCount()).to.equal(1n)
      expect(await locked()).to.equal(before)
      await life.networkHelpers.time.increase(12 * EPOCH_SECONDS)
      expect(await locked()).to.equal(before - parseEther('1'))
      await refused(close(pool), 'NotExiting')
    })

    it('A24 a top-up after the exit delays it, and hides nothing: the profit counts what the vault got', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const epoch = await life.epochNow()
      life.change(pool, { balance: 1_000_000_000, exitEpoch: epoch, withdrawableEpoch: epoch })
      await life.arrive(STAKER, parseEther('31.5'))
      await refused(close(pool), 'NotWithdrawn')
      const id = await life.reportNow()
      expect((await life.stateCommitments.commitment(id)).stakerProfit).to.equal(parseEther('0.5'))
      life.change(pool, { balance: 0 })
      await life.arrive(STAKER, parseEther('1'))
      await close(pool)
      const last = await life.reportNow()
      expect((await life.stateCommitments.commitment(last)).stakerProfit).to.equal(parseEther('0.5'))
    })

    it('not by the balance of another validator', async () => {
      const [pool] = (await liquidate()) as [Pool]
      const epoch = await life.epochNow()
      life.change(pool, { exitEpoch: epoch, withdrawableEpoch: epoch })
      life.change(bondPool, { balance: 0 })
      const { proven, timestamp } = await life.stateAt(await life.nextSlot())
      const validator = at(proven.validators, pool.index)
      const empty = at(proven.balances, bondPool.index)
      await refused(life.exits.closePool(pool.id, timestamp, proven.state, validator, empty), 'WrongBalanceIndex')
    })
  })
})

describe('Exits: the largest draw', function () {
  this.timeout(600_000)

  it('A36 stays under the gas limit of a transaction, and the next one takes what it left', async () => {
    const life = await startLife(await network.create(), {
      seatAllocation: parseEther('0.01'),
      stallPenalty: parseEther('0.01'),
      reporterFee: parseEther('0.01'),
    })
    const most = Number(await life.exits.MAX_DRAWN())
    const alice = at(life.people, 0)
    await life.startPeriod(0)
    await life.stakingPool.connect(alice).deposit({ value: parseEther('32') * BigInt(most + 2) })
    for (let i = 0; i < most + 3; i++) await life.makePool()
    const all = await life.bondEther.balanceOf(alice)
    await life.bondEther.connect(alice).approve(life.withdrawalQueue, all)
    await life.withdrawalQueue.connect(alice).requestWithdrawal(all)
    await life.exits.requestLiquidation()
    expect((await life.exits.draw(1)).stakerCount).to.equal(BigInt(most))

    const seed = await life.seedAfter(Number((await life.exits.draw(1)).seedEpoch))
    const receipt = await (await life.exits.drawLiquidation(1, seed.timestamp, seed.state, seed.randao)).wait()
    withinGas(receipt?.gasUsed, MAX_TRANSACTION_GAS)

    expect(await life.poolRegistry.exitingCount()).to.equal(BigInt(most))
    await life.exits.requestLiquidation()
    expect((await life.exits.draw(2)).stakerCount).to.equal(2n)
    await life.prover.close()
  })
})
