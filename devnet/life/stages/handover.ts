import { until } from '../wait.ts'
import type { AfterDuties, Handovers, Stage } from '../world.ts'

/** Attestations of a pool by its new vault that show that this carries on. */
export const ATTESTATIONS_AFTER_HANDOVER = 2

/** A pool of the one who leaves is handed to another vault, under duties all the while, and that one carries on. */
export const handoverStage: Stage<AfterDuties, Handovers> = {
  name: 'its pools are handed over',
  seconds: 220,
  async run(world, signal) {
    const { contracts, leaver, slotsPerEpoch } = world
    const left = world.pools.filter(({ members }) => members.includes(leaver.producerId))
    const since = async (poolId: number, epoch: number) => {
      const head = (await world.beacon.header('head'))?.slot ?? 0
      const validator = left.find((pool) => pool.poolId === poolId)?.validatorIndex ?? -1
      return { epoch: Math.floor(head / slotsPerEpoch), ...world.duties.attestationsSince({ validator, epoch, head }) }
    }
    const handedOver = async () => {
      const completed = await contracts.rotations.queryFilter(contracts.rotations.filters.RotationCompleted())
      return completed.map(({ args }) => ({ poolId: Number(args.poolId), cutover: Number(args.cutover) }))
    }
    const carriesOn = await until(async () => {
      const handovers = (await handedOver()).filter(({ poolId }) => left.some((pool) => pool.poolId === poolId))
      const [first] = handovers
      if (first === undefined) {
        world.screen.status(`${left.length} pools of ${leaver.name} to be handed over`)
        return undefined
      }
      const { epoch, due, included } = await since(first.poolId, first.cutover)
      const when = epoch < first.cutover ? `from epoch ${first.cutover} on` : `${included} of ${due} attestations since`
      world.screen.status(`${handovers.length} of ${left.length} pools handed over; pool ${first.poolId}: ${when}`)
      return included >= ATTESTATIONS_AFTER_HANDOVER ? { ...first, due, included } : undefined
    }, signal)

    const pools = await Promise.all(
      world.pools.map(async (pool) => ({ ...pool, members: (await contracts.poolRegistry.vault(pool.poolId)).map(Number) })),
    )
    const handovers = await handedOver()
    for (const { poolId } of handovers) {
      const { publicKey } = await contracts.poolRegistry.pool(poolId)
      const before = world.pools.find((pool) => pool.poolId === poolId)?.publicKey
      if (publicKey !== before) throw new Error(`expected pool ${poolId} to keep its key ${before}, got ${publicKey}`)
    }
    const { poolId, cutover, due, included } = carriesOn
    const summary = `pool ${poolId} has a new vault since epoch ${cutover}: ${included} of ${due} attestations`
    return { added: { pools, handovers: handovers.map((one) => one.poolId) }, summary }
  },
}
