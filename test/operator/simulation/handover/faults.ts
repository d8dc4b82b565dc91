import type { Hex, MemberIndex, ProducerId } from '../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../operator/core/parse.ts'
import type { Dealing } from '../../../../operator/core/ports/ceremony.ts'
import type { HandoverContext } from '../../../../operator/core/ports/handover.ts'
import { G } from '../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../../../operator/protocol/bls/points.ts'
import { scalarFromBigInt, scalarFromBytes } from '../../../../operator/protocol/bls/scalars.ts'
import { makeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { ceremonyId } from '../../../../operator/protocol/dkg/context.ts'
import { ceremonyDigest } from '../../../../operator/protocol/messages/ceremony.ts'
import { addressOf, signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import {
  decodeHandover,
  encodeHandover,
  type HandoverShape,
  isHandover,
  peekHandover,
} from '../../../../operator/protocol/messages/handover-codec.ts'
import { ADDRESSES } from '../../unit/ceremonies/support/chain.ts'
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
] as const
export type Fault = (typeof FAULTS)[number]

const flip = (hex: Hex | null | undefined): Hex => `0x${(hex ?? '0x00').slice(2).replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))}`
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
    recall: () => [],
  }
  return (ports) => {
    const { secrets, network, signingKey } = ports
    const change = DEALINGS[fault]
    const deal = async (context: HandoverContext, joinKeys: readonly (Hex | null)[]): Promise<Dealing> => {
      const honest = await secrets.deal(context, joinKeys)
      return change === undefined ? honest : { ...honest, ...change(honest) }
    }
    const falsely = async (context: HandoverContext, dealing: Dealing) => {
      const state = JSON.parse(Buffer.from(disk.states.get(ceremonyId(context).slice(2)) ?? Buffer.from('{}')).toString('utf8')) as {
        readonly ephemeral: Hex
      }
      const ephemeral = scalarFromBytes(hexToBytes(state.ephemeral))
      return makeComplaint(context, { dealing, member: context.receiver as MemberIndex }, { ephemeral, nonce: scalarFromBigInt(5n) })
    }
    /** What leaves, for whom: undefined for nothing. */
    const outgoing = (to: ProducerId, bytes: Uint8Array): Uint8Array | undefined => {
      if (!isHandover(bytes)) return bytes
      if (fault === 'silent') return undefined
      const message = decodeHandover(bytes, shape)
      if (message.kind !== 'dealing') return bytes
      if (fault === 'no-dealing') return undefined
      if (fault !== 'two-dealings' || to % 2 === 0) return bytes
      const { dealing } = message
      const other = { ...dealing, ciphertexts: dealing.ciphertexts.with(2, flip(dealing.ciphertexts[2])) }
      const context = { ...peekHandover(bytes), kind: 'rotation', chainId: 7n, contract: ADDRESSES.poolRegistry } as const
      return encodeHandover(context, {
        kind: 'dealing',
        dealing: other,
        signature: sign(ceremonyDigest(context, { kind: 'dealing', dealing: other })),
      })
    }
    return {
      operatorKey,
      secrets: {
        ...secrets,
        deal,
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
          const changed = outgoing(to, bytes)
          if (changed !== undefined) network.send(to, channel, changed)
        },
      },
    }
  }
}
