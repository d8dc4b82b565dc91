import type { ChainEvent } from '../../core/events.ts'
import type { Epoch, PoolId, ProducerId } from '../../core/ids.ts'
import type {
  Aftermath,
  BookedReport,
  Commitment,
  Deed,
  LiquidationDraw,
  NetworkState,
  Period,
  Pool,
  Producer,
  Settlement,
  VaultDraw,
} from '../../core/network.ts'
import type { PoolKind } from '../../core/vault.ts'
import { CEREMONY_KINDS } from '../dkg/context.ts'
import { foldAftermath, NO_AFTERMATH } from './aftermath.ts'
import { standingBefore, uncovered } from './coverage.ts'
import { noteDeed } from './deeds.ts'
import { poolPagesOf } from './pages.ts'

type Fold = {
  blockNumber: number
  timestamp: number
  readonly producers: Map<ProducerId, Producer>
  readonly periods: Map<number, Period>
  readonly pools: Map<PoolId, Pool>
  readonly vaultDraws: Map<number, VaultDraw>
  readonly liquidationDraws: Map<number, LiquidationDraw>
  readonly commitments: Map<number, Commitment>
  history: number
  readonly reports: Map<number, BookedReport>
  readonly settlements: Map<ProducerId, Settlement>
  deeds: readonly Deed[]
  aftermath: Aftermath
  readonly collected: Record<PoolKind, bigint>
}

/** The state before the first event. */
export function emptyState(): NetworkState {
  return {
    blockNumber: 0,
    timestamp: 0,
    producers: new Map(),
    periods: new Map(),
    pools: new Map(),
    vaultDraws: new Map(),
    liquidationDraws: new Map(),
    commitments: new Map(),
    history: 0,
    reports: new Map(),
    settlements: new Map(),
    deeds: [],
    aftermath: NO_AFTERMATH,
    collected: { staker: 0n, bond: 0n },
  }
}

/**
 * Folds events, in chain order, into a new state; the given one stays as it is, so that an abandoned branch is left by
 * folding anew from the last state both branches share. Events about things never announced are ignored: the contracts
 * cannot emit them, and a client that serves them lies.
 */
export function foldEvents(state: NetworkState, events: readonly ChainEvent[]): NetworkState {
  const next: Fold = {
    blockNumber: state.blockNumber,
    timestamp: state.timestamp,
    producers: new Map(state.producers),
    periods: new Map(state.periods),
    pools: new Map(state.pools),
    vaultDraws: new Map(state.vaultDraws),
    liquidationDraws: new Map(state.liquidationDraws),
    commitments: new Map(state.commitments),
    history: state.history,
    reports: new Map(state.reports),
    settlements: new Map(state.settlements),
    deeds: state.deeds,
    aftermath: state.aftermath,
    collected: { ...state.collected },
  }
  for (const event of events) {
    apply(next, event)
    next.blockNumber = Math.max(next.blockNumber, event.at.blockNumber)
    next.timestamp = Math.max(next.timestamp, event.at.timestamp)
  }
  return next
}

function patch<K, V>(map: Map<K, V>, key: K, change: Partial<V>): void {
  const known = map.get(key)
  if (known !== undefined) map.set(key, { ...known, ...change })
}

/** As it is written: all of what is no address. */
const peerIdIn = (address: string): string | undefined => address.split('/p2p/').at(-1)

function apply(state: Fold, event: ChainEvent): void {
  switch (event.name) {
    case 'BlockProducers.ProducerRegistered': {
      const { producerId: id, owner, operator, signingKey, peerAddress } = event.args
      const registeredAt = event.at.timestamp
      state.producers.set(id, { id, owner, operator, signingKey, peerAddress, slashed: false, standing: 'active', registeredAt })
      return
    }
    case 'BlockProducers.PeerAddressChanged': {
      const { producerId, peerAddress } = event.args
      const isSame = peerIdIn(state.producers.get(producerId)?.peerAddress ?? '') === peerIdIn(peerAddress)
      patch(state.producers, producerId, { peerAddress, ...(!isSame && { peerIdSince: event.at.timestamp }) })
      return
    }
    case 'BlockProducers.ProducerSlashed':
      if (event.args.out) patch(state.producers, event.args.producerId, { slashed: true })
      return
    case 'BlockProducers.ExitRequested':
      patch(state.producers, event.args.producerId, { standing: 'leaving' })
      return
    case 'BlockProducers.BondWithdrawn':
      patch(state.producers, event.args.producerId, { standing: 'gone' })
      return
    case 'StakingPool.Collected':
      state.collected[event.args.kind] = event.args.total
      return
    default:
      state.deeds = noteDeed(state, event)
      state.aftermath = foldAftermath(state.aftermath, event)
      if (applyToPeriods(state, event) || applyToPools(state, event) || applyToExits(state, event)) return
      if (!applyToCommitments(state, event)) applyToRewards(state, event)
  }
}

