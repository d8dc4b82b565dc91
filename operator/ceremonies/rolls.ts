import { signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { encodeCeremony } from '../protocol/messages/ceremony-codec.ts'
import { dkgFailureDigest, rotationFailureDigest } from '../protocol/messages/failure.ts'
import { encodeHandover } from '../protocol/messages/handover-codec.ts'
import type { HandoverSetup } from './handover-types.ts'
import type { Roll } from './roll-call.ts'
import type { Ceremony } from './types.ts'

/** The roll of a key generation: one vault. */
export function dkgRoll({ context, members, deadline }: Ceremony, isOpen: () => boolean): Roll {
  const { poolId, size, threshold } = context
  return {
    members,
    deadline,
    isOpen,
    vaults: [{ from: 0, size, threshold }],
    digest: (absent) => dkgFailureDigest(context, absent),
    encode: (message) => encodeCeremony(context, message),
    call: ({ absent, signers, signature }) => ({
      contract: 'poolRegistry',
      method: 'failDkg',
      args: [poolId, absent, signers, wordsOf(signatureToEip2537(signature))],
    }),
  }
}

/** The roll of a handover: the new vault, then the old one. A threshold of either names members of both. */
export function handoverRoll({ context, members, deadline }: HandoverSetup, isOpen: () => boolean): Roll {
  const { poolId, size, threshold, oldSize, oldThreshold } = context
  const byVault = (absent: bigint) => ({ absentNew: absent & ((1n << BigInt(size)) - 1n), absentOld: absent >> BigInt(size) })
  return {
    members,
    deadline,
    isOpen,
    vaults: [
      { from: 0, size, threshold },
      { from: size, size: oldSize, threshold: oldThreshold },
    ],
    digest: (absent) => rotationFailureDigest(context, byVault(absent)),
    encode: (message) => encodeHandover(context, message),
    call: ({ absent, vault, signers, signature }) => {
      const aggregateSignature = wordsOf(signatureToEip2537(signature))
      return {
        contract: 'rotations',
        method: 'failRotation',
        args: [poolId, { ...byVault(absent), byOld: vault.from > 0, signers, aggregateSignature }],
      }
    },
  }
}
