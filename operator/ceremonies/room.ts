import { reasonOf } from '../core/errors.ts'
import type { Hex, MemberIndex, Milliseconds, ProducerId, Root } from '../core/ids.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import type { DealingDispute } from '../core/ports/disputes.ts'
import { judgeComplaint } from '../protocol/dkg/complaint.ts'
import { joinKeyPoint } from '../protocol/dkg/dealing.ts'
import { mayHold } from '../protocol/dkg/join.ts'
import { ceremonyDigest, complaintDigest, dealingHash } from '../protocol/messages/ceremony.ts'
import {
  type AbsenceMessage,
  type Agreed,
  type CeremonyMessage,
  type ComplaintMessage,
  decodeCeremony,
  encodeCeremony,
  type ParticipationMessage,
  type SignedCeremonyStatement,
  type SignedJoin,
} from '../protocol/messages/ceremony-codec.ts'
import type { DecidedMessage, QbftMessage } from '../protocol/qbft/types.ts'
import { Board, type Posting } from './board.ts'
import { type CeremonyFault, FaultBook, type JudgedComplaint } from './faults.ts'
import type { Ceremony, CeremonyPorts } from './types.ts'

/** Complaints, for each member of the vault, that one member can have judged: two of each are news at most. */
const JUDGED_A_MEMBER = 4
/** Repetitions between two that reach also members from which nothing comes. */
const SILENT_EVERY = 4

type StatementOf<K extends SignedCeremonyStatement['kind']> = Extract<SignedCeremonyStatement, { kind: K }>
/** What stands on the board. */
export type DkgKinds = { readonly [K in SignedCeremonyStatement['kind']]: StatementOf<K> } & {
  readonly participation: ParticipationMessage
}

/** What a room tells of that is not on the board. */
export type RoomEvents = {
  /** A member broke a rule. */
  readonly onFault: (fault: CeremonyFault) => void
  readonly onComplaint: (complaint: JudgedComplaint) => void
  /** Something the chain convicts a member of. */
  readonly onEvidence: (dispute: DealingDispute) => void
}

const authorOf = (message: SignedCeremonyStatement): MemberIndex =>
  message.kind === 'dealing' ? message.dealing.dealer : message.kind === 'reveal' ? message.reveal.member : message.member

/**
 * Where the messages of one key generation meet: the statements on its board, the complaints, which are judged as they come, and
 * the words of the agreements. Nothing that a member says ends the ceremony: it only says who broke a rule.
 */
export class CeremonyRoom {
  readonly board: Board<DkgKinds>
  readonly faults = new FaultBook()
  readonly #ceremony: Ceremony
  readonly #ports: CeremonyPorts
  readonly #events: RoomEvents
  readonly #agreements = new Map<Agreed, (from: MemberIndex, message: QbftMessage) => void>()
  readonly #decisions = new Map<Agreed, Uint8Array>()
  readonly #judgedFor = new Map<ProducerId, number>()
  /** Complaints judged, by digest and signature: as many as may be judged for all members. */
  readonly #judged = new Set<string>()
  readonly #heard = new Set<ProducerId>()
  #onAbsence: (from: ProducerId, message: AbsenceMessage) => void = () => {}
  #repetitions = 0
  #cancelPassOn: () => void = () => {}

  constructor(ports: CeremonyPorts, ceremony: Ceremony, events: RoomEvents) {
    this.#ports = ports
    this.#ceremony = ceremony
    this.#events = events
    this.board = new Board({
      participants: ceremony.members,
      network: ports.network,
      clock: ports.clock,
      verifyEcdsa: ports.verifyEcdsa,
      repeatMs: ports.beacon.spec.slotDurationMs,
      onRepeat: () => this.#passOn(),
    })
    this.board.onConflict((member, kind, [one, other]) =>
      this.accuse({
        member,
        rule: 'EQUIVOCATION',
        reason: `member ${member} signed two different statements (${kind}): ${one} and ${other}`,
      }),
    )
  }