function applyToPeriods(state: Fold, event: ChainEvent): boolean {
  switch (event.name) {
    case 'Periods.ListFrozen':
      state.periods.set(event.args.period, { size: event.args.size })
      return true
    case 'Periods.SeedProven':
      patch(state.periods, event.args.period, { seed: event.args.seed })
      return true
    case 'Periods.CommitteeFormed':
      patch(state.periods, event.args.period, { committee: event.args.members })
      return true
    case 'Periods.MemberStruck': {
      const { period, producerId } = event.args
      patch(state.periods, period, { struck: [...(state.periods.get(period)?.struck ?? []), producerId] })
      return true
    }
    default:
      return false
  }
}

function endRotation(pools: Map<PoolId, Pool>, { poolId, round }: { readonly poolId: PoolId; readonly round: number }): true {
  const known = pools.get(poolId)
  if (known === undefined) return true
  const { rotation: _, ...pool } = known
  pools.set(poolId, { ...pool, endedRound: round })
  return true
}

/** Notes who has signed the last ceremony's result, as long as somebody is missing. */
function noteSigned(pools: Map<PoolId, Pool>, poolId: PoolId, result: NonNullable<Pool['incomplete']> & { readonly size: number }): void {
  const known = pools.get(poolId)
  if (known === undefined) return
  const { incomplete: _, ...pool } = known
  const { size, ...incomplete } = result
  const isComplete = incomplete.participation === (1n << BigInt(size)) - 1n
  // A result that all have signed takes the place of none: whoever is missing from an earlier one is still to be named.
  const isEarlier = known.incomplete !== undefined && known.incomplete.round < incomplete.round
  if (!isComplete) pools.set(poolId, { ...pool, incomplete })
  else if (!isEarlier) pools.set(poolId, pool)
}

function applyToPools(state: Fold, event: ChainEvent): boolean {
  const { pools, vaultDraws } = state
  switch (event.name) {
    case 'Ceremonies.ParticipationAdded': {
      const { poolId, participation } = event.args
      const pool = pools.get(poolId)
      if (pool?.incomplete === undefined) return true
      const all = pool.incomplete.participation | participation
      noteSigned(pools, poolId, { ...pool.incomplete, participation: all, size: pool.members.length })
      return true
    }
    case 'Ceremonies.MembersMissing': {
      const { poolId, round } = event.args
      const known = pools.get(poolId)
      if (known === undefined) return true
      const { incomplete, ...pool } = known
      // Those missing from an earlier result are named when the next one has members missing too: that one stays.
      const isNext = incomplete !== undefined && incomplete.round > round
      pools.set(poolId, { ...pool, dueRound: round, ...(isNext && { incomplete }) })
      return true
    }
    case 'DkgDisputes.DealerConvicted':
      if (event.args.kind === CEREMONY_KINDS.dkg) patch(pools, event.args.poolId, { dueRound: event.args.round })
      return true
    case 'VaultDraws.DrawRequested': {
      const { drawId: id, poolId, round, period, seedEpoch, rotation } = event.args
      vaultDraws.set(id, { id, poolId, round, period, seedEpoch, seedProven: false, done: false })
      // A pool whose vault is to be drawn anew keeps the one it has meanwhile.
      if (!rotation) patch(pools, poolId, { phase: 'requested', round, members: [] })
      return true
    }
    case 'VaultDraws.SeedProven':
      for (const { id, seedEpoch } of [...vaultDraws.values()]) {
        if (seedEpoch === event.args.asked) patch(vaultDraws, id, { seedProven: true })
      }
      return true
    case 'VaultDraws.DrawFilled':
    case 'VaultDraws.DrawCancelled':
      patch(vaultDraws, event.args.drawId, { done: true })
      return true
    case 'PoolRegistry.PoolRequested': {
      const { poolId: id, kind } = event.args
      pools.set(id, { id, kind, phase: 'requested', round: 0, members: [], vaults: [], exitForced: false, stallProven: false })
      return true
    }
    case 'PoolRegistry.VaultSelected':
      patch(pools, event.args.poolId, {
        phase: 'ceremony',
        round: event.args.round,
        members: event.args.members,
        deadline: event.args.deadline,
      })
      return true
    case 'PoolRegistry.DkgCompleted': {
      const { poolId, round, publicKey, publicShares, ordinal } = event.args
      const vaults = [{ round, members: pools.get(poolId)?.members ?? [], publicShares, from: 0 as Epoch }]
      patch(pools, poolId, { phase: 'registered', publicKey, publicShares, ordinal, vaults, registeredAt: event.at.timestamp })
      const drawn = pools.get(poolId)
      const { participation } = event.args
      noteSigned(pools, poolId, { round, deadline: drawn?.deadline ?? (0 as Epoch), participation, size: drawn?.members.length ?? 0 })
      return true
    }
    case 'Rotations.RotationDrawn': {
      const { poolId, round, oldRound, members, deadline } = event.args
      patch(pools, poolId, { rotation: { round, oldRound, members, deadline } })
      return true
    }
    case 'Rotations.RotationCompleted': {
      const { poolId, round, cutover, publicShares } = event.args
      const known = pools.get(poolId)
      const term = { round, members: known?.rotation?.members ?? [], publicShares, from: cutover }
      patch(pools, poolId, { publicShares, vaults: [...(known?.vaults ?? []), term] })
      const deadline = known?.rotation?.deadline ?? (0 as Epoch)
      noteSigned(pools, poolId, { round, deadline, participation: event.args.participation, size: term.members.length })
      return endRotation(pools, event.args)
    }
    case 'Rotations.RotationFailed':
    case 'Rotations.RotationDropped':
      return endRotation(pools, event.args)
    case 'PoolRegistry.VaultReplaced':
      patch(pools, event.args.poolId, { round: event.args.round, members: event.args.members })
      return true
    case 'PoolRegistry.PoolFunded':
      patch(pools, event.args.poolId, { phase: 'funded', validatorIndex: event.args.validatorIndex, fundedAt: event.at.timestamp })
      return true
    case 'PoolRegistry.PoolFrontRun':
      patch(pools, event.args.poolId, { phase: 'closed', frontRunAt: event.at.timestamp })
      return true
    case 'PoolRegistry.PoolAbandoned':
      patch(pools, event.args.poolId, { phase: 'exiting', validatorIndex: event.args.validatorIndex, fundedAt: event.at.timestamp })
      return true
    case 'PoolRegistry.PoolExiting':
      patch(pools, event.args.poolId, { phase: 'exiting' })
      return true
    case 'PoolRegistry.PoolClosed':
      patch(pools, event.args.poolId, { phase: 'closed' })
      return true
    case 'PoolRegistry.PoolCancelled':
      patch(pools, event.args.poolId, { phase: 'cancelled' })
      return true
    default:
      return false
  }
}

