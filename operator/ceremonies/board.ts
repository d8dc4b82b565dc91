import type { Address, EcdsaSignature, MemberIndex, Milliseconds, ProducerId, Root } from '../core/ids.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Network } from '../core/ports/network.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'

/** Who takes part, in the order that gives them their indices: from 1. A producer may stand there twice (a handover's two vaults). */
export type Participant = { readonly id: ProducerId; readonly operator: Address }

/** Where the author's word can be checked. `digest` is worked out only where a signature has to be looked at. */
export type Sealed = { readonly digest: () => Root; readonly signature: EcdsaSignature }

/** One statement, as decoded by the ceremony's own codec. */
export type Posting<Kind extends string, Body> = {
  readonly kind: Kind
  readonly author: MemberIndex
  readonly body: Body
  /** As sent: what is passed on. */
  readonly bytes: Uint8Array
  /** Null: no signature is looked at here, and only its author may bring it. */
  readonly sealed: Sealed | null
}

/** `known`: nothing new. `conflict`: its author signed two. `forged`: not its author's. */
export type Received = 'new' | 'known' | 'conflict' | 'forged'

type Held<Body> = { readonly body: Body; readonly bytes: Uint8Array; readonly digest: Root | undefined }

export type BoardOptions = {
  readonly participants: readonly Participant[]
  readonly network: Network
  readonly clock: Clock
  readonly verifyEcdsa: EcdsaVerifier
  /** How often what was said is said again, milliseconds. */
  readonly repeatMs: number
  /** Called at every repetition, after it: what others may lack. */
  readonly onRepeat: () => void
}

/**
 * Signed statements over a list of participants, as a ceremony's members exchange them: of each kind one of each author stands;
 * a second one with another content is evidence against its author, is kept beside the first, and both are told to all. A third
 * is not looked at. What self has said, and what it chose to show of others', is said again until the board closes, since the
 * network may lose anything. It never holds more than two statements of an author and kind, and no signature is checked twice.
 *
 * It knows nothing of what is said. A ceremony uses it so:
 * - `Kinds` maps the names of its statements to their bodies; its codec makes `Posting`s of what the network brings, with the
 *   EIP-712 digest that the author signed, and hands them to `receive` together with the producer that sent them (proven by the
 *   transport). It judges contents itself, before (`receive` not called: as if never said) or after (the answer `new`).
 * - A statement made once for each of several others (a complaint) is a kind of its own for each: `complaint/3`.
 * - `say` own ones; the durable gate (`OperatorKey.signOnce`) sees to it that a restart says the same.
 * - `until` waits for what comes; `onConflict` hears of evidence; in `onRepeat` the ceremony passes on (`passOn`) what it
 *   holds to whoever seems to lack it, so that nobody is shut out by a member that keeps silent to it alone.
 * - QBFT messages are no statements: `broadcast` and `send` carry them, and `Early` keeps those that come too soon.
 */
export class Board<Kinds extends object> {
  readonly #options: BoardOptions
  readonly #held = new Map<string, Held<unknown>[]>()
  readonly #repeated = new Set<Uint8Array>()
  readonly #waiters = new Set<() => void>()
  readonly #peers: readonly ProducerId[]
  #onConflict: (author: MemberIndex, kind: string, digests: readonly Root[]) => void = () => {}
  #cancelRepeat: () => void = () => {}
  #closed = false

  constructor(options: BoardOptions) {
    this.#options = options
    this.#peers = [...new Set(options.participants.map(({ id }) => id))].filter((id) => id !== options.network.self)
    this.#repeat()
  }

  /** Called once for each author and kind of which two different statements were signed, with both digests. */
  onConflict(listener: (author: MemberIndex, kind: string, digests: readonly Root[]) => void): void {
    this.#onConflict = listener
  }

  /** Posts an own statement: sent to all others, now and again until the board closes. */
  say<K extends keyof Kinds & string>(posting: Posting<K, Kinds[K]>): void {
    const { kind, author, body, bytes, sealed } = posting
    const held = this.#at(kind, author)
    if (held.length === 0) held.push({ body, bytes, digest: sealed?.digest() })
    this.sayAgain(bytes)
    this.wake()
  }

