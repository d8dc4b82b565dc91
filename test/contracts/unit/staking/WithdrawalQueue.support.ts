import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { deployStaking, INTERVAL, type Staking } from '../../../support/staking.ts'

export const { ethers, networkHelpers } = await network.create()
export const ETH = parseEther('1')
export type Who = 'alice' | 'bob' | 'carol'

/** Alice holds 100 ETH, Bob 50, Carol 20, all buffered; each lets the queue take it. */
export async function fixture() {
  const staking = await deployStaking({ ethers })
  const { stakingPool, bondEther, queue, signers } = staking
  for (const [who, amount] of [
    ['alice', 100n],
    ['bob', 50n],
    ['carol', 20n],
  ] as const) {
    await stakingPool.connect(signers[who]).deposit({ value: amount * ETH })
    await bondEther.connect(signers[who]).approve(queue, 2n ** 256n - 1n)
  }
  return staking
}
export const fresh = () => networkHelpers.loadFixture(fixture)

export async function ask({ queue, signers }: Staking, who: Who, amount: bigint): Promise<bigint> {
  await queue.connect(signers[who]).requestWithdrawal(amount)
  return queue.lastRequestId()
}

/** Goes to the next boundary of the report grid, a little after it, and returns the boundary's time. */
export async function nextBoundary({ genesisTime }: Staking): Promise<number> {
  const now = await networkHelpers.time.latest()
  const boundary = genesisTime + (Math.floor((now - genesisTime) / INTERVAL) + 1) * INTERVAL
  await networkHelpers.time.increaseTo(boundary + 60)
  return boundary
}

/** Finalizes a report with this change of the staker pools' profit and this reference. */
export async function report(
  { reports, stakingPool }: Staking,
  { change = 0n, at, steps = 100 }: { change?: bigint; at: number; steps?: number },
) {
  const [staker, bond] = [await stakingPool.recognised(0), await stakingPool.recognised(1)]
  return reports.finalizeState(at, [0, 0], [staker + change, bond], 225, steps)
}

/** A report whose reference lies after all requests made so far. */
export async function settle(staking: Staking, change = 0n) {
  return report(staking, { change, at: await nextBoundary(staking) })
}

export async function claim({ queue, signers }: Staking, who: Who, id: bigint): Promise<bigint> {
  const before = await ethers.provider.getBalance(signers[who])
  const receipt = await (await queue.connect(signers[who]).claimWithdrawal(id)).wait()
  return (await ethers.provider.getBalance(signers[who])) - before + (receipt?.fee ?? 0n)
}

/** Reserves buffered ETH in steps of 32 and sends it to the beacon chain: less is left for withdrawals. */
export async function lock({ stakingPool, signers }: Staking, pools: number): Promise<void> {
  const registry = stakingPool.connect(signers.registry)
  for (let poolId = 1; poolId <= pools; poolId++) await registry.reserve(poolId)
}
