import type { BlsSignature } from '../core/ids.ts'
import type { Agreed, Duty, OwnSigned } from './types.ts'

/** The stages of a duty, in order; the names are those of logs, metrics and reasons. */
export const STAGES = ['wait', 'fetch', 'agree', 'sign', 'share', 'aggregate', 'broadcast'] as const
export type Stage = (typeof STAGES)[number]

/** What each stage does for one type of duty. Every stage rejects with `DutyError`. */
export type DutyStages<D extends Duty, V> = {
  /** Until the duty can be done: attestations wait for the slot's block. */
  wait(duty: D, signal: AbortSignal): Promise<void>
  /** The value this member would propose, from its own beacon node. */
  fetch(duty: D, signal: AbortSignal): Promise<V>
  /** One value for the whole vault; `fetch` is called when the own value is needed. */
  agree(duty: D, fetch: () => Promise<V>, signal: AbortSignal): Promise<Agreed<V>>
  /** The slashing record on disk, then the partial signature. */
  sign(duty: D, value: V): OwnSigned
  share(duty: D, signed: OwnSigned, signal: AbortSignal): void
  /** A threshold of partials combined, verified under the group key. */
  aggregate(duty: D, signal: AbortSignal): Promise<BlsSignature>
  broadcast(duty: D, value: V, signature: BlsSignature, signal: AbortSignal): Promise<void>
}

/** A duty from beginning to end, once the schedule has it. */
export async function performDuty<D extends Duty, V>(duty: D, stages: DutyStages<D, V>, signal: AbortSignal): Promise<Agreed<V>> {
  await stages.wait(duty, signal)
  const agreed = await stages.agree(duty, () => stages.fetch(duty, signal), signal)
  const signed = stages.sign(duty, agreed.value)
  stages.share(duty, signed, signal)
  const signature = await stages.aggregate(duty, signal)
  await stages.broadcast(duty, agreed.value, signature, signal)
  return agreed
}
