import type { Address, MemberIndex, Root, Slot } from '../../core/ids.ts'
import type { OperatorKey } from '../../core/ports/signer.ts'
import type { EcdsaVerifier } from '../messages/ecdsa.ts'
import { qbftDigest } from '../messages/qbft.ts'
import type { QbftLimits } from '../messages/qbft-codec.ts'
import { decodeCertificate, encodeCertificate } from '../messages/qbft-codec.ts'
import type { PreparedCertificate, QbftInstance, QbftSettings, Statement } from './types.ts'

/** Name of the gate's records; the EIP-712 struct. */
const DOMAIN = 'QbftMessage'

export type QbftIdentityOptions = {
  readonly instance: QbftInstance
  /** EIP-712 domain separator of PoolRegistry. */
  readonly domainSeparator: Root
  readonly key: OperatorKey
  /** Of the duty that is agreed on, for the gate. Not given where silence after a power cut would cost more than syncing. */
  readonly slot?: Slot
  /** Operator addresses in member order. */
  readonly members: readonly Address[]
  readonly verifyEcdsa: EcdsaVerifier
  readonly limits: QbftLimits
  /** The gate refused, or could not record: this member stays silent. */
  readonly onRefused: (reason: unknown) => void
}

export type QbftIdentity = Pick<QbftSettings, 'sign' | 'verify'> & {
  /** Runs a step; what `sign` records within is durable when it returns. Undefined when that failed: nothing signed within may leave. */
  durably<T>(step: () => T): T | undefined
  /** Where this member left the instance before a restart. */
  resume(): { readonly round: number; readonly prepared: PreparedCertificate | undefined }
}

/** A member's voice in one instance: signs through the durable gate and knows the other members' addresses. */
export function qbftIdentity(options: QbftIdentityOptions): QbftIdentity {
  const { instance, domainSeparator, key, members, verifyEcdsa, limits, slot } = options
  const name = `${instance.poolId}/${instance.slot}/${instance.duty}`
  const ofSlot = slot === undefined ? {} : { slot }
  // All members prepare and commit the same few statements: their digest is worked out once.
  const digests = new Map<string, Root>()

  function digestOf(statement: Statement): Root {
    const { type, round, value, preparedRound, preparedValue } = statement
    const id = `${type}/${round}/${value}/${preparedRound}/${preparedValue}`
    const known = digests.get(id)
    if (known !== undefined) return known
    const digest = qbftDigest(domainSeparator, instance, statement)
    if (digests.size >= 64) digests.clear()
    digests.set(id, digest)
    return digest
  }

  return {
    sign(statement, certificate) {
      const { round, type } = statement
      const body = certificate === undefined ? undefined : encodeCertificate(certificate)
      try {
        return key.signOnce({ domain: DOMAIN, instance: name, round, type, ...ofSlot }, digestOf(statement), body)
      } catch (refusal) {
        options.onRefused(refusal)
        return undefined
      }
    },
    durably(step) {
      try {
        return key.together(step, slot)
      } catch (failure) {
        options.onRefused(failure)
        return undefined
      }
    },
    verify(signed) {
      const address = members[signed.sender - 1]
      return address !== undefined && verifyEcdsa({ digest: digestOf(signed), signature: signed.signature, address })
    },
    resume() {
      let round = 1
      let prepared: PreparedCertificate | undefined
      for (const said of key.recall(DOMAIN, name)) {
        round = Math.max(round, said.round)
        if (said.type !== 'commit' || said.round <= (prepared?.round ?? 0)) continue
        prepared = decodeCertificate(said.body, limits)
      }
      return { round, prepared }
    },
  }
}

/** Leader of a round (from 1) of an instance: (instance + round) mod n, as a member index from 1. */
export function leaderOf(instance: QbftInstance, size: number): (round: number) => MemberIndex {
  const start = instance.poolId + instance.slot + instance.duty
  return (round) => (((start + round - 1) % size) + 1) as MemberIndex
}
