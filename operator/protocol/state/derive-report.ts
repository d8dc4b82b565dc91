import { OpenPoolsError } from '../../core/errors.ts'
import type { NetworkState, Pool } from '../../core/network.ts'
import type { DerivedReport, Reference } from '../../core/report.ts'
import type { PoolKind } from '../../core/vault.ts'
import { encodeBalances, pageRoot } from './pages.ts'

export class ReportError extends OpenPoolsError<'BALANCE_MISSING' | 'STATE_BEHIND'> {}

const GWEI_PER_ETH = 10n ** 9n
const PRE_DEPOSIT = GWEI_PER_ETH
const TOP_UP = 31n * GWEI_PER_ETH
const FULL = 32n * GWEI_PER_ETH

/** Registered pools of a kind at a timestamp (seconds), in order of registration. */
function registeredAt(state: NetworkState, kind: PoolKind, timestamp: number): readonly Pool[] {
  return [...state.pools.values()]
    .filter((pool) => pool.kind === kind && pool.registeredAt !== undefined && pool.registeredAt <= timestamp)
    .sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0))
}

/** A pool's reported balance in gwei (protocol.md §9). Throws `ReportError` when the reference lacks a funded pool's validator. */
export function reportedBalance(pool: Pool, reference: Reference): bigint {
  if (pool.frontRunAt !== undefined && pool.frontRunAt <= reference.timestamp) return 0n
  if (pool.fundedAt === undefined || pool.fundedAt > reference.timestamp) return PRE_DEPOSIT
  const found = pool.publicKey === undefined ? undefined : reference.balances.get(pool.publicKey)
  if (found === undefined) {
    throw new ReportError(
      'BALANCE_MISSING',
      `expected the balance of pool ${pool.id} at slot ${reference.header.slot}, the reference has none`,
      {
        poolId: pool.id,
      },
    )
  }
  // The top-up is still queued; a stranger's deposit that came first stands in for it.
  return !found.eligible && found.balance < FULL ? found.balance + TOP_UP : found.balance
}

/** Derives the one right report of a reference. The state must have seen every block up to the reference's. */
export function deriveReport(input: {
  readonly state: NetworkState
  readonly reference: Reference
  readonly poolsPerPage: number
}): DerivedReport {
  const { state, reference, poolsPerPage } = input
  const pagesOf = (kind: PoolKind) => {
    const balances = registeredAt(state, kind, reference.timestamp).map((pool) => reportedBalance(pool, reference))
    const pages = Array.from({ length: Math.ceil(balances.length / poolsPerPage) }, (_, at) =>
      encodeBalances(balances.slice(at * poolsPerPage, (at + 1) * poolsPerPage)),
    )
    return { count: balances.length, pages }
  }
  const staker = pagesOf('staker')
  const bond = pagesOf('bond')
  const pages = [...staker.pages, ...bond.pages]
  return {
    pages,
    report: {
      epoch: reference.epoch,
      referenceSlot: reference.header.slot,
      blockRoot: reference.header.root,
      stakerArrivals: reference.arrivals.staker,
      bondArrivals: reference.arrivals.bond,
      stakerPools: staker.count,
      bondPools: bond.count,
      pageRoots: pages.map(pageRoot),
    },
  }
}
