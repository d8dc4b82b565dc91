import { parseEther } from 'ethers'
import type { NetworkChoices } from './types.ts'

/** Ethereum mainnet: epochs of 384 seconds, 225 a day. */
export const mainnet: NetworkChoices = {
  vaultSize: 24n,
  seatAllocation: parseEther('2'),
  effectiveStake: parseEther('10'),
  minProducers: 48n,
  periodLength: 225n,
  maxChurn: 64n,
  committeeSize: 128n,
  seedDelay: 4n,
  ceremonyDeadline: 24n,
  seatTail: 900n,
  reportEpochs: 225n,
  disputeDuration: 450n,
  pagesDeadline: 38n,
  maxReportGrowth: 3n,
  maxReportLoss: 10_000n,
  minDeposit: parseEther('0.01'),
  liquidationThreshold: parseEther('32'),
  maxQueueWait: 1_575n,
  maxLiquidationExecution: 221n,
  stallPenalty: parseEther('0.1'),
  reporterShare: 500n,
}
