import type { World } from './world.ts'

const BASIS_POINTS = 10_000n

/**
 * Fee (wei) that the report finalized in `block` owed: a part of what the recognised profit of both kinds together rose by above
 * its former maximum, from all reports ever booked. What was minted for it is read as well, in shares.
 */
export async function recomputeFee({ contracts }: World, block: number): Promise<{ readonly fee: bigint; readonly minted: bigint }> {
  const { stakingPool, bondEther, directory } = contracts
  const { rewardsFee } = await directory.parameters()
  const { cdtStaking } = await directory.addresses()
  const booked = await stakingPool.queryFilter(stakingPool.filters.ReportBooked(), 0, block)
  const mints = await bondEther.queryFilter(bondEther.filters.SharesMinted(cdtStaking), block, block)

  const recognised = new Map<bigint, bigint>()
  const totals = new Map<number, bigint>()
  for (const { args, blockNumber } of booked) {
    recognised.set(args.kind, args.recognised)
    totals.set(
      blockNumber,
      [...recognised.values()].reduce((total, part) => total + part, 0n),
    )
  }
  let [maximum, fee] = [0n, 0n]
  for (const [at, total] of totals) {
    const risen = total > maximum ? total - maximum : 0n
    maximum += risen
    if (at === block) fee = (risen * rewardsFee) / BASIS_POINTS
  }
  return { fee, minted: mints.reduce((sum, { args }) => sum + args.shares, 0n) }
}
