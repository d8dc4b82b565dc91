import { createHash } from 'node:crypto'
import type { ProducerId } from '../core/ids.ts'

/**
 * The producer's place, from 0, in the order in which operators try a task. Spread by the task's id, so that all pay their part
 * of the gas and the dead are not always first.
 */
export function rankOf(input: { readonly taskId: string; readonly self: ProducerId; readonly producers: readonly ProducerId[] }): number {
  const at = input.producers.indexOf(input.self)
  if (at < 0) return input.producers.length
  const offset = createHash('sha256').update(input.taskId).digest().readUInt32BE(0) % input.producers.length
  return (at + offset) % input.producers.length
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
