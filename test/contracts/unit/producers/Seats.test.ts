import assert from 'node:assert/strict'
import { expect } from 'chai'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { openPools } from '../../../support/open-pools.ts'

const connection = await network.create()
const { networkHelpers } = connection
const eth = parseEther
const [STAKER, BOND] = [0n, 1n]
const UNTIL_SETTLED = 2n ** 48n - 1n

/** Four producers with bonds of six seats each, and the contracts that command the registry as signers. */
async function four() {
  const pools = await openPools(connection)
  const ids: bigint[] = []
  for (let i = 0; i < 4; i++) ids.push((await pools.register(eth('72'))).id)
  const [a = 0n, b = 0n, c = 0n, d = 0n] = ids
  const as = async (address: string) => pools.blockProducers.connect(await pools.as(address))
  const { vaultDraws, poolRegistry, slashing } = pools.addresses
  const epoch = Number(pools.parameters.slotsPerEpoch * pools.parameters.secondsPerSlot)
  const tail = BigInt(Number(pools.parameters.seatTail) * epoch)
  const locked = async (id: bigint) => (await pools.blockProducers.producer(id)).lockedSeats / eth('12')
  const holders = async (pool: bigint) =>
    (await pools.blockProducers.holdersOf(pool)).map(({ producerId, until, held }) => [producerId, until, held])
  const clock = async () => BigInt(await pools.now())
  return {
    ...pools,
    ids,
    a,
    b,
    c,
    d,
    draws: await as(vaultDraws),
    registry: await as(poolRegistry),
    judge: await as(slashing),
    tail,
    locked,
    holders,
    clock,
  }
}
const load = () => networkHelpers.loadFixture(four)

