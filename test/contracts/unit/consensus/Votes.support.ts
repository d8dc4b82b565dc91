import { expect } from 'chai'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { at } from '../../../support/at.ts'
import { FULL, type NetworkLife, type Pool, startLife } from '../../../support/network-life.ts'
import type { SignedReport } from '../../../support/network-reports.ts'
import { toNextReport } from '../../../support/reports.ts'
import { electorate } from '../../../support/voters.ts'

export const UPHOLD = 0
export const WRONG = 1
export const UNAVAILABLE = 2
export const OPEN = 2n
export const UPHELD = 3n
export let life: NetworkLife
export let voters: Awaited<ReturnType<typeof electorate>>
export let pool: Pool
export let epoch: number
export let id: bigint
export let signed: SignedReport
export const refused = (call: Promise<unknown>, error: string) => expect(call).to.be.revertedWithCustomError(life.votes, error)
export const some = (count: number, from = 0) => voters.eligible.slice(from, from + count)
export const stateOf = async () => (await life.votes.vote(id)).state
export const commitmentState = async () => (await life.stateCommitments.commitment(id)).state
let restore: (() => Promise<void>) | undefined

/** In a describe: a vote on a wrong report, the same before each test. */
export function useVote(): void {
  before(async () => {
    if (restore !== undefined) return
    life = await startLife(await network.create(), { periodLength: 60n })
    await life.startPeriod(0)
    await life.stakingPool.connect(at(life.people, 0)).deposit({ value: parseEther('100') })
    await life.makePool()
    pool = await life.makePool()
    epoch = await toNextReport(life)
    voters = await electorate(life, 0n)
    ;({ id, signed } = await life.postReport({ epoch, stakers: [BigInt(FULL) + 1n] }))
    restore = await life.checkpoint()
  })
  afterEach(() => restore?.())
}
