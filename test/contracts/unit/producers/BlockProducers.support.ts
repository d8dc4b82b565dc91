import assert from 'node:assert/strict'
import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'

export const connection = await network.create()
export const { networkHelpers } = connection
export const eth = parseEther
export const [STAKER, BOND] = [0n, 1n]
export const GWEI = 1_000_000_000n

/** A request later than anything that anybody did. */
export const NOW = 2n ** 64n - 1n

/** Seven producers with bonds of two seats each, and the contracts that command the registry as signers. */
async function seven() {
  const pools = await openPools(connection)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 7; i++) producers.push(await pools.register())
  const [first, second] = producers
  assert.ok(first && second)
  const as = {
    draws: pools.blockProducers.connect(await pools.as(pools.addresses.vaultDraws)),
    registry: pools.blockProducers.connect(await pools.as(pools.addresses.poolRegistry)),
    exits: pools.blockProducers.connect(await pools.as(pools.addresses.exits)),
    disputes: pools.blockProducers.connect(await pools.as(pools.addresses.disputes)),
  }
  return { ...pools, signer: pools.as, producers, ids: producers.map(({ id }) => id), first, second, as }
}
export type World = Awaited<ReturnType<typeof seven>>
export const load = () => networkHelpers.loadFixture(seven)

/** Time of the latest block, from which a tail may count. */
export const clock = async () => BigInt(await networkHelpers.time.latest())
export const bonds = ({ blockProducers, ids }: World) => Promise.all(ids.map((id) => blockProducers.bondValue(id)))

export const eligible = async ({ blockProducers }: World, id: bigint, { kind = STAKER, period = 0n } = {}) =>
  blockProducers.isEligible(id, kind, period, await blockProducers.unitValue(), NOW)