describe('Seats: who answers for a pool', () => {
  it('names live seats, then those in their tail, until it ends', async () => {
    const { draws, registry, blockProducers, a, b, c, holders, clock, tail } = await load()
    await draws.lockSeats(1n, STAKER, [a, b, c])
    assert.deepEqual(await holders(1n), [
      [a, 0n, false],
      [b, 0n, false],
      [c, 0n, false],
    ])
    const from = await clock()
    await expect(registry.releaseSeats(1n, STAKER, [b], from))
      .to.emit(blockProducers, 'SeatReleased')
      .withArgs(b, 1n, eth('12'), from + tail)
    const atOnce = registry.releaseSeats(1n, STAKER, [a], 0n)
    await expect(atOnce)
      .to.emit(blockProducers, 'SeatReleased')
      .withArgs(a, 1n, eth('12'), from + 2n)
    assert.deepEqual(await holders(1n), [
      [b, from + tail, false],
      [c, 0n, false],
    ])
    await networkHelpers.time.increaseTo(from + tail - 1n)
    assert.equal((await holders(1n)).length, 2)
    await networkHelpers.time.increaseTo(from + tail)
    assert.deepEqual(await holders(1n), [[c, 0n, false]])
    assert.deepEqual(await holders(2n), [])
  })

  it('names as many as there are, tails among them', async () => {
    const { draws, registry, register, holders, clock, tail } = await load()
    const many: bigint[] = []
    for (let i = 0; i < 17; i++) many.push((await register()).id)
    await draws.lockSeats(1n, STAKER, many)
    const alive = many.map((id) => [id, 0n, false])
    assert.deepEqual(await holders(1n), alive)
    const from = await clock()
    await registry.releaseSeats(1n, STAKER, many.slice(6, 10), from)
    const ending = many.slice(6, 10).map((id) => [id, from + tail, false])
    assert.deepEqual(await holders(1n), [...alive.slice(0, 6), ...ending, ...alive.slice(10)])
    await networkHelpers.time.increaseTo(from + tail)
    assert.deepEqual(await holders(1n), [...alive.slice(0, 6), ...alive.slice(10)])
  })

  it('tells the live seats in the order in which they were locked, eight a word, and no more than asked', async () => {
    const { draws, registry, judge, register, blockProducers, clock } = await load()
    const many: bigint[] = []
    for (let i = 0; i < 17; i++) many.push((await register()).id)
    const live = async (most: number) =>
      (await blockProducers.liveSeats(1n, most)).map((word) =>
        Array.from({ length: 8 }, (_, lane) => (word >> BigInt(32 * lane)) & 0xffffffffn).filter((id) => id !== 0n),
      )
    assert.deepEqual(await live(4), [[]])
    await draws.lockSeats(1n, STAKER, many.slice(0, 16))
    assert.deepEqual(await live(16), [many.slice(0, 8), many.slice(8, 16)])
    assert.deepEqual(await live(4), [many.slice(0, 4)])
    assert.deepEqual(await live(10), [many.slice(0, 8), many.slice(8, 10)])
    // Who is drawn to take over comes after; who is in its tail, or held in it, is none of them.
    await draws.lockSeats(1n, STAKER, many.slice(16))
    await registry.releaseSeats(1n, STAKER, [many[2] ?? 0n, many[11] ?? 0n], await clock())
    const left = many.filter((_, place) => place !== 2 && place !== 11)
    assert.deepEqual(await live(24), [left.slice(0, 8), left.slice(8), []])
    await judge.holdSeats(1n, STAKER)
    assert.deepEqual(await live(17), [left.slice(0, 8), left.slice(8), []])
    await registry.releaseSeats(1n, STAKER, many.slice(0, 1), await clock())
    assert.deepEqual(await live(3), [left.slice(1, 4)])
  })

  it('a member of the old vault and the new one keeps its one seat', async () => {
    const { draws, registry, blockProducers, a, b, c, d, holders, clock, locked, tail } = await load()
    await draws.lockSeats(1n, STAKER, [a, b])
    await draws.lockSeats(1n, STAKER, [c, b, d])
    const locks = await blockProducers.queryFilter(blockProducers.filters.SeatsLocked(1n))
    assert.deepEqual(
      locks.map(({ args }) => [...args.producers]),
      [
        [a, b],
        [c, d],
      ],
    )
    assert.deepEqual(await Promise.all([a, b, c, d].map(locked)), [1n, 1n, 1n, 1n])
    // The cutover lies ahead: the tail counts from there.
    const cutover = (await clock()) + 500n
    await registry.releaseSeats(1n, STAKER, [a], cutover)
    assert.deepEqual(await holders(1n), [
      [a, cutover + tail, false],
      [b, 0n, false],
      [c, 0n, false],
      [d, 0n, false],
    ])
    // Had it failed instead, only the new ones would have lost theirs.
    await registry.releaseSeats(1n, STAKER, [c, d], 0n)
    assert.equal((await holders(1n)).length, 2)
  })

  it('one that comes back within its tail answers twice, and locks twice', async () => {
    const { draws, registry, a, holders, clock, locked } = await load()
    await draws.lockSeats(1n, STAKER, [a])
    await registry.releaseSeats(1n, STAKER, [a], await clock())
    await draws.lockSeats(1n, STAKER, [a])
    assert.deepEqual(
      (await holders(1n)).map(([id]) => id),
      [a, a],
    )
    assert.equal(await locked(a), 2n)
    await registry.releaseSeats(1n, STAKER, [a], 0n)
    assert.equal((await holders(1n)).length, 1)
    assert.equal(await locked(a), 1n)
  })

  it('tails end in any order: one that would end before an earlier one ends with it', async () => {
    const { draws, registry, blockProducers, a, clock, tail, locked } = await load()
    await draws.lockSeats(1n, STAKER, [a])
    await draws.lockSeats(2n, STAKER, [a])
    const now = await clock()
    await registry.releaseSeats(1n, STAKER, [a], now + 1000n)
    await registry.releaseSeats(2n, STAKER, [a], now)
    await networkHelpers.time.increaseTo(now + tail)
    assert.deepEqual((await blockProducers.holdersOf(2n)).length, 0)
    assert.equal(await locked(a), 2n)
    await networkHelpers.time.increaseTo(now + tail + 1000n)
    assert.equal(await locked(a), 0n)
    assert.deepEqual([...(await blockProducers.seats())], [24n, 0n])
  })

  it('seats of bond pools lock nothing, but are known', async () => {
    const { draws, registry, blockProducers, a, b, holders, clock, locked } = await load()
    await draws.lockSeats(1n, BOND, [a, b])
    assert.deepEqual([await locked(a), await blockProducers.seatCount(a)], [0n, 1n])
    assert.deepEqual([...(await blockProducers.seats())], [24n, 0n])
    await registry.releaseSeats(1n, BOND, [a], await clock())
    assert.deepEqual([await holders(1n).then((all) => all.length), await blockProducers.seatCount(a)], [2, 0n])
    await registry.releaseSeats(1n, BOND, [b], 0n)
    assert.equal((await holders(1n)).length, 1)
  })

  it('tells the newest seat of a staker pool, and which is next when it is gone', async () => {
    const { draws, registry, blockProducers, a, clock } = await load()
    const newest = () => blockProducers.newestSeat(a)
    assert.equal(await newest(), 0n)
    const ids = [1n, 2n, 3n, 4n, 5n, 6n, 70_000n, 70_001n, 7n, 8n, 200_000n, 200_001n]
    for (const pool of ids) await draws.lockSeats(pool, STAKER, [a])
    await draws.lockSeats(9n, BOND, [a])
    assert.deepEqual([await newest(), await blockProducers.seatCount(a)], [200_001n, 13n])
    // From the middle of the list, the newest but one, and one that is not remembered any more.
    for (const pool of [5n, 200_000n, 1n]) {
      await registry.releaseSeats(pool, STAKER, [a], await clock())
      assert.equal(await newest(), 200_001n)
    }
    for (const [pool, next] of [
      [200_001n, 8n],
      [8n, 7n],
      [7n, 70_001n],
      [70_001n, 70_000n],
      [70_000n, 6n],
      [6n, 4n],
      [4n, 3n],
      [3n, 0n],
    ] as const) {
      await registry.releaseSeats(pool, STAKER, [a], 0n)
      assert.equal(await newest(), next)
    }
    // Only ten were remembered: the oldest is there all the same.
    assert.equal(await blockProducers.seatCount(a), 2n)
    await draws.lockSeats(10n, STAKER, [a])
    assert.equal(await newest(), 10n)
    await draws.lockSeats(11n, STAKER, [a])
    await registry.releaseSeats(11n, STAKER, [a], 0n)
    assert.equal(await newest(), 10n)
  })

  it('a bond below 90 % of its live seats is undercollateralized, until a seat is in its tail or it is topped up', async () => {
    const { draws, registry, blockProducers, a, clock } = await load()
    const under = () => blockProducers.isUndercollateralized(a)
    for (let pool = 1n; pool <= 6n; pool++) await draws.lockSeats(pool, STAKER, [a])
    await registry.slashSeats(1n, [a], eth('7.19'), ZeroAddress)
    assert.equal(await under(), false)
    await registry.slashSeats(1n, [a], eth('0.02'), ZeroAddress)
    assert.equal(await under(), true)
    const snapshot = await networkHelpers.takeSnapshot()
    await expect(blockProducers.addBond(a, { value: eth('0.03') }))
      .to.emit(blockProducers, 'BondAdded')
      .withArgs(a, (shares: bigint) => shares > 0n)
    assert.equal(await under(), false)
    await snapshot.restore()
    await registry.releaseSeats(6n, STAKER, [a], await clock())
    assert.equal(await under(), false)
  })
})

