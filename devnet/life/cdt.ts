import { ZeroAddress } from 'ethers'
import type { Contracts } from './world.ts'

/** What the block producers earned (wei of CDT), and whom points are missing to. */
export type CdtFacts = {
  readonly minted: string
  readonly producersPaid: number
  readonly producersInDebt: number
  /** Reports taken up by settlements, of all producers together. */
  readonly reportsSettled: number
}

/** Reads back what `settle` did. Throws unless the mints that it announced are the supply of CDT and what was burned of it. */
export async function readCdt({ cdt, rewards }: Pick<Contracts, 'cdt' | 'rewards'>): Promise<CdtFacts> {
  const settled = (await rewards.queryFilter(rewards.filters.Settled())).map(({ args }) => args)
  // By own comparison: not every client filters by more than the first topic.
  const burns = (await cdt.queryFilter(cdt.filters.Transfer())).filter(({ args }) => args.to === ZeroAddress)
  const minted = settled.reduce((sum, one) => sum + one.minted, 0n)
  const burned = burns.reduce((sum, { args }) => sum + args.value, 0n)
  const supply = await cdt.totalSupply()
  if (supply + burned !== minted) throw new Error(`expected ${minted - burned} wei of CDT after all settlements, got ${supply}`)
  const last = new Map(settled.map((one) => [one.producerId, one]))
  const paid = new Set(settled.filter((one) => one.minted > 0n).map(({ producerId }) => producerId))
  return {
    minted: minted.toString(),
    producersPaid: paid.size,
    producersInDebt: [...last.values()].filter(({ debt }) => debt > 0n).length,
    reportsSettled: [...last.values()].reduce((sum, { report }) => sum + Number(report), 0),
  }
}
