import type { EcdsaSignature, MemberIndex, Root } from '../../core/ids.ts'
import { faultsOf } from '../../core/vault.ts'
import { highestPrepared, isQuorum, justifyPrePrepare, justifyRoundChange } from './justify.ts'
import { Tally } from './tally.ts'
import type {
  DecidedMessage,
  Decision,
  FaultKind,
  PreparedCertificate,
  QbftEffect,
  QbftMessage,
  QbftSettings,
  SignedStatement,
  Statement,
  StatementMessage,
} from './types.ts'
import { MAX_ROUND, ZERO_ROOT } from './types.ts'

/** The pre-prepare that this member follows in its current round. */
type Proposal = {
  readonly signed: SignedStatement
  readonly value: Uint8Array
  readonly vouched: boolean
  valid: boolean
  prepared: boolean
}

type RoundChange = {
  readonly signed: SignedStatement
  readonly prepares: readonly SignedStatement[]
  readonly value: Uint8Array | undefined
}

/**
 * One instance of QBFT (Moniz, arXiv 2002.03613) as a pure state machine: messages, inputs and timer ticks in; messages,
 * timer requests and the decision out. Every method returns what the host must do, in order.
 *
 * Memory is bounded: per member one prepare and one commit a round, its latest round change, and rounds up to `MAX_ROUND`.
 */
export class QbftEngine {
  readonly #settings: QbftSettings
  readonly #prepares = new Tally()
  readonly #commits = new Tally()
  readonly #roundChanges = new Map<MemberIndex, RoundChange>()
  readonly #dropped = new Set<MemberIndex>()
  readonly #answered = new Map<MemberIndex, number>()
  readonly #verified = new Map<EcdsaSignature, SignedStatement>()
  #effects: QbftEffect[] = []
  #round = 0
  #input: Uint8Array | undefined
  #proposal: Proposal | undefined
  #proposed = false
  #committed = false
  #prepared: PreparedCertificate | undefined
  /** A value whose commits came before it, from a pre-prepare of an earlier round. */
  #late: { readonly root: Root; readonly value: Uint8Array } | undefined
  #decision: Decision | undefined

  constructor(settings: QbftSettings) {
    this.#settings = settings
  }

  get round(): number {
    return this.#round
  }

  get decision(): Decision | undefined {
    return this.#decision
  }

