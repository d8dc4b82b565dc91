import { reasonOf } from '../core/errors.ts'
import type { MemberIndex, Milliseconds, Root } from '../core/ids.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import { judgeComplaint } from '../protocol/dkg/complaint.ts'
import { mayHold } from '../protocol/dkg/join.ts'
import { type CeremonyStatement, ceremonyDigest, complaintDigest, dealingHash } from '../protocol/messages/ceremony.ts'
import {
  type CeremonyMessage,
  type ComplaintMessage,
  decodeCeremony,
  encodeCeremony,
  type ParticipationMessage,
  type SignedCeremonyStatement,
} from '../protocol/messages/ceremony-codec.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'
import type { QbftMessage } from '../protocol/qbft/types.ts'
import { CeremonyFault } from './faults.ts'
import type { Ceremony } from './types.ts'

/** Of each member, before self has come to the stage where it agrees: round one and one round change. */
const EARLY_QBFT_MESSAGES = 8

type Said = Exclude<CeremonyMessage, { kind: 'qbft' | 'complaint' }>
type Kind = CeremonyStatement['kind'] | 'participation'
type Held = { readonly [K in Kind]: Extract<Said, { kind: K }> }

/** What a member needs of all the others before it can say the next. */
const NEXT = [
  ['join', 'dealing'],
  ['dealing', 'reveal'],
  ['reveal', 'participation'],
] as const satisfies readonly (readonly [Kind, Kind])[]

const authorOf = (message: Said): MemberIndex =>
  message.kind === 'dealing' ? message.dealing.dealer : message.kind === 'reveal' ? message.reveal.member : message.member

/**
 * Where the messages of one ceremony meet: at most one of each kind of each member, each with a good signature of that
 * member. What self has said is said again until the ceremony is over, since the network may lose anything; and what others
 * have said is passed on to whoever seems to lack it, so that no member can shut out another by keeping silent to it alone.
 * Whoever breaks a rule ends the waiting of all who see it.
 */
export class CeremonyRoom {
  readonly #ceremony: Ceremony
  readonly #network: Network
  readonly #clock: Clock
  readonly #verifyEcdsa: EcdsaVerifier
  readonly #log: Log
  readonly #repeatMs: number
  readonly #held = new Map<string, { readonly message: Said; readonly bytes: Uint8Array }>()
  readonly #repeated = new Set<Uint8Array>()
  readonly #waiters = new Set<() => void>()
  readonly #accused = new Set<MemberIndex>()
  #fault: CeremonyFault | undefined
  #onQbft: ((from: MemberIndex, message: QbftMessage) => void) | undefined
  readonly #earlyQbft = new Map<MemberIndex, QbftMessage[]>()
  #cancelRepeat: () => void = () => {}
  #closed = false

  constructor(options: {
    readonly ceremony: Ceremony
    readonly network: Network
    readonly clock: Clock
    readonly verifyEcdsa: EcdsaVerifier
    readonly log: Log
    /** How often own messages are said again, milliseconds. */
    readonly repeatMs: number
  }) {
    this.#ceremony = options.ceremony
    this.#network = options.network
    this.#clock = options.clock
    this.#verifyEcdsa = options.verifyEcdsa
    this.#log = options.log
    this.#repeatMs = options.repeatMs
    this.#repeat()
  }

