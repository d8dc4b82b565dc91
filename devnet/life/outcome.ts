import { formatEther } from 'ethers'
import { devnet } from '../../deploy/parameters/devnet.ts'
import { type CdtFacts, readCdt } from './cdt.ts'
import { unavoidableWaits } from './floor.ts'
import type { MemoryGrowth } from './memory.ts'
import { type OperatorStatus, statusOf } from './operators.ts'
import { recomputeIndex } from './recompute.ts'
import { ATTESTATIONS_BEFORE_WITHDRAWALS } from './stages/duties.ts'
import { ATTESTATIONS_AFTER_HANDOVER } from './stages/handover.ts'
import type { World } from './world.ts'

const LEAST_ATTESTATION_RATE = 0.95
const LEAST_PROPOSAL_RATE = 0.8
const LEAST_COMMITMENTS = 2
/** ETH a beacon chain of this size lets in each epoch (minimal preset: MIN_PER_EPOCH_CHURN_LIMIT_ELECTRA). */
const CHURN_ETH = 64
const TOP_UP_ETH = 31
const EXIT_TO_WITHDRAWN_SLOTS = 10

export type Outcome = Readonly<Record<string, unknown>>

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

function merged(statuses: readonly (OperatorStatus | undefined)[], pick: (status: OperatorStatus) => readonly number[]): readonly number[] {
  return statuses.flatMap((status) => (status === undefined ? [] : pick(status))).sort((a, b) => a - b)
}

/** Reads the outcome back from the chain, the beacon API and the operators' metrics. Throws when the life was not good enough. */
export async function readOutcome(world: World, startedAt: number): Promise<Outcome> {
  const { contracts, pools, provider } = world
  const head = (await world.beacon.header('head'))?.slot ?? 0
  await world.duties.catchUp(head)
  const { attestations, proposals } = world.duties.counts(head)
  const index = await recomputeIndex(world)
  const finalized = await contracts.stateCommitments.queryFilter(contracts.stateCommitments.filters.StateFinalized())
  const statuses = await Promise.all(world.operators.map(statusOf))
  const dkg = merged(statuses, ({ dkgMs }) => dkgMs)
  const consensus = merged(statuses, ({ consensusMs }) => consensusMs)
  const floor = unavoidableWaits({
    slotsPerEpoch: world.slotsPerEpoch,
    firstPeriod: world.firstPeriod,
    seedDelay: Number(devnet.seedDelay),
    reportEpochs: Number(devnet.reportEpochs),
    disputeDuration: Number(devnet.disputeDuration),
    maxLiquidationExecution: Number(devnet.maxLiquidationExecution),
    churnEpochs: Math.ceil((pools.length * TOP_UP_ETH) / CHURN_ETH) - 1,
    countedAttestations: ATTESTATIONS_BEFORE_WITHDRAWALS,
    rotationMargin: Number(devnet.rotationMargin),
    attestationsAfterHandover: ATTESTATIONS_AFTER_HANDOVER,
    exitToWithdrawnSlots: EXIT_TO_WITHDRAWN_SLOTS,
  }).reduce((sum, { slots }) => sum + slots, 0)

  world.memory.sample()
  const gains = await Promise.all(world.stakers.map(async ({ address }) => contracts.bondEther.balanceOf(address)))
  const outcome = {
    validatorPubkeys: pools.map(({ publicKey }) => publicKey),
    validatorIndices: pools.map(({ validatorIndex }) => validatorIndex),
    dkgMs: Math.round(quantile(dkg, 0.5)),
    consensusMs: { p50: quantile(consensus, 0.5), p95: quantile(consensus, 0.95) },
    attestations,
    proposals,
    roundChangesWhileKilled: world.roundChangesWhileKilled,
    operatorKilled: world.operatorKilled,
    operatorLeaving: world.leaver.name,
    handovers: world.handovers,
    forcedExits: world.forcedExits,
    commitmentsFinalized: finalized.length,
    rewardsIndex: { start: world.indexStart.toString(), end: index.onChain.toString(), recomputed: index.recomputed.toString() },
    deposited: world.deposited.toString(),
    claimed: world.claimed.toString(),
    cdt: await readCdt(contracts),
    stakersStillHold: gains.reduce((sum, balance) => sum + balance, 0n).toString(),
    slots: { used: head, floor },
    seconds: Math.round((Date.now() - startedAt) / 1000),
    peakRssMb: { execution: world.memory.peak('execution'), beacon: world.memory.peak('beacon'), operator: world.memory.peak('operator') },
    /** From all pools active to the end: the mean of the operators that lived through it. */
    operatorRssMb: world.memory.growth('operator', Math.floor(head / world.slotsPerEpoch)),
    block: await provider.getBlockNumber(),
  }
  judge(world, outcome)
  return outcome
}

