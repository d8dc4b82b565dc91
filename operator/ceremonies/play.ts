import type { Milliseconds } from '../core/ids.ts'
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
  const { clock } = play.ports
  const { board } = play.room
  let isOver = false
  const cancel = clock.at((clock.now() + slotsInMs(play, slots)) as Milliseconds, () => {
    isOver = true
    board.wake()
  })
  try {
    const outcome = await board.until(() => {
      const answer = probe()
      return answer === undefined && !isOver ? undefined : { answer }
    }, play.signal)
    return outcome.answer
  } finally {
    cancel()
  }
}
