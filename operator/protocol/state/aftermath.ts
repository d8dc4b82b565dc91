import type { ChainEvent } from '../../core/events.ts'
import type { PoolId } from '../../core/ids.ts'
import type { Aftermath, CommitmentVote, PoolFault } from '../../core/network.ts'

export const NO_AFTERMATH: Aftermath = { faults: new Map(), votes: new Map(), verdicts: new Map(), woundDown: false }

const added = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value)

/** What follows on faults, votes and the end of the network, after one more event. */
export function foldAftermath(state: Aftermath, event: ChainEvent): Aftermath {
  switch (event.name) {
    case 'Slashing.PoolFault':
      return withFault(state, event.args.poolId, { kind: event.args.kind })
    case 'Slashing.ExitSeen':
      return withFault(state, event.args.poolId, { exitSeen: true, withdrawableEpoch: event.args.withdrawableEpoch })
    case 'Slashing.BalanceShown':
      return withFault(state, event.args.poolId, { balanceEpoch: event.args.epoch })
    case 'Slashing.FaultSettled':
      return withFault(state, event.args.poolId, { settled: true })
    case 'Votes.VoteOpened': {
      const { commitmentId, period, deadline, openers } = event.args
      return { ...state, votes: added(state.votes, commitmentId, { period, deadline, openers, charged: new Map() }) }
    }
    case 'Votes.VoteClosed':
      return withVote(state, event.args.commitmentId, () => ({ outcome: event.args.outcome }))
    case 'Votes.OpenersCharged': {
      const { commitmentId, word, positions } = event.args
      return withVote(state, commitmentId, ({ charged }) => ({ charged: added(charged, word, (charged.get(word) ?? 0n) | positions) }))
    }
    case 'Disputes.SignersJudged':
    case 'Votes.SignersJudged': {
      const { commitmentId, judged, size } = event.args
      const court = event.name === 'Disputes.SignersJudged' ? 'disputes' : 'votes'
      return { ...state, verdicts: added(state.verdicts, commitmentId, { court, judged, size }) }
    }
    case 'WindDown.WindDownStarted':
      return { ...state, woundDown: true }
    default:
      return state
  }
}

function withFault(state: Aftermath, poolId: PoolId, change: Partial<PoolFault>): Aftermath {
  const known = state.faults.get(poolId) ?? { settled: false, exitSeen: false }
  return { ...state, faults: added(state.faults, poolId, { ...known, ...change }) }
}

function withVote(state: Aftermath, commitmentId: number, change: (vote: CommitmentVote) => Partial<CommitmentVote>): Aftermath {
  const known = state.votes.get(commitmentId)
  return known === undefined ? state : { ...state, votes: added(state.votes, commitmentId, { ...known, ...change(known) }) }
}
