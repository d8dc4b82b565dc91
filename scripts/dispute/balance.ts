import type { Hex, PoolId } from '../../operator/core/ids.ts'
import type { Pool } from '../../operator/core/network.ts'
import type { Call } from '../../operator/core/ports/chain.ts'
import { POOL_KINDS } from '../../operator/core/vault.ts'
import { registeredAt, reportedBalance } from '../../operator/protocol/state/derive-report.ts'
import { BALANCES_PER_WORD, balanceIn, proveWord } from '../../operator/protocol/state/pages.ts'
import { ask, type Court, commitmentOf } from './court.ts'
import { DisputeError } from './errors.ts'
import type { BalanceProof, ReferenceStates } from './reference-states.ts'

/** A pool's balance as posted and as it was at the reference, gwei. */
export type BalanceFinding = { readonly poolId: PoolId; readonly posted: bigint; readonly actual: bigint }

const ZERO: Hex = `0x${'00'.repeat(32)}`
/** Of a pool that was not funded at the reference nothing is proven. */
const NO_PROOF: BalanceProof = {
  state: { header: { slot: 0, proposerIndex: 0, parentRoot: ZERO, stateRoot: ZERO, bodyRoot: ZERO }, forkBranch: [] },
  validator: {
    index: 0,
    validator: {
      pubkeyRoot: ZERO,
      withdrawalCredentials: ZERO,
      effectiveBalance: 0n,
      slashed: false,
      activationEligibilityEpoch: 0n,
      activationEpoch: 0n,
      exitEpoch: 0n,
      withdrawableEpoch: 0n,
    },
    branch: [],
  },
  balance: { index: 0, leaf: ZERO, branch: [] },
}

type Inputs = { readonly court: Court; readonly states: ReferenceStates; readonly commitmentId: number }

/** Compares every posted balance of a commitment with the beacon chain's. Throws `DisputeError` MISSING. */
export async function examineBalances({ court, states, commitmentId }: Inputs): Promise<readonly BalanceFinding[]> {
  const { report } = commitmentOf(court, commitmentId).content
  const timestamp = timeOf(court, report.referenceSlot)
  const pools = POOL_KINDS.flatMap((kind) => registeredAt(court.state, kind, timestamp))
  const keys = pools.filter((pool) => isFunded(pool, timestamp)).flatMap(({ publicKey }) => publicKey ?? [])
  // Only of funded pools does the beacon state say anything.
  const balances = keys.length === 0 ? new Map() : await states.balances(await states.header(report.blockRoot), keys)
  const perPage = await poolsPerPage(court)
  return pools.flatMap((pool) => {
    const posted = placeOf({ court, commitmentId, pool, perPage })
    if (posted === undefined) return []
    const balance = balanceIn(posted.page, posted.place)
    return balance === undefined ? [] : [{ poolId: pool.id, posted: balance, actual: reportedBalance(pool, { timestamp, balances }) }]
  })
}

/** What shows a posted balance to Disputes, right or wrong. Throws `DisputeError`. */
export async function balanceDispute({ court, states, commitmentId, poolId }: Inputs & { readonly poolId: PoolId }): Promise<Call> {
  const { content } = commitmentOf(court, commitmentId)
  const pool = court.state.pools.get(poolId)
  if (pool?.publicKey === undefined) throw new DisputeError('UNKNOWN', `there is no pool ${poolId} with a validator`, { poolId })
  const found = placeOf({ court, commitmentId, pool, perPage: await poolsPerPage(court) })
  if (found === undefined) {
    throw new DisputeError('MISSING', `the page with the balance of pool ${poolId} is not posted yet: try again when it is`, { poolId })
  }
  const { word, branch } = proveWord(found.page, Math.floor(found.place / BALANCES_PER_WORD))
  const entry = { kind: POOL_KINDS.indexOf(pool.kind), ordinal: pool.ordinal ?? 0, word, branch }
  const isProven = isFunded(pool, timeOf(court, content.report.referenceSlot))
  const proof = isProven ? await states.prove(await states.header(content.report.blockRoot), pool.publicKey) : NO_PROOF
  return {
    contract: 'disputes',
    method: 'disproveBalance',
    args: [commitmentId, content, entry, proof.state, proof.validator, proof.balance],
  }
}

const isFunded = ({ fundedAt }: Pool, timestamp: number): boolean => fundedAt !== undefined && fundedAt <= timestamp

const timeOf = ({ deployment: { parameters } }: Court, slot: number): number => parameters.genesisTime + slot * parameters.secondsPerSlot

const poolsPerPage = async (court: Court): Promise<number> =>
  Number(await ask(court, { contract: 'stateCommitments', method: 'POOLS_PER_PAGE', args: [] }))

/** The posted page that has a pool's balance, and its place there. */
function placeOf({
  court,
  commitmentId,
  pool,
  perPage,
}: {
  readonly court: Court
  readonly commitmentId: number
  readonly pool: Pool
  readonly perPage: number
}): { readonly page: Hex; readonly place: number } | undefined {
  const { report } = commitmentOf(court, commitmentId).content
  const ordinal = pool.ordinal ?? 0
  const before = pool.kind === 'staker' ? 0 : Math.ceil(report.stakerPools / perPage)
  const page = court.pages.get(commitmentId)?.[before + Math.floor(ordinal / perPage)]
  return page === undefined ? undefined : { page, place: ordinal % perPage }
}
