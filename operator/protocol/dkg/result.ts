import type { Hex, MemberIndex } from '../../core/ids.ts'
import type { CeremonyContext, Dealing, Reveal } from '../../core/ports/ceremony.ts'
import { g1ToCompressed, isInfinity, sumPoints } from '../bls/points.ts'
import { evaluateCommitments, haveDegreeBelow, type IndexedPoint, interpolate, interpolateAt, sumCommitments } from '../bls/polynomials.ts'
import { type CeremonyResult, dealingHash } from '../messages/ceremony.ts'
import type { PublicContext } from './context.ts'
import { checkDealing } from './dealing.ts'
import { DkgError } from './errors.ts'
import { verifyReveal } from './reveal.ts'
import { type Transcript, transcriptRootOf } from './transcript.ts'

/** Public data of a ceremony after the reveals. */
export type Revealed = {
  readonly context: PublicContext & Pick<CeremonyContext, 'size' | 'threshold'>
  readonly joinKeys: readonly (Hex | null)[]
  /** In member order; null where none came. */
  readonly dealings: readonly (Dealing | null)[]
  /** Qualified dealers, ascending. */
  readonly qualified: readonly MemberIndex[]
  /** At most one of each member, of t members or more. */
  readonly reveals: readonly Reveal[]
}

/** The transcript that these dealings make. */
export function transcriptOf({ context, joinKeys, dealings, qualified }: Omit<Revealed, 'reveals'>): Transcript {
  return { joinKeys, qualified, dealingHashes: dealings.map((dealing) => (dealing === null ? null : dealingHash(context, dealing))) }
}

/**
 * Verifies everything and derives the group key, the public shares in vault order and the transcript root. What some have not
 * revealed is recovered in the exponent: t proven public shares fix the sum of the qualified polynomials there. Checks each
 * qualified dealing, every proof, and that the public shares lie on one polynomial of degree t − 1 through the group key.
 * Throws `DkgError` naming member and rule.
 */
export function resultOf(revealed: Revealed): CeremonyResult {
  const { context, joinKeys, dealings, qualified, reveals } = revealed
  if (qualified.length < context.threshold) {
    throw new DkgError('NOT_ENOUGH_QUALIFIED', `expected ${context.threshold} qualified dealers, got ${qualified.length}`)
  }
  const polynomials = new Map(qualified.map((dealer) => [dealer, checkDealing(dealingOf(dealings, dealer), context, joinKeys)]))
  const sum = sumCommitments([...polynomials.values()])
  const points = reveals.map((reveal) => {
    const { member } = reveal
    const against = { context, commitment: polynomials.get(member)?.[0], committed: evaluateCommitments(sum, member) }
    return { index: member, ...verifyReveal(reveal, against) }
  })
  const known = new Map(points.map(({ index, publicShare }) => [Number(index), publicShare]))
  const enough: readonly IndexedPoint[] = [...known].slice(0, context.threshold).map(([index, point]) => ({ index, point }))
  if (enough.length < context.threshold) {
    throw new DkgError('NOT_ENOUGH_REVEALED', `expected ${context.threshold} members to reveal, got ${enough.length}`)
  }
  const constantTerms = points.flatMap(({ constantTerm }) => (constantTerm === null ? [] : [constantTerm]))
  const groupKey = constantTerms.length === qualified.length ? sumPoints(constantTerms) : interpolate(enough)
  const publicShares = Array.from({ length: context.size }, (_, i) => known.get(i + 1) ?? interpolateAt(enough, i + 1))
  if (isInfinity(groupKey) || !haveDegreeBelow(context.threshold, [groupKey, ...publicShares])) {
    throw new DkgError('INCONSISTENT_RESULT', 'expected public shares on one polynomial through the group key')
  }
  return {
    groupKey: g1ToCompressed(groupKey),
    publicShares: publicShares.map(g1ToCompressed),
    transcriptRoot: transcriptRootOf(context, transcriptOf(revealed)),
  }
}

function dealingOf(dealings: readonly (Dealing | null)[], dealer: MemberIndex): Dealing {
  const dealing = dealings[dealer - 1]
  if (dealing === null || dealing === undefined || dealing.dealer !== dealer) {
    throw new DkgError('BAD_DEALING_SHAPE', `expected a dealing of qualified member ${dealer}`, { member: dealer })
  }
  return dealing
}
