import { type ChainEvent, type EventName, UPKEEP_EVENTS } from '../../core/events.ts'
import type { ProducerId } from '../../core/ids.ts'
import type { Commitment, Deed, NetworkState, Pool } from '../../core/network.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { PointEntry } from '../../core/report.ts'

/** Of success in a ceremony, its leader has so many times the reward. */
const LEADER_TIMES = 3
/** What each member pays of the penalty for a failure that nobody is named for: one tenth. */
const UNNAMED_PART = 10

type Known = {
  readonly pools: ReadonlyMap<Pool['id'], Pool>
  readonly commitments: ReadonlyMap<number, Commitment>
  readonly deeds: readonly Deed[]
}

/** Of the vault whose ceremony it was: another may have taken over since. */
const membersOf = (pool: Pool | undefined, round: number): readonly ProducerId[] =>
  pool?.vaults.find((term) => term.round === round)?.members ?? []

/** Members whose bits are set: bit i for member index i + 1. */
const chosen = (members: readonly ProducerId[], bits: bigint): readonly ProducerId[] =>
  members.filter((_, place) => (bits >> BigInt(place)) & 1n)

/** What the first success of an upkeep transaction earns, in base points. */
const UPKEEP_TIMES = 10
const UPKEEP: ReadonlySet<EventName> = new Set(UPKEEP_EVENTS)

/** The deeds known, and those that an event tells of, if any. To be called before the event changes what is known. */
export function noteDeed(state: Known, event: ChainEvent): readonly Deed[] {
  return noteUpkeep(noteAct(state, event), event)
}

/** One transaction is one upkeep, whatever events it emits. */
function noteUpkeep(deeds: readonly Deed[], { name, at: { timestamp, transaction } }: ChainEvent): readonly Deed[] {
  if (transaction === undefined || !UPKEEP.has(name)) return deeds
  const { hash, sender } = transaction
  if (deeds.findLast((deed) => deed.kind === 'upkeep')?.transaction === hash) return deeds
  return [...deeds, { kind: 'upkeep', timestamp, sender, transaction: hash }]
}

function noteAct(state: Known, event: ChainEvent): readonly Deed[] {
  const { timestamp } = event.at
  switch (event.name) {
    case 'PoolRegistry.DkgCompleted': {
      const { poolId, round, participation } = event.args
      const members = state.pools.get(poolId)?.members ?? []
      const leader = members[round % members.length]
      if (leader === undefined) return state.deeds
      const participants = chosen(members, participation)
      return [...state.deeds, { kind: 'ceremony', timestamp, participants, leader }]
    }
    case 'PoolRegistry.DkgFailed': {
      const { poolId, named } = event.args
      const members = state.pools.get(poolId)?.members ?? []
      if (named === 0n) return [...state.deeds, { kind: 'failed-ceremony', timestamp, members, named: false }]
      return [...state.deeds, { kind: 'failed-ceremony', timestamp, members: chosen(members, named), named: true }]
    }
    case 'Ceremonies.ParticipationAdded': {
      const { poolId, round, participation } = event.args
      return [
        ...state.deeds,
        { kind: 'ceremony', timestamp, participants: chosen(membersOf(state.pools.get(poolId), round), participation) },
      ]
    }
    case 'Ceremonies.MembersMissing': {
      const { poolId, round, missing } = event.args
      const members = chosen(membersOf(state.pools.get(poolId), round), missing)
      return [...state.deeds, { kind: 'failed-ceremony', timestamp, members, named: true }]
    }
    case 'Rotations.RotationFailed': {
      const { poolId, absentNew, absentOld } = event.args
      const pool = state.pools.get(poolId)
      const members = new Set([...chosen(pool?.rotation?.members ?? [], absentNew), ...chosen(pool?.members ?? [], absentOld)])
      return members.size === 0 ? state.deeds : [...state.deeds, { kind: 'failed-ceremony', timestamp, members: [...members], named: true }]
    }
    case 'StateCommitments.StateFinalized': {
      const made = state.commitments.get(event.args.commitmentId)
      if (made === undefined) return state.deeds
      return [...state.deeds, { kind: 'report', timestamp, epoch: made.epoch, absent: made.content.absent }]
    }
    default:
      return state.deeds
  }
}

/** Points of a deed (protocol.md §§6 and 9). */
export function pointsOfDeed(deed: Deed, { periods, producers }: NetworkState, parameters: Parameters): readonly PointEntry[] {
  const { baseReward, dkgReward, dkgFailurePenalty, firstPeriod, periodLength } = parameters
  switch (deed.kind) {
    case 'ceremony':
      return deed.participants.map((producerId) => ({
        producerId,
        points: producerId === deed.leader ? LEADER_TIMES * dkgReward : dkgReward,
      }))
    case 'failed-ceremony':
      return deed.members.map((producerId) => ({
        producerId,
        points: -(deed.named ? dkgFailurePenalty : Math.floor(dkgFailurePenalty / UNNAMED_PART)),
      }))
    case 'upkeep':
      return [...producers.values()]
        .filter(({ operator }) => operator === deed.sender)
        .map(({ id }) => ({ producerId: id, points: UPKEEP_TIMES * baseReward }))
    case 'report': {
      const committee = periods.get(Math.floor((deed.epoch - firstPeriod) / periodLength))?.committee ?? []
      const absent = Buffer.from(deed.absent.slice(2), 'hex')
      return committee.map((producerId: ProducerId, place) => {
        const isAbsent = (((absent[Math.floor(place / 8)] ?? 0) >> (place % 8)) & 1) === 1
        return { producerId, points: isAbsent ? -baseReward : baseReward }
      })
    }
  }
}
