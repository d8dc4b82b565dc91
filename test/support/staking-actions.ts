import { INTERVAL } from './staking.ts'
import type { Pair, StakingModel } from './staking-model.ts'

export type Staker = 'alice' | 'bob' | 'carol'

/** Something that anybody may do, or that happens. Amounts in wei; shares where it says so. */
export type Action =
  | { readonly type: 'deposit'; readonly who: Staker | 'producers'; readonly amount: bigint }
  | { readonly type: 'transfer'; readonly from: Staker; readonly to: Staker; readonly amount: bigint }
  | { readonly type: 'transferShares'; readonly from: Staker; readonly to: Staker; readonly shares: bigint }
  | { readonly type: 'request'; readonly who: Staker; readonly amount: bigint }
  | { readonly type: 'claim'; readonly who: Staker; readonly id: number }
  | { readonly type: 'slash'; readonly shares: bigint }
  | { readonly type: 'beacon'; readonly kind: 0 | 1 }
  | { readonly type: 'arrive'; readonly kind: 0 | 1; readonly amount: bigint }
  | { readonly type: 'finalize'; readonly steps: number }
  | {
      readonly type: 'report'
      readonly arrivals: Pair
      readonly profit: Pair
      readonly epochs: bigint
      readonly steps: number
      readonly lastReference: number
    }

/** Uniform integers from a seed (xorshift, 64 bits): a failing run can be had again. */
export function randomFrom(seed: bigint): (below: bigint) => bigint {
  let state = seed | 1n
  return (below) => {
    state ^= (state << 13n) & 0xffffffffffffffffn
    state ^= state >> 7n
    state ^= (state << 17n) & 0xffffffffffffffffn
    return below > 0n ? ((state << 64n) | ((state * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn)) % below : 0n
  }
}

const STAKERS = ['alice', 'bob', 'carol'] as const
const MILLI = 10n ** 15n

/** The next action, one that does not revert in the model's state, at `time`. Reports swing by up to ± 1 % of the pot. */
export function nextAction({ model, random, time, genesisTime }: Context): Action {
  const staker = () => STAKERS[Number(random(3n))] ?? 'alice'
  const kind = () => (random(2n) === 0n ? 0 : 1)
  const balance = (who: Staker) => model.value(model.shares[who])
  const who = staker()
  const roll = Number(random(100n))
  if (roll < 22) return { type: 'deposit', who: random(5n) === 0n ? 'producers' : who, amount: 10n * MILLI + random(40_000n * MILLI) }
  if (roll < 32) return { type: 'transfer', from: who, to: staker(), amount: random(balance(who) + 1n) }
  if (roll < 36) return { type: 'transferShares', from: who, to: staker(), shares: random(model.shares[who] + 1n) }
  if (roll < 54 && balance(who) > 2n * MILLI)
    return { type: 'request', who, amount: MILLI + random((balance(who) - MILLI) / (1n + random(8n))) }
  if (roll < 70) {
    const id = 1 + Number(random(BigInt(model.lastFinalized)))
    const request = model.requests[id - 1]
    if (request && request.id <= model.lastFinalized && !request.claimed) return { type: 'claim', who: request.owner as Staker, id }
  }
  if (roll < 73) return { type: 'slash', shares: random(model.shares.producers / 400n + 1n) }
  if (roll < 83) return { type: 'beacon', kind: kind() }
  if (roll < 85) return { type: 'arrive', kind: kind(), amount: random(20_000n * MILLI) }
  if (roll < 88) return { type: 'finalize', steps: 1 + Number(random(3n)) }
  return reportAt({ model, random, time, genesisTime })
}

type Context = {
  readonly model: StakingModel
  readonly random: (below: bigint) => bigint
  readonly time: number
  readonly genesisTime: number
}

function reportAt({ model, random, time, genesisTime }: Context): Action {
  const swing = () => {
    const most = model.pooled / 100n
    return random(5n) < 2n ? -random(most + 1n) : random(most + 1n)
  }
  const arrived = (kind: 0 | 1) => model.collected[kind] + random(model.vaults[kind] + 1n)
  const boundary = genesisTime + Math.floor((time - genesisTime) / INTERVAL) * INTERVAL
  return {
    type: 'report',
    arrivals: [arrived(0), arrived(1)],
    profit: [model.recognised[0] + swing(), model.recognised[1] + swing()],
    epochs: 1n + random(4n),
    steps: Number(random(4n)),
    lastReference: boundary - Number(random(3n)) * 12,
  }
}

/** Carries an action out in the model. Returns what a claim paid. */
export function applyToModel(model: StakingModel, { action, time, lastReference }: Applied): bigint {
  switch (action.type) {
    case 'deposit':
      model.deposit(action.who, action.amount)
      return 0n
    case 'transfer':
      model.transfer(action.from, action.to, action.amount)
      return 0n
    case 'transferShares':
      model.move(action.from, action.to, action.shares)
      return 0n
    case 'request':
      model.request(action.who, action.amount, time)
      return 0n
    case 'claim':
      return model.claim(action.id)
    case 'slash':
      model.move('producers', 'cover', action.shares)
      return 0n
    case 'beacon':
      model.depositToBeacon(action.kind)
      return 0n
    case 'arrive':
      model.arrive(action.kind, action.amount)
      return 0n
    case 'finalize':
      model.finalize(action.steps, lastReference)
      return 0n
    case 'report':
      model.report(action, time)
      model.finalize(action.steps, lastReference)
      return 0n
  }
}

type Applied = { readonly action: Action; readonly time: number; readonly lastReference: number }
