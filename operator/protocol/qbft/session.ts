import { hash } from 'node:crypto'
import type { MemberIndex, Milliseconds, Root } from '../../core/ids.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { QbftEngine } from './engine.ts'
import type { QbftIdentity } from './identity.ts'
import type { Decision, QbftEffect, QbftFault, QbftMessage, QbftSettings } from './types.ts'

export type QbftSessionOptions = Pick<QbftSettings, 'size' | 'quorum' | 'self' | 'leaderOf' | 'firstRoundMs' | 'isValid'> & {
  readonly identity: QbftIdentity
  readonly clock: Clock
  readonly broadcast: (message: QbftMessage) => void
  readonly send: (to: MemberIndex, message: QbftMessage) => void
  readonly onDecided: (decision: Decision) => void
  readonly onFault: (fault: QbftFault) => void
  /** A round was entered: `propose` anew. */
  readonly onRound: (round: number) => void
}

/** Root of a value as agreed on: SHA-256 of its bytes. */
export function valueRoot(value: Uint8Array): Root {
  return `0x${hash('sha256', value)}` as Root
}

/** A running instance: the state machine with its timers and its outgoing messages connected. */
export class QbftSession {
  readonly #options: QbftSessionOptions
  readonly #engine: QbftEngine
  #cancelTimer: () => void = () => {}
  #closed = false

  constructor(options: QbftSessionOptions) {
    this.#options = options
    const { size, quorum, self, leaderOf, firstRoundMs, isValid, identity } = options
    const { sign, verify } = identity
    this.#engine = new QbftEngine({ size, quorum, self, leaderOf, firstRoundMs, isValid, sign, verify, rootOf: valueRoot })
  }

  get decision(): Decision | undefined {
    return this.#engine.decision
  }

  /** Enters round 1, or the round this member was in before a restart. */
  start(): void {
    this.#step(() => this.#engine.start(this.#options.identity.resume()))
  }

  /** The own value for the current round. */
  propose(value: Uint8Array): void {
    this.#step(() => this.#engine.propose(value))
  }

  /** Something that `isValid` looks at has changed. */
  reconsider(): void {
    this.#step(() => this.#engine.reconsider())
  }

  receive(from: MemberIndex, message: QbftMessage): void {
    this.#step(() => this.#engine.receive(from, message))
  }

  /** Ends timers and answers. */
  close(): void {
    this.#closed = true
    this.#cancelTimer()
  }

  /** All records of a step are synced once, then it takes effect. When they cannot be kept, this member falls silent. */
  #step(advance: () => readonly QbftEffect[]): void {
    if (this.#closed) return
    const effects = this.#options.identity.durably(advance)
    if (effects === undefined) this.close()
    else this.#perform(effects)
  }

  #perform(effects: readonly QbftEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'broadcast':
          this.#options.broadcast(effect.message)
          break
        case 'send':
          this.#options.send(effect.to, effect.message)
          break
        case 'timer':
          this.#setTimer(effect)
          break
        case 'decided':
          this.#cancelTimer()
          this.#options.onDecided(effect.decision)
          break
        case 'fault':
          this.#options.onFault(effect)
          break
      }
    }
  }

  #setTimer({ round, afterMs }: { readonly round: number; readonly afterMs: number }): void {
    const { clock, onRound } = this.#options
    this.#cancelTimer()
    const cancel = clock.at((clock.now() + afterMs) as Milliseconds, () => {
      this.#step(() => this.#engine.timeout(round))
    })
    this.#cancelTimer = cancel
    onRound(round)
  }
}
