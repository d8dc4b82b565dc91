import type { Hex, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../operator/core/parse.ts'
import type { Dealing, Dleq, OpenedDealing } from '../../../../operator/core/ports/ceremony.ts'
import type { HandoverContext } from '../../../../operator/core/ports/handover.ts'
import { G } from '../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../../../operator/protocol/bls/points.ts'
import { scalarFromBigInt, scalarFromBytes } from '../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge } from '../../../../operator/protocol/bls/schnorr.ts'
import { makeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { ceremonyId, type PublicContext } from '../../../../operator/protocol/dkg/context.ts'
import { possessionStatement } from '../../../../operator/protocol/dkg/join.ts'
import { type CeremonyStatement, ceremonyDigest } from '../../../../operator/protocol/messages/ceremony.ts'
import { addressOf, signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import {
  decodeHandover,
  encodeHandover,
  type HandoverShape,
  isHandover,
  peekHandover,
} from '../../../../operator/protocol/messages/handover-codec.ts'
import { ADDRESSES, POOL } from '../../unit/ceremonies/support/chain.ts'
import type { Disk } from './disk.ts'
import type { Tamper } from './node.ts'

export const FAULTS = [
  'bad-share',
  'huge-share',
  'wrong-constant',
  'wrong-degree',
  'no-dealing',
  'silent',
  'two-dealings',
  'false-complaint',
  'false-result',
  'omits-some',
  'three-joins',
  'copied-key',
  'two-forms',
  'shuts-out',
  'keeps-back',
] as const
export type Fault = (typeof FAULTS)[number]

const flip = (hex: Hex | null | undefined): Hex => `0x${(hex ?? '0x00').slice(2).replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))}`
const NO_SHARE: Hex = `0x${'00'.repeat(32)}`
const aPoint = g1ToEip2537(multiply(G, scalarFromBigInt(77n)))

/** How a faulty producer changes its own dealing. */
const DEALINGS: Partial<Record<Fault, (dealing: Dealing) => Partial<Dealing>>> = {
  'bad-share': ({ ciphertexts }) => ({ ciphertexts: ciphertexts.with(0, ciphertexts[0] == null ? null : flip(ciphertexts[0])) }),
  'huge-share': ({ ciphertexts }) => ({
    ciphertexts: ciphertexts.map((text): Hex | null =>
      text === null ? null : `0x${(BigInt(text) ^ (1n << 255n)).toString(16).padStart(64, '0')}`,
    ),
  }),
  'wrong-constant': ({ commitments }) => ({ commitments: commitments.with(0, aPoint) }),
  'wrong-degree': ({ commitments }) => ({ commitments: commitments.with(-1, aPoint) }),
  'omits-some': ({ joinKeys, ciphertexts }) => ({ joinKeys: joinKeys.with(1, null), ciphertexts: ciphertexts.with(1, null) }),
}

/** New member to which a liar gives no share, or a bad one. */
const victimOf = ({ receiver }: Pick<HandoverContext, 'receiver'>): number => (receiver === 2 ? 3 : 2)

/** With no share, or a bad one, for the victim. */
function without(victim: number, { joinKeys, ciphertexts }: Dealing): Partial<Dealing> {
  return { joinKeys: joinKeys.with(victim - 1, null), ciphertexts: ciphertexts.with(victim - 1, null) }
}
function badFor(victim: number, { ciphertexts }: Dealing): Partial<Dealing> {
  const text = ciphertexts[victim - 1]
  return { ciphertexts: ciphertexts.with(victim - 1, text == null ? null : flip(text)) }
}

/** Another join of a member, with a proof that holds. */
function otherJoin(context: PublicContext, member: MemberIndex, secret: bigint) {
  const joinKey = g1ToEip2537(multiply(G, scalarFromBigInt(secret)))
  const proof = proveKnowledge(possessionStatement(context, member, joinKey), scalarFromBigInt(secret), scalarFromBigInt(secret + 1n))
  return { kind: 'join', member, joinKey, proof } as const
}

/** A faulty producer: it signs anything with its operator key, and does one wrong thing. */
export function tamperOf(
  fault: Fault,
  { key, disk, shape }: { readonly key: Uint8Array; readonly disk: Disk; readonly shape: HandoverShape },
): Tamper {
  const sign = (digest: Parameters<typeof signEcdsa>[0]) => signEcdsa(digest, key)
  const operatorKey = {
    address: addressOf(key),
    signOnce: (_: unknown, digest: Parameters<typeof signEcdsa>[0]) => sign(digest),
    together: <T>(work: () => T): T => work(),
    announce: () => {},
    recall: () => [],
  }
  return (ports) => {
    const { secrets, network, signingKey } = ports
    const change = DEALINGS[fault]
    /** By round. */
    const victims = new Map<number, ProducerId | undefined>()
    const deal = async (context: HandoverContext, joinKeys: readonly (Hex | null)[]): Promise<Dealing> => {
      const honest = await secrets.deal(context, joinKeys)
      if (fault === 'shuts-out') return { ...honest, ...without(victimOf(context), honest) }
      victims.set(context.round, ports.chain.view().head.pools.get(POOL)?.rotation?.members[victimOf(context) - 1])
      if (fault === 'keeps-back') return { ...honest, ...badFor(victimOf(context), honest) }
      return change === undefined ? honest : { ...honest, ...change(honest) }
    }
    /** Of others' dealings only as many as it needs beside its own: what it proposes is without a share for its victim. */
    const opened = new Map<number, Set<number>>()
    const openFew = async (context: HandoverContext, dealing: Dealing): Promise<OpenedDealing> => {
      const { dealer } = dealing
      const few = opened.get(context.round) ?? new Set()
      opened.set(context.round, few)
      if (dealer === context.dealer || few.has(dealer) || few.size < context.oldThreshold - 1) {
        if (dealer !== context.dealer) few.add(dealer)
        return secrets.open(context, dealing)
      }
      return { dealer, good: false, fault: 'shown', reason: 'not wanted' }
    }
    const falsely = async (context: HandoverContext, dealing: Dealing) => {
      const state = JSON.parse(Buffer.from(disk.states.get(ceremonyId(context).slice(2)) ?? Buffer.from('{}')).toString('utf8')) as {
        readonly ephemeral: Hex
      }
      const ephemeral = scalarFromBytes(hexToBytes(state.ephemeral))
      return makeComplaint(context, { dealing, member: context.receiver as MemberIndex }, { ephemeral, nonce: scalarFromBigInt(5n) })
    }
    const signed = (context: PublicContext, statement: Extract<CeremonyStatement, { kind: 'join' | 'dealing' }>): Uint8Array =>
      encodeHandover(context, { ...statement, signature: sign(ceremonyDigest(context, statement)) })
    /** Of the dealer's vault-mates: the key of each, as it joined. */
    const heard = new Map<string, { readonly joinKey: Hex; readonly proof: Dleq }>()
    const stolen = (context: PublicContext, member: number) =>
      [...heard].find(([place]) => place.startsWith(`${context.round}/`) && place !== `${context.round}/${member}`)?.[1]
    /** What leaves, for whom: nothing, one message or several. */
    const outgoing = (to: ProducerId, bytes: Uint8Array): readonly Uint8Array[] => {
      if (!isHandover(bytes)) return [bytes]
      if (fault === 'silent') return []
      const message = decodeHandover(bytes, shape)
      const context = { ...peekHandover(bytes), kind: 'rotation', chainId: 7n, contract: ADDRESSES.poolRegistry } as const
      if (message.kind === 'join') {
        const { member } = message
        if (fault === 'three-joins') return [0, 1, 2].map((at) => signed(context, otherJoin(context, member, BigInt(1_000 + 3 * to + at))))
        const copy = fault === 'copied-key' ? stolen(context, member) : undefined
        return copy === undefined ? [bytes] : [bytes, signed(context, { kind: 'join', member, ...copy })]
      }
      if (message.kind !== 'dealing') return [bytes]
      if (fault === 'no-dealing' || (fault === 'keeps-back' && to === victims.get(context.round))) return []
      const { dealing } = message
      const changed = (other: Dealing): readonly Uint8Array[] => [signed(context, { kind: 'dealing', dealing: other })]
      if (fault === 'two-dealings' && to % 2 !== 0)
        return changed({ ...dealing, ciphertexts: dealing.ciphertexts.with(2, flip(dealing.ciphertexts[2])) })
      // No share for one, and zeros for it: the same hash, if both were taken.
      if (fault === 'two-forms') return changed({ ...dealing, ciphertexts: dealing.ciphertexts.with(1, to % 2 === 0 ? null : NO_SHARE) })
      const copy = fault === 'copied-key' ? stolen(context, dealing.dealer) : undefined
      if (copy === undefined) return [bytes]
      // A bad share to all, as if from the owner of the key: a complaint would open the point that the two share.
      const joinKeys = dealing.joinKeys.with(dealing.dealer - 1, copy.joinKey)
      return [
        bytes,
        ...changed({ ...dealing, joinKeys, ciphertexts: dealing.ciphertexts.map((text) => (text === null ? null : flip(text))) }),
      ]
    }
    const note = (bytes: Uint8Array): void => {
      try {
        const message = isHandover(bytes) ? decodeHandover(bytes, shape) : undefined
        if (message?.kind === 'join') heard.set(`${peekHandover(bytes).round}/${message.member}`, message)
      } catch {
        // Another liar's.
      }
    }
    return {
      operatorKey,
      secrets: {
        ...secrets,
        deal,
        ...(fault === 'shuts-out' && { open: openFew, complain: async () => null }),
        ...(fault === 'false-complaint' && {
          open: async (context: HandoverContext, dealing: Dealing) => {
            await secrets.open(context, dealing)
            const { dealer } = dealing
            return dealer % 2 === 0 ? { dealer, good: true } : { dealer, good: false, fault: 'hidden', reason: 'made up' }
          },
          complain: falsely,
        }),
      },
      ...(fault === 'false-result' && { signingKey: { ...signingKey, sign: () => signingKey.sign(`0x${'66'.repeat(32)}` as never) } }),
      network: {
        ...network,
        send: (to, channel, bytes) => {
          for (const one of outgoing(to, bytes)) network.send(to, channel, one)
        },
        onMessage: (channel, handler) =>
          network.onMessage(channel, (from, bytes) => {
            note(bytes)
            handler(from, bytes)
          }),
      },
    }
  }
}
