import { ethText, ethTexts } from '../core/amounts.ts'
import type { Call, Contracts } from '../core/ports/chain.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { prepareDebtor } from './debtors.ts'
import { prepareFault } from './faults.ts'
import { prepareRotation } from './rotation-tasks.ts'
import type { Task } from './tasks.ts'
import { type CallPorts, one, type Prepared } from './types.ts'
import { prepareVerdict } from './verdicts.ts'
import { prepareWindDown } from './wind-down.ts'

const WEI_PER_POOL = 32n * 10n ** 18n
const FAR_FUTURE_EPOCH = 2n ** 64n - 1n
const PERIODS_A_CALL = 16
const MEMBERS_A_CALL = 128
const POSITIONS_A_CALL = 256
const STEPS_A_CALL = 64
const POOLS_AT_ONCE = 8

/** Where nobody is named, nobody signs. */
const NO_SIGNATURE = wordsOf(`0x${'00'.repeat(256)}`)

/** Builds what a task sends: arguments, proofs from the newest provable beacon state, value. Throws what the ports throw. */
export async function prepare(task: Task, ports: CallPorts, signal?: AbortSignal): Promise<Prepared> {
  switch (task.kind) {
    case 'freeze-period':
      return one('periods', 'freeze', [PERIODS_A_CALL])
    case 'form-committee':
      return one('periods', 'formCommittee', [task.period, MEMBERS_A_CALL])
    case 'strike-member':
      return one('periods', 'strike', [task.period, task.place])
    case 'request-pool':
      return preparePoolRequests(ports)
    case 'advance-draw':
      return one('vaultDraws', 'advance', [POSITIONS_A_CALL])
    case 'fail-ceremony':
      return one('poolRegistry', 'failDkg', [task.poolId, 0, 0, NO_SIGNATURE])
    case 'request-liquidation':
      return one('exits', 'requestLiquidation', [])
    case 'drop-overdue':
      return one('stateCommitments', 'dropOverdue', [task.commitmentId])
    case 'finalize-state':
      return one('stateCommitments', 'finalizeState', [task.commitmentId])
    case 'prove-period-seed':
    case 'select-vaults':
    case 'draw-liquidation':
      return prepareSeed(task, ports, signal)
    case 'fund-pool':
      return prepareFunding(task, ports, signal)
    case 'force-exit':
      return prepareForcedExit(task, ports, signal)
    case 'close-pool':
      return prepareClose(task, ports, signal)
    case 'finalize-withdrawals':
      return prepareFinalization(ports)
    case 'settle':
      return one('rewards', 'settle', [task.producerId, task.proofs])
    case 'request-rotation':
    case 'fail-rotation':
    case 'drop-rotation':
    case 'name-missing':
    case 'replace-undercollateralized':
      return prepareRotation(task, ports)
    case 'settle-debtor':
      return prepareDebtor(task)
    case 'report-exits':
    case 'liquidate-pool':
    case 'show-balance':
    case 'settle-fault':
      return prepareFault(task, ports, signal)
    case 'close-vote':
    case 'slash-signers':
    case 'charge-openers':
      return prepareVerdict(task, ports)
    case 'start-wind-down':
    case 'wind-down-exits':
    case 'gather':
      return prepareWindDown(task, ports, signal)
  }
}

/** All pools that there is ETH for, beyond what withdrawals ask for: one after the other, the last would wait for as many blocks. */
async function preparePoolRequests({ contracts }: CallPorts): Promise<Prepared> {
  const amount = async (contract: Call['contract'], method: string): Promise<bigint> =>
    BigInt(String(await contracts.read({ contract, method, args: [] })))
  const unreserved = await amount('stakingPool', 'unreserved')
  const demand = unreserved < WEI_PER_POOL ? 0n : await amount('withdrawalQueue', 'demand')
  const pools = unreserved < demand ? 0n : (unreserved - demand) / WEI_PER_POOL
  if (pools === 0n) return { wait: `${ethText(unreserved)} are unreserved, withdrawals ask for ${ethText(demand)}` }
  const request: Call = { contract: 'poolRegistry', method: 'requestPool', args: [] }
  return { calls: Array.from({ length: Math.min(Number(pools), POOLS_AT_ONCE) }, () => request), together: true }
}

async function prepareSeed(
  task: Extract<Task, { kind: 'prove-period-seed' | 'select-vaults' | 'draw-liquidation' }>,
  { prover }: CallPorts,
  signal?: AbortSignal,
): Promise<Prepared> {
  const proven = await prover.randaoMix(task.seedEpoch, signal)
  if (proven === undefined) return { wait: `no provable state after epoch ${task.seedEpoch} yet` }
  const proof = [proven.timestamp, proven.state, proven.proof]
  switch (task.kind) {
    case 'prove-period-seed':
      return one('periods', 'proveSeed', [task.period, ...proof])
    case 'select-vaults':
      return one('vaultDraws', 'selectVaults', [...proof, POSITIONS_A_CALL])
    case 'draw-liquidation':
      return one('exits', 'drawLiquidation', [task.drawId, ...proof])
  }
}

