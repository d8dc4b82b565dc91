import { until } from '../wait.ts'
import type { Stage, WithPools } from '../world.ts'

/** Epochs after activation before duties count: the first ones may fall between two heads. */
const GRACE_EPOCHS = 2

/** The beacon chain activates the pools' validators. */
export const activationStage: Stage<WithPools, object> = {
  name: 'validators activate',
  seconds: 120,
  async run(world, signal) {
    const { beacon, pools, slotsPerEpoch } = world
    await until(async () => {
      const validators = await beacon.validators(
        'head',
        pools.map(({ publicKey }) => publicKey),
      )
      const slot = (await beacon.header('head'))?.slot ?? 0
      const active = validators.filter(({ status }) => status === 'active_ongoing')
      for (const { index } of active) world.duties.watch(index, Math.floor(slot / slotsPerEpoch) + GRACE_EPOCHS)
      world.screen.status(`active: ${active.length} of ${pools.length}`)
      if (active.length < pools.length) return undefined
      world.memory.mark(Math.floor(slot / slotsPerEpoch))
      return true
    }, signal)
    const summary = `${pools.length} validators attest and propose`
    return { added: {}, summary }
  },
}