function applyToExits(state: Fold, event: ChainEvent): boolean {
  switch (event.name) {
    case 'Exits.LiquidationRequested': {
      const { drawId: id, count, seedEpoch } = event.args
      state.liquidationDraws.set(id, { id, count, seedEpoch, done: false })
      return true
    }
    case 'Exits.LiquidationDrawn':
      patch(state.liquidationDraws, event.args.drawId, { done: true })
      patch(state.pools, event.args.poolId, { exitDeadline: event.args.deadline })
      return true
    case 'Exits.ExitForced':
      patch(state.pools, event.args.poolId, { exitForced: true })
      return true
    case 'Exits.StallProven':
      patch(state.pools, event.args.poolId, { stallProven: true })
      return true
    default:
      return false
  }
}

function applyToCommitments(state: Fold, event: ChainEvent): boolean {
  const { commitments } = state
  switch (event.name) {
    case 'StateCommitments.StateCommitted': {
      const { commitmentId: id, epoch, digest, content } = event.args
      commitments.set(id, {
        id,
        epoch,
        digest,
        content,
        phase: 'open',
        covers: uncovered(commitments.values(), epoch),
        after: standingBefore(commitments.values()),
        pagesPosted: 0,
        pointPages: [],
        committedAt: event.at.timestamp,
      })
      state.history++
      return true
    }
    case 'StateCommitments.PagePosted': {
      const { commitmentId, page, data } = event.args
      const known = commitments.get(commitmentId)
      if (known === undefined) return true
      const isPoints = page >= poolPagesOf(known.content.report)
      patch(commitments, commitmentId, { pagesPosted: page + 1, pointPages: isPoints ? [...known.pointPages, data] : known.pointPages })
      return true
    }
    case 'StateCommitments.CommitmentPending':
      patch(commitments, event.args.commitmentId, { phase: 'pending', windowEnds: event.args.windowEnds })
      return true
    case 'StateCommitments.CommitmentFrozen':
      patch(commitments, event.args.commitmentId, { phase: 'disputed' })
      return true
    case 'StateCommitments.CommitmentUnfrozen':
      patch(commitments, event.args.commitmentId, { phase: 'pending' })
      return true
    case 'StateCommitments.CommitmentDropped':
      patch(commitments, event.args.commitmentId, { phase: 'dropped', pointPages: [] })
      state.history++
      return true
    case 'StateCommitments.StateFinalized':
      patch(commitments, event.args.commitmentId, { phase: 'finalized' })
      return true
    default:
      return false
  }
}

function applyToRewards(state: Fold, event: ChainEvent): void {
  const { settlements } = state
  switch (event.name) {
    case 'Rewards.ReportBooked': {
      const { report, commitmentId, producers, rate } = event.args
      state.reports.set(report, { commitmentId, producers, rate })
      return
    }
    case 'Rewards.Settled': {
      const { producerId, report, minted, debt } = event.args
      settlements.set(producerId, { report, debt, minted: (settlements.get(producerId)?.minted ?? 0n) + minted })
      return
    }
    case 'Rewards.DebtRepaid':
      patch(settlements, event.args.producerId, { debt: event.args.debt })
      return
    default:
      return
  }
}
