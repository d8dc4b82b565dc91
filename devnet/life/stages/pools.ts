import { statusOf } from '../operators.ts'
import { until } from '../wait.ts'
import type { Deployment, Funded, PoolFacts, Pools, Stage } from '../world.ts'

const FUNDED = 4n
const STATES = ['none', 'requested', 'ceremony', 'registered', 'funded', 'exiting', 'closed', 'cancelled'] as const
const STAKER_POOLS = 2

async function poolStates({
  contracts,
}: Deployment): Promise<readonly { readonly poolId: number; readonly kind: bigint; readonly state: bigint }[]> {
  const { poolRegistry } = contracts
  const count = Number(await poolRegistry.poolCount())
  const ids = Array.from({ length: count }, (_, at) => at + 1)
  return Promise.all(
    ids.map(async (poolId) => {
      const { kind, state } = await poolRegistry.pool(poolId)
      return { poolId, kind, state }
    }),
  )
}

function census(states: readonly { readonly state: bigint }[]): string {
  const counts = new Map<string, number>()
  for (const { state } of states) counts.set(STATES[Number(state)] ?? '?', (counts.get(STATES[Number(state)] ?? '?') ?? 0) + 1)
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
}

/** Requested → drawn → key made → 1 ETH → proven → 31 ETH, all by the operators. */
export const poolsStage: Stage<Funded, Pools> = {
  name: 'vaults are drawn and make keys',
  seconds: 200,
  async run(world, signal) {
    const { poolRegistry, blockProducers } = world.contracts
    const bondPools = Number((await blockProducers.totalBondValue()) / 32_000_000_000_000_000_000n)
    const expected = bondPools + STAKER_POOLS
    await until(async () => {
      const states = await poolStates(world)
      world.screen.status(`pools: ${census(states) || 'none yet'} (of ${expected})`)
      return states.filter(({ state }) => state === FUNDED).length >= expected ? true : undefined
    }, signal)
    const funded = await poolRegistry.queryFilter(poolRegistry.filters.PoolFunded())
    const pools: PoolFacts[] = []
    for (const { args } of funded) {
      const pool = await poolRegistry.pool(args.poolId)
      pools.push({
        poolId: Number(args.poolId),
        kind: pool.kind === 0n ? 'staker' : 'bond',
        members: (await poolRegistry.vault(args.poolId)).map(Number),
        publicKey: pool.publicKey,
        validatorIndex: Number(args.validatorIndex),
      })
    }
    const statuses = await Promise.all(world.operators.map(statusOf))
    const times = statuses.flatMap((status) => status?.dkgMs ?? []).sort((a, b) => a - b)
    const median = times[Math.floor(times.length / 2)] ?? 0
    const summary = `${pools.length} pools (${bondPools} of bonds, ${STAKER_POOLS} of stakers), DKG ${Math.round(median)} ms`
    return { added: { pools }, summary }
  },
}
