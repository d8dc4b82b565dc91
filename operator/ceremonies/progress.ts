import type { MemberIndex, Milliseconds } from '../core/ids.ts'
import type { FaultBook, JudgedComplaint } from './faults.ts'
import type { Ceremony, CeremonyPorts, CeremonyProgress, CeremonyStage } from './types.ts'

type Changing = Pick<CeremonyProgress, 'stage' | 'since' | 'waitingFor' | 'patienceUntil' | 'roster' | 'qualified'>

/** Keeps how a ceremony stands, and tells the observer whenever that changes. */
export class Progress {
  readonly #ports: Pick<CeremonyPorts, 'observer' | 'clock'>
  readonly #ceremony: Ceremony
  readonly #faults: FaultBook
  readonly #complaints: JudgedComplaint[] = []
  #changing: Changing
  #told = ''

  constructor(ports: Pick<CeremonyPorts, 'observer' | 'clock'>, ceremony: Ceremony, faults: FaultBook) {
    this.#ports = ports
    this.#ceremony = ceremony
    this.#faults = faults
    this.#changing = { stage: 'join', since: ports.clock.now(), waitingFor: [], patienceUntil: null, roster: null, qualified: null }
  }

  get state(): CeremonyProgress {
    return { ...this.#changing, deadline: this.#ceremony.deadline, complaints: [...this.#complaints], faults: this.#faults.all() }
  }

  /** A stage is entered, with so many milliseconds of patience for whom it waits; null: for ever. */
  enter(stage: CeremonyStage, patienceMs: number | null = null): void {
    const since = this.#ports.clock.now()
    const patienceUntil = patienceMs === null ? null : ((since + patienceMs) as Milliseconds)
    this.#set({ stage, since, patienceUntil, waitingFor: [] })
  }

  /** Asked at whatever comes, so that the same again costs nothing. */
  waitFor(waitingFor: readonly MemberIndex[]): void {
    const { waitingFor: known } = this.#changing
    const isKnown = known.length === waitingFor.length && known.every((member, at) => member === waitingFor[at])
    if (!isKnown) this.#set({ waitingFor })
  }

  agreed(what: Partial<Pick<CeremonyProgress, 'roster' | 'qualified'>>): void {
    this.#set(what)
  }

  judged(complaint: JudgedComplaint): void {
    this.#complaints.push(complaint)
    this.tell()
  }

  /** The faults have changed. */
  tell(): void {
    const state = this.state
    const text = JSON.stringify(state)
    if (text === this.#told) return
    this.#told = text
    this.#ports.observer.onProgress(this.#ceremony.context, state)
  }

  /** Why there is no key, in a sentence or two. */
  reason(): string {
    const { stage, waitingFor } = this.#changing
    const missing =
      waitingFor.length === 0 ? [] : [`no ${WHAT[stage]} of member${waitingFor.length > 1 ? 's' : ''} ${waitingFor.join(', ')}`]
    const broken = this.#faults.all().map(({ rule, reason }) => `${reason} (${rule})`)
    return [...broken, ...missing].join('; ') || `not past the stage "${stage}" in time`
  }

  #set(change: Partial<Changing>): void {
    this.#changing = { ...this.#changing, ...change }
    this.tell()
  }
}

/** What a stage lacks of those it waits for. */
const WHAT: Readonly<Record<CeremonyStage, string>> = {
  join: 'join key',
  deal: 'dealing',
  verify: 'word that the dealings are good',
  agree: 'agreement on a transcript',
  reveal: 'reveal',
  result: 'result',
  participate: 'signature',
  publish: 'signature on the result',
  confirm: 'confirmation',
}
