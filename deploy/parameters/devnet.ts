import { parseEther } from 'ethers'
import type { NetworkChoices } from './types.ts'

/** The local network: epochs of 4 slots. What waits for a finalized event has room for finality, 2 to 3 epochs. */
export const devnet: NetworkChoices = {
  vaultSize: 4n,
  seatAllocation: parseEther('12'),
  effectiveStake: parseEther('24'),
  minProducers: 7n,
  periodLength: 12n,
  maxChurn: 6n,
  committeeSize: 3n,
  seedDelay: 1n,
  ceremonyDeadline: 8n,
  seatTail: 12n,
  reportEpochs: 4n,
  disputeDuration: 3n,
  pagesDeadline: 2n,
  maxReportGrowth: 400n,
  maxReportLoss: 50_000n,
  minDeposit: parseEther('0.01'),
  liquidationThreshold: parseEther('1'),
  maxQueueWait: 4n,
  maxLiquidationExecution: 8n,
  stallPenalty: parseEther('0.1'),
  reporterShare: 500n,
}
