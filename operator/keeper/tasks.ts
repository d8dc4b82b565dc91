import type { Epoch, PoolId, ProducerId, PublicKey } from '../core/ids.ts'
import type { NetworkState } from '../core/network.ts'
import type { Parameters } from '../core/ports/chain.ts'
import type { PointProof } from '../protocol/state/pages.ts'
import { nextSettlement } from '../protocol/state/settlement.ts'
import { type DebtorTask, debtorTasks } from './debtors.ts'
import { type FaultTask, faultTasks } from './faults.ts'
import { type RotationTask, rotationTasks } from './rotation-tasks.ts'
import type { Inputs } from './types.ts'
import { type VerdictTask, verdictTasks } from './verdicts.ts'
import { type WindDownTask, windDownTasks } from './wind-down.ts'

/** One permissionless upkeep transaction that the chain's state calls for. `id` names it alike on every operator. */
export type Task =
  | { readonly kind: 'freeze-period'; readonly id: string }
  | { readonly kind: 'prove-period-seed'; readonly id: string; readonly period: number; readonly seedEpoch: Epoch }
  | { readonly kind: 'form-committee'; readonly id: string; readonly period: number }
  | { readonly kind: 'strike-member'; readonly id: string; readonly period: number; readonly place: number }
  | { readonly kind: 'request-pool'; readonly id: string }
  | { readonly kind: 'select-vaults'; readonly id: string; readonly seedEpoch: Epoch }
  | { readonly kind: 'advance-draw'; readonly id: string }
  | { readonly kind: 'fail-ceremony'; readonly id: string; readonly poolId: PoolId }
  | { readonly kind: 'fund-pool'; readonly id: string; readonly poolId: PoolId; readonly publicKey: PublicKey }
  | { readonly kind: 'request-liquidation'; readonly id: string }
  | { readonly kind: 'draw-liquidation'; readonly id: string; readonly drawId: number; readonly seedEpoch: Epoch }
  | { readonly kind: 'force-exit'; readonly id: string; readonly poolId: PoolId; readonly publicKey: PublicKey; readonly deadline: Epoch }
  | { readonly kind: 'close-pool'; readonly id: string; readonly poolId: PoolId; readonly publicKey: PublicKey }
  | { readonly kind: 'drop-overdue'; readonly id: string; readonly commitmentId: number }
  | { readonly kind: 'finalize-state'; readonly id: string; readonly commitmentId: number }
  | { readonly kind: 'finalize-withdrawals'; readonly id: string }
  | { readonly kind: 'settle'; readonly id: string; readonly producerId: ProducerId; readonly proofs: readonly PointProof[] }
  | DebtorTask
  | FaultTask
  | RotationTask
  | VerdictTask
  | WindDownTask

export type TaskKind = Task['kind']

/** First epoch of a period. */
export function startOf(period: number, parameters: Parameters): Epoch {
  return (parameters.firstPeriod + period * parameters.periodLength) as Epoch
}

/** Everything due at this moment, by events alone; conditions that only a view can tell are left to the simulation. */
export function dueTasks(inputs: Inputs): readonly Task[] {
  // Nothing else is left to do in a network that was wound down.
  if (inputs.state.aftermath.woundDown) return windDownTasks(inputs)
  return [
    ...periodTasks(inputs),
    ...strikeTasks(inputs),
    ...poolTasks(inputs),
    ...exitTasks(inputs),
    ...commitmentTasks(inputs),
    ...faultTasks(inputs),
    ...rotationTasks(inputs),
    ...verdictTasks(inputs),
    ...debtorTasks(inputs),
    ...windDownTasks(inputs),
  ]
}

function periodTasks({ state, parameters, epoch }: Inputs): readonly Task[] {
  const tasks: Task[] = []
  const next = state.periods.size
  // The list of a period is frozen `seedDelay` epochs before its seed epoch, which is the last one before its start.
  if (epoch >= startOf(next, parameters) - 1 - parameters.seedDelay) tasks.push({ kind: 'freeze-period', id: `freeze-period/${next}` })
  for (const [period, { size, seed, committee }] of state.periods) {
    const seedEpoch = (startOf(period, parameters) - 1) as Epoch
    const stillHeld = epoch < seedEpoch + parameters.epochsPerHistoricalVector
    if (seed === undefined && epoch > seedEpoch && stillHeld) {
      tasks.push({ kind: 'prove-period-seed', id: `prove-period-seed/${period}`, period, seedEpoch })
    }
    // A list frozen before anybody had joined gives no committee, however often it is asked for.
    if (size > 0 && seed !== undefined && committee === undefined) {
      tasks.push({ kind: 'form-committee', id: `form-committee/${period}`, period })
    }
  }
  return tasks
}

