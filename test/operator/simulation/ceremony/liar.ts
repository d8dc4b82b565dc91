import { bls12_381 } from '@noble/curves/bls12-381.js'
import type { CeremonyPorts } from '../../../../operator/ceremonies/types.ts'
import type { Hex, MemberIndex, Root } from '../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes } from '../../../../operator/core/parse.ts'
import type { Complaint, Dealing, Reveal } from '../../../../operator/core/ports/ceremony.ts'
import type { Scalar } from '../../../../operator/protocol/bls/backend.ts'
import { G, H } from '../../../../operator/protocol/bls/generators.ts'
import { g1FromEip2537, g1ToEip2537, multiply, sumPoints } from '../../../../operator/protocol/bls/points.ts'
import { evaluate, scalarFromBytes, scalarToBytes, sumScalars } from '../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge } from '../../../../operator/protocol/bls/schnorr.ts'
import { makeComplaint } from '../../../../operator/protocol/dkg/complaint.ts'
import { possessionStatement } from '../../../../operator/protocol/dkg/join.ts'
import { decodeTranscript, encodeTranscript } from '../../../../operator/protocol/dkg/transcript.ts'
import { type CeremonyStatement, ceremonyDigest, complaintDigest, dealingHash } from '../../../../operator/protocol/messages/ceremony.ts'
import {
  type Agreed,
  type CeremonyMessage,
  decodeCeremony,
  decodeRoster,
  encodeCeremony,
  encodeRoster,
} from '../../../../operator/protocol/messages/ceremony-codec.ts'
import { signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import type { CeremonyState } from '../../../../operator/signer/ceremony-state.ts'
import { ADDRESSES, POOL } from '../../unit/ceremonies/support/chain.ts'
import type { Random } from '../random.ts'
import { seededDraw } from './disk.ts'
import type { Lie, SimMember } from './member.ts'

/** What a liar chooses by. */
export type Dice = {
  readonly random: Random
  readonly seed: number
  readonly size: number
  readonly threshold: number
  readonly self: number
}
export const CONTEXT = { chainId: 7n, contract: ADDRESSES.poolRegistry, poolId: POOL, kind: 'dkg', round: 0 } as const
export const KINDS = ['join', 'dealing', 'checked', 'qbft', 'reveal', 'participation'] as const
export const everyone = ({ size }: Dice): readonly number[] => Array.from({ length: size }, (_, at) => at + 1)
export const others = (dice: Dice): readonly number[] => everyone(dice).filter((id) => id !== dice.self)

/** At least one of the others. */
export const some = (dice: Dice): readonly number[] => dice.random.shuffle(others(dice)).slice(0, dice.random.int(1, dice.size - 1))
const flip = (hex: Hex): Hex => `0x${hex.slice(2).replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))}`

const xor = (...parts: readonly Uint8Array[]): Hex =>
  bytesToHex((parts[0] ?? new Uint8Array()).map((_, i) => parts.reduce((sum, part) => sum ^ (part[i] ?? 0), 0)))

export const stateOf = ({ disk }: SimMember): CeremonyState => {
  const [state] = disk.held.values()
  if (state === undefined) throw new Error('expected the liar to have begun')
  return state
}
export const fromHex = (hex: Hex): Scalar => scalarFromBytes(hexToBytes(hex))

/** No gate: signs what it likes. */
export const ungated = (member: SimMember): Pick<CeremonyPorts, 'operatorKey'> => ({
  operatorKey: {
    address: member.keys.operator,
    signOnce: (_, digest) => signEcdsa(digest, member.keys.operatorKey),
    together: (work) => work(),
    announce: () => {},
    recall: () => [],
  },
})

export const signed = (member: SimMember, statement: CeremonyStatement): Uint8Array =>
  encodeCeremony(CONTEXT, { ...statement, signature: signEcdsa(ceremonyDigest(CONTEXT, statement), member.keys.operatorKey) })

/** Passes, changes or drops (undefined) what it sends. */
export const sending =
  (dice: Dice, change: (message: CeremonyMessage, to: number, bytes: Uint8Array, member: SimMember) => Uint8Array | undefined): Lie =>
  ({ network }, member) => ({
    ...ungated(member),
    network: {
      ...network,
      send: (to, channel, bytes) => {
        const changed = change(decodeCeremony(bytes, dice), to, bytes, member)
        if (changed !== undefined) network.send(to, channel, changed)
      },
    },
  })

export const dealing =
  (change: (dealing: Dealing, state: CeremonyState) => Partial<Dealing>): Lie =>
  ({ secrets }, member) => ({
    ...ungated(member),
    secrets: {
      ...secrets,
      deal: async (context, joinKeys) => {
        const honest = await secrets.deal(context, joinKeys)
        return { ...honest, ...change(honest, stateOf(member)) }
      },
    },
  })

/** The dealing with the share of some in other bytes: what `share` makes of the true one. */
export const withShares = (
  { ciphertexts }: Dealing,
  state: CeremonyState,
  share: (true_: Scalar, member: number) => Uint8Array,
  to: readonly number[],
) => {
  const coefficients = (state.own?.coefficients ?? []).map(fromHex)
  return ciphertexts.map((text, at) => {
    if (text === null || !to.includes(at + 1)) return text
    const honest = evaluate(coefficients, at + 1)
    return xor(hexToBytes(text), scalarToBytes(honest), share(honest, at + 1))
  })
}

/** A second dealing as good as the first. */
export function otherDealing(dealing: Dealing, state: CeremonyState, dice: Dice): Dealing {
  const extra = Array.from({ length: dice.threshold }, seededDraw('other dealing', dice.seed, dice.self))
  return {
    ...dealing,
    commitments: dealing.commitments.map((point, k) =>
      g1ToEip2537(sumPoints([g1FromEip2537(point), multiply(H, extra[k] ?? fromHex('0x'))])),
    ),
    ciphertexts: withShares(dealing, state, (share, member) => scalarToBytes(sumScalars([share, evaluate(extra, member)])), everyone(dice)),
  }
}

export const otherJoin = (dice: Dice): CeremonyStatement & { kind: 'join' } => {
  const draw = seededDraw('other join', dice.seed, dice.self)
  const secret = draw()
  const joinKey = g1ToEip2537(multiply(G, secret))
  const proof = proveKnowledge(possessionStatement(CONTEXT, dice.self, joinKey), secret, draw())
  return { kind: 'join', member: dice.self as MemberIndex, joinKey, proof }
}

export function complaintAbout(dealing: Dealing, member: SimMember, bend: (complaint: Complaint) => Partial<Complaint>): Uint8Array {
  const secrets = { ephemeral: fromHex(stateOf(member).ephemeral), nonce: seededDraw('nonce', member.id)() }
  const honest = makeComplaint(CONTEXT, { dealing, member: Number(member.id) as MemberIndex }, secrets)
  const complaint = { ...honest, ...bend(honest) }
  const digest = complaintDigest(CONTEXT, complaint, dealingHash(CONTEXT, dealing))
  return encodeCeremony(CONTEXT, { kind: 'complaint', complaint, signature: signEcdsa(digest, member.keys.operatorKey) })
}

/** A point on the curve that is not in the subgroup. */
const OUTSIDE: Hex = (() => {
  const { Fp } = bls12_381.fields
  for (let x = 1n; ; x++) {
    const square = Fp.add(Fp.pow(x, 3n), 4n)
    if (Fp.pow(square, (Fp.ORDER - 1n) / 2n) !== 1n) continue
    const y = Fp.sqrt(square)
    if (!bls12_381.G1.Point.fromAffine({ x, y }).isTorsionFree())
      return `0x${[x, y].map((value) => value.toString(16).padStart(128, '0')).join('')}`
  }
})()
export const NO_POINTS: readonly Hex[] = [`0x${'00'.repeat(128)}`, `0x${'00'.repeat(63)}05${'00'.repeat(63)}05`, OUTSIDE]

export const bends: readonly ((complaint: Complaint) => Partial<Complaint>)[] = [
  () => ({}),
  ({ proof }) => ({ proof: { ...proof, response: flip(proof.response) } }),
  () => ({ sharedPoint: g1ToEip2537(G) }),
]

export const wrongReveals: readonly ((reveal: Reveal) => Partial<Reveal>)[] = [
  ({ publicShare }) => ({ constantTerm: publicShare }),
  ({ publicShare }) => ({ publicShare: { ...publicShare, point: g1ToEip2537(G) } }),
  ({ publicShare }) => ({ publicShare: { ...publicShare, proof: { ...publicShare.proof, response: flip(publicShare.proof.response) } } }),
  ({ publicShare }) => ({ publicShare: { ...publicShare, point: NO_POINTS[2] ?? '0x' } }),
  () => ({ constantTerm: null }),
]
type Proposal = { readonly about: Agreed; readonly value: Uint8Array }

/** What a leader could want the others to agree on instead. */
export const falseValues: readonly ((proposal: Proposal, dice: Dice, victim: number) => Uint8Array)[] = [
  // Without an honest dealer, or an honest member.
  ({ about, value }, { size }, victim) => {
    if (about === 'roster') {
      const joins = decodeRoster(value, size).filter(({ member }) => member !== victim)
      return encodeRoster(new Map(joins.map((join) => [join.member, join])), size)
    }
    const transcript = decodeTranscript(value, size)
    const qualified = transcript.qualified.filter((dealer) => dealer !== victim)
    return encodeTranscript({ ...transcript, qualified, dealingHashes: transcript.dealingHashes.with(victim - 1, null) })
  },
  // With a dealing, or a join, that its author never signed.
  ({ about, value }, { size }, victim) => {
    if (about === 'roster') {
      const joins = decodeRoster(value, size).map((join) => (join.member === victim ? { ...join, joinKey: g1ToEip2537(G) } : join))
      return encodeRoster(new Map(joins.map((join) => [join.member, join])), size)
    }
    const transcript = decodeTranscript(value, size)
    const dealingHashes = transcript.dealingHashes.with(victim - 1, `0x${'5f'.repeat(32)}` as Root)
    const qualified = [...new Set([...transcript.qualified, victim as MemberIndex])].sort((a, b) => a - b)
    return encodeTranscript({ ...transcript, qualified, dealingHashes })
  },
  // Keeps a member from its share; of a roster: nobody at all.
  ({ about, value }, { size }, victim) => {
    if (about === 'roster') return encodeRoster(new Map(), size)
    const transcript = decodeTranscript(value, size)
    return encodeTranscript({ ...transcript, joinKeys: transcript.joinKeys.with(victim - 1, null) })
  },
  // Its own dealing alone.
  ({ about, value }, { size, self }) => {
    if (about === 'roster') return value.subarray(1)
    const transcript = decodeTranscript(value, size)
    const dealingHashes = transcript.dealingHashes.map((hash, at) => (at === self - 1 ? hash : null))
    return encodeTranscript({ ...transcript, qualified: [self as MemberIndex], dealingHashes })
  },
  () => new Uint8Array(3).fill(7),
]
