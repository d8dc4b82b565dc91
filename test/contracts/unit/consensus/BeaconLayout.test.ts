import { expect } from 'chai'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { FORK_VERSION, LAYOUT_ROW, SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { digestOf, newKey } from '../../../support/block-producers.ts'
import { withinGas } from '../../../support/gas-bounds.ts'
import { type NetworkLife, startLife } from '../../../support/network-life.ts'
import type { RegisteredProducer } from '../../../support/open-pools.ts'
import { parameters } from '../../../support/staking.ts'
import { listOf, signTogether } from '../../../support/voters.ts'

type Row = ReturnType<typeof row>
const row = (firstEpoch: bigint, forkVersion: string, forkGindex = 269n) => ({ ...LAYOUT_ROW, firstEpoch, forkVersion, forkGindex })
const FULU = '0x06000001'
const DELAY = 64n
const LAYOUT_ROW_TYPE = {
  LayoutRow: [
    { name: 'firstEpoch', type: 'uint64' },
    { name: 'forkVersion', type: 'bytes4' },
    { name: 'forkGindex', type: 'uint64' },
    { name: 'validatorsGindex', type: 'uint64' },
    { name: 'balancesGindex', type: 'uint64' },
    { name: 'randaoMixesGindex', type: 'uint64' },
  ],
}

describe('BeaconLayout: the rows of the deployment', () => {
  const someone = '0x0000000000000000000000000000000000000001'
  const addresses = new Proxy({}, { get: () => someone }) as Record<string, string>
  const deploy = async (rows: Row[]) => {
    const { ethers } = await network.create()
    const factory = await ethers.getContractFactory('BeaconLayout')
    const given = parameters({ genesisTime: 1, depositContract: someone })
    return { factory, deployed: factory.deploy(addressesOf(factory.interface.deploy.inputs[0]), given, rows) }
  }
  const addressesOf = (input: { components: readonly { name: string }[] | null } | undefined) =>
    Object.fromEntries((input?.components ?? []).map(({ name }) => [name, addresses[name]])) as never

  it('gives the row in force at an epoch, and none before the first', async () => {
    const layout = await (await deploy([row(10n, '0x05000000'), row(20n, '0x06000000')])).deployed
    await expect(layout.layoutAt(9)).to.be.revertedWithCustomError(layout, 'NoRow').withArgs(9)
    for (const [epoch, version] of [
      [10, '0x05000000'],
      [19, '0x05000000'],
      [20, '0x06000000'],
      [2n ** 64n - 1n, '0x06000000'],
    ] as const) {
      expect((await layout.layoutAt(epoch)).forkVersion).to.equal(version)
    }
    expect(await layout.rows()).to.have.length(2)
  })

  it('refuses rows out of order, incomplete, or none', async () => {
    const refused = async (rows: Row[], error: string) => {
      const { factory, deployed } = await deploy(rows)
      await expect(deployed).to.be.revertedWithCustomError(factory, error)
    }
    await refused([], 'NoRow')
    await refused([row(10n, '0x05000000'), row(10n, '0x06000000')], 'RowsOutOfOrder')
    await refused([row(10n, '0x05000000'), row(9n, '0x06000000')], 'RowsOutOfOrder')
    for (const hole of ['forkGindex', 'validatorsGindex', 'balancesGindex', 'randaoMixesGindex']) {
      await refused([{ ...row(10n, '0x05000000'), [hole]: 0n }], 'RowIncomplete')
    }
  })
})

describe('BeaconLayout: rows of later forks', function () {
  this.timeout(600_000)
  let life: NetworkLife
  let list: readonly RegisteredProducer[]
  let next: Row
  let restore: () => Promise<void>

  before(async () => {
    life = await startLife(await network.create())
    await life.startPeriod(0)
    list = await listOf(life, 0)
    next = row(BigInt(await life.epochNow()) + DELAY + 2n, FULU)
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
  after(() => life.prover.close())

  const rowDigest = (signed: Row, judge: 'beaconLayout' | 'disputes' = 'beaconLayout') =>
    digestOf(life.judgeOf(judge), LAYOUT_ROW_TYPE, signed)
  const places = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)
  const endorse = async (who: readonly number[], signed = next, period = 0, voters = list) => {
    const { places: bits, signature } = signTogether(voters, who, rowDigest(signed))
    return life.beaconLayout.endorse(signed, period, bits, signature)
  }
  const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.beaconLayout, error)
  const rowCount = async () => (await life.beaconLayout.rows()).length

  it('are added by two thirds of all active producers, over several transactions', async () => {
    expect(list).to.have.length(10)
    await endorse(places(4))
    await endorse(places(2, 4))
    expect(await rowCount()).to.equal(1)
    const rowHash = await life.beaconLayout.digest(next)
    expect(await life.beaconLayout.endorsements(rowHash, 0)).to.equal(6n)
    await expect(endorse([9]))
      .to.emit(life.beaconLayout, 'RowEndorsed')
      .withArgs(rowHash, 0, Object.values(next), 7)
      .and.to.emit(life.beaconLayout, 'RowAdded')
      .withArgs(next.firstEpoch, Object.values(next))
    expect((await life.beaconLayout.layoutAt(next.firstEpoch - 1n)).forkVersion).to.equal(FORK_VERSION)
    expect((await life.beaconLayout.layoutAt(next.firstEpoch)).forkVersion).to.equal(FULU)
    await refused(endorse([8]), 'RowsOutOfOrder')
  })

  it('A48 too few or doubled signatures add nothing', async () => {
    for (let i = 0; i < 4; i++) await endorse(places(6))
    expect(await life.beaconLayout.endorsements(await life.beaconLayout.digest(next), 0)).to.equal(6n)
    // One key summed twice is another sum than the bitmap's.
    const doubled = signTogether(list, [0, 0, 1, 2, 3, 4, 5], rowDigest(next))
    await refused(life.beaconLayout.endorse(next, 0, doubled.places, doubled.signature), 'InvalidEndorsement')
    const claimed = signTogether(list, places(6), rowDigest(next))
    await refused(life.beaconLayout.endorse(next, 0, [(1n << 7n) - 1n], claimed.signature), 'InvalidEndorsement')
    expect(await rowCount()).to.equal(1)
    expect((await life.beaconLayout.layoutAt(next.firstEpoch)).forkVersion).to.equal(FORK_VERSION)
  })

  it('A48 overlapping bitmaps count each producer once, so nobody can spoil a collection by going first', async () => {
    await endorse([2])
    await endorse(places(5))
    await endorse(places(7))
    expect(await rowCount()).to.equal(2)
  })

  it('A48 can’t touch the past, nor come before the delay, nor lock the table', async () => {
    const now = BigInt(await life.epochNow())
    await refused(endorse(places(7), row(1n, FULU)), 'RowTooSoon')
    await refused(endorse(places(7), row(now + DELAY - 1n, FULU)), 'RowTooSoon')
    await refused(endorse(places(7), row(now + DELAY + 2n ** 16n + 1n, FULU)), 'RowTooFar')
    await refused(endorse(places(7), { ...next, balancesGindex: 0n }), 'RowIncomplete')
    await endorse(places(7))
    await refused(endorse(places(7), row(next.firstEpoch, '0x07000001')), 'RowsOutOfOrder')
    await refused(endorse(places(7), row(next.firstEpoch - 1n, '0x07000001')), 'RowsOutOfOrder')
    await endorse(places(7), row(next.firstEpoch + 1n, '0x07000001'))
    expect((await life.beaconLayout.layoutAt(next.firstEpoch)).forkVersion).to.equal(FULU)
  })

  it('may come into force from the delay’s end on, up to the most that lies ahead', async () => {
    const soonest = BigInt(await life.epochNow()) + DELAY
    await endorse(places(7), row(soonest, FULU))
    await endorse(places(7), row(soonest + 2n ** 16n, '0x07000001'))
    expect(await rowCount()).to.equal(3)
  })

  it('A18 a signature for another row or contract, or of a stranger, is refused', async () => {
    const all = places(7)
    const other = signTogether(list, all, rowDigest({ ...next, firstEpoch: next.firstEpoch + 1n }))
    await refused(life.beaconLayout.endorse(next, 0, other.places, other.signature), 'InvalidEndorsement')
    const elsewhere = signTogether(list, all, rowDigest(next, 'disputes'))
    await refused(life.beaconLayout.endorse(next, 0, elsewhere.places, elsewhere.signature), 'InvalidEndorsement')
    const strangers = list.map((producer) => ({ ...producer, key: newKey() }))
    await refused(endorse(all, next, 0, strangers), 'InvalidEndorsement')
    const beyond = signTogether([...list, at(list, 0)], [10], rowDigest(next))
    await expect(life.beaconLayout.endorse(next, 0, beyond.places, beyond.signature)).to.be.revertedWithCustomError(
      life.periods,
      'PositionOutOfRange',
    )
  })

  it('A16 a producer slashed out counts no more, though it is in the list, and spoils nothing', async () => {
    const disputes = await life.as(life.addresses.disputes)
    await life.blockProducers.connect(disputes).slashOut(at(list, 3).id, disputes.address)
    await endorse(places(7))
    expect(await life.beaconLayout.endorsements(await life.beaconLayout.digest(next), 0)).to.equal(6n)
    expect(await rowCount()).to.equal(1)
    await endorse([3, 7])
    expect(await rowCount()).to.equal(2)
  })

  it('starts over with the next period, whose list may be another; the same signatures serve again', async () => {
    const later = { ...next, firstEpoch: next.firstEpoch + 12n }
    await endorse(places(6), later)
    await life.startPeriod(1)
    await refused(endorse([9], later, 0), 'NotCurrentPeriod')
    const fresh = await listOf(life, 1)
    await endorse([9], later, 1, fresh)
    expect(await rowCount()).to.equal(1)
    await endorse(places(6), later, 1, fresh)
    expect(await rowCount()).to.equal(2)
  })

  it('A48 from their epoch on, states of the new fork are proven and those under another version are not', async () => {
    await endorse(places(7))
    // The first period whose seed epoch is the new fork's.
    const { periodLength, firstPeriod } = life.parameters
    const period = (next.firstEpoch - firstPeriod) / periodLength + 1n
    const seedEpoch = Number(await life.periods.seedEpochOf(period))
    await life.toEpoch(seedEpoch + 1)
    await life.periods.freeze(100)
    const prove = async (fork: 'electra' | 'fulu', forkVersion: string) => {
      const mix = life.mixOf(seedEpoch)
      const proven = await life.prover.prove({
        slot: (seedEpoch + 1) * SLOTS_PER_EPOCH,
        fork,
        forkVersion,
        mixes: [{ epoch: seedEpoch, mix }],
      })
      return life.periods.proveSeed(period, await life.anchor(proven), proven.state, at(proven.mixes, 0))
    }
    const unproven = (call: Promise<unknown>) =>
      expect(call).to.be.revertedWithCustomError(life.periods, 'ForkVersionNotProven').withArgs(FULU)
    await unproven(prove('electra', FORK_VERSION))
    await unproven(prove('fulu', FORK_VERSION))
    await prove('fulu', FULU)
    expect(await life.periods.seedOf(period)).to.equal(life.mixOf(seedEpoch))
    // A state from before the fork is read as it always was.
    const before = await life.prover.prove({
      slot: Number(next.firstEpoch) * SLOTS_PER_EPOCH - 1,
      fork: 'fulu',
      forkVersion: FULU,
      mixes: [{ epoch: 0, mix: life.mixOf(0) }],
    })
    await expect(life.periods.proveSeed(period - 1n, await life.anchor(before), before.state, at(before.mixes, 0)))
      .to.be.revertedWithCustomError(life.periods, 'ForkVersionNotProven')
      .withArgs(FORK_VERSION)
  })
})

describe('BeaconLayout: many producers', function () {
  this.timeout(600_000)
  it('A36 an endorsement costs so little that 256 of them fit in a transaction', async () => {
    const life = await startLife(await network.create(), {}, 30)
    await life.startPeriod(0)
    const list = await listOf(life, 0)
    const signed = row(BigInt(await life.epochNow()) + DELAY + 2n, FULU)
    const gasOf = async (count: number) => {
      const who = Array.from({ length: count }, (_, i) => i)
      const { places, signature } = signTogether(list, who, digestOf(life.judgeOf('beaconLayout'), LAYOUT_ROW_TYPE, signed))
      return life.beaconLayout.endorse.estimateGas(signed, 0, places, signature)
    }
    const few = await gasOf(4)
    const each = ((await gasOf(18)) - few) / 14n
    withinGas(few + 252n * each, 16_777_216n)
    await life.prover.close()
  })
})
