import type { Running } from './processes.ts'

type Watched = { readonly name: string; readonly process: Pick<Running, 'ended'>; readonly isExpected: () => boolean }

/** Processes whose end ends the stage in which it happens, unless somebody meant it. */
export class Deaths {
  readonly #told = new Set<(reason: string) => void>()
  /** Of processes that ended between two stages. */
  #missed: string | undefined

  /** @param watched.isExpected asked when the process has ended */
  watch({ name, process, isExpected }: Watched): void {
    void process.ended.then((status) => {
      if (isExpected()) return
      const reason = `${name} ended with status ${status}: see its log`
      if (this.#told.size === 0) this.#missed = reason
      for (const tell of this.#told) tell(reason)
    })
  }

  /** Tells of every death from now on, and of one before that nobody was told of. Returns what ends it. */
  onDeath(tell: (reason: string) => void): () => void {
    if (this.#missed !== undefined) tell(this.#missed)
    this.#told.add(tell)
    return () => this.#told.delete(tell)
  }
}
