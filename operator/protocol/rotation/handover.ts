import type { Hex, MemberIndex, PublicKey } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import type { Dealing } from '../../core/ports/ceremony.ts'
import type { HandoverContext } from '../../core/ports/handover.ts'
import { type G1, herumi, type Scalar } from '../bls/backend.ts'
import { G } from '../bls/generators.ts'
import { g1ToCompressed, g1ToEip2537, multiply } from '../bls/points.ts'
import { assertDistinct } from '../bls/polynomials.ts'
import { evaluate, fieldId, scalarFromBytes, scalarToBytes } from '../bls/scalars.ts'
import type { PublicContext } from '../dkg/context.ts'
import { commitmentsOf, joinKeyPoint, sharePad, verifyShare, xorShare } from '../dkg/dealing.ts'
import { DkgError } from '../dkg/errors.ts'
import { HandoverError } from './errors.ts'

/**
 * A handover (n, t) → (n′, t′) of one group key (protocol §7), in public. Members are numbered: those of the new vault from 1, after
 * them those of the old one, who deal. `size` and `threshold` are the new vault's.
 */
export type Handover = PublicContext &
  Pick<HandoverContext, 'size' | 'threshold' | 'oldSize' | 'oldThreshold' | 'groupKey' | 'oldPublicShares'>

/** Place of an old member in its vault, from 1. Throws `HandoverError` on a member that has none there. */
export function oldPlaceOf({ size, oldSize }: Pick<Handover, 'size' | 'oldSize'>, dealer: number): number {
  const place = dealer - size
  if (!Number.isInteger(place) || place < 1 || place > oldSize) {
    throw new HandoverError('BAD_DEALERS', `expected a dealer from ${size + 1} to ${size + oldSize}, got ${dealer}`, { member: dealer })
  }
  return place
}

const isCiphertext = (value: Hex | null | undefined): boolean => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)

/**
 * Checks all of a dealing that everyone can see: its lengths, that it serves those new members whose join keys it names, that every
 * commitment is a valid point, and that the constant term is the dealer's share. Returns the commitments. Throws `DkgError` or
 * `HandoverError` naming the dealer.
 */
export function checkHandoverDealing(dealing: Dealing, handover: Handover): readonly G1[] {
  const { dealer, joinKeys, commitments, ciphertexts } = dealing
  const { size, oldSize, threshold, oldPublicShares } = handover
  const place = oldPlaceOf(handover, dealer)
  const fail = (expected: string) =>
    new DkgError('BAD_DEALING_SHAPE', `expected the dealing of member ${dealer} to ${expected}`, { member: dealer })
  if (commitments.length !== threshold) throw fail(`hold ${threshold} commitments, got ${commitments.length}`)
  if (joinKeys.length !== size + oldSize || ciphertexts.length !== size) throw fail(`serve ${size} members`)
  if (typeof joinKeys[dealer - 1] !== 'string') throw fail('name its own join key')
  if (ciphertexts.some((text, at) => (joinKeys[at] === null ? text !== null : !isCiphertext(text)))) {
    throw fail('hold a ciphertext of 32 bytes for each joined member and no other')
  }
  const points = commitmentsOf(dealing)
  const [constantTerm] = points
  const expected = oldPublicShares[place - 1]
  if (constantTerm === undefined || g1ToCompressed(constantTerm) !== expected) {
    throw new HandoverError(
      'BAD_CONSTANT_TERM',
      `expected member ${dealer} to deal the share of ${expected ?? 'nobody'}, it deals another`,
      {
        member: dealer,
      },
    )
  }
  return points
}

/** What only the dealer knows of its dealing. `coefficients[0]` is its share; all of it is secret. */
export type DealingSecrets = { readonly coefficients: readonly Scalar[]; readonly ephemeral: Scalar }

/**
 * The dealing of an old member: its share shared out anew to those new members that have joined (`joinKeys[j − 1]` not null).
 * `joinKeys` are of both vaults and name the dealer's own.
 */
export function makeHandoverDealing(
  handover: Handover,
  { dealer, joinKeys }: { readonly dealer: MemberIndex; readonly joinKeys: readonly (Hex | null)[] },
  { coefficients, ephemeral }: DealingSecrets,
): Dealing {
  const ciphertexts = joinKeys.slice(0, handover.size).map((joinKey, at) => {
    if (joinKey === null) return null
    const shared = multiply(joinKeyPoint(joinKey, at + 1), ephemeral)
    return bytesToHex(xorShare(scalarToBytes(evaluate(coefficients, at + 1)), sharePad(shared, handover, dealer, at + 1)))
  })
  return { dealer, joinKeys, commitments: coefficients.map((one) => g1ToEip2537(multiply(G, one))), ciphertexts }
}

