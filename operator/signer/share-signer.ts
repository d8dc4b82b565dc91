import type { Epoch, PoolId } from '../core/ids.ts'
import type { AttestationToSign, BlockToSign, ShareKeeper, ShareSigner } from '../core/ports/signer.ts'
import { SlashingProtectionError } from './errors.ts'
import type { Share, ShareStore } from './share-store.ts'
import type { Refusal, ShareTerms } from './share-terms.ts'
import { signRootWith } from './signing-key.ts'
import type { SignedAttestation, SignedBlock, SlashingProtection } from './slashing-protection.ts'

type Place = { readonly poolId: PoolId; readonly round: number }

/**
 * The shares behind slashing protection. Records are kept under the pool's group key, which is the validator's: they hold
 * whichever share of it this node has.
 */
export function createShareSigner({
  shares,
  protection,
  terms,
}: {
  readonly shares: ShareStore
  readonly protection: SlashingProtection
  readonly terms: ShareTerms
}): ShareSigner & ShareKeeper {
  const vote = (share: Share, { sourceEpoch, targetEpoch, signingRoot }: AttestationToSign): SignedAttestation => ({
    publicKey: share.info.groupKey,
    sourceEpoch,
    targetEpoch,
    signingRoot,
  })
  const proposal = (share: Share, { slot, signingRoot }: BlockToSign): SignedBlock => ({
    publicKey: share.info.groupKey,
    slot,
    signingRoot,
  })
  const unknown = ({ poolId, round }: Place): Refusal => ({
    rule: 'UNKNOWN_POOL',
    reason: `this node holds no share of pool ${poolId} of round ${round}`,
  })
  /** What the old vault can have signed ends at the cutover's epoch: a source two epochs before, a target one before. */
  const tooOld = (share: Share, { sourceEpoch }: AttestationToSign): Refusal | undefined => {
    const cutover = terms.cutoverOf(share)
    if (cutover === undefined || sourceEpoch >= cutover - 2) return undefined
    return {
      rule: 'SOURCE_TOO_OLD',
      reason: `source ${sourceEpoch} is below ${cutover - 2}, where the record of a vault from epoch ${cutover} begins`,
    }
  }
  const judgeVote = (share: Share, request: AttestationToSign): Refusal | undefined => {
    const early = terms.refusal(share, request.targetEpoch) ?? tooOld(share, request)
    if (early !== undefined) return early
    const verdict = protection.judgeAttestation(vote(share, request))
    return verdict.kind === 'refused' ? verdict : undefined
  }
  const judgeProposal = (share: Share, request: BlockToSign): Refusal | undefined => {
    const early = terms.refusal(share, request.epoch)
    if (early !== undefined) return early
    const verdict = protection.judgeBlock(proposal(share, request))
    return verdict.kind === 'refused' ? verdict : undefined
  }
  const check = (place: Place, judge: (share: Share) => Refusal | undefined): string | undefined => {
    const share = shares.get(place.poolId, place.round)
    const refusal = share === undefined ? unknown(place) : judge(share)
    return refusal && `${refusal.rule}: ${refusal.reason}`
  }
  /** The share, which may sign: throws the refusal. */
  const allowed = (place: Place, judge: (share: Share) => Refusal | undefined): Share => {
    const share = shares.get(place.poolId, place.round)
    const refusal = share === undefined ? unknown(place) : judge(share)
    if (share === undefined || refusal !== undefined) {
      throw new SlashingProtectionError(refusal?.rule ?? 'UNKNOWN_POOL', refusal?.reason ?? '', { ...place })
    }
    return share
  }
  const inTerm = (epoch: Epoch) => (share: Share) => terms.refusal(share, epoch)

  return {
    pools: () => shares.list().map(({ info }) => info),
    learn: (known) => terms.learn(known),
    checkAttestation: (request) => check(request, (share) => judgeVote(share, request)),
    checkBlock: (request) => check(request, (share) => judgeProposal(share, request)),
    signAttestation: (request) => {
      const share = allowed(request, (one) => inTerm(request.targetEpoch)(one) ?? tooOld(one, request))
      protection.recordAttestation(vote(share, request))
      return signRootWith(share.secret, request.signingRoot)
    },
    signBlock: (request) => {
      const share = allowed(request, inTerm(request.epoch))
      protection.recordBlock(proposal(share, request))
      return signRootWith(share.secret, request.signingRoot)
    },
    signRoot: (request) => signRootWith(allowed(request, inTerm(request.epoch)).secret, request.signingRoot),
  }
}
