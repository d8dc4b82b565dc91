import { parseEther } from 'ethers'
import { network } from 'hardhat'
import { BeaconProver } from '../../../support/beacon-prover.ts'
import { NO_SIGNATURE } from '../../../support/ceremonies.ts'
import { openPools, type RegisteredProducer } from '../../../support/open-pools.ts'
import { dkgResult, draw, fund } from '../../../support/pools.ts'

export const connection = await network.create()
export const { networkHelpers } = connection
export const eth = parseEther
export const prover = new BeaconProver()
export const SMALL = { seatAllocation: eth('1.2'), effectiveStake: eth('2.4') }
export const IDLE = 0n
export const REQUESTED = 1n
export const NOBODY = { absentNew: 0n, absentOld: 0n, byOld: false, signers: 0n, aggregateSignature: NO_SIGNATURE }

/** Pool 1 funded, with twelve producers of two seats each. */
export async function funded() {
  const pools = await openPools(connection, SMALL)
  const producers: RegisteredProducer[] = []
  for (let i = 0; i < 12; i++) producers.push(await pools.register(eth('2.6')))
  await pools.toEpoch(pools.parameters.firstPeriod)
  await pools.stakingPool.deposit({ value: eth('64') })
  await pools.poolRegistry.requestPool()
  await draw({ pools, prover })
  const { result, publicKey } = await dkgResult({ pools, producers, poolId: 1n })
  await pools.poolRegistry.completeDkg(1n, result)
  await fund({ pools, prover }, 1n, publicKey)
  const old = [...(await pools.poolRegistry.vault(1n))]
  return { pools, producers, old }
}
export type World = Awaited<ReturnType<typeof funded>>

/** The vault's period is over, and a new one drawn. */
export async function drawn() {
  const world = await funded()
  await world.pools.toEpoch(45)
  await startHandover(world)
  return { ...world, fresh: [...(await world.pools.rotations.rotation(1n)).members] }
}

export async function startHandover({ pools }: World) {
  await pools.periods.freeze(9n)
  if ((await pools.rotations.rotation(1n)).state === IDLE) await pools.rotations.requestRotation(1n, 0)
  await draw({ pools, prover })
}
export const locked = async ({ pools }: World) => (await pools.blockProducers.seats()).locked

export const live = async ({ pools }: World) => {
  const holders = await pools.blockProducers.holdersOf(1n)
  return holders.filter(({ until }) => until === 0n).map(({ producerId }) => producerId)
}
export const sorted = (ids: readonly bigint[]) => [...ids].sort((a, b) => Number(a - b))

after(() => prover.close())