function judge(
  world: World,
  {
    attestations,
    proposals,
    commitmentsFinalized,
    rewardsIndex,
    cdt,
  }: {
    readonly attestations: { readonly due: number; readonly included: number }
    readonly proposals: { readonly due: number; readonly included: number }
    readonly commitmentsFinalized: number
    readonly rewardsIndex: { readonly start: string; readonly end: string }
    readonly cdt: CdtFacts
  },
): void {
  const rules: readonly (readonly [good: boolean, rule: string])[] = [
    [
      world.attestationsBeforeWithdrawals >= ATTESTATIONS_BEFORE_WITHDRAWALS,
      `at least ${ATTESTATIONS_BEFORE_WITHDRAWALS} attestations of every staker pool due before the withdrawals, got ${world.attestationsBeforeWithdrawals}`,
    ],
    [world.proposalsBeforeWithdrawals >= 1, 'at least 1 proposal of our own due before the withdrawals, got none'],
    [
      attestations.included >= attestations.due * LEAST_ATTESTATION_RATE,
      `at least 95 % of the attestations included, got ${attestations.included} of ${attestations.due}`,
    ],
    [
      proposals.included >= proposals.due * LEAST_PROPOSAL_RATE,
      `at least 80 % of the proposals included, got ${proposals.included} of ${proposals.due}`,
    ],
    [world.roundChangesWhileKilled >= 1, 'at least 1 duty decided by round change while a member was dead, got none'],
    [commitmentsFinalized >= LEAST_COMMITMENTS, `at least ${LEAST_COMMITMENTS} commitments finalized, got ${commitmentsFinalized}`],
    [BigInt(rewardsIndex.end) > BigInt(rewardsIndex.start), `the rewards index to grow, got ${rewardsIndex.start} → ${rewardsIndex.end}`],
    [cdt.producersPaid >= 1, 'CDT earned and settled by the block producers, got none'],
    [world.forcedExits >= 1, 'one forced exit, got none'],
    [world.claimed > 0n, 'every claim paid, got none'],
  ]
  const broken = rules.filter(([good]) => !good).map(([, rule]) => rule)
  if (broken.length > 0) throw new Error(`expected ${broken.join('; ')}`)
}

/** The short table at the end. */
export function tableOf(outcome: Outcome): string {
  const { attestations, proposals, consensusMs, slots, peakRssMb, operatorRssMb, rewardsIndex, cdt } = outcome as {
    readonly attestations: { readonly due: number; readonly included: number }
    readonly proposals: { readonly due: number; readonly included: number }
    readonly consensusMs: { readonly p50: number; readonly p95: number }
    readonly slots: { readonly used: number; readonly floor: number }
    readonly peakRssMb: Readonly<Record<string, number>>
    readonly operatorRssMb: MemoryGrowth
    readonly rewardsIndex: { readonly start: string; readonly end: string }
    readonly cdt: CdtFacts
  }
  const eth = (wei: unknown): string => `${formatEther(BigInt(String(wei)))} ETH`
  const growth = Number(BigInt(rewardsIndex.end) - BigInt(rewardsIndex.start)) / 1e21
  const rows: readonly (readonly [string, string])[] = [
    ['deposited by stakers', eth(outcome.deposited)],
    ['claimed back', eth(outcome.claimed)],
    ['still held as bETH', eth(outcome.stakersStillHold)],
    ['rewards', `index +${growth.toFixed(2)} ppm over ${outcome.commitmentsFinalized} finalized commitments (recomputed: equal)`],
    ['CDT', `${Number(formatEther(cdt.minted)).toFixed(2)} CDT to ${cdt.producersPaid} block producers, ${cdt.producersInDebt} in debt`],
    ['attestations', `${attestations.included} of ${attestations.due}`],
    ['proposals', `${proposals.included} of ${proposals.due}`],
    ['killed', `${outcome.operatorKilled}; ${outcome.roundChangesWhileKilled} duties decided by round change meanwhile`],
    ['leaving', `${outcome.operatorLeaving}; pools handed over: ${(outcome.handovers as readonly number[]).join(', ')}`],
    ['key generation', `${outcome.dkgMs} ms (median)`],
    ['consensus', `p50 ${consensusMs.p50.toFixed(1)} ms, p95 ${consensusMs.p95.toFixed(1)} ms`],
    ['slots', `${slots.used} used, ${slots.floor} unavoidable`],
    ['peak memory', `execution ${peakRssMb.execution} MB, beacon ${peakRssMb.beacon} MB, operator ${peakRssMb.operator} MB`],
    [
      'memory of an operator',
      `${operatorRssMb.from} MB when all pools were active, ${operatorRssMb.to} MB at the end (${operatorRssMb.perEpoch} MB an epoch)`,
    ],
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join('\n')
}
