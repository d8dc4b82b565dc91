import { reasonOf } from '../core/errors.ts'
import type { MemberIndex } from '../core/ids.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import { sleep } from '../core/time.ts'
import { ceremonyDigest, complaintDigest, complaintOnceKey } from '../protocol/messages/ceremony.ts'
import { handoverOnceKey, rotationResultDigest } from '../protocol/messages/handover.ts'
import { handoverResult } from '../protocol/rotation/transcript.ts'
import { agreeOnDealings } from './handover-agree.ts'
import { servedBy } from './handover-choice.ts'
import { publishHandover } from './handover-publish.ts'
import type { Candidate, HandoverRoom, Playing } from './handover-room.ts'
import type { HandoverPorts, HandoverSetup } from './handover-types.ts'
import type { CeremonyStage } from './types.ts'

/** Slots in which all new members can join before a dealer goes on with a threshold of them. */
const JOIN_SLOTS = 5
/** Slots within which who joins is insisted on, and within which it is served by the own choice: see `agreeOnDealings`. */
const EARLY_SLOTS = 2
const PROMPT_SLOTS = 3.5
/** Slots in which all old members can deal before the new vault goes on with a threshold of good dealings. */
const DEAL_SLOTS = 4
/** Slots from telling all of a dealing, in which a complaint about it can still keep it from being chosen. */
const REST_SLOTS = 1

/**
 * A handover from its first message to its publication (protocol.md §7): join → deal → verify → agree → result → participate →
 * publish → confirm; of a member of the old vault alone join → deal. Every step can be done again after a restart and says the same.
 * Who breaks a rule is left out. Never resolves: rejects with the signal's reason when the handover is over.
 */
export async function runHandover(ports: HandoverPorts, setup: HandoverSetup, room: HandoverRoom, signal: AbortSignal): Promise<never> {
  const { context } = setup
  const self = context.receiver ?? context.dealer
  if (self === undefined) throw new Error('expected a seat in one of the two vaults')
  const observed = { ...context, self }
  let [stageNow, since] = ['join', ports.clock.now()] as [CeremonyStage, ReturnType<typeof ports.clock.now>]
  const enter: Playing['enter'] = (stage, waitingFor = []) => {
    if (stage !== stageNow) [stageNow, since] = [stage, ports.clock.now()]
    const told = { faults: room.faults(), complaints: room.complaints(), qualified: room.chosen(), roster: null, patienceUntil: null }
    ports.observer.onProgress(observed, { stage, since, waitingFor, deadline: setup.deadline, ...told })
  }
  const playing: Playing = { setup, room, enter }
  const joinKey = await ports.secrets.begin(context)
  for (const member of [context.receiver, context.dealer]) {
    if (member === undefined) continue
    signal.throwIfAborted()
    const join = { kind: 'join', member, joinKey, proof: await ports.secrets.possession(context, member) } as const
    const signature = ports.operatorKey.signOnce(handoverOnceKey(context, 'join', member), ceremonyDigest(context, join))
    room.say({ ...join, signature })
  }
  const parts: Promise<unknown>[] = [room.board.until<never>(() => undefined, signal)]
  if (context.dealer !== undefined) parts.push(deal(ports, playing, context.dealer, signal))
  if (context.receiver !== undefined) parts.push(receive(ports, playing, context.receiver, signal))
  await Promise.all(parts)
  throw new Error('a handover ends by its signal')
}

const membersTo = (size: number, from = 1): readonly MemberIndex[] => Array.from({ length: size }, (_, at) => (from + at) as MemberIndex)