  /**
   * Enters round 1, or after a restart the last round in which this member spoke, with what it had prepared: so that it
   * never contradicts itself.
   */
  start(resume: { readonly round: number; readonly prepared?: PreparedCertificate | undefined } = { round: 1 }): readonly QbftEffect[] {
    if (this.#round > 0) return []
    this.#prepared = resume.prepared
    this.#enter(Math.max(1, resume.round))
    return this.#advance()
  }

  /**
   * This member's own input for the current round: what it proposes when it leads and nothing was prepared before. Each round
   * asks anew (its `timer` effect tells), because the best value of a minute ago may be one that others refuse.
   */
  propose(value: Uint8Array): readonly QbftEffect[] {
    this.#input = value
    return this.#advance()
  }

  /** Judges a proposal again that was not valid so far: the host's view of the chain has moved. */
  reconsider(): readonly QbftEffect[] {
    const proposal = this.#proposal
    if (this.#decision === undefined && proposal !== undefined && !proposal.valid) {
      proposal.valid = this.#settings.isValid(proposal.value, proposal.vouched)
    }
    return this.#advance()
  }

  /** The timer of a round has run out. Ticks of other rounds are ignored. */
  timeout(round: number): readonly QbftEffect[] {
    if (this.#decision !== undefined || round !== this.#round || round >= MAX_ROUND) return []
    this.#enter(round + 1)
    this.#sayRoundChange()
    return this.#advance()
  }

  /** A message from a member, proven by the transport to come from it; ignored before `start`. Never throws. */
  receive(from: MemberIndex, message: QbftMessage): readonly QbftEffect[] {
    if (this.#round === 0 || from === this.#settings.self || this.#dropped.has(from)) return []
    const fault = message.kind === 'decided' ? this.#onDecided(message) : this.#onStatement(from, message)
    if (fault !== undefined) this.#fault(from, fault)
    return this.#advance()
  }

  #onStatement(from: MemberIndex, message: StatementMessage): FaultKind | undefined {
    const { signed } = message
    if (signed.sender !== from) return 'bad-signature'
    if (this.#decision !== undefined) return this.#answer(from, signed)
    if (signed.round < 1 || signed.round > MAX_ROUND) return undefined
    switch (signed.type) {
      case 'pre-prepare':
        return this.#onPrePrepare(message)
      case 'prepare':
        return this.#onPrepare(signed)
      case 'commit':
        return this.#onCommit(signed)
      case 'round-change':
        return this.#onRoundChange(message)
    }
  }

  #onPrePrepare(message: StatementMessage): FaultKind | undefined {
    const { signed, value, roundChanges, prepares } = message
    const { leaderOf, quorum, rootOf, isValid } = this.#settings
    if (signed.sender !== leaderOf(signed.round)) return 'not-leader'
    const standing = this.#proposal?.signed
    if (standing?.round === signed.round) return this.#compare(standing, signed)
    if (value === undefined || rootOf(value) !== signed.value) return 'bad-value'
    if (signed.round < this.#round) {
      if (this.#commits.quorumIn(signed.round, quorum)?.root === signed.value) this.#late = { root: signed.value, value }
      return undefined
    }
    if (!this.#verify(signed)) return 'bad-signature'
    const justified = justifyPrePrepare({ round: signed.round, root: signed.value, roundChanges, prepares, quorum }, this.#verify)
    if (justified === undefined) return 'bad-justification'
    if (signed.round > this.#round) this.#enter(signed.round)
    const vouched = justified === 'vouched'
    this.#proposal = { signed, value, vouched, valid: isValid(value, vouched), prepared: false }
    return undefined
  }

  #onPrepare(signed: SignedStatement): FaultKind | undefined {
    if (signed.round < this.#round || (signed.round === this.#round && this.#committed)) return undefined
    return this.#tally(this.#prepares, signed)
  }

  #onCommit(signed: SignedStatement): FaultKind | undefined {
    return this.#tally(this.#commits, signed)
  }

  #tally(tally: Tally, signed: SignedStatement): FaultKind | undefined {
    const standing = tally.get(signed.round, signed.sender)
    if (standing !== undefined) return this.#compare(standing, signed)
    if (!this.#verify(signed)) return 'bad-signature'
    tally.add(signed)
    return undefined
  }

  #onRoundChange(message: StatementMessage): FaultKind | undefined {
    const { signed, prepares, value } = message
    const standing = this.#roundChanges.get(signed.sender)?.signed
    if (standing?.round === signed.round) return this.#compare(standing, signed)
    if (standing !== undefined && standing.round > signed.round) return undefined
    if (!this.#verify(signed)) return 'bad-signature'
    if (!justifyRoundChange({ statement: signed, prepares, quorum: this.#settings.quorum }, this.#verify)) return 'bad-justification'
    const named = value === undefined ? ZERO_ROOT : this.#settings.rootOf(value)
    if (named !== signed.preparedValue) return 'bad-value'
    this.#roundChanges.set(signed.sender, { signed, prepares, value })
    return undefined
  }

  #onDecided({ commits, value }: DecidedMessage): FaultKind | undefined {
    const first = commits[0]
    if (this.#decision !== undefined || first === undefined) return undefined
    if (this.#settings.rootOf(value) !== first.value) return 'bad-value'
    const question = { statements: commits, quorum: this.#settings.quorum, type: 'commit', round: first.round, value: first.value } as const
    if (!isQuorum(question, this.#verify)) return 'bad-justification'
    this.#decide({ round: first.round, root: first.value, value, commits })
    return undefined
  }

  /** A late member tells by its round change that it has not decided; each of its rounds is answered once. */
  #answer(from: MemberIndex, signed: SignedStatement): undefined {
    const decision = this.#decision
    if (decision === undefined || signed.type !== 'round-change' || signed.round > MAX_ROUND) return
    if (signed.round <= (this.#answered.get(from) ?? 0)) return
    this.#answered.set(from, signed.round)
    this.#effects.push({ kind: 'send', to: from, message: { kind: 'decided', commits: decision.commits, value: decision.value } })
  }

  /** Applies the rules of the paper until none applies, and hands over what they ask for. */
  #advance(): readonly QbftEffect[] {
    while (this.#round > 0 && this.#decision === undefined) {
      if (!(this.#tryDecide() || this.#tryJump() || this.#tryPropose() || this.#tryPrepare() || this.#tryCommit())) break
    }
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #tryDecide(): boolean {
    for (const round of this.#commits.rounds()) {
      const found = this.#commits.quorumIn(round, this.#settings.quorum)
      const value = found && this.#valueOf(found.root)
      if (found === undefined || value === undefined) continue
      this.#decide({ round, root: found.root, value, commits: found.statements })
      return true
    }
    return false
  }

  /** f + 1 members are in later rounds, so an honest one is: go to the highest round that f + 1 have reached. */
  #tryJump(): boolean {
    const later: number[] = []
    for (const { signed } of this.#roundChanges.values()) if (signed.round > this.#round) later.push(signed.round)
    const target = later.sort((a, b) => b - a)[faultsOf(this.#settings.size)]
    if (target === undefined) return false
    this.#enter(target)
    this.#sayRoundChange()
    return true
  }

  #tryPropose(): boolean {
    const { leaderOf, self, quorum, isValid } = this.#settings
    if (this.#proposed || this.#proposal !== undefined || leaderOf(this.#round) !== self) return false
    const changes = [...this.#roundChanges.values()].filter(({ signed }) => signed.round === this.#round)
    if (this.#round > 1 && changes.length < quorum) return false
    const highest = highestPrepared(changes.map(({ signed }) => signed))
    const cause = changes.find(({ signed }) => signed === highest)
    const value = cause === undefined ? this.#input : cause.value
    if (value === undefined || !isValid(value, cause !== undefined)) return false
    this.#proposed = true
    const signed = this.#say({ type: 'pre-prepare', round: this.#round, value: this.#settings.rootOf(value) })
    if (signed === undefined) return true
    this.#proposal = { signed, value, vouched: cause !== undefined, valid: true, prepared: false }
    const roundChanges = changes.map((change) => change.signed)
    this.#broadcast({ kind: 'statement', signed, roundChanges, prepares: cause?.prepares ?? [], value })
    return true
  }

  #tryPrepare(): boolean {
    const proposal = this.#proposal
    if (proposal === undefined || !proposal.valid || proposal.prepared) return false
    proposal.prepared = true
    const signed = this.#say({ type: 'prepare', round: this.#round, value: proposal.signed.value })
    if (signed === undefined) return true
    this.#prepares.add(signed)
    this.#broadcastBare(signed)
    return true
  }

  #tryCommit(): boolean {
    const proposal = this.#proposal
    if (this.#committed || proposal === undefined) return false
    const found = this.#prepares.quorumIn(this.#round, this.#settings.quorum)
    if (found?.root !== proposal.signed.value) return false
    this.#committed = true
    const certificate = { round: this.#round, root: found.root, value: proposal.value, prepares: found.statements }
    const signed = this.#say({ type: 'commit', round: this.#round, value: found.root }, certificate)
    if (signed === undefined) return true
    this.#prepared = certificate
    this.#commits.add(signed)
    this.#broadcastBare(signed)
    return true
  }

  #sayRoundChange(): void {
    const prepared = this.#prepared
    const statement = { type: 'round-change', round: this.#round, value: ZERO_ROOT } as const
    const signed = this.#say({ ...statement, preparedRound: prepared?.round ?? 0, preparedValue: prepared?.root ?? ZERO_ROOT })
    if (signed === undefined) return
    const change = { signed, prepares: prepared?.prepares ?? [], value: prepared?.value }
    this.#roundChanges.set(signed.sender, change)
    this.#broadcast({ kind: 'statement', ...change, roundChanges: [] })
  }

  #enter(round: number): void {
    this.#round = round
    this.#input = undefined
    this.#proposal = undefined
    this.#proposed = false
    this.#committed = false
    this.#prepares.dropBelow(round)
    this.#effects.push({ kind: 'timer', round, afterMs: this.#settings.firstRoundMs * 2 ** (round - 1) })
  }

  #decide(decision: Decision): void {
    this.#decision = decision
    this.#prepares.dropBelow(MAX_ROUND + 1)
    this.#commits.dropBelow(MAX_ROUND + 1)
    this.#roundChanges.clear()
    this.#verified.clear()
    this.#proposal = undefined
    this.#effects.push({ kind: 'decided', decision })
  }

  #valueOf(root: Root): Uint8Array | undefined {
    if (this.#proposal?.signed.value === root) return this.#proposal.value
    if (this.#prepared?.root === root) return this.#prepared.value
    if (this.#late?.root === root) return this.#late.value
    for (const { signed, value } of this.#roundChanges.values()) if (signed.preparedValue === root) return value
    return undefined
  }

  /** A second statement where one stands: the same again is an echo, another one is an equivocation if really signed. */
  #compare(standing: SignedStatement, signed: SignedStatement): FaultKind | undefined {
    if (isSameWord(standing, signed)) return undefined
    if (!this.#verify(signed)) return 'bad-signature'
    this.#fault(signed.sender, 'equivocation', [standing, signed])
    return undefined
  }

  #fault(member: MemberIndex, fault: FaultKind, evidence?: readonly [SignedStatement, SignedStatement]): void {
    this.#dropped.add(member)
    this.#effects.push({ kind: 'fault', member, fault, ...(evidence && { evidence }) })
  }

  #say(
    statement: Pick<Statement, 'type' | 'round' | 'value'> & Partial<Statement>,
    certificate?: PreparedCertificate,
  ): SignedStatement | undefined {
    const full = { preparedRound: 0, preparedValue: ZERO_ROOT, ...statement }
    const signature = this.#settings.sign(full, certificate)
    return signature === undefined ? undefined : { ...full, sender: this.#settings.self, signature }
  }

  #broadcast(message: QbftMessage): void {
    this.#effects.push({ kind: 'broadcast', message })
  }

  #broadcastBare(signed: SignedStatement): void {
    this.#broadcast({ kind: 'statement', signed, roundChanges: [], prepares: [], value: undefined })
  }

  /** Each signature is checked once, however many certificates carry it. */
  readonly #verify = (signed: SignedStatement): boolean => {
    if (signed.sender < 1 || signed.sender > this.#settings.size) return false
    const known = this.#verified.get(signed.signature)
    if (known !== undefined && isSame(known, signed)) return true
    if (!this.#settings.verify(signed)) return false
    if (this.#verified.size >= 4 * MAX_ROUND * this.#settings.size) this.#verified.clear()
    this.#verified.set(signed.signature, signed)
    return true
  }
}

function isSame(one: SignedStatement, other: SignedStatement): boolean {
  return one.sender === other.sender && one.type === other.type && one.round === other.round && isSameWord(one, other)
}

/** Where sender, type and round are the same. */
function isSameWord(one: SignedStatement, other: SignedStatement): boolean {
  return one.value === other.value && one.preparedRound === other.preparedRound && one.preparedValue === other.preparedValue
}
