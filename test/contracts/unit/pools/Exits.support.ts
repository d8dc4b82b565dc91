import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'

export const EPOCH_SECONDS = SLOTS_PER_EPOCH * 60
export let life: NetworkLife
export let bondPool: Pool
export let stakerPools: Pool[]
export const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.exits, error)

export const ask = async (ether: string) => {
  const alice = at(life.people, 0)
  await life.bondEther.connect(alice).approve(life.withdrawalQueue, parseEther(ether))
  await life.withdrawalQueue.connect(alice).requestWithdrawal(parseEther(ether))
}

/** The buffer has 19 ETH: 10 of the staker's and 9 of the bonds. */
export const liquidate = async (ether = '60') => {
  await ask(ether)
  await life.exits.requestLiquidation()
  const ids = await life.drawLiquidation()
  return ids.map((id) =>
    at(
      [bondPool, ...stakerPools].filter((pool) => pool.id === id),
      0,
    ),
  )
}
let restore: (() => Promise<void>) | undefined

/** In a describe: a bond pool and four staker pools, the same before each test. */
export function useNetwork(): void {
  before(async () => {
    if (restore !== undefined) return
    life = await startLife(await network.create())
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('138') })
    bondPool = await life.makePool()
    stakerPools = []
    for (let i = 0; i < 4; i++) stakerPools.push(await life.makePool())
    restore = await life.checkpoint()
  })
  afterEach(() => restore?.())
}
