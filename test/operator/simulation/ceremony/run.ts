import { STAGES } from '../../../../operator/ceremonies/types.ts'
import type { MemberIndex, ProducerId, PublicKey, Root } from '../../../../operator/core/ids.ts'
import { faultsOf, thresholdOf } from '../../../../operator/core/vault.ts'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { judgeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { leaderOf } from '../../../../operator/protocol/qbft/identity.ts'
import { INSTANCE_CODES } from '../../../../operator/protocol/qbft/types.ts'
import { signRootWith } from '../../../../operator/signer/signing-key.ts'
import { ADDRESSES, CeremonyChain, POOL, producerOf, SLOT_MS } from '../../unit/ceremonies/support/chain.ts'
import { SimNetwork, type Weather } from '../network.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { keysOf } from './keys.ts'
import { LIE_NAMES, LIES, type LieName } from './lies.ts'
import { SimMember } from './member.ts'
import type { SimWorld } from './world.ts'

const START = 1_000_000
const MESSAGE = `0x${'5e'.repeat(32)}` as Root
/** Virtual slots in which a ceremony has to end. */
const MAX_SLOTS = 120

/** Messages spread within a slot, as the protocol assumes; also when some are lost, since they are repeated and passed on. */
const WEATHERS: readonly Weather[] = [
  { drop: 0, dropCommits: 0, duplicate: 0, maxDelayMs: 50, partitions: 0 },
  { drop: 0, dropCommits: 0, duplicate: 0.1, maxDelayMs: 500, partitions: 0 },
  { drop: 0.05, dropCommits: 0, duplicate: 0.1, maxDelayMs: 500, partitions: 0 },
]

/** What happens to a member that is not honest all the time. */
export type Fate = LieName | 'restarts' | 'dies'

export type CeremonyOutcome = {
  readonly violations: readonly string[]
  /** By member. */
  readonly fates: ReadonlyMap<number, Fate>
  readonly groupKey: PublicKey | undefined
  readonly qualified: readonly MemberIndex[] | undefined
}

export type CeremonyRun = {
  readonly seed: number
  readonly size: number
  readonly trace?: (line: string) => void
  /** Instead of what the seed says. */
  readonly fates?: ReadonlyMap<number, Fate>
}

/** Who proposes first when the members agree on the dealers. */
export const firstLeaderOf = (size: number): number => leaderOf({ poolId: POOL, slot: 0, duty: INSTANCE_CODES.ceremony }, size)(1)

/** Every third seed has a member that rushes, every eighth a lying leader of the agreement on the dealers; other fates are drawn. */
function drawFates(random: Random, { seed, size }: CeremonyRun): ReadonlyMap<number, Fate> {
  const shuffled = random.shuffle(Array.from({ length: size }, (_, at) => at + 1))
  const all: readonly Fate[] = [...LIE_NAMES, 'restarts', 'dies']
  const drawn = shuffled.slice(0, random.int(1, faultsOf(size))).map((member): [number, Fate] => [member, random.pick(all)])
  const [first] = drawn
  if (first === undefined) return new Map()
  if (seed % 3 === 0) first[1] = 'rushes to bias the key'
  const fates = new Map(drawn)
  if (seed % 8 !== 1) return fates
  const leader = firstLeaderOf(size)
  if (!fates.delete(leader)) fates.delete(first[0])
  return fates.set(leader, 'false proposal as a leader')
}

/** One ceremony of the shipped code, with up to f members that lie, die or restart. */
export async function runCeremonySeed(run: CeremonyRun): Promise<CeremonyOutcome> {
  const { seed, size, trace } = run
  const random = new Random(seed)
  const scheduler = new Scheduler(START)
  const weather = random.pick(WEATHERS)
  const healAt = START + 20 * SLOT_MS
  const network = new SimNetwork({ scheduler, random: random.fork(), weather, start: START, healAt, size })
  const ids = Array.from({ length: size }, (_, at) => (at + 1) as ProducerId)
  const producers = ids.map((id) => producerOf(id, keysOf(id).operator, keysOf(id).signing.publicKey))
  const chain = new CeremonyChain({ scheduler, random: random.fork(), producers, sendFailure: () => undefined })
  const fates = run.fates ?? drawFates(random.fork(), run)
  const world: SimWorld = { seed, scheduler, network, chain, trace }
  const dice = random.fork()
  const members = ids.map((id) => {
    const fate = fates.get(id)
    const made = fate !== undefined && fate in LIES ? LIES[fate as LieName] : undefined
    const lie = made?.({ random: dice.fork(), seed, size, threshold: thresholdOf(size), self: id })
    return new SimMember(world, { id, keys: keysOf(id), lie })
  })
  for (const member of members) {
    trace?.(`member ${member.id}: ${fates.get(member.id) ?? 'honest'}`)
    if (fates.get(member.id) === 'restarts' || fates.get(member.id) === 'dies') doom(member, { fates, random: dice.fork(), scheduler })
    member.start()
  }
  chain.draw(0)
  const honest = members.filter(({ id }) => !fates.has(id))
  const isOver = (): boolean => honest.every(({ ended, disk }) => ended?.registered === true && disk.shares.length > 0)
  await scheduler.run(START + MAX_SLOTS * SLOT_MS, isOver)
  // Late words of liars, and of those that were away.
  await scheduler.run(scheduler.now + 6 * SLOT_MS, () => false)
  const violations = judge({ members, honest, chain, fates, size })
  for (const member of members) member.kill()
  const [first] = honest
  return { violations, fates, groupKey: first?.disk.shares[0]?.info.groupKey, qualified: first?.progress?.qualified ?? undefined }
}

function doom(
  member: SimMember,
  { fates, random, scheduler }: { readonly fates: ReadonlyMap<number, Fate>; readonly random: Random; readonly scheduler: Scheduler },
): void {
  const [at, awayMs] = [random.pick(STAGES), random.int(0, 12 * SLOT_MS)]
  let isDone = false
  member.onStage = (stage) => {
    if (isDone || stage !== at) return
    isDone = true
    member.kill()
    if (fates.get(member.id) === 'restarts') scheduler.at(scheduler.now + awayMs, () => member.start())
  }
}

type Trial = {
  readonly members: readonly SimMember[]
  readonly honest: readonly SimMember[]
  readonly chain: CeremonyChain
  readonly fates: ReadonlyMap<number, Fate>
  readonly size: number
}

/** What the honest members ended with: the same dealers and key, shares that sign with it, and nobody of them blamed. */
function judge({ members, honest, chain, fates, size }: Trial): readonly string[] {
  const violations: string[] = []
  const threshold = thresholdOf(size)
  const expect = (holds: boolean, what: string): void => {
    if (!holds) violations.push(what)
  }
  expect(chain.registered, `liveness: no key (${honest.map(({ id, progress }) => `${id} at ${progress?.stage}`).join(', ')})`)
  const told = new Set(honest.map(({ progress }) => JSON.stringify(progress?.qualified ?? null)))
  expect(told.size === 1, `agreement: ${[...told].join(' and ')}`)
  const keys = new Set(honest.map(({ disk }) => disk.shares[0]?.info.groupKey))
  expect(keys.size === 1, `one key: ${[...keys].join(' and ')}`)
  for (const { id, progress, disputes, disk } of members) {
    // Who was away or lied may know less, but nothing else.
    const isLiar = fates.get(id) !== undefined && fates.get(id) !== 'restarts' && fates.get(id) !== 'dies'
    if (isLiar) continue
    for (const fault of progress?.faults ?? []) {
      const fate = fates.get(fault.member)
      expect(fate !== undefined && fate !== 'restarts' && fate !== 'dies', `blame: ${id} says ${fault.reason}`)
    }
    for (const { dealing, against } of disputes) {
      if (!('complaint' in against)) continue
      const { guilty } = judgeComplaint(
        { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'dkg', round: 0, size, threshold },
        dealing,
        against.complaint,
      )
      const convicted = guilty === 'dealer' ? dealing.dealer : against.complaint.member
      expect(fates.has(convicted), `dispute: ${id} takes honest member ${convicted} to the chain`)
    }
    const key = disk.shares[0]?.info.groupKey
    expect(key === undefined || keys.has(key), `one key: ${id} holds a share of ${key}`)
  }
  const holders = members.flatMap(({ id, disk }) => {
    const [share] = disk.shares
    return share === undefined || (fates.has(id) && !honest.some((one) => one.id === id)) ? [] : [{ id, share }]
  })
  const partials = holders.map(({ id, share }) => ({ index: Number(id) as MemberIndex, signature: signRootWith(share.secret, MESSAGE) }))
  for (const chosen of [partials.slice(0, threshold), partials.slice(-threshold)]) {
    const key = holders[0]?.share.info.groupKey
    const signs = key !== undefined && chosen.length === threshold && verifySignature(key, MESSAGE, combinePartials(chosen, threshold))
    expect(signs, `shares: members ${chosen.map(({ index }) => index).join()} do not sign with the key`)
  }
  const [{ result } = { result: undefined }] = chain.completed
  const isIn = ({ id }: SimMember): boolean =>
    (((result?.participation ?? 0n) >> BigInt(Number(id) - 1)) & 1n) === 1n || chain.added.includes(id)
  for (const member of honest) expect(isIn(member), `presence: honest member ${member.id} is named absent`)
  return violations
}
