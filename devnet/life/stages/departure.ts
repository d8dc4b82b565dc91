import { leave } from '../operators.ts'
import type { Departure, Stage, WithPools } from '../world.ts'

/** One block producer asks to leave. Its seats are to be handed over while duties go on and another operator is killed. */
export const departureStage: Stage<WithPools, Departure> = {
  name: 'a block producer leaves',
  seconds: 90,
  async run(world) {
    // Who sits in the fewest vaults, so that the killed one can be another.
    const seats = (producerId: number): number => world.pools.filter(({ members }) => members.includes(producerId)).length
    const [leaver] = world.operators
      .filter(({ producerId }) => seats(producerId) > 0)
      .toSorted((a, b) => seats(a.producerId) - seats(b.producerId))
    if (leaver === undefined) throw new Error('expected an operator with a seat, found none')
    await leave(leaver, world.network, world.processes)
    return { added: { leaver }, summary: `${leaver.name} asks to leave; it has ${seats(leaver.producerId)} seats` }
  },
}
