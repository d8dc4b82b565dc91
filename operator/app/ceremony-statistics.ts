import { type CeremonyObserver, ceremonyKey } from '../ceremonies/types.ts'
import type { Log } from '../core/ports/log.ts'
import type { CeremonyRecord } from './status.ts'

const DURATIONS_KEPT = 100
/** Ended ceremonies still shown: what became of the last ones. */
const ENDED_SHOWN = 10

export type CeremonyStatistics = {
  readonly observer: CeremonyObserver
  /** Under way and lately ended, oldest first. */
  ceremonies(): readonly CeremonyRecord[]
  /** From the start of a ceremony's job to its result signed, oldest first. */
  durations(): readonly number[]
}

/** Keeps what ceremonies tell about themselves, for people to look at. */
export function createCeremonyStatistics(log: Log): CeremonyStatistics {
  const ceremonies = new Map<string, CeremonyRecord>()
  const durations: number[] = []

  const set = (status: CeremonyRecord): void => {
    ceremonies.set(ceremonyKey(status), status)
    const ended = [...ceremonies.entries()].filter(([, { outcome }]) => outcome !== undefined)
    for (const [key] of ended.slice(0, -ENDED_SHOWN)) ceremonies.delete(key)
  }

  return {
    ceremonies: () => [...ceremonies.values()],
    durations: () => durations,
    observer: {
      onProgress({ poolId, kind, round }, progress) {
        const rollCall = ceremonies.get(ceremonyKey({ poolId, round }))?.rollCall
        set({ poolId, kind, round, ...progress, ...(rollCall !== undefined && { rollCall }) })
        const { stage, waitingFor } = progress
        log.debug('ceremony stage', { pool: poolId, round, stage, waitingFor })
      },
      onRollCall({ poolId, round }, rollCall) {
        const last = ceremonies.get(ceremonyKey({ poolId, round }))
        if (last !== undefined) set({ ...last, rollCall })
        log.info('roll of a ceremony called', { pool: poolId, round, ...rollCall })
      },
      onSigned({ poolId, round }, durationMs) {
        durations.push(Math.round(durationMs))
        if (durations.length > DURATIONS_KEPT) durations.shift()
        log.info('ceremony result signed', { pool: poolId, round, durationMs: Math.round(durationMs) })
      },
      onEnded({ poolId, round }, { registered, reason }) {
        const last = ceremonies.get(ceremonyKey({ poolId, round }))
        const outcome = registered ? 'registered' : (reason ?? 'not registered')
        if (last !== undefined) set({ ...last, outcome })
        log.info('ceremony ended', { pool: poolId, round, outcome })
      },
    },
  }
}