describe('Seats: held for a fault', () => {
  it('A44 holds live seats and tails beyond the tail’s end, and frees what is not live when it is settled', async () => {
    const { draws, registry, judge, blockProducers, a, b, c, holders, clock, tail, locked } = await load()
    await draws.lockSeats(1n, STAKER, [a, b])
    await registry.releaseSeats(1n, STAKER, [a], await clock())
    await expect(judge.holdSeats(1n, STAKER)).to.emit(blockProducers, 'SeatsHeld').withArgs(1n)
    await expect(judge.holdSeats(1n, STAKER)).to.be.revertedWithCustomError(blockProducers, 'SeatsAlreadyHeld')
    await networkHelpers.time.increase(tail)
    assert.deepEqual(await holders(1n), [
      [a, UNTIL_SETTLED, true],
      [b, 0n, true],
    ])
    assert.deepEqual([await locked(a), await locked(b)], [1n, 1n])

    // Who comes later answers for nothing; a seat that is released goes on answering.
    await draws.lockSeats(1n, STAKER, [c])
    await expect(registry.releaseSeats(1n, STAKER, [b], await clock()))
      .to.emit(blockProducers, 'SeatReleased')
      .withArgs(b, 1n, eth('12'), 2n ** 64n - 1n)
    assert.equal(await blockProducers.seatCount(b), 0n)
    assert.deepEqual(await holders(1n), [
      [a, UNTIL_SETTLED, true],
      [b, UNTIL_SETTLED, true],
      [c, 0n, false],
    ])
    await networkHelpers.time.increase(tail)
    assert.equal(await locked(b), 1n)
    assert.deepEqual([...(await blockProducers.seats())], [24n, 3n])
    await expect(judge.unholdSeats(1n, STAKER)).to.emit(blockProducers, 'SeatsUnheld').withArgs(1n)
    assert.deepEqual(await holders(1n), [[c, 0n, false]])
    assert.deepEqual([await locked(a), await locked(b), await locked(c)], [0n, 0n, 1n])
    assert.deepEqual([...(await blockProducers.seats())], [24n, 1n])
  })

  it('A44 holds and lets go as many as fill a word', async () => {
    const { draws, judge, register, holders } = await load()
    const eight: bigint[] = []
    for (let i = 0; i < 8; i++) eight.push((await register()).id)
    await draws.lockSeats(1n, STAKER, eight)
    await judge.holdSeats(1n, STAKER)
    assert.deepEqual(
      await holders(1n),
      eight.map((id) => [id, 0n, true]),
    )
    await judge.unholdSeats(1n, STAKER)
    assert.deepEqual(
      await holders(1n),
      eight.map((id) => [id, 0n, false]),
    )
  })

  it('live seats are live again afterwards', async () => {
    const { draws, registry, judge, a, holders, clock, locked, tail } = await load()
    await draws.lockSeats(1n, STAKER, [a])
    await judge.holdSeats(1n, STAKER)
    await judge.unholdSeats(1n, STAKER)
    assert.deepEqual(await holders(1n), [[a, 0n, false]])
    await registry.releaseSeats(1n, STAKER, [a], await clock())
    await networkHelpers.time.increase(tail)
    assert.equal(await locked(a), 0n)
  })

  it('those of bond pools too', async () => {
    const { draws, registry, judge, blockProducers, a, b, holders, clock, tail } = await load()
    await draws.lockSeats(1n, BOND, [a, b])
    await registry.releaseSeats(1n, BOND, [a], await clock())
    await judge.holdSeats(1n, BOND)
    await networkHelpers.time.increase(tail)
    assert.deepEqual(
      (await holders(1n)).map(([id]) => id),
      [a, b],
    )
    assert.equal(await blockProducers.seatCount(a), 1n)
    await registry.releaseSeats(1n, BOND, [b], 0n)
    await judge.unholdSeats(1n, BOND)
    assert.deepEqual(await holders(1n), [])
    assert.deepEqual([await blockProducers.seatCount(a), await blockProducers.seatCount(b)], [0n, 0n])
  })

  it('only by Slashing', async () => {
    const { draws, registry, blockProducers } = await load()
    for (const other of [draws, registry, blockProducers]) {
      await expect(other.holdSeats(1n, STAKER)).to.be.revertedWithCustomError(blockProducers, 'NotAllowed')
      await expect(other.unholdSeats(1n, STAKER)).to.be.revertedWithCustomError(blockProducers, 'NotAllowed')
    }
  })
})
