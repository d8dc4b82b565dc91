import { startOperator, statusOf } from '../operators.ts'
import { until } from '../wait.ts'
import type { DutyFacts, OnEthereum, Stage, WithLeaver, WithPools } from '../world.ts'

/** Attestations that every staker pool must have had due before the withdrawals begin. */
export const ATTESTATIONS_BEFORE_WITHDRAWALS = 12
const KILL_AFTER = 3
const DEAD_EPOCHS = 4
const WAIT_FOR_ROUND_CHANGE_EPOCHS = 12

/** Each operator's own count of duties decided by round change; one that does not answer is absent. */
async function roundChanges({ operators }: OnEthereum): Promise<ReadonlyMap<string, number>> {
  const statuses = await Promise.all(operators.map(async (operator) => [operator.name, await statusOf(operator)] as const))
  return new Map(statuses.flatMap(([name, status]) => (status === undefined ? [] : [[name, status.roundChanges] as const])))
}

/**
 * Duties decided by round change since `before`. Every member of a vault counts the same duty, so counts do not add up: the
 * most that one operator saw is what certainly happened.
 */
function mostSince(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number {
  return Math.max(0, ...[...now].map(([name, count]) => count - (before.get(name) ?? count)))
}

async function leastAttestations(world: WithPools): Promise<{ readonly head: number; readonly least: number; readonly line: string }> {
  const head = (await world.beacon.header('head'))?.slot ?? 0
  const { attestations, proposals, attestationsByValidator } = world.duties.counts(head)
  const stakers = world.pools.filter(({ kind }) => kind === 'staker')
  const least = Math.min(...stakers.map(({ validatorIndex }) => attestationsByValidator.get(validatorIndex)?.due ?? 0))
  const line = `attestations ${attestations.included}/${attestations.due}  proposals ${proposals.included}/${proposals.due}`
  return { head, least, line }
}

/** Duties under load, a member killed and brought back, while attestations and commitments add up. */
export const dutiesStage: Stage<WithLeaver, DutyFacts> = {
  name: 'duties, one operator killed',
  seconds: 220,
  async run(world, signal) {
    const { operators, slotsPerEpoch, contracts } = world
    const reach = (attestations: number) =>
      until(async () => {
        const { least, line } = await leastAttestations(world)
        world.screen.status(line)
        return least >= attestations ? true : undefined
      }, signal)
    await reach(KILL_AFTER)

    // The one who sits in the most vaults, so that its absence is felt.
    const seats = (producerId: number): number => world.pools.filter(({ members }) => members.includes(producerId)).length
    const others = operators.filter(({ producerId }) => producerId !== world.leaver.producerId)
    const [victim] = others.sort((a, b) => seats(b.producerId) - seats(a.producerId))
    if (victim === undefined) throw new Error('there are no operators')
    const before = await roundChanges(world)
    const killedAt = (await leastAttestations(world)).head
    victim.process?.signal('SIGKILL')
    victim.state = 'killed'
    let changes = 0
    await until(async () => {
      const { head, line } = await leastAttestations(world)
      changes = Math.max(changes, mostSince(before, await roundChanges(world)))
      world.screen.status(`${line}  ${victim.name} is dead, ${changes} decided by round change`)
      const epochs = (head - killedAt) / slotsPerEpoch
      return epochs >= DEAD_EPOCHS && (changes > 0 || epochs >= WAIT_FOR_ROUND_CHANGE_EPOCHS) ? true : undefined
    }, signal)
    startOperator(victim, world.network, world)
    await until(async () => {
      world.screen.status(`${(await leastAttestations(world)).line}  ${victim.name} comes back`)
      return (await statusOf(victim))?.ready ? true : undefined
    }, signal)

    await reach(ATTESTATIONS_BEFORE_WITHDRAWALS)
    await until(async () => {
      const finalized = (await contracts.stateCommitments.queryFilter(contracts.stateCommitments.filters.StateFinalized())).length
      world.screen.status(`${(await leastAttestations(world)).line}  commitments finalized ${finalized}`)
      return finalized >= 2 ? true : undefined
    }, signal)
    const { head } = await leastAttestations(world)
    const { attestations, proposals, attestationsByValidator } = world.duties.counts(head)
    const attestationsBeforeWithdrawals = Math.min(
      ...world.pools
        .filter(({ kind }) => kind === 'staker')
        .map(({ validatorIndex }) => attestationsByValidator.get(validatorIndex)?.due ?? 0),
    )
    const summary = `attestations ${attestations.included}/${attestations.due}, proposals ${proposals.included}/${proposals.due}, ${changes} by round change`
    return {
      added: {
        operatorKilled: victim.name,
        roundChangesWhileKilled: changes,
        attestationsBeforeWithdrawals,
        proposalsBeforeWithdrawals: proposals.due,
      },
      summary,
    }
  },
}
