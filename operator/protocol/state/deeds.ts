import type { ChainEvent } from '../../core/events.ts'
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

/** The deeds known, and the one that an event tells of, if any. To be called before the event changes what is known. */
export function noteDeed(state: Known, event: ChainEvent): readonly Deed[] {
  const { timestamp } = event.at
  switch (event.name) {
    case 'PoolRegistry.DkgCompleted': {
      const { poolId, round, participation } = event.args
      const members = state.pools.get(poolId)?.members ?? []
      const leader = members[round % members.length]
      if (leader === undefined) return state.deeds
      const participants = members.filter((_, place) => (participation >> BigInt(place)) & 1n)
      return [...state.deeds, { kind: 'ceremony', timestamp, participants, leader }]
    }
    case 'PoolRegistry.DkgFailed': {
      const members = state.pools.get(event.args.poolId)?.members ?? []
      return [...state.deeds, { kind: 'failed-ceremony', timestamp, members }]
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
export function pointsOfDeed(deed: Deed, { periods }: NetworkState, parameters: Parameters): readonly PointEntry[] {
  const { baseReward, dkgReward, dkgFailurePenalty, firstPeriod, periodLength } = parameters
  switch (deed.kind) {
    case 'ceremony':
      return deed.participants.map((producerId) => ({
        producerId,
        points: producerId === deed.leader ? LEADER_TIMES * dkgReward : dkgReward,
      }))
    case 'failed-ceremony':
      return deed.members.map((producerId) => ({ producerId, points: -Math.floor(dkgFailurePenalty / UNNAMED_PART) }))
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
