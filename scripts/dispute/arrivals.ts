import { AbiCoder, keccak256 } from 'ethers'
import type { Call } from '../../operator/core/ports/chain.ts'
import { POOL_KINDS, type PoolKind } from '../../operator/core/vault.ts'
import { type Court, commitmentOf } from './court.ts'
import { headerOf, proofAt } from './execution-proofs.ts'

/** Cumulative arrivals of a kind in wei, as committed and as the execution chain has them. */
export type ArrivalsFinding = { readonly kind: PoolKind; readonly committed: bigint; readonly actual: bigint }

/** Where StakingPool keeps its ledgers by kind; the lower half of a word is what was collected. */
const LEDGERS_SLOT = 1
const HALF = 2n ** 128n - 1n

/** What shows a kind's arrivals at the reference to Disputes, right or wrong, and what they were. Throws what the client throws. */
export async function arrivalsDispute({
  court,
  commitmentId,
  kind,
}: {
  readonly court: Court
  readonly commitmentId: number
  readonly kind: PoolKind
}): Promise<{ readonly finding: ArrivalsFinding; readonly call: Call }> {
  const { content } = commitmentOf(court, commitmentId)
  const { provider, deployment } = court
  const { stakerVault, bondVault, stakingPool } = deployment.addresses
  const blockNumber = BigInt(content.report.executionBlock)
  const at = POOL_KINDS.indexOf(kind)
  const slot = BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [at, LEDGERS_SLOT])))
  const { header } = await headerOf(provider, blockNumber)
  const ofVault = await proofAt(provider, { address: kind === 'staker' ? stakerVault : bondVault, slots: [], blockNumber })
  const ofPool = await proofAt(provider, { address: stakingPool, slots: [slot], blockNumber })
  const [collected] = ofPool.storageProof
  const proof = { header, vaultAccount: ofVault.accountProof, poolAccount: ofPool.accountProof, collected: collected?.proof ?? [] }
  const committed = kind === 'staker' ? content.report.stakerArrivals : content.report.bondArrivals
  return {
    finding: { kind, committed, actual: BigInt(ofVault.balance) + (BigInt(collected?.value ?? 0) & HALF) },
    call: { contract: 'disputes', method: 'disproveArrivals', args: [commitmentId, content, at, proof] },
  }
}
