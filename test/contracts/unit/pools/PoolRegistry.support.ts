import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, proveValidator } from '../../../support/pools.ts'

export const connection = await network.create()
export const { networkHelpers } = connection
export const eth = parseEther
export const prover = new BeaconProver()
export const [STAKER, BOND] = [0n, 1n]
export const STATE = { requested: 1n, ceremony: 2n, registered: 3n, funded: 4n, exiting: 5n, closed: 6n, cancelled: 7n }

/** Bonds a tenth of the devnet's: together they pay for no bond pool, so every pool is the stakers'. */
export const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }

export async function world({ bond, deposit, choices = {} }: { bond: bigint; deposit: bigint; choices?: object }) {
  const pools = await openPools(connection, choices)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 7; i++) producers.push(await pools.register(bond))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: deposit })
  const exits = pools.poolRegistry.connect(await pools.as(pools.addresses.exits))
  return { pools, prover, producers, exits }
}
export type World = Awaited<ReturnType<typeof world>>

/** Stakers' ETH for pools, and bonds that pay for none. */
export const stakers = () => world({ bond: eth('2.6'), deposit: eth('160'), choices: SMALL })

/** Bonds of 182 ETH: five bond pools come first. */
export const bonders = () => world({ bond: eth('26'), deposit: eth('160') })

/** One staker pool with its vault drawn. */
export async function drawn() {
  const all = await stakers()
  await all.pools.poolRegistry.requestPool()
  await draw(all)
  return all
}

/** The same, its key made and registered. */
export async function registered() {
  const all = await drawn()
  const { result, publicKey } = await dkgResult({ ...all, poolId: 1n })
  await all.pools.poolRegistry.completeDkg(1n, result)
  const credentials = await all.pools.stakingPool.withdrawalCredentials(STAKER)
  return { ...all, publicKey, credentials }
}
export const load = <T>(fixture: () => Promise<T>) => networkHelpers.loadFixture(fixture)
export const gasOf = async (transaction: { wait: () => Promise<{ gasUsed: bigint } | null> }) => (await transaction.wait())?.gasUsed ?? 0n

export const fund = async ({ pools, prover }: World, poolId: bigint, validator: { publicKey: string; withdrawalCredentials: string }) => {
  const { timestamp, state, proof } = await proveValidator({ pools, prover }, validator)
  return pools.poolRegistry.fundPool(poolId, timestamp, state, proof)
}
export const deposited = ({ pools }: World) => connection.ethers.provider.getBalance(pools.parameters.depositContract)
after(() => prover.close())