/**
 * The share that a checked dealing holds for a new member, verified against its commitments. Throws `HandoverError`: NOT_COVERED when
 * it encrypts to another key than the member's (nobody can tell whose fault that is), BAD_SHARE when a complaint would show it.
 */
export function openHandoverShare(
  handover: Handover,
  dealing: Dealing,
  { member, joinKey, ephemeral }: { readonly member: MemberIndex; readonly joinKey: Hex; readonly ephemeral: Scalar },
): Scalar {
  const { dealer } = dealing
  const commitments = checkHandoverDealing(dealing, handover)
  const ciphertext = dealing.ciphertexts[member - 1]
  const dealerKey = dealing.joinKeys[dealer - 1]
  if (dealing.joinKeys[member - 1] !== joinKey || typeof ciphertext !== 'string' || typeof dealerKey !== 'string') {
    throw new HandoverError('NOT_COVERED', `expected member ${dealer} to encrypt to the join key of member ${member}`, { member: dealer })
  }
  const pad = sharePad(multiply(joinKeyPoint(dealerKey, dealer), ephemeral), handover, dealer, member)
  const bad = (what: string) =>
    new HandoverError('BAD_SHARE', `the share from member ${dealer} for member ${member} ${what}`, { member: dealer })
  let share: Scalar
  try {
    share = scalarFromBytes(xorShare(hexToBytes(ciphertext), pad))
  } catch {
    throw bad('is not below the group order')
  }
  if (!verifyShare(share, commitments, member, G)) throw bad('does not fit its commitments')
  return share
}

/** Old places of exactly t different dealers, ascending by member. Throws `HandoverError`. */
function placesOf(handover: Handover, dealers: readonly number[]): readonly number[] {
  const { oldThreshold } = handover
  if (dealers.length !== oldThreshold || dealers.some((dealer, at) => at > 0 && dealer <= (dealers[at - 1] ?? 0))) {
    throw new HandoverError('BAD_DEALERS', `expected ${oldThreshold} dealers, ascending, got ${dealers.join()}`)
  }
  const places = dealers.map((dealer) => oldPlaceOf(handover, dealer))
  assertDistinct(places)
  return places
}

/** Σ λ_i · g_i(j) over the agreed dealers: a new member's share. `received` in the order of the dealers. Secret. */
export function newShareOf(handover: Handover, received: readonly { readonly dealer: MemberIndex; readonly share: Scalar }[]): Scalar {
  const places = placesOf(
    handover,
    received.map(({ dealer }) => dealer),
  )
  const share = new herumi.SecretKey()
  share.recover(
    received.map((one) => one.share),
    places.map(fieldId),
  )
  return share
}

/**
 * The commitments Σ λ_i · C_i of the new vault's polynomial, from the dealings of exactly t old members. Everybody can do it. Throws
 * `DkgError` or `HandoverError`: its constant term must be the group key, as it is unless the old public shares are not that key's.
 */
export function newCommitments(handover: Handover, dealings: readonly Dealing[]): readonly G1[] {
  const places = placesOf(
    handover,
    dealings.map(({ dealer }) => dealer),
  )
  const polynomials = dealings.map((dealing) => checkHandoverDealing(dealing, handover))
  const ids = places.map(fieldId)
  const combined = Array.from({ length: handover.threshold }, (_, k) => {
    const sum = new herumi.PublicKey()
    sum.recover(
      polynomials.flatMap((commitments) => commitments[k] ?? []),
      ids,
    )
    return sum
  })
  const [key] = combined
  if (key === undefined || g1ToCompressed(key) !== handover.groupKey) {
    throw new HandoverError('OTHER_KEY', `expected the handover of ${handover.groupKey}, got that of another key`)
  }
  return combined
}

/**
 * New members' public shares in vault order, from the commitments of their polynomial. One may be infinity: a dealer that deals last
 * can choose its own new share, and with one of zero it only shuts itself out.
 */
export function newPublicShares(commitments: readonly G1[], size: number): readonly PublicKey[] {
  return Array.from({ length: size }, (_, at) => {
    const value = new herumi.PublicKey()
    value.share([...commitments], fieldId(at + 1))
    return g1ToCompressed(value)
  })
}
