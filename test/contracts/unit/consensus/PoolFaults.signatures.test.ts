import { expect } from 'chai'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { type Header, signAttestation, signHeader } from '../../../support/beacon-signatures.ts'
import { g1, newKey } from '../../../support/block-producers.ts'
import { FULL } from '../../../support/network-life.ts'
import {
  accuse,
  bondPool,
  bondsOf,
  double,
  EXITING,
  enter,
  eth,
  FORK,
  fault,
  holders,
  leave,
  life,
  mine,
  near,
  other,
  pool,
  refused,
  report,
  reporter,
  restore,
  root,
  SIGNATURES,
  show,
  stateOf,
  useNetwork,
  vote,
} from './PoolFaults.support.ts'

const header = (slot: number, body = 1): Header => ({
  slot,
  proposerIndex: 3,
  parentRoot: root(1),
  stateRoot: root(2),
  bodyRoot: root(body),
})

const accuseBlocks = (a: Header, b: Header, fork = FORK, domainType?: Uint8Array) =>
  mine().slashBlocks(
    pool.id,
    g1(pool.key.toPublicKey()),
    a,
    signHeader(pool.key, a, fork, domainType),
    b,
    signHeader(pool.key, b, fork, domainType),
  )

describe('Slashing: faults of pools', function () {
  this.timeout(600_000)
  useNetwork()

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
})
