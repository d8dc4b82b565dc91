import type { MemberIndex, Root } from '../core/ids.ts'
import type { Producer } from '../core/network.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Log } from '../core/ports/log.ts'
import type { OperatorKey } from '../core/ports/signer.ts'
import type { EcdsaVerifier } from '../protocol/messages/ecdsa.ts'
import { leaderOf, type QbftIdentity, qbftIdentity } from '../protocol/qbft/identity.ts'
import { isQuorum } from '../protocol/qbft/justify.ts'
import { QbftSession, valueRoot } from '../protocol/qbft/session.ts'
import type { DecidedMessage, QbftInstance, QbftMessage } from '../protocol/qbft/types.ts'
import { Early } from './early.ts'

/** Of each member, before self takes part: round one and one round change. */
const EARLY_MESSAGES = 8

export type AgreementOptions = {
  readonly instance: QbftInstance
  readonly domainSeparator: Root
  /** Who agrees, in the order of their indices. */
  readonly members: readonly Pick<Producer, 'operator'>[]
  readonly quorum: number
  readonly self: MemberIndex
  readonly firstRoundMs: number
  readonly maxValueBytes: number
  /** Own value, as self sees things now; undefined: none yet. */
  readonly input: () => Uint8Array | undefined
  /** See `QbftSettings.isValid`. */
  readonly isValid: (value: Uint8Array, vouched: boolean) => boolean
  readonly send: (message: QbftMessage, to?: MemberIndex) => void
  readonly operatorKey: OperatorKey
  readonly verifyEcdsa: EcdsaVerifier
  readonly clock: Clock
  readonly log: Log
}

/**
 * An agreement of a ceremony's members by QBFT: it listens from the beginning, and takes part from `start` on. A decision that
 * another one passes on counts at any time, since it proves itself. What a member would sign may change as it hears more:
 * `reconsider` then proposes, and judges what others proposed, anew.
 */
export class Agreement {
  readonly #options: AgreementOptions
  readonly #identity: QbftIdentity
  readonly #session: QbftSession
  readonly #early = new Early<MemberIndex, QbftMessage>(EARLY_MESSAGES)
  readonly #decided = Promise.withResolvers<Uint8Array>()
  #decision: DecidedMessage | undefined
  #started = false
  /** Within a step of the session: what it has us look at may change what self would sign. */
  #stepping = false
  #changed = false

  constructor(options: AgreementOptions) {
    this.#options = options
    const { instance, members, log } = options
    const size = members.length
    this.#identity = qbftIdentity({
      instance,
      domainSeparator: options.domainSeparator,
      key: options.operatorKey,
      members: members.map(({ operator }) => operator),
      verifyEcdsa: options.verifyEcdsa,
      limits: { size, maxValueBytes: options.maxValueBytes },
      onRefused: (reason) => log.error('the gate refused a message of an agreement', { ...instance, reason: String(reason) }),
    })
    this.#session = new QbftSession({
      size,
      quorum: options.quorum,
      self: options.self,
      leaderOf: leaderOf(instance, size),
      firstRoundMs: options.firstRoundMs,
      isValid: (value, vouched) => this.#within(() => options.isValid(value, vouched)),
      identity: this.#identity,
      clock: options.clock,
      broadcast: (message) => options.send(message),
      send: (to, message) => options.send(message, to),
      onDecided: ({ commits, value }) => this.#decide({ kind: 'decided', commits, value }),
      onFault: ({ member, fault }) => log.warn('fault in an agreement', { ...instance, member, fault }),
      onRound: (round) => {
        if (round > 1) log.info('round change in an agreement', { ...instance, round })
        this.#propose()
      },
    })
  }

  /** The decision as a message, for those who have not heard it. */
  get decision(): DecidedMessage | undefined {
    return this.#decision
  }

  /** Resolves with the value. */
  get decided(): Promise<Uint8Array> {
    return this.#decided.promise
  }

  /** Takes part from now on, or goes on where it was before a restart. */
  start(): void {
    if (this.#started || this.#decision !== undefined) return
    this.#started = true
    this.#step(() => this.#session.start())
    this.#early.listen((from, message) => this.#step(() => this.#session.receive(from, message)))
  }

  receive(from: MemberIndex, message: QbftMessage): void {
    if (this.#started) this.#step(() => this.#session.receive(from, message))
    else if (message.kind === 'decided') this.#learn(message)
    else this.#early.receive(from, message)
  }

  /** What self would sign may have changed. */
  reconsider(): void {
    if (!this.#started || this.#decision !== undefined) return
    if (this.#stepping) {
      this.#changed = true
      return
    }
    this.#step(() => {
      this.#propose()
      this.#session.reconsider()
    })
  }

  close(): void {
    this.#session.close()
  }

  #step(take: () => void): void {
    this.#within(take)
    if (!this.#changed) return
    this.#changed = false
    this.reconsider()
  }

  #within<T>(take: () => T): T {
    const outer = this.#stepping
    this.#stepping = true
    try {
      return take()
    } finally {
      this.#stepping = outer
    }
  }

  #propose(): void {
    const value = this.#options.input()
    if (value !== undefined) this.#session.propose(value)
  }

  #learn(message: DecidedMessage): void {
    const { commits, value } = message
    const [first] = commits
    if (this.#decision !== undefined || first === undefined || valueRoot(value) !== first.value) return
    const question = { statements: commits, quorum: this.#options.quorum, type: 'commit', round: first.round, value: first.value } as const
    if (isQuorum(question, this.#identity.verify)) this.#decide(message)
  }

  #decide(message: DecidedMessage): void {
    if (this.#decision !== undefined) return
    this.#decision = message
    this.#decided.resolve(message.value)
  }
}