/** Slashed members of the committees that may still report: this period's, and the one before, whose last reports come late. */
function strikeTasks({ state, parameters, epoch }: Inputs): readonly Task[] {
  const current = Math.floor((epoch - parameters.firstPeriod) / parameters.periodLength)
  return [current - 1, current].flatMap((period) => {
    const { committee = [], struck = [] } = state.periods.get(period) ?? {}
    return committee.flatMap((id, place): readonly Task[] => {
      if (!state.producers.get(id)?.slashed || struck.includes(id)) return []
      return [{ kind: 'strike-member', id: `strike-member/${period}/${place}`, period, place }]
    })
  })
}

/** What an operator does for itself, at any time: its own points, as soon as they are worth something. */
export function ownTasks(state: NetworkState, self: ProducerId): readonly Task[] {
  const settleable = nextSettlement(state, self)
  if (settleable === undefined) return []
  return [{ kind: 'settle', id: `settle/${self}/${settleable.first}`, producerId: self, proofs: settleable.proofs }]
}

function poolTasks({ state, parameters, epoch }: Inputs): readonly Task[] {
  const tasks: Task[] = []
  if (epoch >= parameters.firstPeriod) tasks.push({ kind: 'request-pool', id: `request-pool/${state.pools.size}` })
  const draw = [...state.vaultDraws.values()].find(({ done }) => !done)
  if (draw?.seedProven) tasks.push({ kind: 'advance-draw', id: `advance-draw/${draw.id}` })
  else if (draw !== undefined && epoch > draw.seedEpoch) {
    // Once the vector has come round unproven, the epoch that took its place.
    const rounds = Math.floor((epoch - draw.seedEpoch) / parameters.epochsPerHistoricalVector)
    const seedEpoch = (draw.seedEpoch + rounds * parameters.epochsPerHistoricalVector) as Epoch
    if (epoch > seedEpoch) tasks.push({ kind: 'select-vaults', id: `select-vaults/${seedEpoch}`, seedEpoch })
  }
  for (const pool of state.pools.values()) {
    // An epoch after the deadline: until then only a threshold of the vault may end the round, and name who was absent.
    if (pool.phase === 'ceremony' && pool.deadline !== undefined && epoch > pool.deadline + 1) {
      tasks.push({ kind: 'fail-ceremony', id: `fail-ceremony/${pool.id}/${pool.round}`, poolId: pool.id })
    }
    if (pool.phase === 'registered' && pool.publicKey !== undefined) {
      tasks.push({ kind: 'fund-pool', id: `fund-pool/${pool.id}`, poolId: pool.id, publicKey: pool.publicKey })
    }
  }
  return tasks
}

function exitTasks({ state, epoch }: Inputs): readonly Task[] {
  const draws = [...state.liquidationDraws.values()]
  const pending = draws.find(({ done }) => !done)
  const tasks: Task[] = []
  if (pending === undefined) tasks.push({ kind: 'request-liquidation', id: `request-liquidation/${draws.length}` })
  else if (epoch > pending.seedEpoch) {
    const { id: drawId, seedEpoch } = pending
    tasks.push({ kind: 'draw-liquidation', id: `draw-liquidation/${drawId}/${seedEpoch}`, drawId, seedEpoch })
  }
  for (const { id: poolId, phase, publicKey, exitDeadline } of state.pools.values()) {
    if (phase !== 'exiting' || publicKey === undefined) continue
    tasks.push({ kind: 'close-pool', id: `close-pool/${poolId}`, poolId, publicKey })
    if (exitDeadline === undefined) continue
    // A request that the beacon chain dropped is made again in a later epoch: hence the epoch in the id.
    if (epoch > exitDeadline)
      tasks.push({ kind: 'force-exit', id: `force-exit/${poolId}/${epoch}`, poolId, publicKey, deadline: exitDeadline })
  }
  return tasks
}

function commitmentTasks({ state, parameters, epoch, nowSeconds }: Inputs): readonly Task[] {
  const tasks: Task[] = []
  const pagesSeconds = parameters.pagesDeadline * parameters.slotsPerEpoch * parameters.secondsPerSlot
  for (const { id, phase, committedAt } of state.commitments.values()) {
    if (phase === 'open' && nowSeconds > committedAt + pagesSeconds) {
      tasks.push({ kind: 'drop-overdue', id: `drop-overdue/${id}`, commitmentId: id })
    }
  }
  const next = [...state.commitments.values()].find(({ phase }) => phase === 'open' || phase === 'pending' || phase === 'disputed')
  if (next?.phase === 'pending' && next.windowEnds !== undefined && nowSeconds > next.windowEnds) {
    tasks.push({ kind: 'finalize-state', id: `finalize-state/${next.id}`, commitmentId: next.id })
  }
  tasks.push({ kind: 'finalize-withdrawals', id: `finalize-withdrawals/${epoch}` })
  return tasks
}
