import type { DutyMetrics } from '../duties/metrics.ts'
import type { ReasonCode } from '../duties/reasons.ts'
import type { DutyType } from '../duties/types.ts'

/** Durations kept for /status: enough for percentiles, little enough to send. */
const DURATIONS_KEPT = 1_000

export type DutyCounts = {
  due: number
  done: number
  missed: number
  /** Found on the canonical chain, or never found there. */
  included: number
  notIncluded: number
}

const DUTY_NAMES = { attestation: 'attestations', proposal: 'proposals', randao: 'randaoReveals', exit: 'exits' } as const
type DutyName = (typeof DUTY_NAMES)[DutyType]

/** RANDAO reveals and exits have nothing to agree on; they wait for the slowest to notice them. */
const isAgreed = (type: DutyType): boolean => type === 'attestation' || type === 'proposal'

/** What duties have come to since this process started. Times in milliseconds. */
export type DutySummary = {
  readonly counts: Readonly<Record<DutyName, Readonly<DutyCounts>>>
  /** How often each reason made a duty be missed. */
  readonly missedBecause: Readonly<Partial<Record<ReasonCode, number>>>
  /** From the own value at hand to the decision, newest last. */
  readonly consensusMs: readonly number[]
  /** From the own value at hand to the group signature, newest last. */
  readonly dutyMs: readonly number[]
  /** Duties decided in a later round than the first: a leader had failed. */
  readonly roundChanges: number
}

export type DutyStatistics = { readonly observe: DutyMetrics; summary(): DutySummary }

/** Counts what the duties tell about themselves, for people to look at; `metrics.ts` does it for machines. */
export function createDutyStatistics(): DutyStatistics {
  const none = (): DutyCounts => ({ due: 0, done: 0, missed: 0, included: 0, notIncluded: 0 })
  const counts: Record<DutyName, DutyCounts> = { attestations: none(), proposals: none(), randaoReveals: none(), exits: none() }
  const missedBecause: Partial<Record<ReasonCode, number>> = {}
  const consensusMs: number[] = []
  const dutyMs: number[] = []
  let roundChanges = 0

  const count = (type: DutyType, what: keyof DutyCounts): void => {
    counts[DUTY_NAMES[type]][what]++
  }
  const keep = (durations: number[], ms: number): void => {
    durations.push(Math.round(ms * 100) / 100)
    if (durations.length > DURATIONS_KEPT) durations.shift()
  }

  return {
    observe: {
      due: (type) => count(type, 'due'),
      completed: (type) => count(type, 'done'),
      included: (type) => count(type, 'included'),
      notIncluded: (type) => count(type, 'notIncluded'),
      missed(type, reason) {
        count(type, 'missed')
        missedBecause[reason] = (missedBecause[reason] ?? 0) + 1
      },
      stage(type, stage, ms) {
        if (stage === 'agree' && isAgreed(type)) keep(consensusMs, ms)
      },
      latency(type, ms) {
        if (isAgreed(type)) keep(dutyMs, ms)
      },
      decided(_type, round) {
        if (round > 1) roundChanges++
      },
      messageDropped: () => {},
    },
    summary: () => ({ counts, missedBecause, consensusMs, dutyMs, roundChanges }),
  }
}
