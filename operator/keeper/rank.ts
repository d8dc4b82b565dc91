import { createHash } from 'node:crypto'
import type { ProducerId } from '../core/ids.ts'

/**
 * The producer's place, from 0, in the order in which operators try a task: the first at once, each next one a slot later
 * if it is still due. Spread by the task's id, so that all pay their part of the gas.
 */
export function rankOf(input: { readonly taskId: string; readonly self: ProducerId; readonly producers: readonly ProducerId[] }): number {
  const at = input.producers.indexOf(input.self)
  if (at < 0) return input.producers.length
  const offset = createHash('sha256').update(input.taskId).digest().readUInt32BE(0) % input.producers.length
  return (at + offset) % input.producers.length
}
