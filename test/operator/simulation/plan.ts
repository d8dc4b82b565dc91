import type { Epoch, PoolId, ProducerId, Slot, ValidatorIndex } from '../../../operator/core/ids.ts'
import type { Weather } from './network.ts'
import type { Random } from './random.ts'

export const SLOT_MS = 2_000
export const SLOTS_PER_EPOCH = 32
export const FIRST_ROUND_MS = 100
/** Four slots before an epoch's end, so that the storm is over its boundary. */
export const START_SLOT = 10 * SLOTS_PER_EPOCH + 28
const EPOCH = (START_SLOT / SLOTS_PER_EPOCH) | 0
const POOLS = 2

/**
 * How a member can be faulty. silent: says nothing. twins: two processes with one identity, each talking to its part of the
 * vault. amnesiac: dies often and forgets everything. usurper: proposes its own value where another is prepared. garbler:
 * repeats, cuts and changes frames, signs wrong roots. cheat: sees another chain and pays itself. blackout: keeps to the protocol on a
 * machine that loses power often.
 */
export type Fault = 'silent' | 'twins' | 'amnesiac' | 'usurper' | 'garbler' | 'cheat' | 'blackout'
const FAULTS: readonly Fault[] = ['silent', 'twins', 'twins', 'amnesiac', 'usurper', 'garbler', 'cheat', 'blackout']

export type PlannedPool = {
  readonly poolId: PoolId
  readonly validatorIndex: ValidatorIndex
  readonly members: readonly ProducerId[]
  /** One attestation an epoch; `movedTo` where a reorg puts the later one. */
  readonly attestations: readonly { readonly epoch: Epoch; readonly slot: Slot; readonly movedTo?: Slot }[]
  readonly proposals: readonly Slot[]
  /** When its exit is asked for. */
  readonly exitAt?: number
}

export type Restart = { readonly producer: ProducerId; readonly at: number; readonly backAt: number }

/** Everything that a seed decides before the clock starts. */
export type Plan = {
  readonly size: number
  readonly start: number
  readonly healAt: number
  readonly end: number
  /** The first slot whose duties must be finished in the end. */
  readonly requiredFrom: Slot
  readonly weather: Weather
  /** Chance that a call to a beacon node fails before the network heals. */
  readonly beaconFailure: number
  readonly pools: readonly PlannedPool[]
  readonly faults: ReadonlyMap<ProducerId, Fault>
  readonly restarts: readonly Restart[]
  /** When the reorg that moves duties happens. */
  readonly reorgAt: number
}

export function timeOf(slot: number): number {
  return slot * SLOT_MS
}

/** How long the network is bad: a few slots, or up to two epochs and a half. */
export type StormLength = 'short' | 'long'

/** Draws a plan for a vault of `size`. */
export function drawPlan(random: Random, size: number, storm: StormLength = 'short'): Plan {
  // Rounds double: after the storm the round under way and f faulty leaders may be lost, and an honest leader's round must
  // still begin before an attestation's deadline, an epoch away.
  const bearable = size > 4 ? 5 : 7
  const healSlot = START_SLOT + (storm === 'short' ? random.int(2, bearable) : random.int(16, 80))
  const requiredFrom = Math.max(START_SLOT, healSlot - bearable) as Slot
  const [start, healAt] = [timeOf(START_SLOT), timeOf(healSlot)]
  const producers = Array.from({ length: size }, (_, i) => (i + 1) as ProducerId)
  const f = Math.floor((size - 1) / 3)
  const bad = random.shuffle(producers).slice(0, random.chance(0.8) ? f : random.int(0, f))
  const faults = new Map(bad.map((producer) => [producer, random.pick(FAULTS)] as const))
  const honest = producers.filter((producer) => !faults.has(producer))
  const calm = random.chance(0.2)
  const restarts = Array.from({ length: calm ? 0 : random.int(0, storm === 'short' ? 3 : 12) }, () => {
    const at = random.int(start + 10, healAt - 1_000)
    return { producer: random.pick(honest), at, backAt: random.int(at + 1, healAt) }
  })
  return {
    size,
    start,
    healAt,
    end: timeOf(healSlot + 6 + SLOTS_PER_EPOCH),
    requiredFrom,
    weather: calm ? { drop: 0, dropCommits: 0, duplicate: 0, maxDelayMs: 10, partitions: 0 } : drawStorm(random),
    beaconFailure: calm ? 0 : random.next() * 0.2,
    pools: storm === 'short' ? drawPools(random, { producers, healSlot }) : drawStormyPools(random, { producers, healSlot, requiredFrom }),
    faults,
    restarts,
    reorgAt: random.int(start, healAt),
  }
}

