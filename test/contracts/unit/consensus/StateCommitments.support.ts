import { expect } from 'chai'
import { type BaseContract, parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { SLOTS_PER_EPOCH } from '../../../support/beacon-prover.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import type { SignedReport } from '../../../support/network-reports.ts'

export const FULL_GWEI = BigInt(FULL)
export let life: NetworkLife
export let pool: Pool
export let epoch: number
export let pageTree: BaseContract
const nextOnGrid = (now: number) => (Math.floor(now / 4) + 1) * 4

export const refused = (call: Promise<unknown>, error: string, by: BaseContract = life.stateCommitments) =>
  expect(call).to.be.revertedWithCustomError(by, error)

export const resigned = async (signed: SignedReport, change: Partial<SignedReport['report']>): Promise<SignedReport> => {
  const report = { ...signed.report, ...change }
  return { ...signed, report, ...(await life.sign(report)) }
}
export let restore: () => Promise<void>

/** In a describe: a network whose next report is due, the same before each test. */
export function useNetwork(): void {
  before(async () => {
    if (life !== undefined) return
    life = await startLife(await network.create())
    pageTree = await life.ethers.getContractAt('PageTreeHarness', life.addresses.stateCommitments)
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool() // of the bonds
    pool = await life.makePool()
    await life.startPeriod(1)
    epoch = nextOnGrid(await life.epochNow())
    await life.toSlot(epoch * SLOTS_PER_EPOCH + 6)
    restore = await life.checkpoint()
  })
  afterEach(() => restore())
}
