import { headerOf, proofAt } from '../../scripts/dispute/execution-proofs.ts'
import { SLOTS_PER_EPOCH } from './beacon-prover.ts'
import type { NetworkLife } from './network-life.ts'

/** First epoch of the report grid that has not begun. */
export async function nextReportEpoch(life: NetworkLife): Promise<number> {
  const grid = Number(life.parameters.reportEpochs)
  return (Math.floor((await life.epochNow()) / grid) + 1) * grid
}

/** Time moves to where that epoch can be reported. @returns the epoch */
export async function toNextReport(life: NetworkLife): Promise<number> {
  const epoch = await nextReportEpoch(life)
  await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
  return epoch
}

/** A real execution block in the first slot of an epoch, as a report's reference names it. Time moves there. */
export async function referenceBlock(life: NetworkLife, epoch: number) {
  await life.toSlot(epoch * SLOTS_PER_EPOCH)
  const number = BigInt(await life.ethers.provider.getBlockNumber())
  const { header, hash } = await headerOf(life.ethers.provider, number)
  // What a test changes by hand is changed in the state of the latest block, whose header is made already.
  await life.networkHelpers.mine()
  return { number, hash, header }
}

/** What Disputes takes to see a kind's arrivals in the state of a block. `slot`: where StakingPool keeps what it collected. */
export async function proveArrivals(
  life: NetworkLife,
  {
    kind,
    slot,
    block,
  }: { readonly kind: number; readonly slot: bigint; readonly block: { readonly number: bigint; readonly header: string } },
) {
  const { provider } = life.ethers
  const vault = await life.stakingPool.withdrawalVault(kind)
  const ofVault = await proofAt(provider, { address: vault, slots: [], blockNumber: block.number })
  const ofPool = await proofAt(provider, { address: life.addresses.stakingPool, slots: [slot], blockNumber: block.number })
  return {
    header: block.header,
    vaultAccount: ofVault.accountProof,
    poolAccount: ofPool.accountProof,
    collected: ofPool.storageProof[0]?.proof ?? [],
  }
}