  /** Sends a signed statement or the participation to all others, now and again until the room closes. */
  say(message: Said): void {
    const bytes = encodeCeremony(this.#ceremony.context, message)
    this.#keep(message, bytes)
    this.#sayAgain(bytes)
  }

  /** Passes on what a member said, now and again: whoever heard something else from it can tell. */
  show(kind: CeremonyStatement['kind'], member: MemberIndex): void {
    const held = this.#held.get(`${kind}/${member}`)
    if (held !== undefined) this.#sayAgain(held.bytes)
  }

  /** Tells all what the complaint is about, and the complaint. Each then judges it by itself. */
  complain(message: ComplaintMessage): void {
    const { dealer, member } = message.complaint
    for (const author of [dealer, member]) this.show('join', author)
    this.show('dealing', dealer)
    this.#sayAgain(encodeCeremony(this.#ceremony.context, message))
  }

  sayQbft(message: QbftMessage, to?: MemberIndex): void {
    const bytes = encodeCeremony(this.#ceremony.context, { kind: 'qbft', message })
    if (to === undefined) this.#broadcast(bytes)
    else this.#send(to, bytes)
  }

  /** Takes over QBFT messages, first those that came too early. */
  onQbft(handler: (from: MemberIndex, message: QbftMessage) => void): void {
    this.#onQbft = handler
    for (const [from, messages] of this.#earlyQbft) for (const message of messages) handler(from, message)
    this.#earlyQbft.clear()
  }

  /** One message of a kind from each member that has sent it. */
  got<K extends Kind>(kind: K): ReadonlyMap<MemberIndex, Held[K]> {
    const found = new Map<MemberIndex, Held[K]>()
    for (const { message } of this.#held.values()) if (message.kind === kind) found.set(authorOf(message), message as Held[K])
    return found
  }

  missing(kind: Kind): readonly MemberIndex[] {
    return this.#ceremony.members.map((_, at) => (at + 1) as MemberIndex).filter((member) => !this.#held.has(`${kind}/${member}`))
  }

  /** Resolves when every member has sent its message of this kind; tells for whom it waits, now and whenever that changes. */
  all<K extends Kind>(
    kind: K,
    onWaiting: (missing: readonly MemberIndex[]) => void,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<MemberIndex, Held[K]>> {
    let waitingFor = -1
    return this.until(() => {
      const missing = this.missing(kind)
      if (missing.length !== waitingFor) onWaiting(missing)
      waitingFor = missing.length
      return waitingFor === 0 ? this.got(kind) : undefined
    }, signal)
  }

  /**
   * Resolves with the probe's first answer; it is asked whenever a message has come. Rejects with a `CeremonyFault` when a
   * member breaks a rule, or with the signal's reason.
   */
  until<T>(probe: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const answer = this.#fault === undefined ? probe() : undefined
        if (answer === undefined && this.#fault === undefined) return
        stop()
        if (answer !== undefined) resolve(answer)
        else reject(this.#fault)
      }
      const abort = (): void => {
        stop()
        reject(signal.reason)
      }
      const stop = (): void => {
        this.#waiters.delete(check)
        signal.removeEventListener('abort', abort)
      }
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.add(check)
      check()
    })
  }

  /** A message of this ceremony from a member of its vault; anything that does not fit is dropped. */
  receive(from: MemberIndex, bytes: Uint8Array): void {
    if (this.#closed || this.#accused.has(from)) return
    let message: CeremonyMessage
    try {
      message = decodeCeremony(bytes, this.#ceremony.context)
    } catch (error) {
      this.#log.debug('ceremony message dropped', { from, reason: reasonOf(error) })
      return
    }
    if (message.kind === 'qbft') this.#receiveQbft(from, message.message)
    else if (message.kind === 'complaint') this.#receiveComplaint(from, message, bytes)
    else if (message.kind === 'participation') this.#receiveParticipation(from, message, bytes)
    else this.#receiveStatement(from, message, bytes)
  }

  close(): void {
    this.#closed = true
    this.#cancelRepeat()
    this.#waiters.clear()
  }

  /** Statements prove themselves, so members may pass on each other's: that is how a double tongue shows. */
  #receiveStatement(from: MemberIndex, message: SignedCeremonyStatement, bytes: Uint8Array): void {
    const author = authorOf(message)
    const held = this.#held.get(`${message.kind}/${author}`)
    if (this.#accused.has(author) || (held !== undefined && Buffer.compare(held.bytes, bytes) === 0)) return
    const digest = ceremonyDigest(this.#ceremony.context, message)
    if (!this.#isSigned(author, digest, message)) {
      // No fault: it proves nothing to others, so who gave up for it would only shut itself out.
      this.#log.debug('ceremony message dropped', { from, reason: `a ${message.kind} of member ${author} with a bad signature` })
    } else if (held === undefined && message.kind === 'join' && !mayHold(this.#ceremony.context, message)) {
      this.#log.debug('ceremony message dropped', { from, reason: `member ${author} does not show that it holds its join key` })
    } else if (held === undefined) {
      this.#keep(message, bytes)
      // Who has only just come lacks what was said before.
      if (message.kind === 'join' && author === from) for (const own of this.#repeated) this.#send(from, own)
    } else if (held.message.kind !== 'participation') {
      const other = ceremonyDigest(this.#ceremony.context, held.message)
      if (other === digest) return
      this.#broadcast(held.bytes)
      this.#broadcast(bytes)
      this.#accuse(new CeremonyFault('EQUIVOCATION', author, `signed two different ${message.kind}s: ${other} and ${digest}`))
    }
  }

  /**
   * Someone is at fault, and the complaint says who. It is about a dealing to the join keys that self was told; where that has
   * not come yet it comes again with the complaint.
   */
  #receiveComplaint(from: MemberIndex, { complaint, signature }: ComplaintMessage, bytes: Uint8Array): void {
    const { context } = this.#ceremony
    const { dealer, member } = complaint
    const dealing = this.got('dealing').get(dealer)?.dealing
    const joins = this.got('join')
    const agreed = [dealer, member].every((at) => dealing?.joinKeys[at - 1] === joins.get(at)?.joinKey)
    if (this.#accused.has(dealer) || this.#accused.has(member) || dealing === undefined || !agreed) return
    const address = this.#ceremony.members[member - 1]?.operator
    const digest = complaintDigest(context, complaint, dealingHash(context, dealing))
    if (address === undefined || !this.#verifyEcdsa({ digest, signature, address })) {
      this.#log.debug('ceremony message dropped', { from, reason: `a complaint of member ${member} with a bad signature` })
      return
    }
    this.#sayAgain(bytes)
    const { guilty, fault } = judgeComplaint(context, dealing, complaint)
    if (guilty === 'dealer') {
      this.#accuse(new CeremonyFault('BAD_SHARE', dealer, `dealt a bad share to member ${member}: judged by its complaint (${fault})`))
    } else {
      this.#accuse(new CeremonyFault('FALSE_COMPLAINT', member, `complained falsely about member ${dealer} (${fault})`))
    }
  }

  /** Carries two signatures that are checked where they are used; only its author sends it. */
  #receiveParticipation(from: MemberIndex, message: ParticipationMessage, bytes: Uint8Array): void {
    if (message.member === from && !this.#held.has(`participation/${from}`)) this.#keep(message, bytes)
  }

  #receiveQbft(from: MemberIndex, message: QbftMessage): void {
    if (this.#onQbft !== undefined) {
      this.#onQbft(from, message)
      return
    }
    const early = this.#earlyQbft.get(from) ?? []
    if (early.length < EARLY_QBFT_MESSAGES) this.#earlyQbft.set(from, [...early, message])
  }

  #isSigned(author: MemberIndex, digest: Root, { signature }: SignedCeremonyStatement): boolean {
    const address = this.#ceremony.members[author - 1]?.operator
    return address !== undefined && this.#verifyEcdsa({ digest, signature, address })
  }

  #accuse(fault: CeremonyFault): void {
    const { poolId, self } = this.#ceremony.context
    this.#log.warn('ceremony rule broken', { pool: poolId, rule: fault.code, member: fault.member, reason: fault.message })
    this.#accused.add(fault.member)
    // Once self has signed the result, nothing that came before can spoil it.
    if (this.#held.has(`participation/${self}`)) return
    this.#fault ??= fault
    this.#wake()
  }

  #keep(message: Said, bytes: Uint8Array): void {
    this.#held.set(`${message.kind}/${authorOf(message)}`, { message, bytes })
    // The outcome may be published any moment now, and who is late for it holds no share.
    const { size, threshold } = this.#ceremony.context
    if (message.kind === 'participation' && size - this.missing('participation').length === threshold) this.#passOn()
    this.#wake()
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }

  #sayAgain(bytes: Uint8Array): void {
    if (this.#repeated.has(bytes)) return
    this.#repeated.add(bytes)
    this.#broadcast(bytes)
  }

  #broadcast(bytes: Uint8Array): void {
    for (const at of this.#ceremony.members.keys()) this.#send((at + 1) as MemberIndex, bytes)
  }

  /**
   * To each member that has not said the next thing, what self has heard from the others: it may lack some. Joins, which are
   * small and tell a double tongue, as soon as they are complete; the rest when a quorum is ahead of it.
   */
  #passOn(): void {
    const { size, threshold } = this.#ceremony.context
    for (const [kind, next] of NEXT) {
      const behind = this.missing(next)
      if (kind === 'join' ? this.missing(kind).length > 0 : size - behind.length < threshold) continue
      for (const to of behind) {
        for (const { message, bytes } of this.#held.values()) {
          if (message.kind === kind && authorOf(message) !== to && authorOf(message) !== this.#ceremony.context.self) this.#send(to, bytes)
        }
      }
    }
  }

  #send(to: MemberIndex, bytes: Uint8Array): void {
    const member = this.#ceremony.members[to - 1]
    if (member !== undefined && to !== this.#ceremony.context.self) this.#network.send(member.id, 'ceremony', bytes)
  }

  #repeat(): void {
    const next = (this.#clock.now() + this.#repeatMs) as Milliseconds
    this.#cancelRepeat = this.#clock.at(next, () => {
      if (this.#closed) return
      for (const bytes of this.#repeated) this.#broadcast(bytes)
      this.#passOn()
      this.#repeat()
    })
  }
}