  /** A statement that a producer brought, its own or another's. Never throws. */
  receive<K extends keyof Kinds & string>(from: ProducerId, posting: Posting<K, Kinds[K]>): Received {
    const { kind, author, body, bytes, sealed } = posting
    const participant = this.#options.participants[author - 1]
    if (this.#closed || participant === undefined) return 'forged'
    const held = this.#at(kind, author)
    if (held.length > 1 || held.some((one) => Buffer.compare(one.bytes, bytes) === 0)) return 'known'
    if (sealed === null) {
      if (participant.id !== from) return 'forged'
      if (held.length > 0) return 'known'
      this.#keep(held, { body, bytes, digest: undefined })
      return 'new'
    }
    const digest = sealed.digest()
    if (!this.#options.verifyEcdsa({ digest, signature: sealed.signature, address: participant.operator })) return 'forged'
    const [first] = held
    // The same content in other bytes: what is not signed of it, or another signature of the same key.
    if (first?.digest === digest) return 'known'
    this.#keep(held, { body, bytes, digest })
    if (first === undefined) return 'new'
    this.sayAgain(first.bytes)
    this.sayAgain(bytes)
    if (first.digest !== undefined) this.#onConflict(author, kind, [first.digest, digest])
    return 'conflict'
  }

  /** The statement that stands of each author that made one of this kind. */
  got<K extends keyof Kinds & string>(kind: K): ReadonlyMap<MemberIndex, Kinds[K]> {
    const found = new Map<MemberIndex, Kinds[K]>()
    for (const author of this.authors()) {
      const [first] = this.said(kind, author)
      if (first !== undefined) found.set(author, first)
    }
    return found
  }

  /** What an author said of this kind: nothing, one, or two that contradict each other. */
  said<K extends keyof Kinds & string>(kind: K, author: MemberIndex): readonly Kinds[K][] {
    return this.#peek(kind, author).map(({ body }) => body as Kinds[K])
  }

  has(kind: keyof Kinds & string, author: MemberIndex): boolean {
    return this.#peek(kind, author).length > 0
  }

  missing(kind: keyof Kinds & string, among: readonly MemberIndex[] = this.authors()): readonly MemberIndex[] {
    return among.filter((author) => !this.has(kind, author))
  }

  authors(): readonly MemberIndex[] {
    return this.#options.participants.map((_, at) => (at + 1) as MemberIndex)
  }

  /** Tells all, now and again, what is held of an author: whoever heard something else from it can tell. */
  show(kind: keyof Kinds & string, author: MemberIndex): void {
    for (const { bytes } of this.#peek(kind, author)) this.sayAgain(bytes)
  }

  /** Broadcasts what is held of an author once. */
  tell(kind: keyof Kinds & string, author: MemberIndex): void {
    for (const { bytes } of this.#peek(kind, author)) this.broadcast(bytes)
  }

  /** Sends a participant what is held of these authors, but for its own. */
  passOn(to: MemberIndex, kind: keyof Kinds & string, authors: readonly MemberIndex[] = this.authors()): void {
    for (const author of authors) if (author !== to) for (const { bytes } of this.#peek(kind, author)) this.send(to, bytes)
  }

  /** Sends a participant all that is said again: it has only just come. */
  greet(to: MemberIndex): void {
    for (const bytes of this.#repeated) this.send(to, bytes)
  }

  /** Broadcasts now and again until the board closes. */
  sayAgain(bytes: Uint8Array): void {
    if (this.#closed || this.#repeated.has(bytes)) return
    this.#repeated.add(bytes)
    this.broadcast(bytes)
  }

  broadcast(bytes: Uint8Array): void {
    for (const id of this.#peers) this.#options.network.send(id, 'ceremony', bytes)
  }

  send(to: MemberIndex, bytes: Uint8Array): void {
    const { participants, network } = this.#options
    const id = participants[to - 1]?.id
    if (id !== undefined && id !== network.self) network.send(id, 'ceremony', bytes)
  }

  /** Asks all who wait again: something that is not on the board has changed. */
  wake(): void {
    for (const waiter of [...this.#waiters]) waiter()
  }

  /** Resolves with the probe's first answer; it is asked now and whenever something has come. Rejects with what it throws, or the signal's reason. */
  until<T>(probe: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#waiters.delete(check)
        signal.removeEventListener('abort', abort)
      }
      const check = (): void => {
        try {
          const answer = probe()
          if (answer === undefined) return
          stop()
          resolve(answer)
        } catch (error) {
          stop()
          reject(error)
        }
      }
      const abort = (): void => {
        stop()
        reject(signal.reason)
      }
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      this.#waiters.add(check)
      check()
    })
  }

  /** Forgets who waits; nothing is said or taken any more. */
  close(): void {
    this.#closed = true
    this.#cancelRepeat()
    this.#waiters.clear()
  }

  #peek(kind: string, author: MemberIndex): readonly Held<unknown>[] {
    return this.#held.get(`${kind}/${author}`) ?? []
  }

  #at(kind: string, author: MemberIndex): Held<unknown>[] {
    const place = `${kind}/${author}`
    const held = this.#held.get(place) ?? []
    this.#held.set(place, held)
    return held
  }

  #keep(held: Held<unknown>[], statement: Held<unknown>): void {
    held.push(statement)
    this.wake()
  }

  #repeat(): void {
    const { clock, repeatMs, onRepeat } = this.#options
    this.#cancelRepeat = clock.at((clock.now() + repeatMs) as Milliseconds, () => {
      if (this.#closed) return
      for (const bytes of this.#repeated) this.broadcast(bytes)
      onRepeat()
      this.#repeat()
    })
  }
}
