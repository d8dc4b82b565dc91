import { createHash } from 'node:crypto'
import type { ProducerId } from '../core/ids.ts'
import type { NetworkState } from '../core/network.ts'

/** Producers that have a turn: those that may still have an operator running. */
export function takingTurns({ producers }: NetworkState): readonly ProducerId[] {
  return [...producers.values()].filter(({ slashed, standing }) => !slashed && standing !== 'gone').map(({ id }) => id)
}

/**
 * The producer's place, from 0, in the order in which operators try a task. Mixed by the task's id, so that all pay their part
 * of the gas, the dead are not always first, and those that registered one after the other are not next to each other.
 */
export function rankOf(input: { readonly taskId: string; readonly self: ProducerId; readonly producers: readonly ProducerId[] }): number {
  const { taskId, self, producers } = input
  if (!producers.includes(self)) return producers.length
  const digest = createHash('sha256').update(taskId).digest()
  const [start = 0, first = 0, second = 0] = [0, 4, 8].map((at) => digest.readUInt32BE(at))
  // Each step is a permutation of 32-bit numbers: no two ids have one place.
  const placeOf = (id: ProducerId): number => {
    const once = Math.imul(id ^ start, first | 1)
    const twice = Math.imul(once ^ (once >>> 16), second | 1)
    return (twice ^ (twice >>> 15)) >>> 0
  }
  const own = placeOf(self)
  return producers.filter((id) => placeOf(id) < own).length
}

/**
 * Milliseconds until it is the turn of the one with this rank; 0 while it is. Turns of `turnMs` go round among `count`
 * operators from the moment the task came due, so that at any time about one of them works on it.
 */
export function untilTurn(input: {
  readonly rank: number
  readonly count: number
  readonly turnMs: number
  readonly elapsedMs: number
}): number {
  const { rank, count, turnMs, elapsedMs } = input
  const now = Math.floor(elapsedMs / turnMs) % count
  if (now === rank) return 0
  return ((rank - now + count) % count) * turnMs - (elapsedMs % turnMs)
}
