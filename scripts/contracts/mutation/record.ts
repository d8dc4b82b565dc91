import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mutant } from '../mutants.ts'

/** `stillborn` does not compile; `same` compiles to the same code. Neither says anything of the tests. */
export type Verdict = 'killed' | 'survived' | 'stillborn' | 'same'
export type Outcome = {
  readonly mutant: Mutant
  /** Of the contract's source. */
  readonly source: string
  /** Of the tests that let it live; those that killed it may only have grown since. */
  readonly suites?: string
  readonly verdict: Verdict
  /** The test that failed. */
  readonly killer?: string
}

/** An outcome as it is published: the mutant by its id. */
export type Published = Omit<Outcome, 'mutant'> & { readonly id: string }

type Given = {
  /** Of the sources and tests. */
  readonly root: string
  /** Where the file is. */
  readonly home: string
  /** Verdicts that came with the sources: so a fresh clone goes on, too. */
  readonly published: readonly Published[]
}

/** Verdicts of all runs so far, in a file outside of git: one a line. */
export class MutationRecord {
  readonly #outcomes = new Map<string, Omit<Outcome, 'mutant'>>()
  readonly #root: string
  readonly #file: string

  constructor({ root, home, published }: Given) {
    this.#root = root
    this.#file = join(home, 'mutation.jsonl')
    mkdirSync(dirname(this.#file), { recursive: true })
    for (const { id, ...judged } of published) this.#outcomes.set(id, judged)
    for (const line of existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n') : []) {
      if (line !== '') this.#remember(JSON.parse(line) as Outcome)
    }
  }

  /** The verdict on a mutant, while it holds: its source is as it was, and so are the tests when it survived them. */
  verdictOn(mutant: Mutant, suites: readonly string[]): Outcome | undefined {
    const known = this.#outcomes.get(mutant.id)
    if (known === undefined || known.source !== this.hashOf([mutant.path])) return undefined
    if (known.verdict === 'survived' && known.suites !== this.hashOf(suites)) return undefined
    return { ...known, mutant }
  }

  add(outcome: Outcome): void {
    this.#remember(outcome)
    appendFileSync(this.#file, `${JSON.stringify(outcome)}\n`)
  }

  hashOf(paths: readonly string[]): string {
    const hash = createHash('sha256')
    for (const path of paths) hash.update(readFileSync(join(this.#root, path)))
    return hash.digest('hex').slice(0, 12)
  }

  #remember(outcome: Outcome): void {
    this.#outcomes.set(outcome.mutant.id, outcome)
  }
}
