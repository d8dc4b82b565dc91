import type { Root } from '../../core/ids.ts'
import type { PublicContext } from '../dkg/context.ts'
import { domainSeparatorOf, structHasher, typedDigest } from './eip712.ts'

export const DKG_FAILURE_TYPE = 'DkgFailure(uint32 poolId,uint32 round,uint256 absent)'
export const ROTATION_FAILURE_TYPE = 'RotationFailure(uint32 poolId,uint32 round,uint256 absentNew,uint256 absentOld)'

const hashDkgFailure = structHasher(DKG_FAILURE_TYPE)
const hashRotationFailure = structHasher(ROTATION_FAILURE_TYPE)

/** EIP-712 digest by which members' BLS signing keys name who was absent: bit i is member index i + 1. `PoolRegistry.failDkg` checks it. */
export function dkgFailureDigest(context: PublicContext, absent: bigint): Root {
  return typedDigest(domainSeparatorOf(context), hashDkgFailure([context.poolId, context.round, absent]))
}

/** The same of a handover, for each of its vaults in that vault's own order. `Rotations.failRotation` checks it. */
export function rotationFailureDigest(
  context: PublicContext,
  { absentNew, absentOld }: { readonly absentNew: bigint; readonly absentOld: bigint },
): Root {
  return typedDigest(domainSeparatorOf(context), hashRotationFailure([context.poolId, context.round, absentNew, absentOld]))
}
