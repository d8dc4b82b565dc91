import { hash } from 'node:crypto'
import type { Hex } from '../../core/ids.ts'
import type { CeremonyContext, Dealing } from '../../core/ports/ceremony.ts'
import type { G1, Scalar } from '../bls/backend.ts'
import { H } from '../bls/generators.ts'
import { g1FromEip2537, multiply, pointsEqual } from '../bls/points.ts'
import { evaluateCommitments } from '../bls/polynomials.ts'
import { bindingOf, type PublicContext } from './context.ts'
import { DkgError } from './errors.ts'

/** Shape of a ceremony: how many members, and how many of them make a key. */
export type CeremonySize = Pick<CeremonyContext, 'size' | 'threshold'>

const isCiphertext = (value: Hex | null): boolean => value === null || /^0x[0-9a-f]{64}$/.test(value)

/**
 * Checks all of a dealing that everyone can see: its lengths, that it encrypts to exactly the joined keys agreed on, and that
 * every commitment is a valid point (so the polynomial has degree t − 1 at most). Returns the commitments. Throws `DkgError`.
 */
export function checkDealing(dealing: Dealing, ceremony: CeremonySize, joinKeys: readonly (Hex | null)[]): readonly G1[] {
  const { dealer, commitments, ciphertexts } = dealing
  const fail = (expected: string) =>
    new DkgError('BAD_DEALING_SHAPE', `expected the dealing of member ${dealer} to ${expected}`, { member: dealer })
  if (commitments.length !== ceremony.threshold) throw fail(`hold ${ceremony.threshold} commitments, got ${commitments.length}`)
  if (ciphertexts.length !== ceremony.size || dealing.joinKeys.length !== ceremony.size) throw fail(`serve ${ceremony.size} members`)
  if (dealing.joinKeys.some((key, i) => key !== (joinKeys[i] ?? null))) throw fail('encrypt to the agreed join keys')
  if (ciphertexts.some((text, i) => (text === null) !== (dealing.joinKeys[i] === null) || !isCiphertext(text))) {
    throw fail('hold a ciphertext of 32 bytes for each joined member and no other')
  }
  return commitmentsOf(dealing)
}

/** The commitments of a dealing as points. Throws `DkgError` naming the dealer. */
export function commitmentsOf({ dealer, commitments }: Pick<Dealing, 'dealer' | 'commitments'>): readonly G1[] {
  return commitments.map((commitment, k) => {
    try {
      return g1FromEip2537(commitment)
    } catch (cause) {
      throw new DkgError(
        'BAD_COMMITMENT',
        `expected commitment ${k} of member ${dealer} to be a valid point`,
        { member: dealer, k },
        { cause },
      )
    }
  })
}

/** One-time pad of the share from dealer to receiver: SHA-256(compressed Diffie–Hellman point ‖ context ‖ dealer ‖ receiver). */
export function sharePad(shared: G1, context: PublicContext, dealer: number, receiver: number): Uint8Array {
  return hash('sha256', Buffer.concat([shared.serialize(), bindingOf(context, dealer, receiver)]), 'buffer')
}

/** Share ⊕ pad, both ways. */
export function xorShare(share: Uint8Array, pad: Uint8Array): Uint8Array {
  return share.map((byte, i) => byte ^ (pad[i] ?? 0))
}

/** base^share = Π_k C_k^(receiver^k)? The base is H in a key generation. */
export function verifyShare(share: Scalar, commitments: readonly G1[], receiver: number, base: G1 = H): boolean {
  return pointsEqual(multiply(base, share), evaluateCommitments(commitments, receiver))
}

/** A join key as a point. Throws `DkgError` naming the member. */
export function joinKeyPoint(joinKey: Hex, member: number): G1 {
  try {
    return g1FromEip2537(joinKey)
  } catch (cause) {
    throw new DkgError('BAD_JOIN_KEY', `expected the join key of member ${member} to be a valid point`, { member }, { cause })
  }
}
