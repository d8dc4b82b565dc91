import type { PoolId } from '../core/ids.ts'
import type { AttestationToSign, BlockToSign, ShareSigner } from '../core/ports/signer.ts'
import { SlashingProtectionError } from './errors.ts'
import type { Share, ShareStore } from './share-store.ts'
import { signRootWith } from './signing-key.ts'
import type { SignedAttestation, SignedBlock, SlashingProtection, Verdict } from './slashing-protection.ts'

/**
 * The shares behind slashing protection. Records are kept under the pool's group key, which is the validator's: they hold
 * whichever share of it this node has.
 */
export function createShareSigner(shares: ShareStore, protection: SlashingProtection): ShareSigner {
  const shareOf = (poolId: PoolId): Share => {
    const share = shares.get(poolId)
    if (share === undefined) throw new SlashingProtectionError('UNKNOWN_POOL', `this node holds no share of pool ${poolId}`, { poolId })
    return share
  }
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
  const check = (poolId: PoolId, judge: (share: Share) => Verdict): string | undefined => {
    const share = shares.get(poolId)
    if (share === undefined) return `this node holds no share of pool ${poolId}`
    const verdict = judge(share)
    return verdict.kind === 'refused' ? `${verdict.rule}: ${verdict.reason}` : undefined
  }

  return {
    pools: () => shares.list().map(({ info }) => info),
    checkAttestation: (request) => check(request.poolId, (share) => protection.judgeAttestation(vote(share, request))),
    checkBlock: (request) => check(request.poolId, (share) => protection.judgeBlock(proposal(share, request))),
    signAttestation: (request) => {
      const share = shareOf(request.poolId)
      protection.recordAttestation(vote(share, request))
      return signRootWith(share.secret, request.signingRoot)
    },
    signBlock: (request) => {
      const share = shareOf(request.poolId)
      protection.recordBlock(proposal(share, request))
      return signRootWith(share.secret, request.signingRoot)
    },
    signRoot: (request) => signRootWith(shareOf(request.poolId).secret, request.signingRoot),
  }
}
