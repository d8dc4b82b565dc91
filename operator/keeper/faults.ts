import type { Epoch, PoolId, PublicKey } from '../core/ids.ts'
import type { Pool, PoolFault } from '../core/network.ts'
import type { ValidatorInfo } from '../core/ports/beacon.ts'
import type { Call, Parameters } from '../core/ports/chain.ts'
import { type CallPorts, type Inputs, one, type Prepared } from './types.ts'

/** A pool whose validator is watched, and what was proven of it so far. */
type Watched = { readonly poolId: PoolId; readonly publicKey: PublicKey; readonly drawn: boolean; readonly fault: PoolFault | undefined }

/**
 * Faults of pools: an exit or a slashing on the beacon chain is reported, the pool taken out, its last balance shown, the loss
 * charged. (Slashable signatures that the beacon chain has not seen are shown by hand.)
 */
export type FaultTask =
  | { readonly kind: 'report-exits'; readonly id: string; readonly pools: readonly Watched[] }
  | { readonly kind: 'liquidate-pool'; readonly id: string; readonly poolId: PoolId }
  | {
      readonly kind: 'show-balance'
      readonly id: string
      readonly poolId: PoolId
      readonly publicKey: PublicKey
      readonly withdrawableEpoch: Epoch
      readonly shown: Epoch | undefined
    }
  | { readonly kind: 'settle-fault'; readonly id: string; readonly poolId: PoolId }

/** Each report is a proof of some 100,000 gas: what is left over follows in the next epoch. */
const REPORTS_AN_EPOCH = 4
/** Reports whose time must have come before a balance is taken for the last one (Slashing). */
const REPORTS_TO_WAIT = 2
/** Epochs after the withdrawable one in which a state of that one may still be the newest that can be proven. */
const PROOF_LAG = 1

export function faultTasks(inputs: Inputs): readonly FaultTask[] {
  const { state, epoch } = inputs
  const watched = [...state.pools.values()].flatMap((pool) => watchedOf(pool, state.aftermath.faults.get(pool.id)))
  const tasks: FaultTask[] = watched.length === 0 ? [] : [{ kind: 'report-exits', id: `report-exits/${epoch}`, pools: watched }]
  const isDrawing = [...state.liquidationDraws.values()].some(({ done }) => !done)
  for (const [poolId, fault] of state.aftermath.faults) {
    const pool = state.pools.get(poolId)
    // What was proven while a draw was pending takes the pool out once the draw is over.
    if (pool?.phase === 'funded' && !isDrawing) tasks.push({ kind: 'liquidate-pool', id: `liquidate-pool/${poolId}`, poolId })
    if (pool !== undefined && fault.kind !== undefined && !fault.settled) tasks.push(...lossTasks({ pool, fault, inputs }))
  }
  return tasks
}

/** Pools that had 32 ETH and of which a proof could still say something new. */
function watchedOf({ id: poolId, phase, publicKey, exitDeadline }: Pool, fault: PoolFault | undefined): readonly Watched[] {
  const drawn = exitDeadline !== undefined
  if (publicKey === undefined || !(phase === 'funded' || (phase === 'exiting' && drawn)) || fault?.settled) return []
  return [{ poolId, publicKey, drawn, fault }]
}

function lossTasks({
  pool,
  fault,
  inputs,
}: {
  readonly pool: Pool
  readonly fault: PoolFault
  readonly inputs: Inputs
}): readonly FaultTask[] {
  const { parameters, epoch } = inputs
  const { publicKey, id: poolId } = pool
  const { withdrawableEpoch, balanceEpoch } = fault
  if (withdrawableEpoch === undefined || publicKey === undefined) return []
  if (epoch >= settleableFrom(withdrawableEpoch, balanceEpoch, parameters)) {
    return [{ kind: 'settle-fault', id: `settle-fault/${poolId}`, poolId }]
  }
  // One balance from near the end, so that the charge does not wait for long; and the last ones, of which the later counts.
  const isNear = epoch >= withdrawableEpoch - REPORTS_TO_WAIT * parameters.reportEpochs && balanceEpoch === undefined
  const isLast = epoch >= withdrawableEpoch - 1 && (balanceEpoch === undefined || balanceEpoch < withdrawableEpoch)
  if (epoch > withdrawableEpoch + PROOF_LAG || !(isNear || isLast)) return []
  return [{ kind: 'show-balance', id: `show-balance/${poolId}/${epoch}`, poolId, publicKey, withdrawableEpoch, shown: balanceEpoch }]
}

