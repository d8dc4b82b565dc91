import type { MemberIndex, Root } from '../../core/ids.ts'
import type { SignedStatement } from './types.ts'

/** One statement per member and round; a member's first word in a round stands. */
export class Tally {
  readonly #rounds = new Map<number, Map<MemberIndex, SignedStatement>>()

  get(round: number, sender: MemberIndex): SignedStatement | undefined {
    return this.#rounds.get(round)?.get(sender)
  }

  add(statement: SignedStatement): void {
    let round = this.#rounds.get(statement.round)
    if (round === undefined) {
      round = new Map()
      this.#rounds.set(statement.round, round)
    }
    if (!round.has(statement.sender)) round.set(statement.sender, statement)
  }

  /** A quorum of statements for one value in the round, in order of arrival and exactly of that size. */
  quorumIn(round: number, quorum: number): { readonly root: Root; readonly statements: readonly SignedStatement[] } | undefined {
    const statements = this.#rounds.get(round)
    if (statements === undefined || statements.size < quorum) return undefined
    const byValue = new Map<Root, SignedStatement[]>()
    for (const statement of statements.values()) {
      const same = byValue.get(statement.value) ?? []
      same.push(statement)
      byValue.set(statement.value, same)
      if (same.length === quorum) return { root: statement.value, statements: same }
    }
    return undefined
  }

  rounds(): Iterable<number> {
    return this.#rounds.keys()
  }

  dropBelow(round: number): void {
    for (const past of this.#rounds.keys()) if (past < round) this.#rounds.delete(past)
  }
}
