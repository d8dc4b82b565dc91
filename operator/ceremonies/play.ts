import { sleep } from '../core/time.ts'
import type { Progress } from './progress.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts } from './types.ts'

/** What every stage of one ceremony works with. The signal ends the round. */
export type Play = {
  readonly ports: CeremonyPorts
  readonly ceremony: Ceremony
  readonly room: CeremonyRoom
  readonly progress: Progress
  /** Whether the head shows the pool's key: there is nothing to publish, but late members still want to know. */
  readonly isRegistered: () => boolean
  readonly signal: AbortSignal
}

export const slotsInMs = ({ ports }: Pick<Play, 'ports'>, slots: number): number => slots * ports.beacon.spec.slotDurationMs

/** Resolves after so many slots' time. */
export function pause(play: Play, slots: number): Promise<void> {
  return sleep(play.ports.clock, slotsInMs(play, slots), play.signal)
}

/** Resolves with the probe's first answer (see `Board.until`), or with undefined after so many slots. */
export async function patiently<T>(play: Play, probe: () => T | undefined, slots: number): Promise<T | undefined> {
  const stop = new AbortController()
  const signal = AbortSignal.any([play.signal, stop.signal])
  try {
    const timeout = sleep(play.ports.clock, slotsInMs(play, slots), signal)
    return await Promise.race([play.room.board.until(probe, signal), timeout.then(() => undefined)])
  } finally {
    // Whichever has lost waits no more.
    stop.abort()
  }
}
