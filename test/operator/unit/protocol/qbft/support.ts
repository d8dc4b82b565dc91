import { createHash } from 'node:crypto'
import type { EcdsaSignature, MemberIndex } from '../../../../../operator/core/ids.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { QbftEngine } from '../../../../../operator/protocol/qbft/engine.ts'
import { valueRoot } from '../../../../../operator/protocol/qbft/session.ts'
import type {
  Decision,
  QbftEffect,
  QbftFault,
  QbftMessage,
  QbftSettings,
  SignedStatement,
  Statement,
} from '../../../../../operator/protocol/qbft/types.ts'
import { ZERO_ROOT } from '../../../../../operator/protocol/qbft/types.ts'

export const member = (index: number): MemberIndex => index as MemberIndex
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

function keyedHash(sender: number, statement: Statement): EcdsaSignature {
  const { type, round, value, preparedRound, preparedValue } = statement
  const digest = createHash('sha256').update(`${sender}/${type}/${round}/${value}/${preparedRound}/${preparedValue}`).digest('hex')
  return `0x${digest}${digest}1b` as EcdsaSignature
}

/** A statement signed as `sender` would sign it. */
export function signed(sender: number, statement: Pick<Statement, 'type' | 'round' | 'value'> & Partial<Statement>): SignedStatement {
  const full = { preparedRound: 0, preparedValue: ZERO_ROOT, ...statement }
  return { ...full, sender: member(sender), signature: keyedHash(sender, full) }
}

export function bare(statement: SignedStatement): QbftMessage {
  return { kind: 'statement', signed: statement, roundChanges: [], prepares: [], value: undefined }
}

export function settings(self: number, size = 4, change: Partial<QbftSettings> = {}): QbftSettings {
  return {
    size,
    quorum: thresholdOf(size),
    self: member(self),
    leaderOf: (round) => member(((round - 1) % size) + 1),
    firstRoundMs: 100,
    rootOf: valueRoot,
    isValid: (value) => !text(value)?.startsWith('bad'),
    sign: (statement) => keyedHash(self, statement),
    verify: ({ sender, signature, ...statement }) => signature === keyedHash(sender, statement),
    ...change,
  }
}

/** Engines joined by a list of messages in flight, delivered in order. */
export class Vault {
  readonly engines = new Map<number, QbftEngine>()
  readonly decisions = new Map<number, Decision>()
  readonly timers = new Map<number, { readonly round: number; readonly afterMs: number }>()
  readonly faults: QbftFault[] = []
  readonly sent: { readonly from: number; readonly to: number; readonly message: QbftMessage }[] = []
  /** Says whether a message arrives. */
  passes: (link: { readonly from: number; readonly to: number; readonly message: QbftMessage }) => boolean = () => true
  readonly size: number
  #input: (self: number) => string = (self) => `value of ${self}`

  constructor(size = 4, change: (self: number) => Partial<QbftSettings> = () => ({})) {
    this.size = size
    for (let self = 1; self <= size; self++) this.engines.set(self, new QbftEngine(settings(self, size, change(self))))
  }

  engine(self: number): QbftEngine {
    const engine = this.engines.get(self)
    if (engine === undefined) throw new Error(`no member ${self}`)
    return engine
  }

  startAll(input: (self: number) => string = (self) => `value of ${self}`): void {
    for (const [self, engine] of this.engines) {
      this.#input = input
      this.perform(self, engine.start())
    }
    this.deliver()
  }

  timeoutAll(): void {
    for (const [self, { round }] of [...this.timers]) this.perform(self, this.engine(self).timeout(round))
    this.deliver()
  }

  perform(self: number, effects: readonly QbftEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'timer') {
        this.timers.set(self, effect)
        this.perform(self, this.engine(self).propose(bytes(this.#input(self))))
      } else if (effect.kind === 'decided') this.decisions.set(self, effect.decision)
      else if (effect.kind === 'fault') this.faults.push(effect)
      else if (effect.kind === 'send') this.sent.push({ from: self, to: effect.to, message: effect.message })
      else for (const to of this.engines.keys()) if (to !== self) this.sent.push({ from: self, to, message: effect.message })
    }
  }

  deliver(): void {
    for (let next = this.sent.shift(); next !== undefined; next = this.sent.shift()) {
      if (this.passes(next)) this.perform(next.to, this.engine(next.to).receive(member(next.from), next.message))
    }
  }

  decided(): (string | undefined)[] {
    return [...this.engines.keys()].map((self) => text(this.decisions.get(self)?.value))
  }
}
