import type { Outcome, Published, Verdict } from './record.ts'

export type Judged = Published & {
  readonly line: number
  readonly change: string
  /** Why a survivor lives. */
  readonly reason?: string
}
export type Summary = {
  readonly seed: string
  /** Mutants that all operators make of all contracts. */
  readonly possible: number
  readonly chosen: number
  /** Of these, the ones with a verdict on the contract as it is. */
  readonly tried: number
  readonly killed: number
  readonly survived: number
  readonly stillborn: number
  readonly same: number
  /** Killed, of killed and survived. */
  readonly percent: number
  /** Ids of survivors without a reason. */
  readonly unexplained: readonly string[]
  readonly mutants: readonly Judged[]
}

type Given = {
  readonly outcomes: readonly Outcome[]
  /** By mutant's id. */
  readonly reasons: Readonly<Record<string, string>>
  readonly seed: string
  readonly chosen: number
  readonly possible: number
}

/** What a reader can check a run by: its figures, and each mutant with what became of it. */
export function summaryOf({ outcomes, reasons, seed, chosen, possible }: Given): Summary {
  const count = (wanted: Verdict) => outcomes.filter(({ verdict }) => verdict === wanted).length
  const mutants = outcomes.map(({ mutant, verdict, killer, source, suites }): Judged => {
    const { id, line, original, replacement } = mutant
    const reason = verdict === 'survived' ? reasons[id] : undefined
    return {
      id,
      line,
      change: `${original} → ${replacement === '' ? '(nothing)' : replacement}`.replace(/\s+/g, ' '),
      source,
      ...(suites === undefined ? {} : { suites }),
      verdict,
      ...(killer === undefined ? {} : { killer }),
      ...(reason === undefined ? {} : { reason }),
    }
  })
  const [killed, survived] = [count('killed'), count('survived')]
  return {
    seed,
    possible,
    chosen,
    tried: outcomes.length,
    killed,
    survived,
    stillborn: count('stillborn'),
    same: count('same'),
    percent: killed + survived === 0 ? 100 : Number(((100 * killed) / (killed + survived)).toFixed(1)),
    unexplained: mutants.filter(({ verdict, reason }) => verdict === 'survived' && reason === undefined).map(({ id }) => id),
    mutants: [...mutants].sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}
