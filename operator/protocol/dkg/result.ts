import type { MemberIndex } from '../../core/ids.ts'
import type { Reveal } from '../../core/ports/ceremony.ts'
import type { G1 } from '../bls/backend.ts'
import { g1ToCompressed, isInfinity, sumPoints } from '../bls/points.ts'
import { evaluateCommitments, haveDegreeBelow, type IndexedPoint, interpolate, interpolateAt, sumCommitments } from '../bls/polynomials.ts'
import type { CeremonyResult } from '../messages/ceremony.ts'
import { checkDealing } from './dealing.ts'
import { DkgError } from './errors.ts'
import { type RevealedPoints, verifyReveal } from './reveal.ts'
import { dealingOf, type Qualified, receiversOf, type Transcript, transcriptOf, transcriptRootOf } from './transcript.ts'

/** Public data of a ceremony after the reveals: at most one of each member, of t members or more. */
export type Revealed = Qualified & { readonly reveals: readonly Reveal[] }

/** The qualified polynomials in base H, each and their sum. */
export type Polynomials = { readonly each: ReadonlyMap<MemberIndex, readonly G1[]>; readonly sum: readonly G1[] }

/**
 * Checks what everyone can see of the qualified dealings, and that t members dealt and t get a share of every one.
 * Throws `DkgError` naming member and rule.
 */
export function polynomialsOf(ceremony: Qualified): Polynomials {
  const { context, dealings, qualified } = ceremony
  if (qualified.length < context.threshold) {
    throw new DkgError('NOT_ENOUGH_QUALIFIED', `expected ${context.threshold} qualified dealers, got ${qualified.length}`)
  }
  const each = new Map(
    qualified.map((dealer) => {
      const dealing = dealingOf(dealings, dealer)
      return [dealer, checkDealing(dealing, context, dealing.joinKeys)]
    }),
  )
  const receivers = receiversOf(transcriptOf(ceremony)).length
  if (receivers < context.threshold) {
    throw new DkgError(
      'NOT_ENOUGH_RECEIVERS',
      `expected shares of every qualified dealing for ${context.threshold} members, got ${receivers}`,
    )
  }
  return { each, sum: sumCommitments([...each.values()]) }
}

/** Verifies a member's reveal against the qualified polynomials. Throws `DkgError` naming member and rule. */
export function openReveal(context: Qualified['context'], { each, sum }: Polynomials, reveal: Reveal): RevealedPoints {
  const { member } = reveal
  return verifyReveal(reveal, { context, commitment: each.get(member)?.[0], committed: evaluateCommitments(sum, member) })
}

/**
 * Group key, public shares in vault order and transcript root, from verified reveals. What some have not revealed, or have no
 * share of, is recovered in the exponent: t proven public shares fix the sum of the qualified polynomials there. Checks that
 * the public shares lie on one polynomial of degree t − 1 through the group key. Throws `DkgError`.
 */
export function resultFrom(
  context: Qualified['context'],
  transcript: Transcript,
  points: ReadonlyMap<MemberIndex, RevealedPoints>,
): CeremonyResult {
  const known = new Map([...points].map(([member, { publicShare }]) => [Number(member), publicShare]))
  const enough: readonly IndexedPoint[] = [...known].slice(0, context.threshold).map(([index, point]) => ({ index, point }))
  if (enough.length < context.threshold) {
    throw new DkgError('NOT_ENOUGH_REVEALED', `expected ${context.threshold} members to reveal, got ${enough.length}`)
  }
  const constantTerms = [...points.values()].flatMap(({ constantTerm }) => (constantTerm === null ? [] : [constantTerm]))
  const groupKey = constantTerms.length === transcript.qualified.length ? sumPoints(constantTerms) : interpolate(enough)
  const publicShares = Array.from({ length: context.size }, (_, i) => known.get(i + 1) ?? interpolateAt(enough, i + 1))
  if (isInfinity(groupKey) || !haveDegreeBelow(context.threshold, [groupKey, ...publicShares])) {
    throw new DkgError('INCONSISTENT_RESULT', 'expected public shares on one polynomial through the group key')
  }
  return {
    groupKey: g1ToCompressed(groupKey),
    publicShares: publicShares.map(g1ToCompressed),
    transcriptRoot: transcriptRootOf(context, transcript),
  }
}

/** Verifies everything and derives the result. Throws `DkgError` naming member and rule. */
export function resultOf(revealed: Revealed): CeremonyResult {
  const { context, reveals } = revealed
  const polynomials = polynomialsOf(revealed)
  const points = new Map(reveals.map((reveal) => [reveal.member, openReveal(context, polynomials, reveal)]))
  return resultFrom(context, transcriptOf(revealed), points)
}
