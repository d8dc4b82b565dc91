import assert from 'node:assert/strict'
import type { CeremonyPorts } from '../../../../../operator/ceremonies/types.ts'
import type { Hex } from '../../../../../operator/core/ids.ts'
import type { Dealing } from '../../../../../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { G } from '../../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../../../../operator/protocol/bls/points.ts'
import { scalarFromBigInt } from '../../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge } from '../../../../../operator/protocol/bls/schnorr.ts'
import { possessionStatement } from '../../../../../operator/protocol/dkg/join.ts'
import { ceremonyDigest } from '../../../../../operator/protocol/messages/ceremony.ts'
import {
  type CeremonyMessage,
  decodeCeremony,
  encodeCeremony,
  peekCeremony,
} from '../../../../../operator/protocol/messages/ceremony-codec.ts'
import { addressOf, signEcdsa } from '../../../../../operator/protocol/messages/ecdsa.ts'
import { ADDRESSES, POOL } from './chain.ts'
import type { Member, Tamper } from './member.ts'
import { faultyKey } from './world.ts'

export const SIZE = 4
export const BAD = 3
export const shape = { size: SIZE, threshold: thresholdOf(SIZE) }

/** The faulty member's key: it signs anything. */
export const sign = (digest: Parameters<typeof signEcdsa>[0]) => signEcdsa(digest, faultyKey(BAD))

const ungated: CeremonyPorts['operatorKey'] = {
  address: addressOf(faultyKey(BAD)),
  signOnce: (_, digest) => sign(digest),
  together: (work) => work(),
  announce: () => {},
  recall: () => [],
}

export const tampered =
  (change: Tamper): Tamper =>
  (ports) => ({ operatorKey: ungated, ...change(ports) })

export const dealing = (change: (dealing: Dealing) => Partial<Dealing>): Tamper =>
  tampered(({ secrets }) => ({
    secrets: {
      ...secrets,
      deal: async (context, joinKeys) => {
        const honest = await secrets.deal(context, joinKeys)
        return { ...honest, ...change(honest) }
      },
    },
  }))

/** Says something else to some: `other` makes the second version of a message, or undefined to leave it as it is. */
export const twoFaced = (toOthers: readonly number[], other: (message: CeremonyMessage) => CeremonyMessage | undefined): Tamper =>
  tampered(({ network }) => ({
    network: {
      ...network,
      send: (to, channel, bytes) => {
        const changed = toOthers.includes(to) ? other(decodeCeremony(bytes, shape)) : undefined
        network.send(to, channel, changed === undefined ? bytes : signedAgain(bytes, changed))
      },
    },
  }))

export function signedAgain(original: Uint8Array, message: CeremonyMessage): Uint8Array {
  if (message.kind === 'qbft' || message.kind === 'participation' || message.kind === 'complaint' || message.kind === 'absence')
    return encodeCeremony(peekCeremony(original), message)
  const context = { ...peekCeremony(original), chainId: 7n, contract: ADDRESSES.poolRegistry }
  return encodeCeremony(context, { ...message, signature: sign(ceremonyDigest(context, message)) })
}
export const flip = (hex: Hex | null | undefined): Hex =>
  `0x${(hex ?? '0x00').slice(2).replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))}`
export const anotherKey = g1ToEip2537(multiply(G, scalarFromBigInt(99n)))

/** That the faulty member holds it, in the first round. */
export const anotherProof = proveKnowledge(
  possessionStatement({ poolId: POOL, kind: 'dkg', round: 0, chainId: 7n, contract: ADDRESSES.poolRegistry }, BAD, anotherKey),
  scalarFromBigInt(99n),
  scalarFromBigInt(98n),
)

/** Every rule that an honest member saw broken: all by the faulty one. */
export const rulesSeenBy = ({ progress }: Member): readonly string[] => {
  assert.deepEqual(
    progress?.faults.filter(({ member }) => member !== BAD),
    [],
  )
  return progress?.faults.map(({ rule, reason }) => `${rule}: ${reason}`) ?? []
}