/** The old member's part: its share dealt to all that have joined. */
async function deal(ports: HandoverPorts, { setup, room, enter }: Playing, dealer: MemberIndex, signal: AbortSignal): Promise<void> {
  const { context } = setup
  const { board } = room
  const joined = (): number => room.joinKeys().filter((key) => key !== null).length
  if (context.receiver === undefined) enter('join', board.missing('join', membersTo(context.size)))
  await Promise.race([
    board.until(() => (joined() === context.size ? true : undefined), signal),
    sleep(ports.clock, JOIN_SLOTS * ports.beacon.spec.slotDurationMs, signal),
  ])
  await board.until(() => (joined() >= context.threshold ? true : undefined), signal)
  const own = board.said('join', dealer)[0]?.joinKey ?? null
  const others = membersTo(context.oldSize, context.size + 1).map((member) => (member === dealer ? own : null))
  let dealing: Dealing
  try {
    dealing = await ports.secrets.deal(context, [...room.joinKeys(), ...others])
  } catch (error) {
    // Without its share a member cannot hand it over; t others can.
    ports.log.error('cannot deal in a handover', { pool: context.poolId, round: context.round, reason: reasonOf(error) })
    return
  }
  signal.throwIfAborted()
  const digest = ceremonyDigest(context, { kind: 'dealing', dealing })
  room.say({ kind: 'dealing', dealing, signature: ports.operatorKey.signOnce(handoverOnceKey(context, 'dealing', dealer), digest) })
  if (context.receiver === undefined) enter('deal')
}

/** The new member's part. */
function receive(ports: HandoverPorts, playing: Playing, receiver: MemberIndex, signal: AbortSignal): Promise<never> {
  const opened = openAll(ports, playing, receiver, signal)
  return Promise.race([opened.failed, takeOver(ports, { ...playing, receiver, ...opened }, signal)])
}

type TakingOver = Playing & { readonly receiver: MemberIndex; readonly good: ReadonlySet<string>; readonly rested: ReadonlySet<string> }

/** New members that have joined within so many slots from now; before, so far. */
function joinedWithin(ports: HandoverPorts, { room, slots }: { readonly room: HandoverRoom; readonly slots: number }, signal: AbortSignal) {
  const now = (): ReadonlySet<MemberIndex> => new Set(room.joinKeys().flatMap((key, at) => (key === null ? [] : [(at + 1) as MemberIndex])))
  let then: ReadonlySet<MemberIndex> | undefined
  const note = (): void => {
    then = now()
  }
  sleep(ports.clock, slots * ports.beacon.spec.slotDurationMs, signal).then(note, () => undefined)
  return (): ReadonlySet<MemberIndex> => then ?? now()
}

async function takeOver(ports: HandoverPorts, playing: TakingOver, signal: AbortSignal): Promise<never> {
  const { setup, room, enter, receiver, good, rested } = playing
  const { context } = setup
  const { board } = room
  const began = ports.clock.now()
  const oldMembers = membersTo(context.oldSize, context.size + 1)
  const usable = (): readonly Candidate[] => room.candidates().filter(({ hash }) => good.has(hash))
  const isRested = ({ hash }: Candidate): boolean => rested.has(hash)
  const early = joinedWithin(ports, { room, slots: EARLY_SLOTS }, signal)
  const prompt = joinedWithin(ports, { room, slots: PROMPT_SLOTS }, signal)

  let shown = -1
  const waitForDealings = (isEnough: () => boolean): Promise<true> =>
    board.until(() => {
      const missing = board.missing('dealing', oldMembers)
      if (missing.length !== shown) enter(board.missing('join', membersTo(context.size)).length > 0 ? 'join' : 'deal', missing)
      shown = missing.length
      return isEnough() ? true : undefined
    }, signal)
  await waitForDealings(() => usable().length >= context.oldThreshold)
  const settled = (): boolean =>
    oldMembers.every((dealer) => room.faultOf(dealer) !== undefined || usable().some(({ dealing }) => dealing.dealer === dealer))
  await Promise.race([waitForDealings(settled), sleep(ports.clock, DEAL_SLOTS * ports.beacon.spec.slotDurationMs, signal)])

  enter('agree')
  const agreement = agreeOnDealings(ports, { setup, room, receiver, usable, isRested, early, prompt }, signal)
  try {
    const chosen = await agreement.decided
    room.choose(chosen.map(({ dealer }) => dealer))
    enter('verify')
    // Whoever of the chosen has dealt something else to some is chosen by this very dealing.
    let isToldOfNone = false
    const dealings = await board.until(() => {
      const held = room.candidates(true)
      const found = chosen.flatMap(({ hash }) => held.find((one) => one.hash === hash) ?? [])
      if (found.length !== chosen.length) return undefined
      if (found.every(({ hash }) => good.has(hash))) return found.map(({ dealing }) => dealing)
      if (!isToldOfNone && !servedBy(room.joinKeys(), found).has(receiver)) {
        isToldOfNone = true
        // It joined too late for one of the dealers, or messages were: it is named and replaced, which gives the vault another try.
        ports.log.error('the dealings agreed on hold no share for this member', { pool: context.poolId, round: context.round, receiver })
      }
      return undefined
    }, signal)

    enter('result')
    const result = handoverResult(context, dealings)
    await ports.secrets.combine(context, dealings)
    const digest = rotationResultDigest(context, result)

    enter('participate')
    const partial = await ports.secrets.sign(context, digest)
    // The share is on disk before anyone may count on this member to sign with it.
    await ports.secrets.commit(context, result.publicShares)
    signal.throwIfAborted()
    room.say({ kind: 'participation', member: receiver, partial, participation: ports.signingKey.sign(digest) })
    ports.observer.onSigned({ ...context, self: receiver }, ports.clock.now() - began)

    return await publishHandover(ports, { ...playing, result, digest }, signal)
  } finally {
    agreement.close()
  }
}

