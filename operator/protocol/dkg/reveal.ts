import type { Hex } from '../../core/ids.ts'
import type { Reveal } from '../../core/ports/ceremony.ts'
import type { G1 } from '../bls/backend.ts'
import { type DleqStatement, verifyDleq } from '../bls/dleq.ts'
import { G, H } from '../bls/generators.ts'
import { g1FromEip2537 } from '../bls/points.ts'
import { bindingOf, type PublicContext } from './context.ts'
import { DkgError } from './errors.ts'

/** G^{f_i(0)} has the logarithm that dealer i committed to as its constant term: H against C_i0. */
export function constantTermStatement(context: PublicContext, dealer: number, commitment: G1, point: G1): DleqStatement {
  return {
    label: 'open-pools/dkg/constant-term',
    binding: bindingOf(context, dealer),
    baseA: H,
    pointA: commitment,
    baseB: G,
    pointB: point,
  }
}

/** G^{x_j} has the logarithm that the qualified dealings gave member j: H against the sum of their commitments at j. */
export function publicShareStatement(context: PublicContext, member: number, committed: G1, point: G1): DleqStatement {
  return { label: 'open-pools/dkg/public-share', binding: bindingOf(context, member), baseA: H, pointA: committed, baseB: G, pointB: point }
}

/** Points that a reveal proves. */
export type RevealedPoints = { readonly constantTerm: G1 | null; readonly publicShare: G1 }

/**
 * Verifies a member's reveal. `commitment` is its C_i0 when it is a qualified dealer, else undefined; `committed` is the sum of
 * the qualified polynomials at its index, in base H. Throws `DkgError` naming member and rule.
 */
export function verifyReveal(
  reveal: Reveal,
  against: { readonly context: PublicContext; readonly commitment: G1 | undefined; readonly committed: G1 },
): RevealedPoints {
  const { member } = reveal
  const { context, commitment, committed } = against
  if ((reveal.constantTerm !== null) !== (commitment !== undefined)) {
    throw new DkgError('BAD_REVEAL_SHAPE', `expected member ${member} to reveal a constant term just when it is a qualified dealer`, {
      member,
    })
  }
  const publicShare = pointOf(reveal.publicShare.point, member)
  if (!verifyDleq(publicShareStatement(context, member, committed, publicShare), reveal.publicShare.proof)) {
    throw new DkgError('BAD_PUBLIC_SHARE', `the proof of member ${member} for its public share does not hold`, { member })
  }
  if (reveal.constantTerm === null || commitment === undefined) return { constantTerm: null, publicShare }
  const constantTerm = pointOf(reveal.constantTerm.point, member)
  if (!verifyDleq(constantTermStatement(context, member, commitment, constantTerm), reveal.constantTerm.proof)) {
    throw new DkgError('BAD_CONSTANT_TERM', `the proof of member ${member} for its constant term does not hold`, { member })
  }
  return { constantTerm, publicShare }
}

function pointOf(hex: Hex, member: number): G1 {
  try {
    return g1FromEip2537(hex)
  } catch (cause) {
    throw new DkgError('BAD_REVEAL_SHAPE', `expected member ${member} to reveal valid points`, { member }, { cause })
  }
}
