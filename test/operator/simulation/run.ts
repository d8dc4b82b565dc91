import type { PoolId, ProducerId } from '../../../operator/core/ids.ts'
import { thresholdOf } from '../../../operator/core/vault.ts'
import type { View } from './chain.ts'
import { SimChain } from './chain.ts'
import type { SimCrypto, SimPoolKeys } from './crypto.ts'
import { hashCrypto } from './crypto.ts'
import { SimNetwork } from './network.ts'
import { hashParticipation } from './participation.ts'
import { drawPlan, type StormLength } from './plan.ts'
import type { World } from './process.ts'
import { startProcess } from './process.ts'
import { Random } from './random.ts'
import { Referee } from './referee.ts'
import { Scheduler } from './scheduler.ts'
import { cutPower, newDisk } from './signer.ts'

export type RunOptions = {
  readonly seed: number
  readonly size: number
  readonly crypto?: SimCrypto
  /** A quorum other than the protocol's, to show that the referee notices. */
  readonly quorum?: number
  readonly storm?: StormLength
  readonly trace?: (line: string) => void
}

/** One simulated life of a vault, wholly decided by its seed. Returns the rules that were broken. */
export async function runSeed({
  seed,
  size,
  crypto = hashCrypto(),
  quorum = thresholdOf(size),
  storm = 'short',
  trace,
}: RunOptions): Promise<readonly string[]> {
  const random = new Random(seed)
  const plan = drawPlan(random.fork(), size, storm)
  const scheduler = new Scheduler(plan.start - 500)
  const { weather, start, healAt } = plan
  const keys = new Map<PoolId, SimPoolKeys>(
    plan.pools.map(({ poolId }) => [poolId, crypto.poolKeys({ name: `${seed}/${poolId}`, size, threshold: quorum })]),
  )
  const referee = new Referee(plan)
  const world: World = {
    plan,
    scheduler,
    random,
    crypto,
    participation: hashParticipation(crypto.scheme),
    keys,
    quorum,
    referee,
    trace,
    network: new SimNetwork({ scheduler, random: random.fork(), weather, start, healAt, size }),
    chain: new SimChain({ plan, scheduler, random: random.fork() }),
  }
  trace?.(JSON.stringify({ ...plan, faults: [...plan.faults] }))
  const kills = Array.from({ length: size }, (_, i) => startMember(world, (i + 1) as ProducerId)).flat()
  try {
    await scheduler.run(plan.end, () => referee.isDone())
  } catch (failure) {
    referee.violated('crash', failure instanceof Error ? (failure.stack ?? failure.message) : String(failure))
  }
  for (const kill of kills) kill()
  const isValidSignature = (validator: number, root: string, signature: string): boolean => {
    const pool = plan.pools.find(({ validatorIndex }) => validatorIndex === validator)
    const groupKey = pool && keys.get(pool.poolId)?.groupKey
    const { verify } = crypto.scheme
    return groupKey !== undefined && verify(groupKey, root as Parameters<typeof verify>[1], signature as Parameters<typeof verify>[2])
  }
  referee.conclude({ published: world.chain.published, isValidSignature })
  return referee.violations
}

function startMember(world: World, producer: ProducerId): readonly (() => void)[] {
  const { plan, random, chain } = world
  const fault = plan.faults.get(producer)
  if (fault === 'silent') return []
  const view = chain.addView(producer)
  if (fault === 'twins') return startTwins(world, producer, view)
  if (fault === 'amnesiac') return [startAmnesiac(world, producer, view)]
  if (fault === 'blackout') return [startBlackout(world, producer, view)]
  if (fault !== undefined) return [startProcess(world, { producer, view, fault, disk: newDisk() })]
  return [startHonest(world, { producer, view, crashes: random.chance(0.3) })]
}

/** A faulty member as two processes with one identity, each talking to its own part of the vault. */
function startTwins(world: World, producer: ProducerId, view: View): readonly (() => void)[] {
  const { random, chain, plan } = world
  const others = random.shuffle(Array.from({ length: plan.size }, (_, i) => i + 1))
  const first = new Set(others.slice(0, random.int(1, plan.size - 1)))
  const both = random.chance(0.3)
  const twin = { producer, fault: 'twins', disk: newDisk() } as const
  return [
    startProcess(world, { ...twin, view, reaches: (to) => first.has(to) }),
    startProcess(world, { ...twin, view: chain.addView(producer + plan.size), reaches: (to) => both || !first.has(to) }),
  ]
}

/** A faulty member that lives a moment at a time, without a gate or a memory. */
function startAmnesiac(world: World, producer: ProducerId, view: View): () => void {
  const { scheduler, random, plan } = world
  let kill: () => void = () => {}
  const live = (): void => {
    kill()
    kill = startProcess(world, { producer, view, fault: 'amnesiac', disk: newDisk() })
    if (scheduler.now < plan.healAt) scheduler.at(scheduler.now + random.int(50, 1_500), live)
  }
  live()
  return () => kill()
}

/** A member that keeps to the protocol on a machine that stops often, each time with a part of what was not synced. */
function startBlackout(world: World, producer: ProducerId, view: View): () => void {
  const { scheduler, random, plan } = world
  const disk = newDisk()
  let kill: () => void = () => {}
  const live = (): void => {
    kill()
    cutPower(disk, (unsynced) => random.int(0, unsynced))
    kill = startProcess(world, { producer, view, fault: 'blackout', disk })
    if (scheduler.now < plan.healAt) scheduler.at(scheduler.now + random.int(50, 12_000), live)
  }
  live()
  return () => kill()
}

/** An honest member, with its planned restarts: memory is lost, what is on disk stays. */
function startHonest(
  world: World,
  { producer, view, crashes }: { readonly producer: ProducerId; readonly view: View; readonly crashes: boolean },
): () => void {
  const { plan, scheduler, random } = world
  const disk = newDisk()
  let kill: (() => void) | undefined
  const start = (): void => {
    const crashChance = crashes ? 0.02 : 0
    const backAt = Math.min(scheduler.now + random.int(1, 2_000), plan.healAt)
    kill ??= startProcess(world, { producer, view, disk, fault: undefined, crashChance, onCrash: () => reviveAt(backAt) })
  }
  const reviveAt = (time: number): void => {
    kill = undefined
    scheduler.at(Math.max(time, scheduler.now + 1), start)
  }
  for (const { at, backAt } of plan.restarts.filter((restart) => restart.producer === producer)) {
    scheduler.at(at, () => {
      kill?.()
      reviveAt(backAt)
    })
  }
  scheduler.at(plan.start - random.int(1, 200), start)
  return () => kill?.()
}
