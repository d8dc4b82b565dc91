import { DEAD_ETHER, INTERVAL, MAX_REPORT_GROWTH, SHARES_PER_WEI } from './staking.ts'

/** Accounts that hold shares. */
export type Holder = 'alice' | 'bob' | 'carol' | 'producers' | 'queue' | 'cover' | 'lockers' | 'dead'
export type Pair = [staker: bigint, bond: bigint]

type Request = {
  readonly id: number
  readonly owner: Holder
  readonly amount: bigint
  readonly time: number
  due: bigint
  claimed: boolean
}
/** What waits of the requests between two moves of the index. */
type Batch = { waiting: Request[]; asked: bigint; shares: bigint; time: number; closed: boolean; partly: boolean }

const POOL = 32n * 10n ** 18n
/** Most report intervals of a batch. */
const SPAN = 8
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
const positive = (a: bigint): bigint => (a > 0n ? a : 0n)
const ceilDiv = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

/**
 * What the staking contracts should do, in plain arithmetic: every request is an object, every batch a list, every sum is taken
 * anew. Where the contracts round, the rule is written out here a second time.
 */
export class StakingModel {
  readonly shares: Record<Holder, bigint> = { alice: 0n, bob: 0n, carol: 0n, producers: 0n, queue: 1n, cover: 0n, lockers: 0n, dead: 0n }
  totalShares = DEAD_ETHER * SHARES_PER_WEI
  pooled = DEAD_ETHER
  buffered = DEAD_ETHER
  reserved = 0n
  readonly deposits: Pair = [0n, 0n]
  readonly collected: Pair = [0n, 0n]
  readonly recognised: Pair = [0n, 0n]
  readonly vaults: Pair = [0n, 0n]
  /** The most that was ever recognised, and the fee in basis points on what rises above it. */
  maximum = 0n
  readonly #fee: bigint
  readonly requests: Request[] = []
  batches: Batch[] = []
  lastFinalized = 0
  queueEther = 0n
  readonly #genesisTime: number
  /** Report interval in which the last batch ended, and time of the last request. */
  #opened = 0
  #lastTime: number

  constructor(genesisTime: number, fee = 0n) {
    this.#fee = fee
    this.#genesisTime = genesisTime
    this.#lastTime = genesisTime
    this.shares.dead = this.totalShares - 1n
  }

  value(shares: bigint): bigint {
    return (shares * this.pooled) / this.totalShares
  }

  sharesFor(amount: bigint): bigint {
    return (amount * this.totalShares) / this.pooled
  }

  get unreserved(): bigint {
    return this.buffered - this.reserved
  }

  get demand(): bigint {
    const asked = this.batches.reduce((sum, batch) => sum + batch.asked, 0n)
    return min(asked, this.value(this.batches.reduce((sum, batch) => sum + batch.shares, 0n)))
  }

  deposit(who: Holder, amount: bigint): void {
    const shares = this.sharesFor(amount)
    this.shares[who] += shares
    this.totalShares += shares
    this.pooled += amount
    this.buffered += amount
  }

  transfer(from: Holder, to: Holder, amount: bigint): void {
    this.move(from, to, this.sharesFor(amount))
  }

  move(from: Holder, to: Holder, shares: bigint): void {
    this.shares[from] -= shares
    this.shares[to] += shares
  }

