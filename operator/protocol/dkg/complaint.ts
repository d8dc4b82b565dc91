import type { Hex } from '../../core/ids.ts'
import { hexToBytes } from '../../core/parse.ts'
import type { Complaint, Dealing } from '../../core/ports/ceremony.ts'
import type { G1, Scalar } from '../bls/backend.ts'
import { type DleqStatement, proveDleq, verifyDleq } from '../bls/dleq.ts'
import { G, H } from '../bls/generators.ts'
import { g1FromEip2537, g1ToEip2537, multiply } from '../bls/points.ts'
import { scalarFromBytes } from '../bls/scalars.ts'
import { bindingOf, type PublicContext } from './context.ts'
import { type CeremonySize, commitmentsOf, joinKeyPoint, sharePad, verifyShare, xorShare } from './dealing.ts'
import { DkgError } from './errors.ts'

/** What a dealing is accused of, as `DkgDisputes` names it; `none`: it is good, and the complainer at fault. */
export type DealingFault = 'none' | 'shape' | 'join-key' | 'commitment' | 'share-range' | 'share'

/** Who is at fault. Of a complainer's false proof nothing is learnt about the dealing. */
export type Judgement =
  | { readonly guilty: 'dealer'; readonly fault: Exclude<DealingFault, 'none'> }
  | { readonly guilty: 'complainer'; readonly fault: 'none' | 'proof' }

/** Of a handover also how many members the old vault has: they deal, numbered on from the new vault's. */
export type HandoverSize = CeremonySize & { readonly oldSize?: number }

type Place = { readonly context: PublicContext; readonly dealer: number; readonly member: number }
type Keys = { readonly dealerKey: G1; readonly memberKey: G1; readonly shared: G1 }

/** The shared point has the logarithm to the dealer's join key that the complainer's join key has to G. */
function sharedPointStatement({ context, dealer, member }: Place, { dealerKey, memberKey, shared }: Keys): DleqStatement {
  return {
    label: 'open-pools/dkg/shared-point',
    binding: bindingOf(context, dealer, member),
    baseA: G,
    pointA: memberKey,
    baseB: dealerKey,
    pointB: shared,
  }
}

/**
 * What `member` says against a dealing whose share for it is bad: the Diffie–Hellman point of its and the dealer's join keys,
 * and a proof that it is. Opens that one share and nothing else. `nonce` must be fresh. Throws `DkgError` when the dealing
 * names no valid key of the dealer: then it shows its fault without a complaint.
 */
export function makeComplaint(
  context: PublicContext,
  { dealing, member }: { readonly dealing: Dealing; readonly member: Complaint['member'] },
  secrets: { readonly ephemeral: Scalar; readonly nonce: Scalar },
): Complaint {
  const { dealer } = dealing
  const key = dealing.joinKeys[dealer - 1]
  if (typeof key !== 'string') throw new DkgError('BAD_DEALING_SHAPE', `expected member ${dealer} to have joined`, { member: dealer })
  const dealerKey = joinKeyPoint(key, dealer)
  const shared = multiply(dealerKey, secrets.ephemeral)
  const statement = sharedPointStatement({ context, dealer, member }, { dealerKey, memberKey: multiply(G, secrets.ephemeral), shared })
  return { dealer, member, sharedPoint: g1ToEip2537(shared), proof: proveDleq(statement, secrets.ephemeral, secrets.nonce) }
}

/**
 * Judges a complaint as `DkgDisputes.disputeDealing` does, byte for byte: from the signed dealing and the signed complaint,
 * once their signatures and those on the two join keys are known to hold.
 */
export function judgeComplaint(context: PublicContext & HandoverSize, dealing: Dealing, complaint: Complaint): Judgement {
  const { dealer, member } = complaint
  if (!hasShape(dealing, context)) return { guilty: 'dealer', fault: 'shape' }
  const dealerKey = pointOf(dealing.joinKeys[dealer - 1])
  if (dealerKey === undefined) return { guilty: 'dealer', fault: 'join-key' }
  const memberKey = pointOf(dealing.joinKeys[member - 1])
  const shared = pointOf(complaint.sharedPoint)
  const place = { context, dealer, member }
  if (
    memberKey === undefined ||
    shared === undefined ||
    !verifyDleq(sharedPointStatement(place, { dealerKey, memberKey, shared }), complaint.proof)
  ) {
    return { guilty: 'complainer', fault: 'proof' }
  }
  const fault = faultOf(dealing, place, shared)
  return fault === 'none' ? { guilty: 'complainer', fault } : { guilty: 'dealer', fault }
}

function faultOf(dealing: Dealing, { context, dealer, member }: Place, shared: G1): DealingFault {
  // A member that the dealer left out has zeros there, on the wire and on chain.
  const ciphertext = hexToBytes(dealing.ciphertexts[member - 1] ?? `0x${'00'.repeat(32)}`)
  const bytes = xorShare(ciphertext, sharePad(shared, context, dealer, member))
  const share = attempt(() => scalarFromBytes(bytes))
  if (share === undefined) return 'share-range'
  const commitments = attempt(() => commitmentsOf(dealing))
  if (commitments === undefined) return 'commitment'
  return verifyShare(share, commitments, member, context.kind === 'dkg' ? H : G) ? 'none' : 'share'
}

const hasShape = ({ joinKeys, commitments, ciphertexts }: Dealing, { size, threshold, oldSize = 0 }: HandoverSize): boolean =>
  joinKeys.length === size + oldSize && commitments.length === threshold && ciphertexts.length === size

const pointOf = (hex: Hex | null | undefined): G1 | undefined => (typeof hex === 'string' ? attempt(() => g1FromEip2537(hex)) : undefined)

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