/**
 * Opens every dealing as it comes, and complains about what only self can see. `good`: hashes of dealings with a good share;
 * `rested`: of those that all others have been told of long enough to complain.
 */
function openAll(ports: HandoverPorts, { setup, room }: Playing, receiver: MemberIndex, signal: AbortSignal) {
  const { context } = setup
  const good = new Set<string>()
  const rested = new Set<string>()
  const seen = new Set<string>()
  const work = async (): Promise<never> => {
    for (;;) {
      const next = await room.board.until(() => room.candidates(true).find(({ hash }) => !seen.has(hash)), signal)
      seen.add(next.hash)
      const opened = await ports.secrets.open(context, next.dealing)
      signal.throwIfAborted()
      if (opened.good) accept(next)
      else await complain(next, opened.reason)
      room.board.wake()
    }
  }
  const accept = ({ dealing: { dealer }, hash }: Candidate): void => {
    good.add(hash)
    // Its dealer may have kept it from one for which it holds a bad share.
    for (const to of membersTo(context.size)) {
      if (to === receiver) continue
      room.board.passOn(to, 'join', [dealer])
      room.board.passOn(to, 'dealing', [dealer])
    }
    const rest = sleep(ports.clock, REST_SLOTS * ports.beacon.spec.slotDurationMs, signal)
    rest.then(
      () => {
        rested.add(hash)
        room.board.wake()
      },
      () => undefined,
    )
  }
  const complain = async ({ dealing, hash }: Candidate, reason: string): Promise<void> => {
    const { poolId, round } = context
    ports.log.warn('a dealing holds no good share', { pool: poolId, round, dealer: dealing.dealer, reason })
    const join = room.board.said('join', dealing.dealer).find(({ joinKey }) => joinKey === dealing.joinKeys[dealing.dealer - 1])
    if (join === undefined) return
    const complaint = await ports.secrets.complain(context, dealing, join.proof)
    if (complaint === null) return
    const about = hash
    const signature = ports.operatorKey.signOnce(
      complaintOnceKey(context, dealing.dealer, about),
      complaintDigest(context, complaint, about),
    )
    // With what it is about, for whoever lacks it.
    for (const author of [dealing.dealer, receiver]) room.board.show('join', author)
    room.board.show('dealing', dealing.dealer)
    room.say({ kind: 'complaint', complaint, about, signature })
  }
  return { good: good as ReadonlySet<string>, rested: rested as ReadonlySet<string>, failed: work() }
}
