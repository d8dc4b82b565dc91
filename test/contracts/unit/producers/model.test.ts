import assert from 'node:assert/strict'
import { parseEther, ZeroAddress } from 'ethers'
import { network } from 'hardhat'
import { openPools } from '../../../support/open-pools.ts'
import { randomInt as fromRun } from '../../../support/randomness.ts'

const connection = await network.create()
const { networkHelpers } = connection
/** Print it when a run fails, set it to run that one again. */
const SEED = fromRun(2 ** 31)
let state = SEED

/** mulberry32: an integer from `low` up to, not including, `high`. */
function randomInt(low: number, high?: number): number {
  state = (state + 0x6d2b79f5) | 0
  let word = Math.imul(state ^ (state >>> 15), 1 | state)
  word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word
  const [from, to] = high === undefined ? [0, low] : [low, high]
  return from + (((word ^ (word >>> 14)) >>> 0) % (to - from))
}

const pick = <T>(items: readonly T[]): T => {
  const item = items[randomInt(items.length)]
  if (item === undefined) throw new Error('expected something to pick from, got an empty list')
  return item
}

type Move = { readonly id: number; readonly time: number }

/** The rule of the lists, told plainly: at each freeze leaves go first, then joins, both in order and within the churn. */
class ListModel {
  readonly lists: number[][] = []
  readonly joins: Move[] = []
  readonly leaves: Move[] = []
  readonly #skipJoins: number[] = []
  readonly #skipLeaves: number[] = []

  freeze(period: number, time: number, churn: number): void {
    const list = [...(this.lists.at(-1) ?? [])]
    for (let left = 0; left < churn && (this.leaves[0]?.time ?? time) < time; ) {
      const { id } = this.leaves.shift() as Move
      const at = list.indexOf(id)
      if (this.#cancels(this.#skipLeaves, id)) continue
      if (at < 0) this.#skipJoins.push(id)
      else {
        const last = list.pop() as number
        if (at < list.length) list[at] = last
        left++
      }
    }
    for (let joined = 0; (period === 0 || joined < churn) && (this.joins[0]?.time ?? time) < time; ) {
      const { id } = this.joins.shift() as Move
      if (this.#cancels(this.#skipJoins, id)) continue
      if (list.includes(id)) this.#skipLeaves.push(id)
      else {
        list.push(id)
        joined++
      }
    }
    this.lists.push(list)
  }

  #cancels(skips: number[], id: number): boolean {
    const at = skips.indexOf(id)
    if (at >= 0) skips.splice(at, 1)
    return at >= 0
  }
}

describe(`Periods and BlockProducers against models, seed ${SEED}`, () => {
  it('A34 lists are what the rule says, however freezes are called', async function () {
    this.timeout(600_000)
    for (let run = 0; run < 12; run++) {
      const pools = await openPools(connection, { maxChurn: 2n, firstPeriod: 4n, periodLength: 3n })
      const periods = pools.periods.connect(await pools.as(pools.addresses.blockProducers))
      const model = new ListModel()
      const isIn = new Map<number, boolean>()
      let known = 0
      for (let i = 0; i < 60; i++) {
        const id = known === 0 || randomInt(3) === 0 ? ++known : 1 + randomInt(known)
        const joins = !isIn.get(id)
        isIn.set(id, joins)
        await (joins ? periods.queueJoin(id) : periods.queueLeave(id))
        ;(joins ? model.joins : model.leaves).push({ id, time: await pools.now() })
        if (randomInt(3) === 0) await networkHelpers.time.increase(randomInt(1, 700))
        if (randomInt(8) === 0) await periods.freeze(randomInt(1, 3))
      }
      await networkHelpers.time.increase(6 * 480)
      await periods.freeze(200n)
      const frozen = Number(await periods.nextToFreeze())
      for (let period = 0; period < frozen; period++) {
        const freezeEpoch = 4 + period * 3 - 2
        model.freeze(period, pools.timeOfSlot(freezeEpoch * 8), 2)
        const list = await periods.listAt(period, 0n, await periods.sizeAt(period))
        assert.deepEqual([...list].map(Number), model.lists[period], `run ${run}, period ${period}`)
      }
      assert.ok(frozen > 3)
    }
  })

  it('A28 locks and bonds add up through any sequence of operations', async function () {
    this.timeout(600_000)
    for (let run = 0; run < 4; run++) {
      const pools = await openPools(connection)
      const { blockProducers, bondEther, parameters, addresses, now } = pools
      const ids: bigint[] = []
      for (let i = 0; i < 4; i++) ids.push((await pools.register()).id)
      const draws = blockProducers.connect(await pools.as(addresses.vaultDraws))
      const registry = blockProducers.connect(await pools.as(addresses.poolRegistry))
      const pot = bondEther.connect(await pools.as(addresses.stakingPool))
      const tail = Number(parameters.seatTail * parameters.slotsPerEpoch * parameters.secondsPerSlot)
      const open = new Map<bigint, bigint[]>()
      const locks: { readonly id: bigint; until: number }[] = []
      let poolId = 0n
      const steps: readonly (() => Promise<unknown>)[] = [
        async () => {
          const members = ids.filter(() => randomInt(2) === 0)
          await draws.lockSeats(++poolId, 0, members)
          open.set(poolId, members)
          for (const id of members) locks.push({ id, until: Number.POSITIVE_INFINITY })
        },
        async () => {
          if (open.size === 0) return
          const pool = pick([...open.keys()])
          const members = open.get(pool) ?? []
          const afterTail = randomInt(2) === 0
          await registry.releaseSeats(pool, 0, members, afterTail ? await networkHelpers.time.latest() : 0)
          open.delete(pool)
          const until = (await now()) + (afterTail ? tail : 0)
          for (const id of members) {
            const lock = locks.find((candidate) => candidate.id === id && candidate.until === Number.POSITIVE_INFINITY)
            if (lock) lock.until = until
          }
        },
        async () => blockProducers.addBond(pick(ids), { value: parseEther(`${randomInt(1, 40)}`) }),
        async () => registry.slashSeats(1n, [pick(ids), pick(ids)], parseEther(`${randomInt(1, 12)}`), ZeroAddress),
        async () => pot.recognise(0n, parseEther(`${randomInt(-3, 4)}`)),
        async () => pools.stakingPool.depositFor(addresses.blockProducers, { value: parseEther('1') }),
        async () => networkHelpers.time.increase(randomInt(1, tail)),
      ]
      for (let i = 0; i < 80; i++) {
        await pick(steps)()
        const time = await now()
        const producers = await Promise.all(ids.map((id) => blockProducers.producer(id)))
        const live = locks.filter(({ until }) => until > time)
        for (const [k, producer] of producers.entries()) {
          const own = live.filter(({ id }) => id === ids[k]).length
          assert.equal(producer.lockedSeats, parameters.seatAllocation * BigInt(own))
        }
        assert.equal((await blockProducers.seats()).locked, BigInt(live.length))
        const values = await Promise.all(ids.map((id) => blockProducers.bondValue(id)))
        const all = values.reduce((sum, value) => sum + value, 0n)
        const total = await blockProducers.totalBondValue()
        assert.ok(all <= total && total - all < 1_000_000n, `${all} of ${total}`)
        assert.ok(total <= (await bondEther.balanceOf(addresses.blockProducers)))
      }
    }
  })
})
