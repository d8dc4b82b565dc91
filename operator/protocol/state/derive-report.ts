import { OpenPoolsError } from '../../core/errors.ts'
import type { NetworkState, Pool } from '../../core/network.ts'
import { toRoot } from '../../core/parse.ts'
import type { Parameters } from '../../core/ports/chain.ts'
import type { DerivedReport, DutyRecord, Reference } from '../../core/report.ts'
import type { PoolKind } from '../../core/vault.ts'
import type { Standing } from './coverage.ts'
import { cutPages, encodeBalances, encodePoints, POINTS_PER_PAGE, pageRoot } from './pages.ts'
import { derivePoints } from './points.ts'

export class ReportError extends OpenPoolsError<'BALANCE_MISSING' | 'STATE_BEHIND'> {}

const GWEI_PER_ETH = 10n ** 9n
const PRE_DEPOSIT = GWEI_PER_ETH
const TOP_UP = 31n * GWEI_PER_ETH
const FULL = 32n * GWEI_PER_ETH

/** Registered pools of a kind at a timestamp (seconds), in order of registration. */
export function registeredAt(state: NetworkState, kind: PoolKind, timestamp: number): readonly Pool[] {
  return [...state.pools.values()]
    .filter((pool) => pool.kind === kind && pool.registeredAt !== undefined && pool.registeredAt <= timestamp)
    .sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0))
}

/** A pool's reported balance in gwei (protocol.md §9). Throws `ReportError` when the reference lacks a funded pool's validator. */
export function reportedBalance(pool: Pool, reference: Pick<Reference, 'timestamp' | 'balances'>): bigint {
  if (pool.frontRunAt !== undefined && pool.frontRunAt <= reference.timestamp) return 0n
  if (pool.fundedAt === undefined || pool.fundedAt > reference.timestamp) return PRE_DEPOSIT
  const found = pool.publicKey === undefined ? undefined : reference.balances.get(pool.publicKey)
  if (found === undefined) {
    throw new ReportError('BALANCE_MISSING', `expected the balance of pool ${pool.id} at ${reference.timestamp}, the reference has none`, {
      poolId: pool.id,
    })
  }
  // The top-up is still queued; a stranger's deposit that came first stands in for it.
  return !found.eligible && found.balance < FULL ? found.balance + TOP_UP : found.balance
}

/** A report of no duties: no certificate is published, and nothing of duties earns points. */
export const NO_DUTIES: DutyRecord = {
  certificatesHash: toRoot(`0x${'00'.repeat(32)}`),
  summariesRoot: toRoot(`0x${'00'.repeat(32)}`),
  points: [],
}

/** Derives the one right report of a reference. The state must have seen every block up to the reference's. */
export function deriveReport(input: {
  readonly state: NetworkState
  readonly reference: Reference
  readonly standing: Standing
  readonly duties: DutyRecord
  readonly poolsPerPage: number
  readonly parameters: Parameters
}): DerivedReport {
  const { state, reference, standing, duties, poolsPerPage, parameters } = input
  const balancesOf = (kind: PoolKind) => registeredAt(state, kind, reference.timestamp).map((pool) => reportedBalance(pool, reference))
  const [staker, bond] = [balancesOf('staker'), balancesOf('bond')]
  const producers = [...state.producers.values()].filter((producer) => producer.registeredAt <= reference.timestamp).length
  const points = derivePoints({ state, covers: standing.covers, producers, duties: duties.points, parameters })
  const pages = [
    ...cutPages(staker, poolsPerPage).map(encodeBalances),
    ...cutPages(bond, poolsPerPage).map(encodeBalances),
    ...cutPages(points, POINTS_PER_PAGE).map(encodePoints),
  ]
  return {
    pages,
    report: {
      epoch: reference.epoch,
      referenceSlot: reference.header.slot,
      blockRoot: reference.header.root,
      executionBlock: reference.executionBlock,
      history: standing.history,
      stakerArrivals: reference.arrivals.staker,
      bondArrivals: reference.arrivals.bond,
      stakerPools: staker.length,
      bondPools: bond.length,
      producers,
      certificatesHash: duties.certificatesHash,
      summariesRoot: duties.summariesRoot,
      pageRoots: pages.map(pageRoot),
    },
  }
}
