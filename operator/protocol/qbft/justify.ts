import type { Root } from '../../core/ids.ts'
import type { SignedStatement, StatementType } from './types.ts'
import { ZERO_ROOT } from './types.ts'

export type Verify = (signed: SignedStatement) => boolean

export type QuorumQuestion = {
  readonly statements: readonly SignedStatement[]
  readonly quorum: number
  readonly type: StatementType
  readonly round: number
  /** Root that all must name; undefined where each may name its own. */
  readonly value: Root | undefined
}

/** Are these a quorum of validly signed statements by distinct members of one type, round and value? */
export function isQuorum({ statements, quorum, type, round, value }: QuorumQuestion, verify: Verify): boolean {
  if (statements.length < quorum) return false
  const senders = new Set<number>()
  for (const statement of statements) {
    if (statement.type !== type || statement.round !== round) return false
    if (value !== undefined && statement.value !== value) return false
    senders.add(statement.sender)
  }
  return senders.size === statements.length && statements.every(verify)
}

/** A round change says "nothing prepared" in exactly one way, or names an earlier round. */
export function isWellFormedRoundChange(statement: SignedStatement): boolean {
  if (statement.type !== 'round-change' || statement.round < 2 || statement.value !== ZERO_ROOT) return false
  if (statement.preparedRound === 0) return statement.preparedValue === ZERO_ROOT
  return statement.preparedRound < statement.round
}

/** The round change with the highest prepared round, or undefined when none had prepared. */
export function highestPrepared<T extends SignedStatement>(roundChanges: readonly T[]): T | undefined {
  let highest: T | undefined
  for (const change of roundChanges) {
    if (change.preparedRound > (highest?.preparedRound ?? 0)) highest = change
  }
  return highest
}

export type PrePrepareQuestion = {
  readonly round: number
  readonly root: Root
  readonly roundChanges: readonly SignedStatement[]
  readonly prepares: readonly SignedStatement[]
  readonly quorum: number
}

/**
 * Moniz, JustifyPrePrepare: in round 1 anything goes; later a quorum of round changes to this round is needed, and when
 * one of them had prepared, the value must be the one of the highest prepared round, with its quorum of prepares.
 * Returns 'free' (leader's choice), 'vouched' (prepared before) or undefined (not justified).
 */
export function justifyPrePrepare(question: PrePrepareQuestion, verify: Verify): 'free' | 'vouched' | undefined {
  const { round, root, roundChanges, prepares, quorum } = question
  if (round === 1) return roundChanges.length === 0 && prepares.length === 0 ? 'free' : undefined
  if (!roundChanges.every(isWellFormedRoundChange)) return undefined
  if (!isQuorum({ statements: roundChanges, quorum, type: 'round-change', round, value: ZERO_ROOT }, verify)) return undefined
  const highest = highestPrepared(roundChanges)
  if (highest === undefined) return prepares.length === 0 ? 'free' : undefined
  if (highest.preparedValue !== root) return undefined
  return isQuorum({ statements: prepares, quorum, type: 'prepare', round: highest.preparedRound, value: root }, verify)
    ? 'vouched'
    : undefined
}

/** Moniz, JustifyRoundChange: nothing prepared, or a quorum of prepares for what it names. Does not check its own signature. */
export function justifyRoundChange(
  {
    statement,
    prepares,
    quorum,
  }: { readonly statement: SignedStatement; readonly prepares: readonly SignedStatement[]; readonly quorum: number },
  verify: Verify,
): boolean {
  if (!isWellFormedRoundChange(statement)) return false
  if (statement.preparedRound === 0) return prepares.length === 0
  const { preparedRound: round, preparedValue: value } = statement
  return isQuorum({ statements: prepares, quorum, type: 'prepare', round, value }, verify)
}