/** First epoch in which Slashing settles. */
function settleableFrom(withdrawable: Epoch, balanceEpoch: Epoch | undefined, parameters: Parameters): number {
  if (balanceEpoch === withdrawable) return withdrawable
  const reports = REPORTS_TO_WAIT * parameters.reportEpochs
  const isNear = balanceEpoch !== undefined && balanceEpoch + reports >= withdrawable
  return withdrawable + (isNear ? reports + 2 * parameters.disputeDuration : parameters.windDownAfter)
}

export async function prepareFault(task: FaultTask, ports: CallPorts, signal?: AbortSignal): Promise<Prepared> {
  switch (task.kind) {
    case 'report-exits':
      return prepareReports(task.pools, ports, signal)
    case 'show-balance':
      return prepareBalance(task, ports, signal)
    case 'liquidate-pool':
      return one('slashing', 'liquidate', [task.poolId])
    case 'settle-fault':
      return one('slashing', 'settle', [task.poolId])
  }
}

/** Would Slashing learn anything from this validator? */
function isNews({ drawn, fault }: Watched, { slashed, exitEpoch, withdrawableEpoch }: ValidatorInfo): boolean {
  if (exitEpoch === Infinity) return false
  if (fault?.kind !== undefined) return fault.withdrawableEpoch === undefined || withdrawableEpoch > fault.withdrawableEpoch
  // An exit that is nobody's fault is seen once; of one that was drawn only a slashing is news.
  return slashed || (!drawn && fault === undefined)
}

async function prepareReports(pools: readonly Watched[], { beacon, prover }: CallPorts, signal?: AbortSignal): Promise<Prepared> {
  const validators = await beacon.validators(
    pools.map(({ publicKey }) => publicKey),
    'head',
    signal,
  )
  const byKey = new Map(validators.map((validator) => [validator.publicKey, validator]))
  const news = pools.filter((pool) => {
    const validator = byKey.get(pool.publicKey)
    return validator !== undefined && isNews(pool, validator)
  })
  const calls: Call[] = []
  for (const { poolId, publicKey } of news.slice(0, REPORTS_AN_EPOCH)) {
    const proven = await prover.validator(publicKey, signal)
    if (proven === undefined || proven.proof.validator.exitEpoch === 2n ** 64n - 1n) return { wait: 'no provable state shows the exit yet' }
    calls.push({ contract: 'slashing', method: 'reportExit', args: [poolId, proven.timestamp, proven.state, proven.proof] })
  }
  return { calls }
}

async function prepareBalance(
  { poolId, publicKey, withdrawableEpoch, shown }: Extract<FaultTask, { kind: 'show-balance' }>,
  { beacon, prover }: CallPorts,
  signal?: AbortSignal,
): Promise<Prepared> {
  const proven = await prover.validator(publicKey, signal)
  if (proven === undefined) return { wait: 'no provable state yet' }
  const epoch = Math.floor(proven.header.slot / beacon.spec.slotsPerEpoch)
  // Swept already, or perhaps topped up: it would say nothing.
  if (epoch > withdrawableEpoch || (epoch === withdrawableEpoch && proven.balance === 0n)) return { calls: [] }
  if (shown !== undefined && epoch <= shown) return { wait: `the balance of epoch ${shown} is shown already` }
  return one('slashing', 'showBalance', [poolId, proven.timestamp, proven.state, proven.proof, proven.balanceProof])
}
