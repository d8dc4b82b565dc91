import type { BlsSignature, Epoch, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import { faultsOf, thresholdOf } from '../../../../operator/core/vault.ts'
import { decodeCeremony, encodeCeremony } from '../../../../operator/protocol/messages/ceremony-codec.ts'
import { dkgFailureDigest } from '../../../../operator/protocol/messages/failure.ts'
import { ADDRESSES, CeremonyChain, GENESIS_MS, POOL, producerOf, SLOT_MS, SLOTS_PER_EPOCH } from '../../unit/ceremonies/support/chain.ts'
import { SimNetwork } from '../network.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { keysOf } from './keys.ts'
import { type Lie, SimMember } from './member.ts'

const DEADLINE = 8 as Epoch
const EPOCH_MS = SLOTS_PER_EPOCH * SLOT_MS
const OVER = GENESIS_MS + (DEADLINE + 1) * EPOCH_MS
const CONTEXT = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'dkg', round: 0 } as const

/** Ways to spoil a roll call: names honest members, is there for some only, forges the presence of others. */
export const SPOILERS = ['names others', 'half there', 'forges'] as const
export type Spoiler = (typeof SPOILERS)[number]

export type AbsencePlan = {
  readonly size: number
  /** Never there. */
  readonly away: readonly number[]
  /** There from shortly before the deadline on: too late for a key. */
  readonly late: readonly number[]
  readonly spoilers: ReadonlyMap<number, Spoiler>
}

/** A vault in which too few are there in time for a key, and as it comes a threshold of honest ones after it, or not. */
export function drawAbsence(random: Random, size: number): AbsencePlan {
  const members = random.shuffle(Array.from({ length: size }, (_, at) => at + 1))
  const missing = members.slice(0, size - thresholdOf(size) + 1 + random.int(0, 1))
  const away = missing.slice(0, random.int(0, missing.length))
  const late = missing.slice(away.length)
  const isSpoiled = random.chance(0.5) && faultsOf(size) > 0
  const spoilers = new Map(isSpoiled ? [[members.at(-1) ?? 0, random.pick(SPOILERS)]] : [])
  return { size, away, late, spoilers }
}

/** What a spoiler sends of a roll call instead of what an honest member would. */
function lieOf(spoiler: Spoiler, { size, self }: { readonly size: number; readonly self: number }): Lie {
  const shape = { size, threshold: thresholdOf(size) }
  const made = new Map<bigint, BlsSignature>()
  const signed = (member: number, absent: bigint): Uint8Array => {
    const vote = made.get(absent) ?? keysOf(self as ProducerId).signing.sign(dkgFailureDigest(CONTEXT, absent))
    made.set(absent, vote)
    return encodeCeremony(CONTEXT, { kind: 'absence', member: member as MemberIndex, absent, vote })
  }
  return ({ network }) => ({
    network: {
      ...network,
      send: (to, channel, bytes) => {
        if (decodeCeremony(bytes, shape).kind !== 'absence') return network.send(to, channel, bytes)
        const others = Array.from({ length: size }, (_, at) => at + 1).filter((one) => one !== self)
        if (spoiler === 'half there') {
          if (to % 2 === 0) network.send(to, channel, bytes)
        } else if (spoiler === 'names others') {
          network.send(to, channel, signed(self, 0n))
          network.send(to, channel, signed(self, 1n << BigInt((others[0] ?? 1) - 1)))
        } else {
          for (const other of others) network.send(to, channel, signed(other, 0n))
          network.send(to, channel, bytes)
        }
      },
    },
  })
}

/** What one came to that it should not have, in words, and who was named: bit i for member index i + 1. */
export type AbsenceOutcome = { readonly violations: readonly string[]; readonly named: bigint | undefined }

/** Plays one roll call of the shipped code. */
export async function runAbsence(seed: number, size: number, change: Partial<AbsencePlan> = {}): Promise<AbsenceOutcome> {
  const random = new Random(seed)
  const plan = { ...drawAbsence(random.fork(), size), ...change }
  const scheduler = new Scheduler(GENESIS_MS)
  const weather = { drop: 0, dropCommits: 0, duplicate: 0.1, maxDelayMs: 500, partitions: 0 }
  const network = new SimNetwork({ scheduler, random: random.fork(), weather, start: GENESIS_MS, healAt: GENESIS_MS, size })
  const ids = Array.from({ length: size }, (_, at) => (at + 1) as ProducerId)
  const producers = ids.map((id) => producerOf(id, keysOf(id).operator, keysOf(id).signing.publicKey))
  const chain = new CeremonyChain({ scheduler, random: random.fork(), producers, sendFailure: () => undefined })
  const world = { scheduler, network, chain, seed, trace: undefined }
  const members = ids.map((id) => {
    const spoiler = plan.spoilers.get(id)
    return new SimMember(world, { id, keys: keysOf(id), lie: spoiler && lieOf(spoiler, { size, self: id }) })
  })
  for (const member of members) {
    if (plan.away.includes(member.id)) continue
    const at = plan.late.includes(member.id) ? OVER - random.int(0, 2 * SLOT_MS) : GENESIS_MS
    scheduler.at(at, () => member.start())
  }
  chain.draw(0, DEADLINE)
  await scheduler.run(OVER + EPOCH_MS, () => chain.named.length > 0)
  const warnings = members.flatMap(({ log }) => log).filter((line) => line.startsWith('roll call failed'))
  for (const member of members) member.kill()
  return { violations: [...judge(plan, chain), ...warnings], named: chain.named[0]?.absent }
}

function judge({ size, away, late, spoilers }: AbsencePlan, chain: CeremonyChain): readonly string[] {
  const honest = Array.from({ length: size }, (_, at) => at + 1).filter((one) => !away.includes(one) && !spoilers.has(one))
  const who = `away ${away.join()}, late ${late.join()}, ${JSON.stringify([...spoilers])}`
  const [named] = chain.named
  if (chain.registered) return [`${who}: expected no key`]
  if (named === undefined) {
    const isPossible = honest.length >= thresholdOf(size) && away.length > 0
    return isPossible ? [`${who}: nobody was named`] : []
  }
  const isNamed = (member: number): boolean => ((named.absent >> BigInt(member - 1)) & 1n) === 1n
  return [
    ...honest.filter(isNamed).map((member) => `${who}: ${member} is named though it was there`),
    ...away.filter((member) => !isNamed(member)).map((member) => `${who}: ${member} is not named though it was away`),
  ]
}
