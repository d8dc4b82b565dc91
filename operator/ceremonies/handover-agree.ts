import type { MemberIndex } from '../core/ids.ts'
import { sleep } from '../core/time.ts'
import { domainSeparatorOf } from '../protocol/messages/eip712.ts'
import { leaderOf, qbftIdentity } from '../protocol/qbft/identity.ts'
import { QbftSession } from '../protocol/qbft/session.ts'
import { INSTANCE_CODES, type QbftInstance } from '../protocol/qbft/types.ts'
import { type ChosenDealings, choiceBytes, decodeChoice, encodeChoice } from '../protocol/rotation/transcript.ts'
import type { Candidate, HandoverRoom } from './handover-room.ts'
import type { HandoverPorts, HandoverSetup } from './handover-types.ts'

/** Round 1 of the choice's QBFT in slots. */
const FIRST_ROUND_SLOTS = 2
/** Slots in which a complaint about a dealing can still keep it from being chosen. */
const REST_SLOTS = 1

type Agreeing = {
  readonly setup: HandoverSetup
  readonly room: HandoverRoom
  readonly receiver: MemberIndex
  /** Dealings with a good share for self. */
  readonly usable: () => readonly Candidate[]
}

/** New members whom all of these dealings serve. */
function covered({ room }: Pick<Agreeing, 'room'>, candidates: readonly Candidate[]): number {
  return room.joinKeys().filter((key, at) => key !== null && candidates.every(({ dealing }) => dealing.joinKeys[at] === key)).length
}

/** The t dealings that self would have: those that serve most members, then the first. Undefined while there are too few. */
function choice(agreeing: Agreeing): readonly Candidate[] | undefined {
  const { oldThreshold, threshold } = agreeing.setup.context
  const ranked = agreeing
    .usable()
    .toSorted((a, b) => covered(agreeing, [b]) - covered(agreeing, [a]) || a.dealing.dealer - b.dealing.dealer)
    .slice(0, oldThreshold)
    .toSorted((a, b) => a.dealing.dealer - b.dealing.dealer)
  return ranked.length === oldThreshold && covered(agreeing, ranked) >= threshold ? ranked : undefined
}

/**
 * The new vault agrees on exactly t dealings, by the duties' QBFT. A member prepares only a choice of which it can make its own share,
 * and which serves a threshold of members. The session goes on answering late members until the returned function is called.
 */
export function agreeOnDealings(
  ports: HandoverPorts,
  agreeing: Agreeing,
  signal: AbortSignal,
): { readonly decided: Promise<ChosenDealings>; readonly close: () => void } {
  const { setup, room, receiver, usable } = agreeing
  const { context, members } = setup
  const { poolId, round, size, threshold } = context
  const slotMs = ports.beacon.spec.slotDurationMs
  const instance: QbftInstance = { poolId, slot: round, duty: INSTANCE_CODES.handover }
  const { promise, resolve, reject } = Promise.withResolvers<ChosenDealings>()

  const isValid = (value: Uint8Array, vouched: boolean): boolean => {
    try {
      const chosen = decodeChoice(context, value)
      if (vouched) return true
      const known = usable()
      const found = chosen.flatMap(({ hash }) => known.find((one) => one.hash === hash) ?? [])
      return found.length === chosen.length && covered(agreeing, found) >= threshold
    } catch {
      return false
    }
  }
  const propose = (): void => {
    const own = choice(agreeing)
    if (own !== undefined)
      session.propose(
        encodeChoice(
          context,
          own.map(({ dealing, hash }) => ({ dealer: dealing.dealer, hash })),
        ),
      )
  }
  const session = new QbftSession({
    size,
    quorum: threshold,
    self: receiver,
    leaderOf: leaderOf(instance, size),
    firstRoundMs: FIRST_ROUND_SLOTS * slotMs,
    isValid,
    identity: qbftIdentity({
      instance,
      domainSeparator: domainSeparatorOf(context),
      key: ports.operatorKey,
      members: members.slice(0, size).map(({ operator }) => operator),
      verifyEcdsa: ports.verifyEcdsa,
      limits: { size, maxValueBytes: choiceBytes(context.oldSize) },
      onRefused: (reason) => ports.log.error('the gate refused a handover message', { pool: poolId, round, reason: String(reason) }),
    }),
    clock: ports.clock,
    broadcast: (message) => room.sayQbft(message),
    send: (to: MemberIndex, message) => room.sayQbft(message, to),
    onDecided: ({ value }) => {
      try {
        resolve(decodeChoice(context, value))
      } catch (error) {
        // A quorum of liars: as many as could make the key alone.
        reject(error)
      }
    },
    onFault: ({ member, fault }) => ports.log.warn('fault in the agreement on dealings', { pool: poolId, round, member, fault }),
    onRound: (entered) => {
      if (entered > 1) {
        ports.log.info('round change in the agreement on dealings', { pool: poolId, round: entered })
        // Perhaps some lack what the last leader proposed.
        const dealers = usable().map(({ dealing }) => dealing.dealer)
        for (let to = 1; to <= size; to++) if (to !== receiver) room.board.passOn(to as MemberIndex, 'dealing', dealers)
      }
      propose()
    },
  })

  const start = async (): Promise<void> => {
    await room.board.until(() => choice(agreeing), signal)
    await sleep(ports.clock, REST_SLOTS * slotMs, signal)
    session.start()
    room.qbft.listen((from, message) => session.receive(from, message))
    // What comes later may make another's proposal acceptable, or an own one possible.
    await room.board.until<never>(() => {
      session.reconsider()
      propose()
      return undefined
    }, signal)
  }
  start().catch(reject)
  return { decided: promise, close: () => session.close() }
}