async function prepareFunding(
  task: Extract<Task, { kind: 'fund-pool' }>,
  { prover, contracts }: CallPorts,
  signal?: AbortSignal,
): Promise<Prepared> {
  const proven = await prover.validator(task.publicKey, signal)
  if (proven === undefined) return { wait: 'the beacon chain does not show the validator yet' }
  const kind = await kindOf(task.poolId, contracts)
  const ours = String(await contracts.read({ contract: 'stakingPool', method: 'withdrawalCredentials', args: [kind] }))
  const { withdrawalCredentials, slashed, exitEpoch } = proven.proof.validator
  const isSpent = slashed || exitEpoch !== FAR_FUTURE_EPOCH
  // Whole credentials: those of another type, or of the other kind of pools, are foreign too.
  const isOurs = withdrawalCredentials.toLowerCase() === ours.toLowerCase()
  const method = isOurs ? (isSpent ? 'abandonPool' : 'fundPool') : 'reportFrontRun'
  return one('poolRegistry', method, [task.poolId, proven.timestamp, proven.state, proven.proof])
}

async function prepareForcedExit(
  task: Extract<Task, { kind: 'force-exit' }>,
  { prover, contracts, beacon, maxExitFee }: CallPorts,
  signal?: AbortSignal,
): Promise<Prepared> {
  const [validator] = await beacon.validators([task.publicKey], 'head', signal)
  if (validator === undefined) return { wait: 'the beacon chain does not know the validator' }
  if (validator.exitEpoch !== Infinity) return { calls: [] }
  const vault = (await kindOf(task.poolId, contracts)) === 0 ? 'stakerVault' : 'bondVault'
  const fee = BigInt(String(await contracts.read({ contract: vault, method: 'exitFee', args: [] })))
  // Anybody can drive the fee up for a while by requests of their own (EIP-7002): it falls again when they stop.
  if (fee > maxExitFee) {
    const [asked, most] = ethTexts(fee, maxExitFee)
    return { wait: `the beacon chain asks ${asked} for a forced exit, more than the ${most} that this operator pays (--max-exit-fee)` }
  }
  const force: Call = { contract: 'exits', method: 'forceExit', args: [task.poolId], value: fee }
  // The proof is of a state before the forced exit takes effect; it keeps for a day, so it may follow the exit on chain.
  const proven = await prover.validator(task.publicKey, signal)
  if (proven === undefined) return { calls: [force] }
  const stall: Call = { contract: 'exits', method: 'proveStall', args: [task.poolId, proven.timestamp, proven.state, proven.proof] }
  return { calls: [force, stall] }
}

async function kindOf(poolId: number, contracts: Contracts): Promise<number> {
  const pool = (await contracts.read({ contract: 'poolRegistry', method: 'pool', args: [poolId] })) as { readonly kind: unknown }
  return Number(pool.kind)
}

async function prepareClose(
  task: Extract<Task, { kind: 'close-pool' }>,
  { prover, beacon }: CallPorts,
  signal?: AbortSignal,
): Promise<Prepared> {
  const proven = await prover.validator(task.publicKey, signal)
  if (proven === undefined) return { wait: 'no provable state yet' }
  const epoch = Math.floor(proven.header.slot / beacon.spec.slotsPerEpoch)
  if (proven.proof.validator.withdrawableEpoch > BigInt(epoch)) return { wait: 'the validator is not withdrawable yet' }
  if (proven.balance > 0n) return { wait: 'the validator still has a balance' }
  return one('exits', 'closePool', [task.poolId, proven.timestamp, proven.state, proven.proof, proven.balanceProof])
}

async function prepareFinalization({ contracts }: CallPorts): Promise<Prepared> {
  const queue = 'withdrawalQueue'
  const finalized = BigInt(String(await contracts.read({ contract: queue, method: 'lastFinalizedId', args: [] })))
  const last = BigInt(String(await contracts.read({ contract: queue, method: 'lastRequestId', args: [] })))
  if (finalized === last) return { calls: [] }
  const call: Call = { contract: queue, method: 'finalize', args: [STEPS_A_CALL] }
  const refusal = await contracts.simulate(call)
  if (refusal !== undefined) return { wait: refusal }
  const reachable = BigInt(String(await contracts.read(call)))
  return { calls: reachable > finalized ? [call] : [] }
}
