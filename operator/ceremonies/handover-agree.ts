import type { MemberIndex } from '../core/ids.ts'
import { faultsOf } from '../core/vault.ts'
import { domainSeparatorOf } from '../protocol/messages/eip712.ts'
import { leaderOf, qbftIdentity } from '../protocol/qbft/identity.ts'
import { QbftSession } from '../protocol/qbft/session.ts'
import { INSTANCE_CODES, type QbftInstance } from '../protocol/qbft/types.ts'
import { type ChosenDealings, choiceBytes, decodeChoice, encodeChoice } from '../protocol/rotation/transcript.ts'
import { chooseDealings, servedBy } from './handover-choice.ts'
import type { Candidate, HandoverRoom } from './handover-room.ts'
import type { HandoverPorts, HandoverSetup } from './handover-types.ts'

/** Round 1 of the choice's QBFT in slots. */
const FIRST_ROUND_SLOTS = 2
/** Rounds in which a member insists on those whom its own choice serves: one of an honest leader is among them, but for rare draws. */
const INSISTING_ROUNDS = 6

type Agreeing = {
  readonly setup: HandoverSetup
  readonly room: HandoverRoom
  readonly receiver: MemberIndex
  /** Dealings with a good share for self. */
  readonly usable: () => readonly Candidate[]
  /** Whether all others have had the time to complain about it. */
  readonly isRested: (candidate: Candidate) => boolean
  /** New members that joined early enough for self to insist on them; those that joined early enough to be served by its own choice. */
  readonly early: () => ReadonlySet<MemberIndex>
  readonly prompt: () => ReadonlySet<MemberIndex>
}

/**
 * The new vault agrees on exactly t dealings, by the duties' QBFT. A member prepares only a choice of which it can make its own share,
 * and which serves a threshold of members. In the first rounds it also refuses one that leaves out a member whom it could serve:
 * else a dealer could keep a share from as many as the threshold allows, and be needed by all the others ever after.
 *
 * All honest members prepare the choice of an honest leader as long as messages come in time. Who is early for one has been passed on
 * before it is too late to be prompt for another, and who is prompt for one before an honest dealer stops waiting. So honest
 * dealings serve everybody that is prompt for anyone; there are t of them, all of which everyone has, and the leader's choice serves
 * all that are early for anyone. Where messages are late, members may insist on different ones; so they stop insisting.
 *
 * The session goes on answering late members until the returned function is called.
 */
export function agreeOnDealings(
  ports: HandoverPorts,
  agreeing: Agreeing,
  signal: AbortSignal,
): { readonly decided: Promise<ChosenDealings>; readonly close: () => void } {
  const { setup, room, receiver, usable, isRested, early, prompt } = agreeing
  const { context, members } = setup
  const { poolId, round, size, threshold, oldThreshold } = context
  const slotMs = ports.beacon.spec.slotDurationMs
  const instance: QbftInstance = { poolId, slot: round, duty: INSTANCE_CODES.handover }
  const { promise, resolve, reject } = Promise.withResolvers<ChosenDealings>()

  const insistingRounds = Math.min(faultsOf(size) + 2, INSISTING_ROUNDS)
  let isInsisting = true

  /** What self would have of all that it holds, also of what is not yet to be proposed. */
  const choice = (): readonly Candidate[] | undefined =>
    chooseDealings({ oldThreshold, threshold, joinKeys: room.joinKeys(), prompt: prompt(), candidates: usable() })
  const isValid = (value: Uint8Array, vouched: boolean): boolean => {
    try {
      const chosen = decodeChoice(context, value)
      if (vouched) return true
      const known = usable().filter(isRested)
      const found = chosen.flatMap(({ hash }) => known.find((one) => one.hash === hash) ?? [])
      if (found.length !== chosen.length) return false
      const served = servedBy(room.joinKeys(), found)
      if (served.size < threshold) return false
      const wanted = isInsisting ? servedBy(room.joinKeys(), choice() ?? found) : served
      return [...early()].every((member) => served.has(member) || !wanted.has(member))
    } catch {
      return false
    }
  }
  const ready = (): readonly Candidate[] | undefined => {
    const own = choice()
    return own?.every(isRested) ? own : undefined
  }
  const propose = (): void => {
    const own = ready()
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
      isInsisting = entered <= insistingRounds
      if (entered > 1) {
        ports.log.info('round change in the agreement on dealings', { pool: poolId, round: entered })
        // Perhaps some lack what the last leader proposed.
        const dealers = usable().map(({ dealing }) => dealing.dealer)
        for (let to = 1; to <= size; to++) if (to !== receiver) room.board.passOn(to as MemberIndex, 'dealing', dealers)
      }
      propose()
      // What came with the first round in which it no longer insists was judged before.
      if (!isInsisting) session.reconsider()
    },
  })

  const start = async (): Promise<void> => {
    await room.board.until(ready, signal)
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
