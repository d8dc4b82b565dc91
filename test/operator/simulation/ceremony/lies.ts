import type { MemberIndex, Milliseconds, ProducerId, Root } from '../../../../operator/core/ids.ts'
import { bytesToHex } from '../../../../operator/core/parse.ts'
import type { Dealing } from '../../../../operator/core/ports/ceremony.ts'
import { type G1, GROUP_ORDER } from '../../../../operator/protocol/bls/backend.ts'
import { G, H } from '../../../../operator/protocol/bls/generators.ts'
import { g1FromEip2537, g1ToCompressed, g1ToEip2537, multiply, sumPoints } from '../../../../operator/protocol/bls/points.ts'
import { interpolate } from '../../../../operator/protocol/bls/polynomials.ts'
import { evaluate, scalarFromBigInt, scalarToBytes, sumScalars } from '../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge } from '../../../../operator/protocol/bls/schnorr.ts'
import { possessionStatement } from '../../../../operator/protocol/dkg/join.ts'
import { ceremonyDigest } from '../../../../operator/protocol/messages/ceremony.ts'
import { type CeremonyMessage, decodeCeremony, encodeCeremony } from '../../../../operator/protocol/messages/ceremony-codec.ts'
import { signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import { domainSeparatorOf } from '../../../../operator/protocol/messages/eip712.ts'
import { qbftDigest } from '../../../../operator/protocol/messages/qbft.ts'
import { valueRoot } from '../../../../operator/protocol/qbft/session.ts'
import { INSTANCE_CODES } from '../../../../operator/protocol/qbft/types.ts'
import { POOL, SLOT_MS } from '../../unit/ceremonies/support/chain.ts'
import { seededDraw } from './disk.ts'
import { keysOf } from './keys.ts'
import {
  bends,
  CONTEXT,
  complaintAbout,
  type Dice,
  dealing,
  everyone,
  falseValues,
  fromHex,
  KINDS,
  NO_POINTS,
  otherDealing,
  otherJoin,
  others,
  sending,
  signed,
  some,
  stateOf,
  ungated,
  withShares,
  wrongReveals,
} from './liar.ts'
import type { Lie } from './member.ts'

/** What malicious members do, by name. */
export const LIES = {
  'bad share to some': (dice) => {
    const to = some(dice)
    return dealing((honest, state) => ({
      ciphertexts: withShares(honest, state, (share) => scalarToBytes(sumScalars([share, scalarFromBigInt(1n)])), to),
    }))
  },
  'share at or above the order': (dice) => {
    const to = some(dice)
    return dealing((honest, state) => ({ ciphertexts: withShares(honest, state, () => new Uint8Array(32).fill(0xff), to) }))
  },
  'commitment that is no point of the group': (dice) => {
    const [place, point] = [dice.random.int(0, dice.threshold - 1), dice.random.pick(NO_POINTS)]
    return dealing(({ commitments }) => ({ commitments: commitments.with(place, point) }))
  },
  'wrong degree': (dice) =>
    dealing((honest, state) => {
      const top = [...Array.from({ length: dice.threshold }, () => scalarFromBigInt(0n)), scalarFromBigInt(7n)]
      return {
        ciphertexts: withShares(
          honest,
          state,
          (share, member) => scalarToBytes(sumScalars([share, evaluate(top, member)])),
          everyone(dice),
        ),
      }
    }),
  'leaves a member out': (dice) => {
    const at = dice.random.pick(others(dice)) - 1
    return dealing(({ joinKeys, ciphertexts }) => ({ joinKeys: joinKeys.with(at, null), ciphertexts: ciphertexts.with(at, null) }))
  },
  'join key of its own making for another': (dice) => {
    const [at, { joinKey }] = [dice.random.pick(others(dice)) - 1, otherJoin(dice)]
    return dealing(({ joinKeys }) => ({ joinKeys: joinKeys.with(at, joinKey) }))
  },
  'two join keys': (dice) => {
    const to = some(dice)
    return sending(dice, ({ kind }, at, bytes, member) => (kind === 'join' && to.includes(at) ? signed(member, otherJoin(dice)) : bytes))
  },
  /** Each other member hears of another key, and nothing more: a third key of one member stands on no board. */
  'a join key for each, then silence':
    (dice) =>
    ({ network, clock }, member) => {
      let isTold = false
      const tell = (): void => {
        for (const to of others(dice)) {
          const draw = seededDraw('join for each', dice.seed, dice.self, to)
          const secret = draw()
          const joinKey = g1ToEip2537(multiply(G, secret))
          const proof = proveKnowledge(possessionStatement(CONTEXT, dice.self, joinKey), secret, draw())
          network.send(to as ProducerId, 'ceremony', signed(member, { kind: 'join', member: dice.self as MemberIndex, joinKey, proof }))
        }
      }
      return {
        ...ungated(member),
        network: {
          ...network,
          send: () => {
            if (isTold) return
            isTold = true
            clock.at((clock.now() + 2 * SLOT_MS) as Milliseconds, tell)
          },
        },
      }
    },
  'join key that is no point': (dice) => {
    const joinKey = dice.random.pick(NO_POINTS)
    return sending(dice, (message, _, bytes, member) => (message.kind === 'join' ? signed(member, { ...message, joinKey }) : bytes))
  },
  'two dealings': (dice) => {
    const to = some(dice)
    return sending(dice, (message, at, bytes, member) =>
      message.kind === 'dealing' && message.dealing.dealer === dice.self && to.includes(at)
        ? signed(member, { kind: 'dealing', dealing: otherDealing(message.dealing, stateOf(member), dice) })
        : bytes,
    )
  },
  'two words on the dealings': (dice) => {
    const to = some(dice)
    return sending(dice, (message, at, bytes, member) =>
      message.kind === 'checked' && message.member === dice.self && to.includes(at)
        ? signed(member, { ...message, dealings: message.dealings.map(() => null) })
        : bytes,
    )
  },
  'finds no dealing good': (dice) =>
    sending(dice, (message, _, bytes, member) =>
      message.kind === 'checked' && message.member === dice.self
        ? signed(member, { ...message, dealings: message.dealings.map(() => null) })
        : bytes,
    ),
  /** To all, or to some and the true one to the others; prepared and committed by itself, whatever else it says. */
  'false proposal as a leader': (dice) => {
    const [bend, victim] = [dice.random.pick(falseValues), dice.random.pick(others(dice))]
    const to = dice.random.chance(0.5) ? others(dice) : some(dice)
    return ({ network }, member) => ({
      ...ungated(member),
      network: {
        ...network,
        send: (receiver, channel, bytes) => {
          const said = decodeCeremony(bytes, dice)
          if (said.kind !== 'qbft' || said.message.kind !== 'statement' || !to.includes(receiver))
            return network.send(receiver, channel, bytes)
          const { about, message } = said
          if (message.signed.type !== 'pre-prepare' || message.value === undefined) return network.send(receiver, channel, bytes)
          const value = bend({ about, value: message.value }, dice, victim)
          const instance = { poolId: POOL, slot: CONTEXT.round, duty: INSTANCE_CODES[about === 'roster' ? 'roster' : 'ceremony'] }
          for (const type of ['pre-prepare', 'prepare', 'commit'] as const) {
            const statement = { ...message.signed, type, value: valueRoot(value) }
            const digest = qbftDigest(domainSeparatorOf(CONTEXT), instance, statement)
            const signed = { ...statement, signature: signEcdsa(digest, member.keys.operatorKey) }
            const parts = type === 'pre-prepare' ? { ...message, value } : { ...message, roundChanges: [], prepares: [], value: undefined }
            network.send(receiver, channel, encodeCeremony(CONTEXT, { kind: 'qbft', about, message: { ...parts, signed } }))
          }
        },
      },
    })
  },
  'false complaint': (dice) => {
    const [about, bend] = [dice.random.pick(others(dice)), dice.random.pick(bends)]
    return ({ secrets, network }, member) => ({
      ...ungated(member),
      secrets: {
        ...secrets,
        open: async (context, said) => {
          if (said.dealer === about) {
            const bytes = complaintAbout(said, member, bend)
            for (const to of some(dice)) network.send(to as ProducerId, 'ceremony', bytes)
          }
          return secrets.open(context, said)
        },
      },
    })
  },
  'withheld reveal': (dice) => {
    const signs = dice.random.chance(0.5)
    return sending(dice, ({ kind }, _, bytes) => (kind === 'reveal' || (kind === 'participation' && !signs) ? undefined : bytes))
  },
  'wrong reveal': (dice) => {
    const bend = dice.random.pick(wrongReveals)
    return ({ secrets }, member) => ({
      ...ungated(member),
      secrets: {
        ...secrets,
        reveal: async (context, qualified) => {
          const honest = await secrets.reveal(context, qualified)
          return { ...honest, ...bend(honest) }
        },
      },
    })
  },
  'false result': () => (_, member) => ({
    ...ungated(member),
    signingKey: { ...member.keys.signing, sign: () => member.keys.signing.sign(`0x${'66'.repeat(32)}` as Root) },
  }),
  'silent from some message on': (dice) => {
    const from = dice.random.pick(KINDS)
    let isSilent = false
    return sending(dice, ({ kind }, _, bytes) => {
      isSilent ||= kind === from
      return isSilent ? undefined : bytes
    })
  },
  'keeps something from some': (dice) => {
    const [what, from] = [dice.random.pick(KINDS), some(dice)]
    return sending(dice, ({ kind }, to, bytes) => (kind === what && from.includes(to) ? undefined : bytes))
  },
  /** Its own share left out for one, told over and over, and zeros for the others: the same hash, if both were taken. */
  'two forms of one dealing':
    (dice) =>
    ({ network, secrets, clock }, member) => {
      const [at, to] = [dice.self - 1, dice.random.pick(others(dice))]
      let toldOne: Uint8Array | undefined
      const tell = (): void => {
        if (toldOne !== undefined) network.send(to as ProducerId, 'ceremony', toldOne)
        clock.at((clock.now() + 50) as Milliseconds, tell)
      }
      tell()
      return {
        ...ungated(member),
        secrets: {
          ...secrets,
          deal: async (context, joinKeys) => {
            const honest = await secrets.deal(context, joinKeys)
            return { ...honest, ciphertexts: honest.ciphertexts.with(at, null) }
          },
          open: async (context, said) => (said.dealer === dice.self ? { dealer: said.dealer, good: true } : secrets.open(context, said)),
        },
        network: {
          ...network,
          send: (receiver, channel, bytes) => {
            const message = decodeCeremony(bytes, dice)
            if (message.kind === 'reveal' || message.kind === 'participation') return
            const isOwn = message.kind === 'dealing' && message.dealing.dealer === dice.self
            if (isOwn && receiver === to) toldOne = bytes
            if (!isOwn || receiver === to) return network.send(receiver, channel, bytes)
            const ciphertexts = message.dealing.ciphertexts.with(at, `0x${'00'.repeat(32)}`)
            network.send(receiver, channel, encodeCeremony(CONTEXT, { ...message, dealing: { ...message.dealing, ciphertexts } }))
          },
        },
      }
    },
  /** Deals last, so that its own share of the key is zero. */
  'share of zero':
    (dice) =>
    ({ secrets }, member) => {
      const opened = new Set<number>()
      const all = Promise.withResolvers<void>()
      return {
        ...ungated(member),
        secrets: {
          ...secrets,
          open: async (context, said) => {
            const answer = await secrets.open(context, said)
            opened.add(said.dealer)
            if (opened.size >= dice.size - 1) all.resolve()
            return answer
          },
          deal: async (context, joinKeys) => {
            const honest = await secrets.deal(context, joinKeys)
            await all.promise
            const state = stateOf(member)
            const own = evaluate((state.own?.coefficients ?? []).map(fromHex), dice.self)
            const total = sumScalars([own, ...Object.values(state.received).map(({ share }) => fromHex(share))])
            const rest = scalarFromBigInt(GROUP_ORDER - BigInt(bytesToHex(scalarToBytes(total))))
            const [constant, ...more] = honest.commitments
            return {
              ...honest,
              commitments: [g1ToEip2537(sumPoints([g1FromEip2537(constant ?? '0x'), multiply(H, rest)])), ...more],
              ciphertexts: withShares(honest, state, (share) => scalarToBytes(sumScalars([share, rest])), everyone(dice)),
            }
          },
        },
      }
    },
  'replays from other ceremonies': (dice) => (ports, member) => {
    const { network, clock } = ports
    /** An honest member's words in another round, pool or chain, under this one's header. */
    const foreign = everyone(dice).flatMap((author) =>
      [{ round: 9 }, { poolId: 6 as typeof POOL }, { chainId: 8n }].map((change) => {
        const joinKey = g1ToEip2537(multiply(G, scalarFromBigInt(BigInt(author + 50))))
        const elsewhere = { ...CONTEXT, ...change }
        const secret = scalarFromBigInt(BigInt(author + 50))
        const proof = proveKnowledge(possessionStatement(elsewhere, author, joinKey), secret, scalarFromBigInt(77n))
        const statement = { kind: 'join', member: author as MemberIndex, joinKey, proof } as const
        const signature = signEcdsa(ceremonyDigest(elsewhere, statement), keysOf(author).operatorKey)
        return encodeCeremony(CONTEXT, { ...statement, signature })
      }),
    )
    const tell = (): void => {
      for (const to of others(dice)) for (const bytes of foreign) network.send(to as ProducerId, 'ceremony', bytes)
    }
    tell()
    clock.at((clock.now() + SLOT_MS) as Milliseconds, tell)
    return ungated(member)
  },
  /** Waits for what the others reveal, works out the key, and does all it can against one that ends in a 1. */
  'rushes to bias the key': (dice) => (ports, member) => {
    const { network, secrets } = ports
    const revealed = new Map<number, G1>()
    const heldBack: { readonly to: ProducerId; readonly bytes: Uint8Array }[] = []
    let dealt: Dealing | undefined
    let verdict: 'wait' | 'like' | 'dislike' = 'wait'
    const broadcast = (bytes: Uint8Array): void => {
      for (const to of others(dice)) network.send(to as ProducerId, 'ceremony', bytes)
    }
    const look = (message: CeremonyMessage): void => {
      if (message.kind !== 'reveal' || verdict !== 'wait') return
      revealed.set(message.reveal.member, g1FromEip2537(message.reveal.publicShare.point))
      if (revealed.size < dice.threshold) return
      const key = g1ToCompressed(interpolate([...revealed].map(([index, point]) => ({ index, point }))))
      verdict = Number.parseInt(key.slice(-1), 16) % 2 === 0 ? 'like' : 'dislike'
      if (verdict === 'like') for (const { to, bytes } of heldBack) network.send(to, 'ceremony', bytes)
      if (verdict === 'like') return
      broadcast(signed(member, otherJoin(dice)))
      const own = stateOf(member).own?.dealing
      if (own !== undefined) broadcast(signed(member, { kind: 'dealing', dealing: otherDealing(own, stateOf(member), dice) }))
      if (dealt !== undefined) for (const bend of bends) broadcast(complaintAbout(dealt, member, bend))
    }
    return {
      ...ungated(member),
      secrets: {
        ...secrets,
        open: async (context, said) => {
          if (said.dealer !== dice.self) dealt = said
          return secrets.open(context, said)
        },
      },
      network: {
        ...network,
        send: (to, channel, bytes) => {
          const { kind } = decodeCeremony(bytes, dice)
          if (verdict === 'dislike') return
          if ((kind === 'reveal' || kind === 'participation') && verdict === 'wait') heldBack.push({ to, bytes })
          else network.send(to, channel, bytes)
        },
        onMessage: (channel, handler) =>
          network.onMessage(channel, (from, bytes) => {
            try {
              look(decodeCeremony(bytes, dice))
            } catch {
              // Another liar's.
            }
            handler(from, bytes)
          }),
      },
    }
  },
} as const satisfies Readonly<Record<string, (dice: Dice) => Lie>>

export type LieName = keyof typeof LIES
export const LIE_NAMES = Object.keys(LIES) as readonly LieName[]