  /** Posts a signed statement or the participation of self. */
  say(message: SignedCeremonyStatement | ParticipationMessage): void {
    const bytes = encodeCeremony(this.#ceremony.context, message)
    if (message.kind === 'participation') {
      this.board.say({ kind: message.kind, author: message.member, body: message, bytes, sealed: null })
      this.#passOnLate()
    } else {
      this.board.say(this.#posting(message, bytes))
    }
  }

  /** Posts a complaint of self, and judges it like any other. */
  complain(message: ComplaintMessage): void {
    this.#receiveComplaint(this.#ports.self, message, encodeCeremony(this.#ceremony.context, message))
  }

  sayQbft(about: Agreed, message: QbftMessage, to?: MemberIndex): void {
    const bytes = encodeCeremony(this.#ceremony.context, { kind: 'qbft', about, message })
    if (to === undefined) this.board.broadcast(bytes)
    else this.board.send(to, bytes)
  }

  /** Hands over the words of an agreement. */
  listen(about: Agreed, handler: (from: MemberIndex, message: QbftMessage) => void): void {
    this.#agreements.set(about, handler)
  }

  /** Hands over the words of the roll call. */
  listenForAbsence(handler: (from: ProducerId, message: AbsenceMessage) => void): void {
    this.#onAbsence = handler
  }

  /** A decision that is passed on to whoever may not have heard it. */
  keepDecision(about: Agreed, message: DecidedMessage): void {
    this.#decisions.set(about, encodeCeremony(this.#ceremony.context, { kind: 'qbft', about, message }))
  }

  /** A member's join with this key: signed, and shown to be its own. */
  joinOf(member: MemberIndex, joinKey: Hex | null | undefined): SignedJoin | undefined {
    return this.board.said('join', member).find((join) => join.joinKey === joinKey)
  }

  /** Takes a join from elsewhere than its own message. Whether it stands. */
  learnJoin(join: SignedJoin): boolean {
    this.#receiveStatement(this.#ports.self, join, encodeCeremony(this.#ceremony.context, join))
    return this.joinOf(join.member, join.joinKey) !== undefined
  }

  /** Whether a join's own author made it, be it one of many: of each author only two stand on the board. */
  isGenuine(join: SignedJoin): boolean {
    const { context, members } = this.#ceremony
    const address = members[join.member - 1]?.operator
    try {
      joinKeyPoint(join.joinKey, join.member)
    } catch {
      return false
    }
    const { verifyEcdsa } = this.#ports
    return (
      address !== undefined &&
      verifyEcdsa({ digest: ceremonyDigest(context, join), signature: join.signature, address }) &&
      mayHold(context, join)
    )
  }

  /** The dealing with this struct hash, of the one or two that its dealer signed. */
  dealingOf(dealer: MemberIndex, hash: Root): StatementOf<'dealing'> | undefined {
    return this.board.said('dealing', dealer).find(({ dealing }) => this.hashOf(dealing) === hash)
  }

  /** Struct hash of a dealing. */
  hashOf(dealing: Dealing): Root {
    return dealingHash(this.#ceremony.context, dealing)
  }

  /** Names a member that broke a rule. */
  accuse(fault: CeremonyFault): void {
    if (!this.faults.add(fault)) return
    const { poolId, round } = this.#ceremony.context
    this.#ports.log.warn('ceremony rule broken', { pool: poolId, round, rule: fault.rule, member: fault.member, reason: fault.reason })
    this.#events.onFault(fault)
    this.board.wake()
  }

  /** Tells the chain's keeper of a commitment that is no point of the group. */
  raiseCommitment({ dealing, signature }: StatementOf<'dealing'>, place: number): void {
    const join = this.joinOf(dealing.dealer, dealing.joinKeys[dealing.dealer - 1])
    if (join === undefined) return
    this.#raise({ dealing, dealingSignature: signature, dealerJoin: join.signature, against: { place } })
  }

  /** A message of this ceremony from a member of its vault; anything that does not fit is dropped. */
  receive(from: ProducerId, bytes: Uint8Array): void {
    const index = (this.#ceremony.members.findIndex(({ id }) => id === from) + 1) as MemberIndex
    if (index === 0) return
    this.#heard.add(from)
    let message: CeremonyMessage
    try {
      message = decodeCeremony(bytes, this.#ceremony.context)
    } catch (error) {
      this.#drop(from, reasonOf(error))
      return
    }
    if (message.kind === 'qbft') {
      this.#agreements.get(message.about)?.(index, message.message)
    } else if (message.kind === 'absence') {
      this.#onAbsence(from, message)
    } else if (message.kind === 'complaint') {
      this.#receiveComplaint(from, message, bytes)
    } else if (message.kind === 'participation') {
      const posting = { kind: message.kind, author: message.member, body: message, bytes, sealed: null }
      if (this.board.receive(from, posting) === 'new') this.#passOnLate()
    } else {
      this.#receiveStatement(from, message, bytes)
    }
  }

  close(): void {
    this.#cancelPassOn()
    this.board.close()
  }

  /** `never` fits wherever a body is asked for: kind and body come from one message. */
  #posting(message: SignedCeremonyStatement, bytes: Uint8Array): Posting<SignedCeremonyStatement['kind'], never> {
    const digest = (): Root => ceremonyDigest(this.#ceremony.context, message)
    const sealed = { digest, signature: message.signature }
    return { kind: message.kind, author: authorOf(message), body: message as never, bytes, sealed }
  }

  /** Statements prove themselves, so members may pass on each other's: that is how a double tongue shows. */
  #receiveStatement(from: ProducerId, message: SignedCeremonyStatement, bytes: Uint8Array): void {
    const author = authorOf(message)
    const isFirstJoin = message.kind === 'join' && !this.board.has('join', author)
    // Not signed, so no fault: it may have been bent on the way.
    if (message.kind === 'join' && !this.joinOf(author, message.joinKey) && !this.#mayJoin(from, message)) return
    const received = this.board.receive(from, this.#posting(message, bytes))
    // No fault: it proves nothing to others, so who gave up for it would only shut itself out.
    if (received === 'forged') this.#drop(from, `a ${message.kind} of member ${author} with a bad signature`)
    // Who has only just come lacks what was said before.
    if (received === 'new') this.#compare(message)
    if (received === 'new' && isFirstJoin && this.#ceremony.members[author - 1]?.id === from) this.board.greet(author)
  }

  /** Where it names something else of a third one than self was told, self tells what: so that a double tongue comes out at once. */
  #compare(message: SignedCeremonyStatement): void {
    const show = (kind: 'join' | 'dealing', named: readonly (Hex | null)[], told: (member: MemberIndex) => Hex | undefined): void => {
      for (const member of this.board.authors()) {
        const [other, own] = [named[member - 1] ?? null, told(member)]
        if (other !== null && own !== undefined && other !== own) this.board.show(kind, member)
      }
    }
    if (message.kind === 'dealing') show('join', message.dealing.joinKeys, (member) => this.board.said('join', member)[0]?.joinKey)
    if (message.kind === 'checked') {
      show('dealing', message.dealings, (member) => {
        const [said] = this.board.said('dealing', member)
        return said && this.hashOf(said.dealing)
      })
    }
  }

  #mayJoin(from: ProducerId, join: SignedJoin): boolean {
    const { context, members } = this.#ceremony
    const { member, joinKey, signature } = join
    try {
      joinKeyPoint(joinKey, member)
    } catch (error) {
      const address = members[member - 1]?.operator
      if (address !== undefined && this.#ports.verifyEcdsa({ digest: ceremonyDigest(context, join), signature, address })) {
        this.accuse({ member, rule: 'BAD_JOIN_KEY', reason: `member ${member} joined with a bad key: ${reasonOf(error)}` })
      }
      return false
    }
    const holds = mayHold(context, join)
    if (!holds) this.#drop(from, `member ${member} does not show that it holds its join key`)
    return holds
  }

  /**
   * Someone is at fault, and the complaint says who. It is about a dealing that is held, to join keys that their owners signed;
   * where one of these has not come yet it comes again with the complaint. The first that convicts a dealer, and the first that
   * charges a complainer, is told to all: so all end with the same convictions, in whatever order they hear of them.
   */
  #receiveComplaint(from: ProducerId, message: ComplaintMessage, bytes: Uint8Array): void {
    const { context, members } = this.#ceremony
    const { complaint, signature } = message
    const { dealer, member } = complaint
    const isNews = !this.faults.has(dealer, 'BAD_SHARE') || !this.faults.has(member, 'FALSE_COMPLAINT')
    const judged = this.#judgedFor.get(from) ?? 0
    if (!isNews || judged >= JUDGED_A_MEMBER * context.size) return
    const address = members[member - 1]?.operator
    for (const said of this.board.said('dealing', dealer)) {
      const { dealing } = said
      const dealerJoin = this.joinOf(dealer, dealing.joinKeys[dealer - 1])
      const memberJoin = this.joinOf(member, dealing.joinKeys[member - 1])
      if (address === undefined || dealerJoin === undefined || memberJoin === undefined) continue
      const digest = complaintDigest(context, complaint, this.hashOf(dealing))
      // Told again, as everything is: that must not use up what may be judged for an honest member.
      if (this.#judged.has(`${digest}/${signature}`)) return
      if (!this.#ports.verifyEcdsa({ digest, signature, address })) continue
      this.#judgedFor.set(from, judged + 1)
      this.#judged.add(`${digest}/${signature}`)
      if (!this.#judge(message, dealing)) return
      for (const author of [dealer, member]) this.board.show('join', author)
      this.board.show('dealing', dealer)
      this.board.sayAgain(bytes)
      const against = { complaint, signature, memberJoin: memberJoin.signature }
      this.#raise({ dealing, dealingSignature: said.signature, dealerJoin: dealerJoin.signature, against })
      return
    }
    this.#drop(from, `a complaint of member ${member} with a bad signature, or about what is not held`)
  }

  /** Whether its verdict is news. */
  #judge({ complaint }: ComplaintMessage, dealing: Dealing): boolean {
    const { dealer, member } = complaint
    const { guilty, fault } = judgeComplaint(this.#ceremony.context, dealing, complaint)
    const breach: CeremonyFault =
      guilty === 'dealer'
        ? {
            member: dealer,
            rule: 'BAD_SHARE',
            reason: `member ${dealer} dealt a bad share to member ${member}: judged by its complaint (${fault})`,
          }
        : { member, rule: 'FALSE_COMPLAINT', reason: `member ${member} complained falsely about member ${dealer} (${fault})` }
    if (this.faults.has(breach.member, breach.rule)) return false
    this.#events.onComplaint({ dealer, member, guilty, fault })
    this.accuse(breach)
    return true
  }

  #raise(dispute: Pick<DealingDispute, 'dealing' | 'dealingSignature' | 'dealerJoin' | 'against'>): void {
    const { poolId, kind, round } = this.#ceremony.context
    this.#events.onEvidence({ poolId, kind, round, members: this.#ceremony.members.map(({ id }) => id), oldMembers: [], ...dispute })
  }

  #drop(from: ProducerId, reason: string): void {
    this.#ports.log.debug('ceremony message dropped', { from, reason })
  }

  /**
   * With a threshold's signatures the outcome may be published a slot later, and who is late for it is left out. Most are just
   * about to sign it themselves: what was said is passed on to those alone that have not half a slot later.
   */
  #passOnLate(): void {
    const { context } = this.#ceremony
    const { clock, beacon } = this.#ports
    if (context.size - this.board.missing('participation').length !== context.threshold) return
    this.#cancelPassOn()
    this.#cancelPassOn = clock.at((clock.now() + beacon.spec.slotDurationMs / 2) as Milliseconds, () => this.#passOn())
  }

  /** To each member what it seems to lack, by what it has not said yet; to those from which nothing comes, more rarely. */
  #passOn(): void {
    this.#repetitions += 1
    for (const [at, { id }] of this.#ceremony.members.entries()) {
      const to = (at + 1) as MemberIndex
      if (id === this.#ports.self || (!this.#heard.has(id) && this.#repetitions % SILENT_EVERY !== 0)) continue
      this.#passOnTo(to)
    }
    this.#heard.clear()
  }

  #passOnTo(to: MemberIndex): void {
    const { board } = this
    const lacks = (kind: SignedCeremonyStatement['kind'] | 'participation'): boolean => !board.has(kind, to)
    const decided = (about: Agreed): void => {
      const bytes = this.#decisions.get(about)
      if (bytes !== undefined) board.send(to, bytes)
    }
    if (lacks('reveal')) {
      board.passOn(to, 'join')
      board.passOn(to, 'dealing')
      board.passOn(to, 'checked')
      decided('roster')
      decided('transcript')
    }
    if (lacks('participation')) board.passOn(to, 'reveal')
  }
}
