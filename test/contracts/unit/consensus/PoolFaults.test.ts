import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { FORK_VERSION, SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { type AttestationData, type ForkChoice, type Header, signAttestation, signHeader } from '../../../support/beacon-signatures.ts'
import { g1, newKey } from '../../../support/block-producers.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import { STAKER } from '../../../support/network-reports.ts'
import { GENESIS_VALIDATORS_ROOT } from '../../../support/open-pools.ts'
import { pageOf, wordOfPage } from '../../../support/pages.ts'

const eth = parseEther
const [ACTIVE, EXITING, CLOSED] = [4n, 5n, 6n]
const [NONE, SIGNATURES, EXIT] = [0n, 1n, 2n]
const FORK: ForkChoice = { forkVersion: FORK_VERSION, genesisValidatorsRoot: GENESIS_VALIDATORS_ROOT }
const root = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`
const vote = (source: number, target: number, block = 1): AttestationData => ({
  slot: target * SLOTS_PER_EPOCH,
  index: 0,
  beaconBlockRoot: root(block),
  source: { epoch: source, root: root(7) },
  target: { epoch: target, root: root(8) },
})
const header = (slot: number, body = 1): Header => ({
  slot,
  proposerIndex: 3,
  parentRoot: root(1),
  stateRoot: root(2),
  bodyRoot: root(body),
})

describe('Slashing: faults of pools', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let bondPool: Pool
  let pool: Pool
  let other: Pool
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: eth('106') })
    bondPool = await life.makePool()
    pool = await life.makePool()
    other = await life.makePool()
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const reporter = () => at(life.people, 5)
  const mine = () => life.slashing.connect(reporter())
  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.slashing, error)
  const accuse = (
    a: AttestationData,
    b: AttestationData,
    { of = pool, key = of.key, fork = FORK }: { readonly of?: Pool; readonly key?: Pool['key']; readonly fork?: ForkChoice } = {},
  ) => mine().slashAttestations(of.id, g1(key.toPublicKey()), a, signAttestation(key, a, fork), b, signAttestation(key, b, fork))
  const accuseBlocks = (a: Header, b: Header, fork = FORK, domainType?: Uint8Array) =>
    mine().slashBlocks(
      pool.id,
      g1(pool.key.toPublicKey()),
      a,
      signHeader(pool.key, a, fork, domainType),
      b,
      signHeader(pool.key, b, fork, domainType),
    )
  const double = (of = pool) => accuse(vote(2, 3), vote(2, 3, 2), { of })
  const report = async (of = pool) => {
    const { timestamp, state, validator } = await life.proveValidator(of)
    return mine().reportExit(of.id, timestamp, state, validator)
  }
  const show = async (of = pool) => {
    const { timestamp, state, validator, balance } = await life.proveValidator(of)
    return mine().showBalance(of.id, timestamp, state, validator, balance)
  }
  const fault = (of = pool) => life.slashing.fault(of.id)
  const stateOf = async (of = pool) => (await life.poolRegistry.pool(of.id)).state
  const holders = (of = pool) => life.blockProducers.holdersOf(of.id)
  const bondOf = (id: bigint) => life.blockProducers.bondValue(id)
  const bondsOf = async (ids: readonly bigint[]) => Promise.all(ids.map(bondOf))
  const near = (actual: bigint, expected: bigint) => expect(actual).to.be.closeTo(expected, 10_000n)
  /** The validator exits now, to be withdrawable so many epochs later. @returns that epoch */
  const leave = async (epochs: number, balance = FULL, changes = {}, of = pool) => {
    const epoch = await life.epochNow()
    life.change(of, { exitEpoch: epoch, withdrawableEpoch: epoch + epochs, balance, effectiveBalance: FULL, ...changes })
    return epoch + epochs
  }
  /** The first slot of an epoch is over, and the next proof is of it or a later one of the same epoch. */
  const enter = (epoch: number) => life.toSlot(epoch * SLOTS_PER_EPOCH + 1)

  describe('slashable signatures', () => {
    it('holds the seats, pays the reporter its fee from them, and liquidates the pool', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const tx = double()
      await expect(tx).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, SIGNATURES, reporter().address)
      await expect(tx).to.emit(life.blockProducers, 'SeatsHeld').withArgs(pool.id)
      await expect(tx).to.emit(life.exits, 'LiquidationDrawn')
      expect(await stateOf()).to.equal(EXITING)
      near(await life.bondEther.balanceOf(reporter().address), eth('0.1'))
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('0.025'))
      expect((await holders()).map(({ producerId, until, held }) => [producerId, until, held])).to.deep.equal(
        members.map((id) => [id, 0n, true]),
      )
      // From here on the vault has to let it go, as after any draw.
      const { deadline } = await life.exits.exit(pool.id)
      await life.toEpoch(deadline + 1n)
      const { timestamp, state, validator } = await life.proveValidator(pool)
      await life.exits.proveStall(pool.id, timestamp, state, validator)
    })

    it('are double votes and surrounding ones, in either order, and double proposals', async () => {
      for (const [a, b] of [
        [vote(2, 3), vote(1, 3)],
        [vote(1, 4), vote(2, 3)],
        [vote(2, 3), vote(1, 4)],
      ] as const) {
        await accuse(a, b)
        expect((await fault()).kind).to.equal(SIGNATURES)
        await restore()
      }
      await accuseBlocks(header(20), header(20, 2))
      expect((await fault()).kind).to.equal(SIGNATURES)
    })

    it('are not what the beacon chain allows', async () => {
      for (const [a, b] of [
        [vote(2, 3), vote(2, 3)],
        [vote(2, 3), vote(3, 4)],
        [vote(2, 3), vote(2, 4)],
        [vote(2, 4), vote(3, 5)],
        [vote(1, 3), vote(1, 4)],
      ] as const) {
        await refused(accuse(a, b), 'NotInConflict')
      }
      await refused(accuseBlocks(header(20), header(20)), 'NotInConflict')
      await refused(accuseBlocks(header(20), header(21)), 'NotInConflict')
      await refused(accuseBlocks(header(20), { ...header(20, 2), proposerIndex: 4 }), 'NotInConflict')
    })

    it('A18 count under this chain, their fork, this pool’s key and their own domain only', async () => {
      const elsewhere = { ...FORK, genesisValidatorsRoot: root(0x42) }
      const later = { ...FORK, forkVersion: '0x06000001' }
      for (const fork of [elsewhere, later]) {
        await refused(accuse(vote(2, 3), vote(2, 3, 2), { fork }), 'InvalidSignature')
        await refused(accuseBlocks(header(20), header(20, 2), fork), 'InvalidSignature')
      }
      await refused(accuse(vote(2, 3), vote(2, 3, 2), { key: newKey() }), 'WrongKey')
      await refused(accuse(vote(2, 3), vote(2, 3, 2), { key: other.key }), 'WrongKey')
      await refused(accuseBlocks(header(20), header(20, 2), FORK, Uint8Array.of(1, 0, 0, 0)), 'InvalidSignature')
    })

    it('A18 count only when both are the key’s', async () => {
      const key = g1(pool.key.toPublicKey())
      const [a, b] = [vote(2, 3), vote(2, 3, 2)]
      const [signedA, signedB] = [signAttestation(pool.key, a, FORK), signAttestation(pool.key, b, FORK)]
      await refused(mine().slashAttestations(pool.id, key, a, signedB, b, signedB), 'InvalidSignature')
      await refused(mine().slashAttestations(pool.id, key, a, signedA, b, signedA), 'InvalidSignature')
      const [c, d] = [header(20), header(20, 2)]
      const [signedC, signedD] = [signHeader(pool.key, c, FORK), signHeader(pool.key, d, FORK)]
      await refused(mine().slashBlocks(pool.id, key, c, signedD, d, signedD), 'InvalidSignature')
      await refused(mine().slashBlocks(pool.id, key, c, signedC, d, signedC), 'InvalidSignature')
    })

    it('are of past epochs', async () => {
      const epoch = await life.epochNow()
      await refused(accuse(vote(2, epoch), vote(1, epoch)), 'NotPast')
      await refused(accuse(vote(1, epoch + 5), vote(2, 3)), 'NotPast')
      await refused(accuseBlocks(header(epoch * SLOTS_PER_EPOCH), header(epoch * SLOTS_PER_EPOCH, 2)), 'NotPast')
      await accuse(vote(2, epoch - 1), vote(1, epoch - 1))
    })

    it('are of pools that had 32 ETH', async () => {
      await life.stakingPool.connect(at(life.people, 1)).deposit({ value: eth('32') })
      const poolId = await life.requestPool()
      await life.drawVault(poolId)
      const registered = await life.completeDkg(poolId)
      await refused(double(registered), 'NotFunded')
      await refused(double({ ...pool, id: 99n }), 'NotFunded')
      const epoch = await life.epochNow()
      life.change(registered, { balance: FULL, exitEpoch: epoch, withdrawableEpoch: epoch + 4 })
      const { timestamp, state, validator } = await life.proveValidator(registered)
      await life.poolRegistry.abandonPool(poolId, timestamp, state, validator)
      await refused(double(registered), 'NotFunded')
      await refused(report(registered), 'NotFunded')
    })

    it('A28 one fault, however many signatures, and one fee', async () => {
      await double()
      await refused(double(), 'FaultKnown')
      await refused(accuseBlocks(header(20), header(20, 2)), 'FaultKnown')
      await leave(8, FULL, { slashed: true })
      await expect(report()).to.not.emit(life.slashing, 'PoolFault')
      await refused(report(), 'NothingNew')
      near(await life.bondEther.balanceOf(reporter().address), eth('0.1'))
    })

    it('of a pool that is exiting already: it is not taken out again', async () => {
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(eth('106'))
      await life.exits.requestLiquidation()
      await life.drawLiquidation()
      expect(await stateOf()).to.equal(EXITING)
      const tx = double()
      await expect(tx).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, SIGNATURES, reporter().address)
      await expect(tx).to.not.emit(life.exits, 'LiquidationDrawn')
    })

    it('shown by the beacon chain itself: a slashed validator is proof enough', async () => {
      await leave(64, 31_900_000_000, { slashed: true })
      await expect(report()).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, SIGNATURES, reporter().address)
      expect(await stateOf()).to.equal(EXITING)
    })

    it('of a bond pool are charged to its members as if each had locked a seat', async () => {
      const members = await life.poolRegistry.vault(bondPool.id)
      const before = await bondsOf(members)
      await double(bondPool)
      const withdrawable = await leave(4, FULL - 1_000_000_000, { slashed: true }, bondPool)
      await enter(withdrawable)
      await show(bondPool)
      await life.slashing.settle(bondPool.id)
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('0.375'))
    })
  })

  describe('the charge', () => {
    it('A44 is 1.5 times the loss, from members and ex-members in their tail alike', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const [gone = 0n] = members
      const draws = life.blockProducers.connect(await life.as(life.addresses.vaultDraws))
      const registry = life.blockProducers.connect(await life.as(life.addresses.poolRegistry))
      const newcomer = at(
        life.producers.filter(({ id }) => !members.includes(id)),
        0,
      ).id
      await draws.lockSeats(pool.id, STAKER, [...members.slice(1), newcomer])
      await registry.releaseSeats(pool.id, STAKER, [gone], await life.now())
      const all = [...members, newcomer]
      const before = await bondsOf(all)
      const cover = await life.bondEther.coverShares()

      const withdrawable = await leave(6, FULL - 2_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled')
      // 3 ETH over five seats of 1 ETH, the reporter's fee among it.
      for (const [i, value] of (await bondsOf(all)).entries()) near(value, (before[i] ?? 0n) - eth('0.6'))
      near(await life.bondEther.getPooledEthByShares((await life.bondEther.coverShares()) - cover), eth('2.9'))
      near(await life.bondEther.balanceOf(reporter().address), eth('0.1'))
    })

    it('A44 takes nobody for more than its seat', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(6, FULL - 16_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      await life.slashing.settle(pool.id)
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('1'))
    })

    it('A44 spares who took a seat after the fault', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const late = at(
        life.producers.filter(({ id }) => !members.includes(id)),
        0,
      ).id
      const withdrawable = await leave(6, FULL - 1_000_000_000, { slashed: true })
      await report()
      await life.blockProducers.connect(await life.as(life.addresses.vaultDraws)).lockSeats(pool.id, STAKER, [late])
      const before = await bondOf(late)
      await enter(withdrawable)
      await show()
      await life.slashing.settle(pool.id)
      expect(await bondOf(late)).to.be.at.least(before)
    })

    it('A28 takes no more than a bond has left', async () => {
      const [poor = 0n] = await life.poolRegistry.vault(pool.id)
      const registry = life.blockProducers.connect(await life.as(life.addresses.poolRegistry))
      await registry.slashSeats(1n, [poor], eth('4'), at(life.people, 9).address)
      const withdrawable = await leave(6, FULL - 16_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      await life.slashing.settle(pool.id)
      expect(await bondOf(poor)).to.equal(0n)
      await refused(life.slashing.settle(pool.id), 'NoFault')
    })

    it('A27 A44 seats answer until it is settled: neither closing nor their tail’s end frees them before', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const [gone = 0n, stays = 0n] = members
      const registry = life.blockProducers.connect(await life.as(life.addresses.poolRegistry))
      await registry.releaseSeats(pool.id, STAKER, [gone], await life.now())
      const locked = async (id: bigint) => (await life.blockProducers.producer(id)).lockedSeats
      const [before, beforeStays] = [await locked(gone), await locked(stays)]
      const withdrawable = await leave(4, FULL - 1_000_000_000, { slashed: true })
      await expect(report()).to.emit(life.slashing, 'ExitSeen').withArgs(pool.id, withdrawable)
      await enter(withdrawable)
      await expect(show())
        .to.emit(life.slashing, 'BalanceShown')
        .withArgs(pool.id, withdrawable, FULL - 1_000_000_000)
      life.change(pool, { balance: 0 })
      await enter(withdrawable + 1)
      const { timestamp, state, validator, balance } = await life.proveValidator(pool)
      await life.blockProducers.connect(await life.as(life.addresses.vaultDraws)).lockSeats(pool.id, STAKER, [gone])
      await life.exits.closePool(pool.id, timestamp, state, validator, balance)
      expect(await stateOf()).to.equal(CLOSED)
      await life.toEpoch((await life.epochNow()) + 13)
      expect(await locked(stays)).to.equal(beforeStays)
      expect(await locked(gone)).to.equal(before)
      const bond = await bondOf(gone)
      await life.slashing.settle(pool.id)
      near(await bondOf(gone), bond - eth('0.35'))
      expect(await locked(stays)).to.equal(beforeStays - eth('1'))
      expect(await locked(gone)).to.equal(before - eth('1'))
      expect(await holders()).to.deep.equal([])
    })

    it('A24 a top-up after the exit disguises nothing: balances from after the withdrawable epoch say nothing', async () => {
      const withdrawable = await leave(4, FULL - 1_000_000_000, { slashed: true })
      await report()
      await enter(withdrawable)
      await show()
      expect((await fault()).balance).to.equal(BigInt(FULL) - 1_000_000_000n)
      // Electra credits it in the epoch after the withdrawable one at the earliest.
      life.change(pool, { balance: FULL })
      await enter(withdrawable + 1)
      await refused(show(), 'BalanceTooLate')
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 1_000_000_000n, eth('1.5'))
    })

    it('A24 the sweep in the withdrawable epoch is no total loss', async () => {
      const withdrawable = await leave(4, FULL, { slashed: true })
      await report()
      await enter(withdrawable - 1)
      await show()
      life.change(pool, { balance: 0 })
      await enter(withdrawable)
      await refused(show(), 'BalanceTooLate')
      const wait = 2 * Number(life.parameters.reportEpochs) + 2 * Number(life.parameters.disputeDuration)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
      await life.toEpoch(withdrawable + wait - 1)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
      await life.toEpoch(withdrawable + wait)
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 0n, eth('0.1'))
    })

    it('the latest balance counts: one from before the correlated penalty is outdone', async () => {
      const withdrawable = await leave(20, FULL - 100_000_000, { slashed: true })
      await report()
      const first = await life.proveValidator(pool)
      const bring = () => mine().showBalance(pool.id, first.timestamp, first.state, first.validator, first.balance)
      await bring()
      await refused(bring(), 'NothingNew')
      life.change(pool, { balance: FULL - 5_000_000_000 })
      await enter(withdrawable - 1)
      await show()
      expect((await fault()).balance).to.equal(BigInt(FULL) - 5_000_000_000n)
      await refused(bring(), 'NothingNew')
      // Another validator's is none of ours.
      const { timestamp, state, validator } = await life.proveValidator(pool)
      const { balance } = await life.proveValidator(other)
      await refused(mine().showBalance(pool.id, timestamp, state, validator, balance), 'WrongBalanceIndex')
      const strange = await life.proveValidator(other)
      await refused(mine().showBalance(pool.id, strange.timestamp, strange.state, strange.validator, strange.balance), 'WrongPublicKey')
    })

    it('a slashing while it exits puts the end off', async () => {
      const withdrawable = await leave(10)
      await double()
      await report()
      await enter(withdrawable - 1)
      life.change(pool, { slashed: true, withdrawableEpoch: withdrawable + 30, balance: FULL - 1_000_000_000 })
      await report()
      expect((await fault()).withdrawableEpoch).to.equal(BigInt(withdrawable + 30))
      await show()
      await enter(withdrawable)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
    })

    it('knows the end from a finalized report when nobody shows a state', async () => {
      await double()
      const withdrawable = await leave(60, FULL - 1_000_000_000, { slashed: true })
      const id = await life.reportNow()
      const { epoch } = await life.stateCommitments.commitment(id)
      expect(Number(epoch)).to.be.lessThan(withdrawable)
      const { ordinal } = await life.poolRegistry.pool(pool.id)
      const balances = await life.balancesOf(STAKER, (await life.stateCommitments.commitment(id)).referenceTimestamp)
      const { word, branch } = wordOfPage(pageOf(balances), Number(ordinal) >> 2)
      const content = await life.committedContent(id)
      const bring = () => mine().showReportedBalance(pool.id, id, content, word, branch)
      await refused(mine().showReportedBalance(pool.id, id + 1n, content, word, branch), 'NotFinalized')
      await refused(bring(), 'NotFinalized')
      await life.finalize(id)
      // When it becomes withdrawable is not known yet.
      await refused(bring(), 'BalanceTooLate')
      await refused(life.slashing.settle(pool.id), 'NotExiting')
      await report()
      await refused(mine().showReportedBalance(pool.id, id, content, root(1), branch), 'WrongPageBranch')
      await bring()
      expect([...(await fault())].slice(4, 6)).to.deep.equal([epoch, BigInt(FULL) - 1_000_000_000n])
      await refused(bring(), 'NothingNew')
    })

    it('A27 is not waited for for ever: without any balance near the end the last one shown is taken', async () => {
      const withdrawable = await leave(30, FULL - 1_000_000_000, { slashed: true })
      await report()
      await show()
      const giveUp = withdrawable + Number(life.parameters.windDownAfter)
      await life.toEpoch(giveUp - 1)
      await refused(life.slashing.settle(pool.id), 'NotSettledYet')
      await life.toEpoch(giveUp)
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 1_000_000_000n, eth('1.5'))
    })

    it('A27 and none at all is no loss, but ends', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(30, FULL - 1_000_000_000, { slashed: true })
      await report()
      await life.toEpoch(withdrawable + Number(life.parameters.windDownAfter))
      await life.slashing.settle(pool.id)
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('0.025'))
      expect((await holders()).every(({ held }) => !held)).to.equal(true)
    })
  })

  describe('an exit that nobody asked for', () => {
    it('is charged 1.5 times the loss, at least the stall penalty of the vault', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(6)
      await expect(report()).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, EXIT, reporter().address)
      expect(await stateOf()).to.equal(EXITING)
      near(await life.bondEther.balanceOf(reporter().address), eth('0.1'))
      await enter(withdrawable)
      await show()
      await expect(life.slashing.settle(pool.id)).to.emit(life.slashing, 'FaultSettled').withArgs(pool.id, 0n, eth('0.4'))
      for (const [i, value] of (await bondsOf(members)).entries()) near(value, (before[i] ?? 0n) - eth('0.1'))
    })

    it('A25 A46 a validator that has not begun to exit is left alone', async () => {
      await refused(report(), 'NotExiting')
      expect(await stateOf()).to.equal(ACTIVE)
    })

    it('A46 an ejection is none, and the pool can be closed', async () => {
      const members = await life.poolRegistry.vault(pool.id)
      const before = await bondsOf(members)
      const withdrawable = await leave(4, 15_900_000_000, { effectiveBalance: 16_000_000_000 })
      await expect(report()).to.not.emit(life.slashing, 'PoolFault')
      expect([await stateOf(), (await fault()).kind]).to.deep.equal([EXITING, NONE])
      await refused(report(), 'NothingNew')
      await enter(withdrawable)
      life.change(pool, { balance: 0 })
      const { timestamp, state, validator, balance } = await life.proveValidator(pool)
      await life.exits.closePool(pool.id, timestamp, state, validator, balance)
      expect(await stateOf()).to.equal(CLOSED)
      expect(await bondsOf(members)).to.deep.equal(before)
    })

    it('A46 a top-up after an ejection does not frame the vault', async () => {
      const withdrawable = await leave(4, FULL, { effectiveBalance: FULL })
      await enter(withdrawable + 1)
      await expect(report()).to.not.emit(life.slashing, 'PoolFault')
      expect([await stateOf(), (await fault()).kind]).to.deep.equal([EXITING, NONE])
    })

    it('a state from after the withdrawable epoch does not launder one that an earlier state still shows', async () => {
      const withdrawable = await leave(4)
      const early = await life.proveValidator(pool)
      await enter(withdrawable + 1)
      await report()
      expect((await fault()).kind).to.equal(NONE)
      await mine().reportExit(pool.id, early.timestamp, early.state, early.validator)
      expect((await fault()).kind).to.equal(EXIT)
    })

    it('A46 after a draw it is what was asked for; a state from before the draw still tells', async () => {
      const early = async () => {
        await leave(20)
        return life.proveValidator(pool)
      }
      const proof = await early()
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(eth('106'))
      await life.exits.requestLiquidation()
      await life.drawLiquidation()
      expect(await stateOf()).to.equal(EXITING)
      await refused(report(), 'NothingNew')
      const bring = () => mine().reportExit(pool.id, proof.timestamp, proof.state, proof.validator)
      await expect(bring()).to.emit(life.slashing, 'PoolFault').withArgs(pool.id, EXIT, reporter().address)
    })

    it('A46 a forced exit is none', async () => {
      const withdraw = life.withdrawalQueue.connect(at(life.people, 0))
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await withdraw.requestWithdrawal(eth('106'))
      await life.exits.requestLiquidation()
      await life.drawLiquidation()
      const { deadline } = await life.exits.exit(pool.id)
      await life.toEpoch(deadline + 1n)
      await life.exits.forceExit(pool.id, { value: 1n })
      await leave(8)
      await refused(report(), 'NothingNew')
      expect((await fault()).kind).to.equal(NONE)
    })

    it('during a pending draw changes nothing of it: the pool goes afterwards', async () => {
      await life.bondEther.connect(at(life.people, 0)).approve(life.withdrawalQueue, eth('106'))
      await life.withdrawalQueue.connect(at(life.people, 0)).requestWithdrawal(eth('60'))
      await life.exits.requestLiquidation()
      await refused(life.slashing.liquidate(pool.id), 'NotLiquidatable')
      await double()
      expect(await stateOf()).to.equal(ACTIVE)
      await expect(life.slashing.liquidate(pool.id)).to.be.revertedWithCustomError(life.exits, 'DrawPending')
      await life.drawLiquidation()
      if ((await stateOf()) === ACTIVE) await life.slashing.liquidate(pool.id)
      expect(await stateOf()).to.equal(EXITING)
      await refused(life.slashing.liquidate(pool.id), 'NotLiquidatable')
    })

    it('only Slashing takes pools out', async () => {
      await expect(life.exits.drawOne(pool.id)).to.be.revertedWithCustomError(life.exits, 'NotAllowed')
    })
  })
})