  request(who: Holder, amount: bigint, time: number): void {
    const shares = this.sharesFor(amount)
    this.move(who, 'queue', shares)
    const interval = this.#interval(time)
    if (interval > this.#interval(this.#lastTime) && interval - this.#opened >= SPAN) this.#close(time)
    this.#lastTime = time
    let batch = this.batches.at(-1)
    if (!batch || batch.closed) {
      batch = { waiting: [], asked: 0n, shares: 0n, time, closed: false, partly: false }
      this.batches.push(batch)
    }
    const request = { id: this.requests.length + 1, owner: who, amount: this.value(shares), time, due: 0n, claimed: false }
    this.requests.push(request)
    batch.waiting.push(request)
    batch.asked += request.amount
    batch.shares += shares
    batch.time = time
  }

  /** Unreserved ETH beyond the demand goes to the beacon chain. */
  depositToBeacon(kind: 0 | 1): boolean {
    if (this.unreserved - this.demand < POOL) return false
    this.buffered -= POOL
    this.deposits[kind] += POOL
    return true
  }

  arrive(kind: 0 | 1, amount: bigint): void {
    this.vaults[kind] += amount
  }

  #interval(time: number): number {
    return Math.floor((time - this.#genesisTime) / INTERVAL)
  }

  #close(time: number): void {
    const open = this.batches.at(-1)
    if (open) open.closed = true
    this.#opened = this.#interval(time)
  }

  report({ arrivals, profit, epochs }: { readonly arrivals: Pair; readonly profit: Pair; readonly epochs: bigint }, time: number): void {
    this.#close(time)
    for (const kind of [0, 1] as const) {
      const amount = min(positive(arrivals[kind] - this.collected[kind]), this.vaults[kind])
      this.vaults[kind] -= amount
      this.collected[kind] += amount
      this.buffered += amount
    }
    const change: Pair = [profit[0] - this.recognised[0], profit[1] - this.recognised[1]]
    const gains = clamp([positive(change[0]), positive(change[1])], (this.pooled * MAX_REPORT_GROWTH * epochs) / 1_000_000n)
    const least = ceilDiv(this.totalShares, SHARES_PER_WEI * 1000n)
    const losses = clamp([positive(-change[0]), positive(-change[1])], positive(this.pooled - least))
    for (const kind of [0, 1] as const) this.recognised[kind] += gains[kind] - losses[kind]
    this.#recognise(gains[0] - losses[0], gains[1] - losses[1])
    const total = this.recognised[0] + this.recognised[1]
    this.#takeFee((positive(total - this.maximum) * this.#fee) / 10_000n)
    this.maximum = max(this.maximum, total)
  }

  /** New shares worth the fee. */
  #takeFee(fee: bigint): void {
    const shares = (fee * this.totalShares) / (this.pooled - fee)
    this.shares.lockers += shares
    this.totalShares += shares
  }

  #recognise(staker: bigint, bond: bigint): void {
    let rest = staker + bond
    if (bond < 0n) rest += this.#bear('producers', -bond)
    if (rest < 0n) rest += this.#bear('cover', -rest)
    this.pooled += rest
  }

  #bear(who: Holder, loss: bigint): bigint {
    const needed = ceilDiv(loss * this.totalShares, this.pooled)
    const burned = min(needed, this.shares[who])
    const borne = needed > this.shares[who] ? this.value(burned) : loss
    this.shares[who] -= burned
    this.totalShares -= burned
    this.pooled -= borne
    return borne
  }

  /** Pays waiting requests, oldest first, that were made before the boundary of the reference. */
  finalize(steps: number, lastReference: number): void {
    let [available, paid, shares] = [this.unreserved, 0n, 0n]
    const covered = Math.ceil(Math.max(lastReference - this.#genesisTime, 0) / INTERVAL)
    for (let step = 0; step < steps; step++) {
      const batch = this.batches[0]
      if (!batch?.closed) break
      const part = this.#payable(batch, available, covered)
      if (part.requests.length === 0) break
      for (const request of part.requests) {
        request.due = (request.amount * part.paid) / part.asked
        this.lastFinalized = request.id
      }
      batch.waiting = batch.waiting.slice(part.requests.length)
      batch.asked -= part.asked
      batch.shares -= part.shares
      available -= part.paid
      paid += part.paid
      shares += part.shares
      if (batch.waiting.length > 0) {
        batch.partly = true
        break
      }
      this.batches.shift()
    }
    const burned = ceilDiv(paid * this.totalShares, this.pooled)
    this.shares.queue -= shares
    this.shares.cover += shares - burned
    this.totalShares -= burned
    this.pooled -= paid
    this.buffered -= paid
    this.queueEther += paid
  }

  #payable(batch: Batch, available: bigint, covered: number) {
    const { asked, shares } = batch
    const due = min(asked, this.value(shares))
    const isCovered = this.#interval(batch.time) < covered
    if (isCovered && due <= available) return { requests: batch.waiting, asked, paid: due, shares }
    const most = due <= available ? asked : (available * asked) / due
    const requests: Request[] = []
    let part = 0n
    for (const request of batch.waiting) {
      if (part + request.amount > most || this.#interval(request.time) >= covered) break
      requests.push(request)
      part += request.amount
    }
    const paid = (part * due) / asked
    const needed = ceilDiv(paid * this.totalShares, this.pooled)
    const portion = (shares * part) / asked
    return { requests, asked: part, paid, shares: min(max(portion, needed), shares) }
  }

  claim(id: number): bigint {
    const request = this.requests[id - 1]
    if (!request || request.claimed || id > this.lastFinalized) throw new Error(`request ${id} is not claimable`)
    request.claimed = true
    this.queueEther -= request.due
    return request.due
  }
}

function clamp([a, b]: Pair, most: bigint): Pair {
  if (a + b <= most) return [a, b]
  const part = (a * most) / (a + b)
  return [part, most - part]
}
