import type { Stage } from './pipeline.ts'
import type { ReasonCode } from './reasons.ts'
import type { DutyType } from './types.ts'

/** Why a message was not taken up. */
export type DropReason = 'malformed' | 'unknown-pool' | 'not-a-member' | 'not-now'

/** What the duties tell about themselves. Times in milliseconds. */
export type DutyMetrics = {
  due(type: DutyType): void
  stage(type: DutyType, stage: Stage, ms: number): void
  /** From the own value at hand to the group signature verified. */
  latency(type: DutyType, ms: number): void
  /** Decided in this QBFT round; above 1 a leader had failed. */
  decided(type: DutyType, round: number): void
  completed(type: DutyType): void
  missed(type: DutyType, reason: ReasonCode): void
  /** Found on the canonical chain, so many slots after the duty's. */
  included(type: DutyType, distance: number): void
  notIncluded(type: DutyType): void
  messageDropped(reason: DropReason): void
}
