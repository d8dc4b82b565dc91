import type { Epoch, ProducerId, Slot } from '../core/ids.ts'
import { CodecError } from '../protocol/messages/bytes.ts'
import type { DutyFrame } from '../protocol/messages/duty.ts'
import { openDutyFrame, readPartialBody } from '../protocol/messages/duty.ts'
import type { Consensus } from './consensus.ts'
import type { DropReason, DutyMetrics } from './metrics.ts'
import type { Partials } from './partials.ts'
import type { DutyPool, DutyPools, DutyType } from './types.ts'
import { DUTY_CODES } from './types.ts'

const TYPES = new Map<number, DutyType>(Object.entries(DUTY_CODES).map(([type, code]) => [code, type as DutyType]))

export type MailroomPorts = {
  readonly pools: DutyPools
  readonly consensus: Consensus
  readonly partials: Partials
  readonly metrics: DutyMetrics
  /** May a duty of this slot be under way anywhere, by the own clock? */
  readonly isCurrent: (type: DutyType, slot: Slot) => boolean
  /** In which a duty of this slot is done. */
  readonly epochOf: (type: DutyType, slot: Slot) => Epoch
}

/**
 * Sorts the duty channel: only members of the pool's vault, only duties of now, everything else is dropped. Throws nothing,
 * so that no peer's bytes reach further than their own duty.
 */
export function dutyMailroom({ pools, consensus, partials, metrics, isCurrent, epochOf }: MailroomPorts) {
  return (from: ProducerId, bytes: Uint8Array): void => {
    try {
      const dropped = deliver(from, openDutyFrame(bytes))
      if (dropped !== undefined) metrics.messageDropped(dropped)
    } catch (failure) {
      if (!(failure instanceof CodecError)) throw failure
      metrics.messageDropped('malformed')
    }
  }

  function deliver(from: ProducerId, { kind, instance, body }: DutyFrame): DropReason | undefined {
    const type = TYPES.get(instance.duty)
    if (type === undefined) return 'malformed'
    const slot = instance.slot as Slot
    const pool: DutyPool | undefined = pools.at(epochOf(type, slot)).find(({ poolId }) => poolId === instance.poolId)
    if (pool === undefined) return 'unknown-pool'
    const index = pool.members.indexOf(from) + 1
    if (index === 0 || index === pool.self) return 'not-a-member'
    if (!isCurrent(type, slot)) return 'not-now'
    const member = index as DutyPool['self']
    if (kind === 'partial') partials.receive({ type, pool, slot }, member, readPartialBody(body))
    else if (type === 'attestation' || type === 'proposal') consensus.receive({ type, pool, slot }, member, body)
    else return 'malformed'
    return undefined
  }
}