function drawStorm(random: Random): Weather {
  return {
    drop: random.next() * 0.4,
    dropCommits: random.chance(0.5) ? random.next() : 0,
    duplicate: random.next() * 0.3,
    maxDelayMs: random.int(10, 3_000),
    partitions: random.int(0, 3),
  }
}

function drawPools(
  random: Random,
  { producers, healSlot }: { readonly producers: readonly ProducerId[]; readonly healSlot: number },
): readonly PlannedPool[] {
  const proposalSlots = random.shuffle(Array.from({ length: healSlot + 5 - START_SLOT }, (_, i) => START_SLOT + 1 + i)) as Slot[]
  return Array.from({ length: POOLS }, (_, i) => {
    const poolId = (i + 1) as PoolId
    const boundary = (EPOCH + 1) * SLOTS_PER_EPOCH
    const later = random.int(boundary, Math.max(boundary + 2, healSlot + 4)) as Slot
    const movedTo = random.int(boundary, Math.max(boundary + 2, healSlot + 4)) as Slot
    return {
      poolId,
      validatorIndex: (100 + i) as ValidatorIndex,
      members: random.shuffle(producers),
      attestations: [
        { epoch: EPOCH as Epoch, slot: random.int(START_SLOT, boundary - 1) as Slot },
        { epoch: (EPOCH + 1) as Epoch, slot: later, ...(random.chance(0.2) && { movedTo }) },
      ],
      proposals: proposalSlots.slice(i * 2, i * 2 + 2),
      ...(random.chance(0.3) && { exitAt: random.int(timeOf(START_SLOT), timeOf(healSlot + 3)) }),
    }
  })
}

/**
 * Duties all through a long storm, and after it. Those of its beginning need not be finished: rounds double, so the next one may
 * begin when an attestation is too late for the chain.
 */
function drawStormyPools(
  random: Random,
  {
    producers,
    healSlot,
    requiredFrom,
  }: { readonly producers: readonly ProducerId[]; readonly healSlot: number; readonly requiredFrom: Slot },
): readonly PlannedPool[] {
  const proposalSlots = random.shuffle(Array.from({ length: healSlot + 5 - START_SLOT }, (_, i) => START_SLOT + 1 + i)) as Slot[]
  const epochs = Array.from({ length: Math.floor((healSlot + 4) / SLOTS_PER_EPOCH) - EPOCH + 1 }, (_, i) => (EPOCH + i) as Epoch)
  return Array.from({ length: POOLS }, (_, i) => ({
    poolId: (i + 1) as PoolId,
    validatorIndex: (100 + i) as ValidatorIndex,
    members: random.shuffle(producers),
    attestations: epochs.map((epoch) => {
      const [from, to] = [Math.max(START_SLOT, epoch * SLOTS_PER_EPOCH), Math.min((epoch + 1) * SLOTS_PER_EPOCH - 1, healSlot + 4)]
      // The last one where it must be finished, if its epoch has such slots.
      return { epoch, slot: random.int(Math.min(to, Math.max(from, epoch === epochs.at(-1) ? requiredFrom : from)), to) as Slot }
    }),
    proposals: proposalSlots.slice(i * 6, i * 6 + 6),
    ...(random.chance(0.3) && { exitAt: random.int(timeOf(requiredFrom), timeOf(healSlot + 3)) }),
  }))
}
