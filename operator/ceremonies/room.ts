import { reasonOf } from '../core/errors.ts'
import type { EcdsaSignature, MemberIndex, Milliseconds } from '../core/ids.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { Network } from '../core/ports/network.ts'
import { type CeremonyStatement, ceremonyDigest } from '../protocol/messages/ceremony.ts'
import { type CeremonyMessage, decodeCeremony, encodeCeremony, type ParticipationMessage } from '../protocol/messages/ceremony-codec.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'
import type { QbftMessage } from '../protocol/qbft/types.ts'
import type { Ceremony } from './types.ts'

type Kind = CeremonyStatement['kind'] | 'participation'
type Held = {
  readonly join: CeremonyStatement & { readonly kind: 'join' }
  readonly dealing: CeremonyStatement & { readonly kind: 'dealing' }
  readonly reveal: CeremonyStatement & { readonly kind: 'reveal' }
  readonly participation: ParticipationMessage
}

const memberOf = (message: CeremonyStatement | ParticipationMessage): MemberIndex =>
  message.kind === 'dealing' ? message.dealing.dealer : message.kind === 'reveal' ? message.reveal.member : message.member

/**
 * Where the messages of one ceremony meet: at most one of each kind of each member, each with a good signature of that
 * member. What self has said is said again until the ceremony is over, since the network may lose anything.
 */
export class CeremonyRoom {
  readonly #ceremony: Ceremony
  readonly #network: Network
  readonly #clock: Clock
  readonly #verifyEcdsa: EcdsaVerifier
  readonly #log: Log
  readonly #repeatMs: number
  readonly #held = new Map<string, CeremonyStatement | ParticipationMessage>()
  readonly #own: Uint8Array[] = []
  readonly #waiters = new Set<() => void>()
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
  say(message: Exclude<CeremonyMessage, { kind: 'qbft' }>): void {
    const bytes = encodeCeremony(this.#ceremony.context, message)
    this.#own.push(bytes)
    this.#keep(message)
    this.#broadcast(bytes)
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
    for (const message of this.#held.values()) if (message.kind === kind) found.set(memberOf(message), message as Held[K])
    return found
  }

  missing(kind: Kind): readonly MemberIndex[] {
    const found = this.got(kind)
    return this.#ceremony.members.map((_, at) => (at + 1) as MemberIndex).filter((member) => !found.has(member))
  }

  /** Resolves when every member has sent its message of this kind. Rejects when the signal aborts. */
  all<K extends Kind>(kind: K, signal: AbortSignal): Promise<ReadonlyMap<MemberIndex, Held[K]>> {
    return this.until(() => (this.missing(kind).length === 0 ? this.got(kind) : undefined), signal)
  }

  /** Resolves with the probe's first answer; it is asked whenever a message has come. */
  until<T>(probe: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const answer = probe()
        if (answer === undefined) return
        stop()
        resolve(answer)
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
    if (this.#closed) return
    const message = this.#decode(from, bytes)
    if (message === undefined) return
    if (message.kind === 'qbft') {
      this.#receiveQbft(from, message.message)
      return
    }
    if (memberOf(message) !== from) return
    const again = this.#held.has(`${message.kind}/${from}`)
    // Who says its first word again lacks ours: it has only just come, or come back.
    if (message.kind === 'join') for (const own of this.#own) this.#send(from, own)
    if (again || !this.#isSigned(from, message)) return
    this.#keep(message)
  }

  close(): void {
    this.#closed = true
    this.#cancelRepeat()
    this.#waiters.clear()
  }

  #decode(from: MemberIndex, bytes: Uint8Array): CeremonyMessage | undefined {
    try {
      return decodeCeremony(bytes, this.#ceremony.context)
    } catch (error) {
      this.#log.debug('ceremony message dropped', { from, reason: reasonOf(error) })
      return undefined
    }
  }

  #isSigned(from: MemberIndex, message: (CeremonyStatement & { readonly signature: EcdsaSignature }) | ParticipationMessage): boolean {
    // A participation carries signatures that prove themselves, checked where they are used.
    if (message.kind === 'participation') return true
    const address = this.#ceremony.members[from - 1]?.operator
    const digest = ceremonyDigest(this.#ceremony.context, message)
    const good = address !== undefined && this.#verifyEcdsa({ digest, signature: message.signature, address })
    if (!good) this.#log.warn('ceremony message with a bad signature dropped', { from, kind: message.kind })
    return good
  }

  #receiveQbft(from: MemberIndex, message: QbftMessage): void {
    if (this.#onQbft !== undefined) {
      this.#onQbft(from, message)
      return
    }
    const early = this.#earlyQbft.get(from) ?? []
    if (early.length < EARLY_QBFT_MESSAGES) this.#earlyQbft.set(from, [...early, message])
  }

  #keep(message: CeremonyStatement | ParticipationMessage): void {
    this.#held.set(`${message.kind}/${memberOf(message)}`, message)
    for (const waiter of [...this.#waiters]) waiter()
  }

  #broadcast(bytes: Uint8Array): void {
    for (const at of this.#ceremony.members.keys()) this.#send((at + 1) as MemberIndex, bytes)
  }

  #send(to: MemberIndex, bytes: Uint8Array): void {
    const member = this.#ceremony.members[to - 1]
    if (member !== undefined && to !== this.#ceremony.context.self) this.#network.send(member.id, 'ceremony', bytes)
  }

  #repeat(): void {
    const next = (this.#clock.now() + this.#repeatMs) as Milliseconds
    this.#cancelRepeat = this.#clock.at(next, () => {
      if (this.#closed) return
      for (const bytes of this.#own) this.#broadcast(bytes)
      this.#repeat()
    })
  }
}

/** Of each member, before self has come to the stage where it agrees: round one and one round change. */
const EARLY_QBFT_MESSAGES = 8
